package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/internal/cli"
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
	flags    cli.FlagSet
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
		fmt.Fprintf(w, "\nFlags:\n%s", c.flags.Usage())
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
		return cli.UsageError{Err: fmt.Errorf("unknown command %q: expected %s", name, names(commands))}
	}
	c := info.make()
	rest, help, err := c.flags.Parse(args[1:], c.mixed)
	switch {
	case err != nil:
		return cli.UsageError{Err: fmt.Errorf("%s: %w", name, err)}
	case help:
		info.help(os.Stdout, c)
		return nil
	case len(rest) < c.min || c.max >= 0 && len(rest) > c.max:
		return cli.UsageError{Err: fmt.Errorf("%s: expected %s, found %d arguments", name, c.what, len(rest))}
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
