package ssa

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Machine is the state that Eval works on. It is a plain interpreter, meant for comparing
// passes and back ends with: all values are 64 bits, I32 and F32 in the low half and the
// upper half 0. Vectors are not among parameters, results, globals and what calls take.
type Machine struct {
	Memories [][]byte
	Globals  []uint64
	Tables   [][]uint64 // references as numbers
	// Call carries out a call; args include an indirect call's element index.
	Call func(m *Machine, f *Func, c *Call, args []uint64) ([]uint64, abi.Trap, error)
	// FuncRef gives the reference to a function; nil: its index + 1.
	FuncRef func(index uint32) uint64
	// Fuel is the number of blocks that may be entered.
	Fuel int
}

// ErrFuel says that a function ran longer than its machine's fuel allowed.
var ErrFuel = errors.New("out of fuel")

// Eval runs f. A trap ends it with the trap's code; an error means that f cannot be run
// or ran out of fuel.
func (m *Machine) Eval(f *Func, args []uint64) ([]uint64, abi.Trap, error) {
	e := &evaluation{m: m, f: f, vals: make([]uint64, len(f.Insts))}
	if n := f.Blocks[0].ParamEnd - f.Blocks[0].ParamStart; int(n) != len(args) {
		return nil, 0, fmt.Errorf("expected %d arguments, found %d", n, len(args))
	}
	b := Block(0)
	for {
		if m.Fuel--; m.Fuel < 0 {
			return nil, 0, ErrFuel
		}
		bd := &f.Blocks[b]
		for i, v := range f.ParamsOf(bd) {
			if f.Insts[v].Type == abi.V128 {
				e.setVec(v, e.passed[args[i]])
			} else {
				e.set(v, args[i])
			}
		}
		e.passed = e.passed[:0]
		for _, v := range f.OrderOf(bd) {
			if e.inst(v); e.trap != 0 || e.err != nil {
				return nil, e.trap, e.err
			}
		}
		succs := f.SuccsOf(bd)
		var next *EdgeData
		switch bd.Kind {
		case BlockReturn:
			return e.list(f.ReturnsOf(bd)), 0, nil
		case BlockTrap:
			return nil, bd.Trap, nil
		case BlockJump:
			next = &succs[0]
		case BlockIf:
			next = &succs[0]
			if e.value(bd.Ctl) == 0 {
				next = &succs[1]
			}
		case BlockSwitch:
			table := f.TableOf(bd)
			next = &f.Edges[table[min(e.value(bd.Ctl), uint64(len(table)-1))]]
		default:
			return nil, 0, fmt.Errorf("b%d has no end", b)
		}
		args, b = e.list(f.ArgsOf(next)), next.To
	}
}

type evaluation struct {
	m    *Machine
	f    *Func
	vals []uint64

	vecs   [][16]byte // by value
	passed [][16]byte // to the next block: arguments are indices

	trap abi.Trap
	err  error
}

func (e *evaluation) value(v Value) uint64 {
	if bits, ok := e.f.IsConst(v); ok {
		return bits
	}
	return e.vals[v]
}

func (e *evaluation) list(vs []Value) []uint64 {
	out := make([]uint64, len(vs))
	for i, v := range vs {
		if e.f.Insts[v].Type == abi.V128 {
			out[i] = uint64(len(e.passed))
			e.passed = append(e.passed, e.vec(v))
			continue
		}
		out[i] = e.value(v)
	}
	return out
}

func (e *evaluation) set(v Value, x uint64) {
	if t := e.f.Insts[v].Type; t == abi.I32 || t == abi.F32 {
		x = uint64(uint32(x))
	}
	e.vals[v] = x
}

