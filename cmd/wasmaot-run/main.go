// Command wasmaot-run is the part of wasmaot that executables made by "wasmaot build" begin with: it runs the artifact that stands behind
// it in its own file. It links no compiler.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/cpu"
	"github.com/wasmaot/wasmaot/internal/cli"
	"github.com/wasmaot/wasmaot/loader"
)

func main() {
	name := filepath.Base(os.Args[0])
	os.Exit(cli.Main(name, func(ctx context.Context) error { return run(ctx, name) }))
}

func run(ctx context.Context, name string) error {
	a, settings, err := open()
	if err != nil {
		return err
	}
	if err := cpu.Check(a.Header.Target, a.Header.Features); err != nil {
		return fmt.Errorf("%w: %w", artifact.ErrOther, err)
	}
	var flags cli.RunFlags
	var set cli.FlagSet
	flags.Register(&set)
	if rest, _, err := set.Parse(settings, false); err != nil || len(rest) != 0 {
		return fmt.Errorf("the settings %q of this program: %v", settings, err)
	}
	config, err := flags.Config(append([]string{name}, os.Args[1:]...))
	if err != nil {
		return err
	}
	code, err := loader.Load(a)
	if err != nil {
		return err
	}
	return flags.Start(ctx, code, name, config)
}
