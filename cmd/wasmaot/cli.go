package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// command is a subcommand. The flags are read here rather than by a library because a warm run takes two
// milliseconds: what a program links, it initialises.
type command struct {
	use      string // after the program's name
	long     string
	example  string
	min, max int    // number of arguments; max < 0 is no limit
	what     string // the expected arguments, for messages
	mixed    bool   // flags may come after arguments
	flags    flagSet
	run      func(ctx context.Context, args []string) error
}

// commandInfo is an entry of the list of commands.
type commandInfo struct {
	name, short string
	make        func() *command
}

func (i *commandInfo) help(w io.Writer, c *command) {
	long := c.long
	if long == "" {
		long = i.short + "."
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n  wasmaot %s\n", long, c.use)
	if c.example != "" {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.example)
	}
	if len(c.flags) > 0 {
		fmt.Fprintf(w, "\nFlags:\n%s", c.flags.usage())
	}
}

// find is the entry of a name, nil if there is none.
func find(list []commandInfo, name string) *commandInfo {
	if k := slices.IndexFunc(list, func(i commandInfo) bool { return i.name == name }); k >= 0 {
		return &list[k]
	}
	return nil
}

func names(list []commandInfo) string {
	var s []string
	for i := range list {
		s = append(s, list[i].name)
	}
	return strings.Join(s[:len(s)-1], ", ") + " or " + s[len(s)-1]
}

// execute runs the command that args name.
func execute(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return overview(os.Stdout)
	}
	name := args[0]
	if name == "help" || name == "--help" || name == "-h" {
		if len(args) == 1 {
			return overview(os.Stdout)
		}
		args, name = []string{args[1], "--help"}, args[1]
	}
	info := find(commands, name)
	if info == nil {
		return usageError{fmt.Errorf("unknown command %q: expected %s", name, names(commands))}
	}
	c := info.make()
	rest, help, err := c.flags.parse(args[1:], c.mixed)
	switch {
	case err != nil:
		return usageError{fmt.Errorf("%s: %w", name, err)}
	case help:
		info.help(os.Stdout, c)
		return nil
	case len(rest) < c.min || c.max >= 0 && len(rest) > c.max:
		return usageError{fmt.Errorf("%s: expected %s, found %d arguments", name, c.what, len(rest))}
	}
	return c.run(ctx, rest)
}

func overview(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s\n\nUsage:\n  wasmaot COMMAND [flags] [args]\n\nCommands:\n", about)
	for i := range commands {
		fmt.Fprintf(w, "  %-10s %s\n", commands[i].name, commands[i].short)
	}
	fmt.Fprintf(w, "\nUse \"wasmaot help COMMAND\" for more about a command.\n")
	return err
}

// option is a flag.
type option struct {
	name  string
	short string // one letter, or empty
	arg   string // what the value is called; empty if it takes none
	usage string
	set   func(value string) error
}

type flagSet []option

// add adds a flag. The value is called what stands between backquotes in usage.
func (f *flagSet) add(name, short, usage string, set func(string) error) {
	before, rest, ok := strings.Cut(usage, "`")
	arg, after, _ := strings.Cut(rest, "`")
	if ok {
		usage = before + arg + after
	} else {
		arg = "VALUE"
	}
	*f = append(*f, option{name, short, arg, usage, set})
}

func (f *flagSet) bool(p *bool, name, usage string) {
	*f = append(*f, option{name: name, usage: usage, set: func(s string) (err error) {
		*p, err = strconv.ParseBool(s)
		return err
	}})
}

func (f *flagSet) string(p *string, name, short, usage string) {
	f.add(name, short, usage, func(s string) error { *p = s; return nil })
}

// list is a flag that may be given several times.
func (f *flagSet) list(p *[]string, name, usage string) {
	f.add(name, "", usage, func(s string) error { *p = append(*p, s); return nil })
}

func (f *flagSet) int(p *int, name, usage string) {
	f.add(name, "", usage, func(s string) (err error) { *p, err = strconv.Atoi(s); return err })
}

func (f *flagSet) duration(p *time.Duration, name, usage string) {
	f.add(name, "", usage, func(s string) (err error) { *p, err = time.ParseDuration(s); return err })
}

func (f flagSet) usage() string {
	var b strings.Builder
	for _, o := range f {
		left := "      --" + o.name
		if o.short != "" {
			left = "  -" + o.short + ", --" + o.name
		}
		if o.arg != "" {
			left += " " + o.arg
		}
		fmt.Fprintf(&b, "%-28s %s\n", left, o.usage)
	}
	return b.String()
}

// parse takes the flags out of args: --name=value, --name value, -n value, --name for those without value. "--" ends
// them, and so does the first argument unless they may be mixed.
func (f flagSet) parse(args []string, mixed bool) (rest []string, help bool, err error) {
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		switch {
		case a == "--":
			return append(rest, args...), help, nil
		case a == "-h" || a == "--help":
			return nil, true, nil
		case len(a) < 2 || a[0] != '-':
			rest = append(rest, a)
			if !mixed {
				return append(rest, args...), help, nil
			}
			continue
		}
		name, value, given := strings.Cut(a, "=")
		k := slices.IndexFunc(f, func(o option) bool { return "--"+o.name == name || o.short != "" && "-"+o.short == name })
		if k < 0 {
			return nil, false, fmt.Errorf("unknown flag: %s", name)
		}
		o := &f[k]
		switch {
		case given:
		case o.arg == "":
			value = "true"
		case len(args) == 0:
			return nil, false, fmt.Errorf("flag %s: expected %s after it", name, o.arg)
		default:
			value, args = args[0], args[1:]
		}
		if err := o.set(value); err != nil {
			return nil, false, fmt.Errorf("flag %s=%s: %w", name, value, err)
		}
	}
	return rest, help, nil
}
