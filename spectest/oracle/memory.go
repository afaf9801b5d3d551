package oracle

import (
	"encoding/binary"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

var le = binary.LittleEndian

// access does a load or store. What a load makes of the bytes is in loads; a store writes the lowest ones.
func (m *machine) access(i *Instance, in *inst, info *wasm.OpInfo) Trap {
	args := m.popN(info.Sig.Operands())
	bytes, ok := slice(i.Mems[in.a].Data, args[0].Lo+in.offset, uint64(info.Size))
	if !ok {
		return TrapMemoryOutOfBounds
	}
	switch load := loads[in.op]; {
	case load != nil:
		m.push(load(bytes))
	case info.Sig.Result() != wasm.Bottom: // load of a lane
		m.push(setLane(args[1], 8*int(info.Size), int(in.b), number(bytes)))
	case info.Imm == wasm.ImmMemLane:
		copy(bytes, le.AppendUint64(nil, lane(args[1], 8*int(info.Size), int(in.b))))
	default:
		copy(bytes, le.AppendUint64(le.AppendUint64(nil, args[1].Lo), args[1].Hi))
	}
	return noTrap
}

// number is the unsigned number that up to eight bytes hold.
func number(bytes []byte) uint64 {
	var b [8]byte
	copy(b[:], bytes)
	return le.Uint64(b[:])
}

// plain is a load of all bits, the rest 0.
func plain(bytes []byte) Value { return Value{Lo: number(bytes)} }

// extend is a load that turns an A into an R.
func extend[A, R num](bytes []byte) Value { return Value{Lo: to(R(from[A](number(bytes))))} }

var loads = [...]func(bytes []byte) Value{
	wasm.OpI32Load:    plain,
	wasm.OpI64Load:    plain,
	wasm.OpF32Load:    plain,
	wasm.OpF64Load:    plain,
	wasm.OpI32Load8S:  extend[int8, int32],
	wasm.OpI32Load8U:  plain,
	wasm.OpI32Load16S: extend[int16, int32],
	wasm.OpI32Load16U: plain,
	wasm.OpI64Load8S:  extend[int8, int64],
	wasm.OpI64Load8U:  plain,
	wasm.OpI64Load16S: extend[int16, int64],
	wasm.OpI64Load16U: plain,
	wasm.OpI64Load32S: extend[int32, int64],
	wasm.OpI64Load32U: plain,

	wasm.OpV128Load:        func(bytes []byte) Value { return vector([16]byte(bytes)) },
	wasm.OpV128Load32Zero:  plain,
	wasm.OpV128Load64Zero:  plain,
	wasm.OpV128Load8Splat:  func(bytes []byte) Value { return splat(8, number(bytes)) },
	wasm.OpV128Load16Splat: func(bytes []byte) Value { return splat(16, number(bytes)) },
	wasm.OpV128Load32Splat: func(bytes []byte) Value { return splat(32, number(bytes)) },
	wasm.OpV128Load64Splat: func(bytes []byte) Value { return splat(64, number(bytes)) },
	wasm.OpV128Load8x8S:    func(bytes []byte) Value { return widen[int8, int16](plain(bytes), 0) },
	wasm.OpV128Load8x8U:    func(bytes []byte) Value { return widen[uint8, uint16](plain(bytes), 0) },
	wasm.OpV128Load16x4S:   func(bytes []byte) Value { return widen[int16, int32](plain(bytes), 0) },
	wasm.OpV128Load16x4U:   func(bytes []byte) Value { return widen[uint16, uint32](plain(bytes), 0) },
	wasm.OpV128Load32x2S:   func(bytes []byte) Value { return widen[int32, int64](plain(bytes), 0) },
	wasm.OpV128Load32x2U:   func(bytes []byte) Value { return widen[uint32, uint64](plain(bytes), 0) },
}

// stateful are the operators that use more of the instance than one address in a memory.
var stateful = [...]func(m *machine, i *Instance, in *inst) Trap{
	wasm.OpMemorySize: func(m *machine, i *Instance, in *inst) Trap {
		m.pushI32(uint32(len(i.Mems[in.a].Data) / pageSize))
		return noTrap
	},
	wasm.OpMemoryGrow: func(m *machine, i *Instance, in *inst) Trap {
		m.pushI32(i.Mems[in.a].grow(m.pop().Lo))
		return noTrap
	},
	wasm.OpMemoryFill: func(m *machine, i *Instance, in *inst) Trap {
		args := m.popN(3)
		to, ok := slice(i.Mems[in.a].Data, args[0].Lo, args[2].Lo)
		for n := range to {
			to[n] = byte(args[1].Lo)
		}
		return trapUnless(ok, TrapMemoryOutOfBounds)
	},
	wasm.OpMemoryCopy: func(m *machine, i *Instance, in *inst) Trap {
		return move(i.Mems[in.a].Data, i.Mems[in.b].Data, m.popN(3), TrapMemoryOutOfBounds)
	},
	wasm.OpMemoryInit: func(m *machine, i *Instance, in *inst) Trap {
		return move(i.Mems[in.a].Data, i.datas[in.b], m.popN(3), TrapMemoryOutOfBounds)
	},
	wasm.OpDataDrop: func(m *machine, i *Instance, in *inst) Trap {
		i.datas[in.a] = nil
		return noTrap
	},
	wasm.OpTableGet: func(m *machine, i *Instance, in *inst) Trap {
		at, ok := slice(i.Tables[in.a].Elems, m.pop().Lo, 1)
		if ok {
			m.push(at[0])
		}
		return trapUnless(ok, TrapTableOutOfBounds)
	},
	wasm.OpTableSet: func(m *machine, i *Instance, in *inst) Trap {
		args := m.popN(2)
		at, ok := slice(i.Tables[in.a].Elems, args[0].Lo, 1)
		if ok {
			at[0] = args[1]
		}
		return trapUnless(ok, TrapTableOutOfBounds)
	},
	wasm.OpTableSize: func(m *machine, i *Instance, in *inst) Trap {
		m.pushI32(uint32(len(i.Tables[in.a].Elems)))
		return noTrap
	},
	wasm.OpTableGrow: func(m *machine, i *Instance, in *inst) Trap {
		args := m.popN(2)
		m.pushI32(i.Tables[in.a].grow(args[1].Lo, args[0]))
		return noTrap
	},
	wasm.OpTableFill: func(m *machine, i *Instance, in *inst) Trap {
		args := m.popN(3)
		to, ok := slice(i.Tables[in.a].Elems, args[0].Lo, args[2].Lo)
		for n := range to {
			to[n] = args[1]
		}
		return trapUnless(ok, TrapTableOutOfBounds)
	},
	wasm.OpTableCopy: func(m *machine, i *Instance, in *inst) Trap {
		return move(i.Tables[in.a].Elems, i.Tables[in.b].Elems, m.popN(3), TrapTableOutOfBounds)
	},
	wasm.OpTableInit: func(m *machine, i *Instance, in *inst) Trap {
		return move(i.Tables[in.a].Elems, i.elems[in.b], m.popN(3), TrapTableOutOfBounds)
	},
	wasm.OpElemDrop: func(m *machine, i *Instance, in *inst) Trap {
		i.elems[in.a] = nil
		return noTrap
	},
	opcodes: nil,
}

// opcodes is greater than all opcodes.
const opcodes = 0x400

// move copies as the operands say: where to, where from, how many.
func move[T any](to, from []T, args []Value, trap Trap) Trap {
	dst, ok := slice(to, args[0].Lo, args[2].Lo)
	src, ok2 := slice(from, args[1].Lo, args[2].Lo)
	if ok && ok2 {
		copy(dst, src)
	}
	return trapUnless(ok && ok2, trap)
}

func trapUnless(ok bool, t Trap) Trap {
	if ok {
		return noTrap
	}
	return t
}
