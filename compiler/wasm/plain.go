package wasm

import "github.com/wasmaot/wasmaot/internal/lazy"

// Most instructions are plain: they have a fixed signature or one that a table tells, short immediates, and do nothing to the control
// stack. Whoever takes as many of them as follow each other, with Open and Resume, needs a third of the time of Next. He has to be sure
// of what he takes, and leaves all else to Next, errors among that. The frontend does so while it builds.

// PlainKind is how an operator may be taken.
type PlainKind uint8

const (
	NotPlain PlainKind = iota
	PlainNop
	PlainDrop
	PlainLocalGet
	PlainLocalSet
	PlainLocalTee
	PlainGlobalGet
	PlainGlobalSet
	PlainConstI32
	PlainConstI64
	PlainConstF32
	PlainConstF64
	PlainUnary
	PlainBinary
	PlainLoad
	PlainStore
)

// PlainOp is all that there is to know of a plain operator, small enough for all of them to stay in the cache.
type PlainOp struct {
	Kind     PlainKind
	Operands [2]uint8 // types
	Result   uint8
	MaxAlign uint8 // of accesses: logarithm
}

// Plain is what op is as a plain operator.
func Plain(op Opcode) PlainOp {
	kind := NotPlain
	info := Info(op)
	switch {
	case info.Name == "" || info.Feature != 0:
	case op == OpNop:
		kind = PlainNop
	case op == OpDrop:
		kind = PlainDrop
	case op == OpLocalGet:
		kind = PlainLocalGet
	case op == OpLocalSet:
		kind = PlainLocalSet
	case op == OpLocalTee:
		kind = PlainLocalTee
	case op == OpGlobalGet:
		kind = PlainGlobalGet
	case op == OpGlobalSet:
		kind = PlainGlobalSet
	case op == OpI32Const:
		kind = PlainConstI32
	case op == OpI64Const:
		kind = PlainConstI64
	case op == OpF32Const:
		kind = PlainConstF32
	case op == OpF64Const:
		kind = PlainConstF64
	case !info.Sig.Fixed():
	case info.Imm == ImmNone && info.Sig.Operands() == 1:
		kind = PlainUnary
	case info.Imm == ImmNone && info.Sig.Operands() == 2:
		kind = PlainBinary
	case info.Imm == ImmMemArg && info.Sig.Operands() == 1:
		kind = PlainLoad
	case info.Imm == ImmMemArg && info.Sig.Operands() == 2:
		kind = PlainStore
	}
	if kind < PlainUnary {
		return PlainOp{Kind: kind}
	}
	p := PlainOp{Kind: kind, Result: uint8(info.Sig.Result())}
	for i := range info.Sig.Operands() {
		p.Operands[i] = uint8(info.Sig.Operand(i))
	}
	for size := info.Size; size > 1; size /= 2 {
		p.MaxAlign++
	}
	return p
}

// PlainWindow is more than the longest plain instruction: ends of bodies are not plain.
const PlainWindow = 16

// PlainIndex reads an unsigned LEB128 number at in[at]. n is where it ends, 0 if it has more than three bytes.
func PlainIndex(in *[PlainWindow]byte, at int) (i uint32, n int) {
	x, y, z := uint32(in[at]), uint32(in[at+1]), uint32(in[at+2])
	switch {
	case x < 0x80:
		return x, at + 1
	case y < 0x80:
		return x&0x7f | y<<7, at + 2
	case z < 0x80:
		return x&0x7f | y&0x7f<<7 | z<<14, at + 3
	}
	return 0, 0
}

// The longest signed LEB128 numbers that are plain: longer ones may be too large, or too long.
const (
	MaxPlainI32 = 4
	MaxPlainI64 = 9
)

// PlainSigned reads a signed LEB128 number of at most most bytes at in[1]. n is where it ends, 0 if it is longer.
func PlainSigned(in *[PlainWindow]byte, most int) (k int64, n int) {
	if in[1] < 0x80 {
		return int64(int8(in[1]<<1)) >> 1, 2
	}
	shift := uint(0)
	for i := 1; i <= most; i++ {
		c := in[i&(PlainWindow-1)]
		k |= int64(c&0x7f) << shift
		shift += 7
		if c < 0x80 {
			return k << (64 - shift) >> (64 - shift), i + 1
		}
	}
	return 0, 0
}

