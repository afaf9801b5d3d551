package wasi

import (
	"context"

	"github.com/wasmaot/wasmaot/loader"
)

// linked are the functions that a System was asked for.
type linked map[string]*loader.Func

// Resolve finds the function name of module wasi_snapshot_preview1, for
// loader.Config.Resolve.
func (s *System) Resolve(module, name string) (loader.Extern, bool) {
	if module != ModuleName {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.links[name]; f != nil {
		return f, true
	}
	for i := range functions {
		fn := &functions[i]
		if fn.name != name {
			continue
		}
		call := func(ctx context.Context, caller *loader.Instance, stack []uint64) error {
			return s.hostCall(ctx, fn, memoryOf(caller), stack)
		}
		if name == "clock_time_get" && s.trace == nil && s.clock.now == nil {
			call = func(_ context.Context, caller *loader.Instance, stack []uint64) error {
				stack[0] = uint64(s.readClock(memoryOf(caller), stack))
				return nil
			}
		}
		f := loader.NewHostFunc(ModuleName+"."+name, fn.signature(), call)
		if s.links == nil {
			s.links = linked{}
		}
		s.links[name] = f
		return f, true
	}
	return nil, false
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
