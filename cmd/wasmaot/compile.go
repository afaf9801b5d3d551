package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/cli"
)

func newCompile() *command {
	var out string
	var times, noOpt, baseline, explicit, poll, check bool
	var workers int
	var off []string
	var dump, target, emit string
	cmd := &command{
		use:  "compile [flags] FILE -o OUT",
		long: "Compile a module to native code in an ELF file, which \"wasmaot run\" takes in place\nof the module. It runs on machines with the same CPU features, with this build of\nwasmaot; --baseline confines it to features that every supported CPU has.",
		min:  1, max: 1, what: "FILE", mixed: true,
		run: func(ctx context.Context, args []string) error {
			if out == "" {
				return cli.UsageError{Err: fmt.Errorf("compile: expected the output file: -o OUT")}
			}
			if err := cli.CheckOutput(out); err != nil {
				return err
			}
			opts := compiler.Options{NoOpt: noOpt, Baseline: baseline, Poll: poll && emit != "obj", Workers: workers, Progress: progress("compiling " + filepath.Base(args[0]))}
			if explicit {
				opts.Tier = artifact.TierExplicit
			}
			if err := setTarget(&opts, target); err != nil {
				return err
			}
			opts.Debug.Check = check
			for _, list := range off {
				opts.Debug.Off = append(opts.Debug.Off, strings.Split(list, ",")...)
			}
			if dump != "" {
				opts.Debug.Dump, opts.Debug.DumpFunc = os.Stdout, dump
			}
			if times {
				opts.Debug.Times = new(compiler.Times)
			}
			boundMemory(args[0])
			var err error
			switch emit {
			case "", "artifact":
				err = wasmaot.CompileTo(ctx, args[0], out, opts)
			case "obj":
				err = compileObject(ctx, args[0], out, opts)
			default:
				return cli.UsageError{Err: fmt.Errorf("--emit=%s: expected artifact or obj", emit)}
			}
			clearProgress()
			if times && err == nil {
				printTimes(opts.Debug.Times)
			}
			return err
		},
	}
	fl := &cmd.flags
	fl.String(&out, "output", "o", "write the artifact to `OUT`")
	fl.String(&emit, "emit", "", "write `KIND`: artifact (default), or obj: a relocatable file for a C linker, and a header beside it")
	fl.String(&target, "target", "", "compile for `OS/ARCH` (default: this machine; linux/amd64 or linux/arm64)")
	fl.Bool(&times, "time-passes", "print what each pass took")
	fl.Bool(&noOpt, "no-opt", "leave out optimisations")
	fl.Bool(&baseline, "baseline", "use only CPU features that every supported CPU has")
	fl.Bool(&explicit, "explicit-checks", "check every access instead of relying on guard pages")
	fl.Bool(&poll, "poll", "poll the host from loops, for hosts with GODEBUG=asyncpreemptoff=1 or SIGURG ignored")
	fl.Bool(&check, "check", "run every checker during the compilation")
	fl.List(&off, "off", "leave out `OPTIMISATION`s, separated by commas: "+strings.Join(compiler.Optional(), ", "))
	fl.String(&dump, "dump", "", "print the SSA form of `FUNCTION` (its name, or # and its index) after every pass")
	fl.Int(&workers, "workers", "compile `N` functions at a time (default: one for each CPU)")
	return cmd
}

// boundMemory keeps the compilation of a large module below 8 times the module's size: what piles up are copies of finished
// code. Up to that bound there is no collection. Who sets GOMEMLIMIT or GOGC knows better.
func boundMemory(module string) {
	const least, times = 32 << 20, 6
	info, err := os.Stat(module)
	if err == nil && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(max(least, times*info.Size()))
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(-1)
		}
	}
}

// setTarget takes a target as the go tool names it. The code does not depend on the system, but runs on Linux alone.
func setTarget(opts *compiler.Options, target string) error {
	if target == "" {
		return nil
	}
	system, arch, ok := strings.Cut(target, "/")
	if !ok || system != "linux" {
		return cli.UsageError{Err: fmt.Errorf("--target=%s: expected linux/ARCH", target)}
	}
	opts.Target = arch
	_, err := opts.Key() // says which back ends there are
	return err
}

func printTimes(t *compiler.Times) {
	var sum time.Duration
	for _, p := range t.List() {
		sum += p.Time
	}
	for _, p := range t.List() {
		fmt.Printf("%-12s %10v %5.1f%%\n", p.Name, p.Time.Round(10*time.Microsecond), 100*float64(p.Time)/float64(max(sum, 1)))
	}
	fmt.Printf("%-12s %10v\n", "all", sum.Round(10*time.Microsecond))
}

// clearLine takes away what is in the terminal's line.
const clearLine = "\r\x1b[K"

// patience is how long work takes before it is told how far it is.
const patience = 500 * time.Millisecond

// progress gives a function that shows on standard error how far long work is; nil where that is no terminal.
func progress(what string) func(done, total int) { return progressOn(os.Stderr, what, patience) }

func progressOn(to *os.File, what string, after time.Duration) func(done, total int) {
	if !isTerminal(to) {
		return nil
	}
	start := time.Now()
	return func(done, total int) {
		if time.Since(start) >= after {
			fmt.Fprintf(to, "%s%s: %d of %d functions", clearLine, what, done, total)
		}
	}
}

func clearProgress() { clearProgressOn(os.Stderr) }

func clearProgressOn(to *os.File) {
	if isTerminal(to) {
		fmt.Fprint(to, clearLine)
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func newValidate() *command {
	return &command{
		use: "validate FILE", min: 1, max: 1, what: "FILE", mixed: true,
		run: func(ctx context.Context, args []string) error {
			src, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if err := compiler.Validate(ctx, src, compiler.Options{}); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
}

func newVersion() *command {
	return &command{
		use: "version", what: "no arguments",
		run: func(context.Context, []string) error {
			version := "(devel)"
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				version = info.Main.Version
			}
			_, err := fmt.Printf("wasmaot %s %s/%s %s\nbuild %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version(), compiler.Build())
			return err
		},
	}
}
