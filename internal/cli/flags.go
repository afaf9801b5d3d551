package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// option is a flag.
type option struct {
	name  string
	short string // one letter, or empty
	value bool   // it takes one
	usage string // what the value is called stands between backquotes
	set   func(value string) error
}

// FlagSet is the flags of a command.
type FlagSet []option

// add adds a flag with a value.
func (f *FlagSet) add(name, short, usage string, set func(string) error) {
	*f = append(*f, option{name, short, true, usage, set})
}

// arg is what the flag's value is called, empty if it takes none, and text the usage without quotes.
func (o *option) arg() (arg, text string) {
	before, rest, ok := strings.Cut(o.usage, "`")
	arg, after, _ := strings.Cut(rest, "`")
	switch {
	case !o.value:
		return "", o.usage
	case !ok:
		return "VALUE", o.usage
	}
	return arg, before + arg + after
}

// Bool is a flag without a value.
func (f *FlagSet) Bool(p *bool, name, usage string) {
	*f = append(*f, option{name: name, usage: usage, set: func(s string) (err error) {
		*p, err = strconv.ParseBool(s)
		return err
	}})
}

// String is a flag with a value; short is one letter or empty.
func (f *FlagSet) String(p *string, name, short, usage string) {
	f.add(name, short, usage, func(s string) error { *p = s; return nil })
}

// List is a flag that may be given several times.
func (f *FlagSet) List(p *[]string, name, usage string) {
	f.add(name, "", usage, func(s string) error { *p = append(*p, s); return nil })
}

// Int is a flag with a number.
func (f *FlagSet) Int(p *int, name, usage string) {
	f.add(name, "", usage, func(s string) (err error) { *p, err = strconv.Atoi(s); return err })
}

// Duration is a flag with a duration.
func (f *FlagSet) Duration(p *time.Duration, name, usage string) {
	f.add(name, "", usage, func(s string) (err error) { *p, err = time.ParseDuration(s); return err })
}

// Size is a flag with a number of bytes between bounds.
func (f *FlagSet) Size(p *uint64, name, usage string, least, most uint64) {
	f.add(name, "", usage, func(s string) (err error) { *p, err = ParseSize("--"+name, s, least, most); return err })
}

// Choice is a flag with one of some values, of which p gets the number.
func Choice[T ~uint8](f *FlagSet, p *T, name, usage string, values ...string) {
	f.add(name, "", usage, func(s string) error {
		k := slices.Index(values, s)
		if k < 0 {
			last := len(values) - 1
			return fmt.Errorf("expected %s or %s", strings.Join(values[:last], ", "), values[last])
		}
		*p = T(k)
		return nil
	})
}

// Usage is the flags with what they do, one a line.
func (f FlagSet) Usage() string {
	var b strings.Builder
	for _, o := range f {
		left := "      --" + o.name
		if o.short != "" {
			left = "  -" + o.short + ", --" + o.name
		}
		arg, text := o.arg()
		if arg != "" {
			left += " " + arg
		}
		fmt.Fprintf(&b, "%-28s %s\n", left, text)
	}
	return b.String()
}

// Parse takes the flags out of args: --name=value, --name value, -n value, --name for those without value. "--" ends
// them, and so does the first argument unless they may be mixed.
func (f FlagSet) Parse(args []string, mixed bool) (rest []string, help bool, err error) {
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
		case !o.value:
			value = "true"
		case len(args) == 0:
			arg, _ := o.arg()
			return nil, false, fmt.Errorf("flag %s: expected %s after it", name, arg)
		default:
			value, args = args[0], args[1:]
		}
		if err := o.set(value); err != nil {
			var told UsageError // with the flag's name
			if errors.As(err, &told) {
				return nil, false, err
			}
			return nil, false, fmt.Errorf("flag %s=%s: %w", name, value, err)
		}
	}
	return rest, help, nil
}

// Record adds to list what each of the flags so far is set to, in the spelling --name=value.
func (f FlagSet) Record(list *[]string) {
	for i := range f {
		o := &f[i]
		set, name := o.set, o.name
		o.set = func(value string) error {
			err := set(value)
			if err == nil {
				*list = append(*list, "--"+name+"="+value)
			}
			return err
		}
	}
}
