package loader

import (
	"sync"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// builtin is a runtime function that native code calls: it works on the slots like a host function. Indices of
// memories, tables and segments are valid: the compiler has checked them.
type builtin func(i *Instance, s []uint64) abi.Trap

const minusOne = ^uint64(0)

// builtins have the parameters that abi.Builtins gives, one slot each.
var builtins = [abi.BuiltinCount]builtin{
	abi.BuiltinMemoryGrow: func(i *Instance, s []uint64) abi.Trap {
		old, ok := i.mems[s[0]].Grow(s[1])
		if s[0] = old; !ok {
			s[0] = minusOne
		}
		return abi.TrapNone
	},
	abi.BuiltinMemoryInit: func(i *Instance, s []uint64) abi.Trap {
		var data []byte
		if d := i.dataSegment(s[1]); d != nil {
			data = *d
		}
		return i.mems[s[0]].store(data, s[2], s[3], s[4])
	},
	abi.BuiltinMemoryCopy: func(i *Instance, s []uint64) abi.Trap {
		return copyMemory(i.mems[s[0]], i.mems[s[1]], s[2], s[3], s[4])
	},
	abi.BuiltinMemoryFill: func(i *Instance, s []uint64) abi.Trap {
		return i.mems[s[0]].fill(s[1], byte(s[2]), s[3])
	},
	abi.BuiltinDataDrop: func(i *Instance, s []uint64) abi.Trap {
		if d := i.dataSegment(s[0]); d != nil {
			*d = nil
		}
		return abi.TrapNone
	},
	abi.BuiltinTableGrow: func(i *Instance, s []uint64) abi.Trap {
		old, ok := i.tables[s[0]].grow(s[2], s[1])
		if s[0] = old; !ok {
			s[0] = minusOne
		}
		return abi.TrapNone
	},
	abi.BuiltinTableFill: func(i *Instance, s []uint64) abi.Trap {
		return i.tables[s[0]].fill(s[1], s[2], s[3])
	},
	abi.BuiltinTableCopy: func(i *Instance, s []uint64) abi.Trap {
		return i.tables[s[0]].init(i.tables[s[1]].elems(), s[2], s[3], s[4])
	},
	abi.BuiltinTableInit: func(i *Instance, s []uint64) abi.Trap {
		return i.tables[s[0]].init(i.elems[s[1]], s[2], s[3], s[4])
	},
	// hostCall does what is to be done.
	abi.BuiltinPoll: func(*Instance, []uint64) abi.Trap { return abi.TrapNone },
	abi.BuiltinElemDrop: func(i *Instance, s []uint64) abi.Trap {
		i.elems[s[0]] = nil
		return abi.TrapNone
	},
}

// madeBuiltins are the builtins as functions that descriptors can name.
var madeBuiltins struct {
	once  sync.Once
	funcs [abi.BuiltinCount]*Func
	err   error
}

func builtinFuncs() (*[abi.BuiltinCount]*Func, error) {
	m := &madeBuiltins
	m.once.Do(func() {
		for b := range abi.Builtins {
			info := &abi.Builtins[b]
			f := NewHostFunc(info.Name, &info.Sig, nil)
			if f.builtin = builtins[b]; f.err != nil {
				m.err = f.err
				break
			}
			m.funcs[b] = f
		}
	})
	return &m.funcs, m.err
}
