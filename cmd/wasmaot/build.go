package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/cli"
)

func newBuild() *command {
	var out, target string
	var baseline, explicit bool
	var settings []string
	var run cli.RunFlags
	cmd := &command{
		use: "build [flags] FILE|PACKAGE -o APP",
		long: `Make an executable that runs a module as "wasmaot run" does: one static file with the
compiled code and the runtime, without the compiler, which needs nothing on the machine that
it runs on; --target makes one for another instruction set. FILE is a module or an artifact
made by "wasmaot compile"; PACKAGE is a directory with a Go package or a .go file.

The flags of run (directories, environment, limits) are kept in the executable and take
effect when it runs: --dir=. is the directory that it is started in, --env=NAME its own
environment's. All of its arguments go to the guest.`,
		example: "  wasmaot build hello.wasm -o hello\n  wasmaot build --dir=/data::/ --env=HOME --baseline ./cmd/server -o server\n  wasmaot build --target=linux/arm64 hello.wasm -o hello-arm64",
		min:     1, max: 1, what: "FILE or PACKAGE", mixed: true,
	}
	run.Register(&cmd.flags)
	cmd.flags.Record(&settings)
	cmd.flags.String(&out, "output", "o", "write the executable to `APP`")
	cmd.flags.String(&target, "target", "", "make it for `OS/ARCH` (default: this machine; linux/amd64 or linux/arm64)")
	cmd.flags.Bool(&baseline, "baseline", "use only CPU features that every supported CPU has")
	cmd.flags.Bool(&explicit, "explicit-checks", "check every access instead of relying on guard pages")
	cmd.run = func(ctx context.Context, args []string) error {
		if out == "" {
			return cli.UsageError{Err: fmt.Errorf("build: expected the output file: -o APP")}
		}
		if err := cli.CheckOutput(out); err != nil {
			return err
		}
		if _, err := run.Config(args); err != nil { // what is wrong with the flags should be told now
			return err
		}
		opts := compiler.Options{Baseline: baseline, Progress: progress("compiling " + filepath.Base(args[0]))}
		if explicit {
			opts.Tier = artifact.TierExplicit
		}
		if err := setTarget(&opts, target); err != nil {
			return err
		}
		arch := cmp.Or(opts.Target, runtime.GOARCH)
		if target == "" && runtime.GOOS != "linux" {
			return fmt.Errorf("build: executables for %s/%s are not supported: expected --target=linux/%s", runtime.GOOS, arch, arch)
		}
		art, err := artifactOf(ctx, args[0], opts)
		if err != nil {
			return err
		}
		program, err := runtimeProgram(ctx, arch)
		if err != nil {
			return fmt.Errorf("build: %w", err)
		}
		return cli.WriteFile(out, artifact.AppendBundle(program, art, settings), 0o755)
	}
	return cmd
}

// artifactOf is the encoded artifact of a module, a Go package or a file that is an artifact already.
func artifactOf(ctx context.Context, arg string, opts compiler.Options) ([]byte, error) {
	path, cleanup, err := buildIfPackage(ctx, arg)
	if err != nil {
		return nil, err
	}
	defer cleanup()
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if artifact.IsArtifact(src) {
		return src, checkArtifact(arg, src, cmp.Or(opts.Target, runtime.GOARCH))
	}
	a, err := compiler.Compile(ctx, src, opts)
	clearProgress()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", arg, err)
	}
	if !exportsStart(a) {
		return nil, fmt.Errorf("%s: not a WASI command: expected an exported function \"_start\"", arg)
	}
	return a.Encode()
}

func exportsStart(a *artifact.Artifact) bool {
	for _, e := range a.Module.Exports {
		if e.Name == "_start" && e.Kind == artifact.KindFunc {
			return true
		}
	}
	return false
}

// checkArtifact refuses what an executable of this build could not run.
func checkArtifact(name string, file []byte, arch string) error {
	if err := artifact.Verify(file); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	a, err := artifact.Decode(file)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case a.Header.Build != compiler.Build():
		return fmt.Errorf("%s: %w: compiled by build %s, this is %s: compile it again", name, artifact.ErrOther, a.Header.Build, compiler.Build())
	case a.Header.Target != arch:
		return fmt.Errorf("%s: %w: code for %s, expected %s", name, artifact.ErrOther, a.Header.Target, arch)
	case !exportsStart(a):
		return fmt.Errorf("%s: not a WASI command: expected an exported function \"_start\"", name)
	}
	return nil
}

// sameSource reports whether two programs of this module come from the same source by the same Go, on whatever machine, as far as what the
// go tool notes in them tells. Modified sources are the same only to those who have just built both.
func sameSource(a, b *debug.BuildInfo, modified bool) bool {
	state := func(i *debug.BuildInfo) (s string, clean bool) {
		s, clean = i.GoVersion+" "+i.Main.Path+" "+i.Main.Version, i.Main.Version != "" && i.Main.Version != "(devel)"
		for _, kv := range i.Settings {
			switch kv.Key {
			case "vcs.revision", "vcs.modified":
				s += " " + kv.Value
				clean = clean && kv.Key+kv.Value != "vcs.modifiedtrue"
			}
		}
		return s, clean && !strings.Contains(i.Main.Version, "+dirty")
	}
	x, clean := state(a)
	y, _ := state(b)
	return x == y && (clean || modified)
}
