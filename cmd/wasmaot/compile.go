package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

func newCompile() *cobra.Command {
	var out string
	var times, noOpt, baseline, explicit, check bool
	var workers int
	var off []string
	var dump string
	cmd := &cobra.Command{
		Use:   "compile [flags] FILE -o OUT",
		Short: "Compile a module to an artifact that run takes",
		Long:  "Compile a module to native code in an ELF file, which \"wasmaot run\" takes in place\nof the module. It runs on machines with the same CPU features, with this build of\nwasmaot; --baseline confines it to features that every supported CPU has.",
		Args:  argsBetween(1, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{fmt.Errorf("compile: expected the output file: -o OUT")}
			}
			opts := compiler.Options{NoOpt: noOpt, Baseline: baseline, Workers: workers, Progress: progress("compiling " + filepath.Base(args[0]))}
			if explicit {
				opts.Tier = artifact.TierExplicit
			}
			opts.Debug.Check, opts.Debug.Off = check, off
			if dump != "" {
				opts.Debug.Dump, opts.Debug.DumpFunc = os.Stdout, dump
			}
			if times {
				opts.Debug.Times = new(compiler.Times)
			}
			err := wasmaot.CompileTo(cmd.Context(), args[0], out, opts)
			clearProgress()
			if times && err == nil {
				printTimes(opts.Debug.Times)
			}
			return err
		},
	}
	fl := cmd.Flags()
	fl.StringVarP(&out, "output", "o", "", "write the artifact to `OUT`")
	fl.BoolVar(&times, "time-passes", false, "print what each pass took")
	fl.BoolVar(&noOpt, "no-opt", false, "leave out optimisations")
	fl.BoolVar(&baseline, "baseline", false, "use only CPU features that every supported CPU has")
	fl.BoolVar(&explicit, "explicit-checks", false, "check every access instead of relying on guard pages")
	fl.BoolVar(&check, "check", false, "run every checker during the compilation")
	fl.StringSliceVar(&off, "off", nil, "leave out `OPTIMISATION`s: "+strings.Join(compiler.Optional(), ", "))
	fl.StringVar(&dump, "dump", "", "print the SSA form of `FUNCTION` (its name, or # and its index) after every pass")
	fl.IntVar(&workers, "workers", 0, "compile `N` functions at a time (default: one for each CPU)")
	return cmd
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

// progress gives a function that shows on a terminal how far long work is; nil where standard error is none.
func progress(what string) func(done, total int) {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	start := time.Now()
	return func(done, total int) {
		if time.Since(start) > 500*time.Millisecond {
			fmt.Fprintf(os.Stderr, "\r\x1b[K%s: %d of %d functions", what, done, total)
		}
	}
}

func clearProgress() {
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}

func newValidate() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE",
		Short: "Check that a file is a valid module",
		Args:  argsBetween(1, 1, "FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			if err := compiler.Validate(cmd.Context(), src, compiler.Options{}); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  argsBetween(0, 0, "no arguments"),
		Run: func(cmd *cobra.Command, args []string) {
			version := "(devel)"
			if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
				version = info.Main.Version
			}
			fmt.Printf("wasmaot %s %s/%s %s\nbuild %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version(), compiler.Build())
		},
	}
}
