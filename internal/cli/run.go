package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/wasi"
)

// RunFlags are the flags of a run that need no compiler: "wasmaot run" takes them, and "wasmaot build" keeps them for the executable. People
// come from `wasmtime run` and `wazero run`: both spellings are taken.
type RunFlags struct {
	dirs, mounts []string
	env          []string
	envInherit   bool
	argv0        string
	timeout      time.Duration
	maxMemory    string
	stackSize    string
	hostLogging  string
	network      networkFlags
}

// Register adds the flags to a set.
func (f *RunFlags) Register(fl *FlagSet) {
	*fl = slices.Grow(*fl, 16)
	fl.List(&f.dirs, "dir", "give the guest a directory: `HOST[::GUEST]`; repeatable")
	fl.List(&f.mounts, "mount", "the same, spelled `HOST[:GUEST][:ro]`; ro is read-only")
	fl.List(&f.env, "env", "set a variable of the guest's environment: `NAME=VALUE`, or NAME for the host's value")
	fl.Bool(&f.envInherit, "env-inherit", "give the guest the whole environment")
	fl.String(&f.argv0, "argv0", "", "the guest's argument 0, `NAME` (default: FILE's name)")
	fl.Duration(&f.timeout, "timeout", "stop the guest after `DURATION` (10s, 1m30s) and exit with 124")
	fl.String(&f.maxMemory, "max-memory", "", "bound the guest's linear memory: `SIZE` in bytes or with K, M, G (at most 4G)")
	fl.String(&f.stackSize, "stack-size", "", "`SIZE` of the native stack (default 512M)")
	fl.String(&f.hostLogging, "hostlogging", "", "print calls to the host: `GROUPS`, all or some of filesystem,clock,poll,random,sock,proc")
	f.network.register(fl)
}

// Start runs loaded code. The error is an ExitCode if the guest gave one.
func (f *RunFlags) Start(ctx context.Context, code *loader.Code, name string, config *Config) error {
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		defer cancel()
	}
	release, err := f.network.open(&config.WASI)
	if err != nil {
		return err
	}
	defer release()
	exit, err := Run(ctx, code, name, config)
	var stopped *loader.Interrupted
	if errors.As(err, &stopped) && errors.Is(err, errTimeout) {
		return fmt.Errorf("%s: stopped after %v: %w", name, f.timeout, errTimeout)
	}
	if err == nil && exit != 0 {
		err = ExitCode(exit)
	}
	return err
}

// Config translates flags and arguments, of which the first is the name of the module's file.
func (f *RunFlags) Config(args []string) (*Config, error) {
	c := &Config{WASI: wasi.Config{
		Args: append([]string{strings.TrimSuffix(filepath.Base(args[0]), ".go")}, args[1:]...), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, OwnProcess: true,
	}}
	if f.argv0 != "" {
		c.WASI.Args[0] = f.argv0
	}
	if f.envInherit {
		c.WASI.Env = os.Environ()
	}
	for _, e := range f.env {
		if !strings.Contains(e, "=") {
			v, ok := os.LookupEnv(e)
			if !ok {
				continue
			}
			e += "=" + v
		}
		c.WASI.Env = append(c.WASI.Env, e)
	}
	for _, s := range f.dirs {
		host, guest, mapped := strings.Cut(s, "::")
		if host == "" || mapped && guest == "" {
			return nil, UsageError{fmt.Errorf("--dir=%s: expected HOST or HOST::GUEST", s)}
		}
		if !mapped {
			guest = ""
		}
		if err := AddDir(&c.WASI, host, guest, false); err != nil {
			return nil, err
		}
	}
	for _, s := range f.mounts {
		rest, readOnly := strings.CutSuffix(s, ":ro")
		host, guest, mapped := strings.Cut(rest, ":")
		if host == "" || mapped && guest == "" {
			return nil, UsageError{fmt.Errorf("--mount=%s: expected HOST, HOST:GUEST or either with :ro", s)}
		}
		if err := AddDir(&c.WASI, host, guest, readOnly); err != nil {
			return nil, err
		}
	}
	var err error
	if f.hostLogging != "" {
		if c.WASI.Trace, err = hostLog(os.Stderr, f.hostLogging); err != nil {
			return nil, err
		}
	}
	if c.MaxMemory, err = ParseSize("--max-memory", f.maxMemory, 65536, 4<<30); err != nil {
		return nil, err
	}
	if err := f.network.allow(&c.WASI.Network); err != nil {
		return nil, err
	}
	c.StackSize, err = ParseSize("--stack-size", f.stackSize, 64<<10, 1<<30-1<<20)
	return c, err
}

// ParseSize reads a number of bytes with an optional unit; empty is 0.
func ParseSize(flag, s string, least, most uint64) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	digits := strings.TrimRight(strings.ToUpper(s), "IB")
	shift := 0
	if n := len(digits); n > 0 {
		if i := strings.IndexByte("KMG", digits[n-1]); i >= 0 {
			digits, shift = digits[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > math.MaxUint64>>shift || n<<shift < least || n<<shift > most {
		return 0, UsageError{fmt.Errorf("%s=%s: expected a size from %d to %d bytes, such as 256M", flag, s, least, most)}
	}
	return n << shift, nil
}
