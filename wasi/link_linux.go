package wasi

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/loader"
)

// linked are the functions that a System was asked for, by their place in tables.
type linked struct {
	funcs []*loader.Func
	room  []loader.Func // for those to come
}

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
			if fn := &list[i]; fn.name == name {
				if l := fn.linkable(place + i); fits(l.sig) {
					return s.link(place+i, l), true
				}
			}
		}
		place += len(list)
	}
	return nil, false
}

// A linkable is what the functions of all Systems for one in tables have in common.
type linkable struct {
	*function
	full string // name in messages
	sig  *abi.Signature
	host loader.SharedHostFunc // its Data is the System
}

// linkables are those that were asked for, by their place in tables.
var linkables struct {
	mu   sync.Mutex
	list []*linkable
}

func (fn *function) linkable(place int) *linkable {
	l := &linkables
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.list == nil {
		l.list = make([]*linkable, len(functions)+len(sockExtension))
	}
	if l.list[place] == nil {
		l.list[place] = &linkable{fn, ModuleName + "." + fn.name, fn.signature(),
			func(ctx context.Context, caller *loader.Instance, stack []uint64, f *loader.Func) error {
				return f.Data().(*System).hostCall(ctx, fn, memoryOf(caller), stack)
			}}
	}
	return l.list[place]
}

// link is the one function of the loader for the one at a place in tables.
func (s *System) link(place int, l *linkable) *loader.Func {
	if s.links.funcs == nil {
		s.links.funcs = make([]*loader.Func, len(functions)+len(sockExtension))
	}
	if f := s.links.funcs[place]; f != nil {
		return f
	}
	const together = 16
	if len(s.links.room) == 0 {
		s.links.room = make([]loader.Func, together)
	}
	f := &s.links.room[0]
	s.links.room = s.links.room[1:]
	call := l.host
	if l.name == "clock_time_get" && s.trace == nil && s.clock.now == nil {
		call = readClock
	}
	f.InitShared(l.full, l.sig, call, s)
	s.links.funcs[place] = f
	return f
}

// readClock is clock_time_get without what most guests do not need.
func readClock(_ context.Context, caller *loader.Instance, stack []uint64, f *loader.Func) error {
	var memory []byte
	if m := caller.Memory(); m != nil {
		memory = m.Bytes()
	}
	stack[0] = uint64(f.Data().(*System).readClock(memory, stack))
	return nil
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