func (e *evaluation) inst(v Value) {
	in := &e.f.Insts[v]
	m := e.m
	if e.vector(v, in) {
		return
	}
	var operands [3]uint64
	var from abi.Type // of operand A
	for i, x := range in.Operands() {
		if in.Op.Uses()>>i&1 != 0 {
			operands[i] = e.value(Value(*x))
			if i == 0 {
				from = e.f.Insts[*x].Type
			}
		}
	}
	a, b, c := operands[0], operands[1], operands[2]
	if x, trap, ok := Scalar(in.Op, in.Type, from, a, b); ok {
		e.trap = trap
		e.set(v, x)
		return
	}
	switch in.Op {
	case OpNop, OpResult: // a call sets its results
	case OpFuncRef:
		if m.FuncRef != nil {
			e.set(v, m.FuncRef(in.A))
		} else {
			e.set(v, uint64(in.A)+1)
		}
	case OpGlobal:
		e.set(v, m.Globals[in.A])
	case OpGlobalSet:
		m.Globals[in.A] = b
	case OpMemSize:
		e.set(v, uint64(len(m.Memories[in.A])))
	case OpTabSize:
		e.set(v, uint64(len(m.Tables[in.A])))
	case OpTabGet:
		if t := m.Tables[in.A]; b < uint64(len(t)) {
			e.set(v, t[b])
		} else {
			e.trap = abi.TrapTableOutOfBounds
		}
	case OpTabSet:
		if t := m.Tables[in.A]; b < uint64(len(t)) {
			t[b] = c
		} else {
			e.trap = abi.TrapTableOutOfBounds
		}
	case OpSelect:
		if a != 0 {
			e.set(v, b)
		} else {
			e.set(v, c)
		}
	case OpAddr:
		e.addr(v, in, a)
	case OpMemCopy, OpMemFill:
		e.bulk(in.Op, a, b, c)
	case OpLimbs, OpLimbFactor: // for the next
	case OpMulAddLimbs:
		by := &e.f.Insts[in.B]
		factor := e.value(Value(by.B))
		e.set(v, e.limbs(&e.f.Insts[in.A], e.value(Value(by.A)), c, func(x, y, c uint64) (uint64, uint64) {
			high, low := bits.Mul64(y, factor)
			low, c1 := bits.Add64(low, x, 0)
			low, c2 := bits.Add64(low, c, 0)
			return low, high + c1 + c2
		}))
	case OpAddLimbs:
		e.set(v, e.limbs(&e.f.Insts[in.A], b, c, bits.Add64))
	case OpSubLimbs:
		e.set(v, e.limbs(&e.f.Insts[in.A], b, c, bits.Sub64))
	case OpCall:
		e.call(v, &e.f.Calls[in.A])
	case OpStore, OpStore8, OpStore16, OpStore32:
		size := in.Op.AccessSize(e.f.Insts[in.B].Type)
		if p := e.access(in, a, size); p != nil {
			var raw [8]byte
			binary.LittleEndian.PutUint64(raw[:], b)
			copy(p, raw[:size])
		}
	default:
		size := in.Op.AccessSize(in.Type)
		if size == 0 || size > 8 {
			e.err = fmt.Errorf("cannot run %s", e.f.InstString(v))
			return
		}
		if p := e.access(in, a, size); p != nil {
			var raw [8]byte
			copy(raw[:], p)
			x := binary.LittleEndian.Uint64(raw[:])
			if in.Op == OpLoad8S || in.Op == OpLoad16S || in.Op == OpLoad32S {
				unused := 64 - 8*size
				x = uint64(int64(x<<unused) >> unused)
			}
			e.set(v, x)
		}
	}
}

// addr makes an effective address; one beyond 64 bits is as far as it goes.
func (e *evaluation) addr(v Value, in *Inst, index uint64) {
	ea := index + uint64(in.B)
	if ea < index {
		ea = math.MaxUint64
	}
	e.vals[v] = ea
	if in.Flags&FlagChecked != 0 && !inBounds(e.m.Memories[in.C>>8], ea, uint64(in.C&0xff)) {
		e.trap = abi.TrapMemoryOutOfBounds
	}
}

func inBounds(mem []byte, ea, size uint64) bool {
	return size <= uint64(len(mem)) && ea <= uint64(len(mem))-size
}

func (e *evaluation) access(in *Inst, ea uint64, size uint32) []byte {
	mem := e.m.Memories[e.f.Insts[in.A].C>>8]
	if !inBounds(mem, ea, uint64(size)) {
		e.trap = abi.TrapMemoryOutOfBounds
		return nil
	}
	return mem[ea : ea+uint64(size)]
}

func (e *evaluation) bulk(op Op, dst, x, n uint64) {
	mem := e.m.Memories[0]
	if !inBounds(mem, dst, n) || op == OpMemCopy && !inBounds(mem, x, n) {
		e.trap = abi.TrapMemoryOutOfBounds
		return
	}
	if op == OpMemCopy {
		copy(mem[dst:dst+n], mem[x:x+n])
		return
	}
	for i := range mem[dst : dst+n] {
		mem[dst+uint64(i)] = byte(x)
	}
}

// limbs makes n limbs and gives the carry.
func (e *evaluation) limbs(at *Inst, n, carry uint64, limb func(x, y, c uint64) (z, carry uint64)) uint64 {
	mem := e.m.Memories[0]
	z, x, y := uint32(e.value(Value(at.A))), uint32(e.value(Value(at.B))), uint32(e.value(Value(at.C)))
	for ; n > 0; n-- {
		for _, p := range []uint32{y, x, z} {
			if !inBounds(mem, uint64(p), 8) {
				e.trap = abi.TrapMemoryOutOfBounds
				return 0
			}
		}
		var low uint64
		low, carry = limb(binary.LittleEndian.Uint64(mem[x:]), binary.LittleEndian.Uint64(mem[y:]), carry)
		binary.LittleEndian.PutUint64(mem[z:], low)
		z, x, y = z+8, x+8, y+8
	}
	return carry
}

func (e *evaluation) call(v Value, c *Call) {
	if e.m.Call == nil {
		e.err = fmt.Errorf("cannot run %s", e.f.InstString(v))
		return
	}
	results, trap, err := e.m.Call(e.m, e.f, c, e.list(e.f.CallArgs(c)))
	if e.trap, e.err = trap, err; trap != 0 || err != nil {
		return
	}
	if len(results) != len(c.Sig.Results) {
		e.err = fmt.Errorf("%s: expected %d results, found %d", e.f.InstString(v), len(c.Sig.Results), len(results))
		return
	}
	if len(results) == 0 {
		return
	}
	e.set(v, results[0])
	// Further results may be anywhere among the values, but refer to their call.
	for i := range e.f.Insts {
		if r := &e.f.Insts[i]; r.Op == OpResult && Value(r.A) == v {
			e.set(Value(i), results[r.B])
		}
	}
}
