package wasi

import (
	"context"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/loader"
)

// linked are the functions that a System was asked for, by their place in tables.
type linked []*loader.Func

// tables are all functions; earlier ones hide later ones of the same name.
var tables = [...][]function{functions, sockExtension}

// Resolve finds the function name of module wasi_snapshot_preview1, for
// loader.Config.Resolve. If there are several it is the standard's, or the newest.
func (s *System) Resolve(module, name string) (loader.Extern, bool) {
	return s.find(module, name, func(*abi.Signature) bool { return true })
}

// ResolveFunc finds the function by its type as well, for loader.Config.ResolveFunc:
// the versions of the socket extension share names.
func (s *System) ResolveFunc(module, name string, sig *abi.Signature) (loader.Extern, bool) {
	return s.find(module, name, func(found *abi.Signature) bool {
		return slices.Equal(found.Params, sig.Params) && slices.Equal(found.Results, sig.Results)
	})
}

func (s *System) find(module, name string, fits func(*abi.Signature) bool) (loader.Extern, bool) {
	if module != ModuleName {
		return nil, false
	}
	if strings.HasPrefix(name, "sock_") {
		name = strings.TrimSuffix(name, "_v2")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	place := 0
	for _, list := range tables {
		for i := range list {
			fn := &list[i]
			if fn.name == name {
				if sig := fn.signature(); fits(sig) {
					return s.link(place+i, fn, sig), true
				}
			}
		}
		place += len(list)
	}
	return nil, false
}

// link is the one function of the loader for the one at a place in tables.
func (s *System) link(place int, fn *function, sig *abi.Signature) *loader.Func {
	if s.links == nil {
		s.links = make(linked, len(functions)+len(sockExtension))
	}
	if f := s.links[place]; f != nil {
		return f
	}
	call := func(ctx context.Context, caller *loader.Instance, stack []uint64) error {
		return s.hostCall(ctx, fn, memoryOf(caller), stack)
	}
	if fn.name == "clock_time_get" && s.trace == nil && s.clock.now == nil {
		call = func(_ context.Context, caller *loader.Instance, stack []uint64) error {
			stack[0] = uint64(s.readClock(memoryOf(caller), stack))
			return nil
		}
	}
	s.links[place] = loader.NewHostFunc(ModuleName+"."+fn.name, sig, call)
	return s.links[place]
}

// hostCall is invoke as the loader wants it.
func (s *System) hostCall(ctx context.Context, fn *function, memory Memory, stack []uint64) error {
	switch err := s.invoke(ctx, fn, memory, stack).(type) {
	case nil:
		return nil
	case *exit:
		return &loader.Exit{Code: err.code}
	default: // ctx has ended
		return &loader.Interrupted{Cause: err}
	}
}

func memoryOf(i *loader.Instance) Memory {
	if m := i.Memory(); m != nil {
		return m
	}
	return noMemory{}
}

// noMemory is the memory of a module without one: every pointer is bad.
type noMemory struct{}

func (noMemory) Bytes() []byte { return nil }
