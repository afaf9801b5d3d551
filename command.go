package wasmaot

import (
	"context"

	"github.com/wasmaot/wasmaot/internal/cli"
	"github.com/wasmaot/wasmaot/wasi"
)

// CommandConfig configures the run of a WASI command.
type CommandConfig struct {
	// WASI is what the guest is given: arguments, environment, standard streams, directories.
	WASI wasi.Config
	// MaxMemory bounds each linear memory in bytes; 0 means what the module declares, at most 4 GiB.
	MaxMemory uint64
	// StackSize is the size of the native stack in bytes; 0 means the default.
	StackSize uint64
}

// RunCommand instantiates the module and calls its function _start. It returns the exit code that the guest gave, 0 if it
// just returned. The error is a *loader.Trap if the guest trapped, a *loader.Interrupted if ctx ended, a
// *loader.LinkError if the module needs an import that there is not.
func (m *Module) RunCommand(ctx context.Context, c *CommandConfig) (exitCode uint32, err error) {
	return cli.Run(ctx, m.code, m.name, (*cli.Config)(c))
}

// AddDir gives a guest the host directory dir under the name guest. An empty guest name means that the guest shall see
// the directory where the host does.
func AddDir(c *wasi.Config, dir, guest string, readOnly bool) error {
	return cli.AddDir(c, dir, guest, readOnly)
}