// plainOps is indexed by the operators of one byte.
var plainOps lazy.Value[*[256]PlainOp]

func makePlainOps() *[256]PlainOp {
	all := new([256]PlainOp)
	for op := range all {
		all[op] = Plain(Opcode(op))
	}
	return all
}

// Check checks what is left of the body that Begin began with.
func (v *Validator) Check() error {
	var in Instr
	ops := plainOps.Get(makePlainOps)
	for {
		v.plain(ops)
		if more, err := v.Next(&in); !more || err != nil {
			return err
		}
	}
}

// plain takes instructions up to the first that is not plain.
func (v *Validator) plain(ops *[256]PlainOp) {
	code, pos, stack, height := v.src, v.pos, v.stack, v.height
	locals, globals := v.locals, v.m.Globals
	mem := len(v.m.Mems) > 0 && !v.m.Mems[0].Is64
	for len(code)-pos >= PlainWindow && len(stack) < maxOperands {
		in := (*[PlainWindow]byte)(code[pos:])
		op := &ops[in[0]]
		top := len(stack) - 1 // the operator's last operand
		n := 1
		switch op.Kind {
		case PlainNop:

		case PlainDrop:
			if top < height {
				goto others
			}
			stack = stack[:top]

		case PlainLocalGet:
			var i uint32
			if i, n = PlainIndex(in, 1); n == 0 || i >= uint32(len(locals)) {
				goto others
			}
			stack = append(stack, Operand{Type: locals[i]})

		case PlainLocalSet, PlainLocalTee:
			var i uint32
			if i, n = PlainIndex(in, 1); n == 0 || i >= uint32(len(locals)) || top < height || stack[top].Type != locals[i] {
				goto others
			}
			if op.Kind == PlainLocalSet {
				stack = stack[:top]
			}

		case PlainGlobalGet:
			var i uint32
			if i, n = PlainIndex(in, 1); n == 0 || i >= uint32(len(globals)) {
				goto others
			}
			stack = append(stack, Operand{Type: globals[i].Type})

		case PlainGlobalSet:
			var i uint32
			if i, n = PlainIndex(in, 1); n == 0 || i >= uint32(len(globals)) || top < height || !globals[i].Mutable || stack[top].Type != globals[i].Type {
				goto others
			}
			stack = stack[:top]

		case PlainConstI32:
			if _, n = PlainSigned(in, MaxPlainI32); n == 0 {
				goto others
			}
			stack = append(stack, Operand{Type: I32})

		case PlainConstI64:
			if _, n = PlainSigned(in, MaxPlainI64); n == 0 {
				goto others
			}
			stack = append(stack, Operand{Type: I64})

		case PlainConstF32:
			stack = append(stack, Operand{Type: F32})
			n = 1 + 4

		case PlainConstF64:
			stack = append(stack, Operand{Type: F64})
			n = 1 + 8

		case PlainUnary:
			if top < height || stack[top].Type != ValType(op.Operands[0]) {
				goto others
			}
			stack[top] = Operand{Type: ValType(op.Result)}

		case PlainBinary:
			if top <= height || stack[top-1].Type != ValType(op.Operands[0]) || stack[top].Type != ValType(op.Operands[1]) {
				goto others
			}
			stack[top-1] = Operand{Type: ValType(op.Result)}
			stack = stack[:top]

		case PlainLoad:
			if _, n = PlainIndex(in, 2); n == 0 || in[1] > op.MaxAlign || !mem || top < height || stack[top].Type != I32 {
				goto others
			}
			stack[top] = Operand{Type: ValType(op.Result)}

		case PlainStore:
			if _, n = PlainIndex(in, 2); n == 0 || in[1] > op.MaxAlign || !mem || top <= height || stack[top-1].Type != I32 || stack[top].Type != ValType(op.Operands[1]) {
				goto others
			}
			stack = stack[:top-1]

		default:
			goto others
		}
		pos += n
	}
others:
	v.pos, v.stack = pos, stack
}
