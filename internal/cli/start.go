package cli

import (
	"context"

	"github.com/wasmaot/wasmaot/engine"
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

// Run instantiates the module and calls its function _start; the process is to end then. It returns the exit code that the guest gave, 0 if it
// just returned. The error is a *loader.Trap if the guest trapped, a *loader.Interrupted if ctx ended, a
// *loader.LinkError if the module needs an import that there is not.
func Run(ctx context.Context, code *loader.Code, name string, c *Config) (exitCode uint32, err error) {
	return engine.FromCode(name, code).RunToExit(ctx, &engine.InstanceConfig{
		WASI: &engine.WASI{Config: c.WASI}, MaxMemory: c.MaxMemory, StackSize: c.StackSize,
	})
}
