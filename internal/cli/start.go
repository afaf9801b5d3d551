package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/wasi"
)

// Config configures the run of a WASI command.
type Config struct {
	// WASI is what the guest is given: arguments, environment, standard streams, directories.
	WASI wasi.Config
	// MaxMemory bounds each linear memory in bytes; 0 means what the module declares, at most 4 GiB.
	MaxMemory uint64
	// StackSize is the size of the native stack in bytes; 0 means the default.
	StackSize uint64
}

// Run instantiates the module and calls its function _start. It returns the exit code that the guest gave, 0 if it
// just returned. The error is a *loader.Trap if the guest trapped, a *loader.Interrupted if ctx ended, a
// *loader.LinkError if the module needs an import that there is not.
func Run(ctx context.Context, code *loader.Code, name string, c *Config) (exitCode uint32, err error) {
	if !exports(code, "_start", artifact.KindFunc) {
		return 0, fmt.Errorf("%s: not a WASI command: expected an exported function \"_start\", found %s", name, exportNames(code))
	}
	system, err := wasi.New(&c.WASI)
	if err != nil {
		return 0, err
	}
	defer system.Close()
	inst, err := code.Instantiate(ctx, &loader.Config{
		Name:           name,
		Resolve:        system.Resolve,
		MaxMemoryPages: c.MaxMemory / 65536,
		StackSize:      c.StackSize,
	})
	if err == nil {
		defer inst.Close()
		start := inst.Func("_start")
		if sig := start.Signature(); len(sig.Params)+len(sig.Results) != 0 {
			return 0, fmt.Errorf("%s: not a WASI command: expected \"_start\" to have no parameters and results, found %d and %d", name, len(sig.Params), len(sig.Results))
		}
		err = start.Call(ctx, nil)
	}
	var exit *loader.Exit
	if errors.As(err, &exit) {
		return exit.Code, nil
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return 0, err
}

func exports(code *loader.Code, name string, kind artifact.Kind) bool {
	for _, e := range code.Artifact().Module.Exports {
		if e.Name == name && e.Kind == kind {
			return true
		}
	}
	return false
}

func exportNames(code *loader.Code) string {
	exports := code.Artifact().Module.Exports
	if len(exports) == 0 {
		return "no exports"
	}
	s := ""
	for i, e := range exports {
		if i == 8 {
			return fmt.Sprintf("%s and %d more", s, len(exports)-i)
		}
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %q", e.Kind, e.Name)
	}
	return s
}
