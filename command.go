package wasmaot

import (
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/internal/cli"
	"github.com/wasmaot/wasmaot/wasi"
)

// What instances are given, and what they are: see package engine.
type (
	// InstanceConfig says what an instance is given.
	InstanceConfig = engine.InstanceConfig
	// WASI is what a guest is given of the world.
	WASI = engine.WASI
	// Instance is an instance of a module.
	Instance = engine.Instance
	// HostModule is what a host offers to modules under a module name.
	HostModule = engine.HostModule
	// Caller is a call of a host function by a guest.
	Caller = engine.Caller
	// Trap is the error of a guest that trapped.
	Trap = engine.Trap
	// Interrupted is the error of a call whose context ended.
	Interrupted = engine.Interrupted
	// LinkError says why an import could not be satisfied.
	LinkError = engine.LinkError
)

// NewHostModule makes an empty host module.
func NewHostModule(name string) *HostModule { return engine.NewHostModule(name) }

// AddDir gives a guest the host directory dir under the name guest. An empty guest name means that the guest shall see
// the directory where the host does.
func AddDir(c *wasi.Config, dir, guest string, readOnly bool) error {
	return cli.AddDir(c, dir, guest, readOnly)
}
