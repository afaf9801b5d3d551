//go:build !linux

package wasi

import (
	"errors"
	"runtime"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/loader"
)

// A System is what one guest sees of the world. On this operating system there is
// none.
type System struct{}

// New says that the host is not supported here.
func New(cfg *Config) (*System, error) {
	return nil, errors.New("wasi: not supported on " + runtime.GOOS + "/" + runtime.GOARCH + ", expected linux")
}

// Resolve finds nothing.
func (s *System) Resolve(module, name string) (loader.Extern, bool) { return nil, false }

// ResolveFunc finds nothing.
func (s *System) ResolveFunc(module, name string, sig *abi.Signature) (loader.Extern, bool) {
	return nil, false
}

// Close does nothing.
func (s *System) Close() error { return nil }

// Reset does nothing.
func (s *System) Reset() error { return nil }
