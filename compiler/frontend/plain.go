package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Most instructions are plain: they have a fixed signature or one that a table tells, short immediates, and do nothing to the
// control stack. plain takes as many of them as follow each other, which costs a third of what the validator's general way and
// the lowerings take. It is sure of what it takes; all it is not sure of it leaves to them, and errors among that.

// plainKind is how plain takes an operator.
type plainKind uint8

const (
	notPlain plainKind = iota
	plainNop
	plainDrop
	plainLocalGet
	plainLocalSet
	plainLocalTee
	plainGlobalGet
	plainGlobalSet
	plainConstI32
	plainConstI64
	plainUnary
	plainBinary
	plainLoad
	plainStore
)

// plainOp is all that plain wants to know of an operator, small enough for all of them to stay in the cache.
type plainOp struct {
	kind     plainKind
	typ      abi.Type // of op's value
	op       ssa.Op
	operands [2]uint8 // wasm types
	result   uint8    // wasm type
	maxAlign uint8    // of accesses: logarithm
}

// plainOps is indexed by the operators of one byte.
var plainOps lazy.Value[*[256]plainOp]

func makePlainOps() *[256]plainOp {
	all := &[256]plainOp{
		wasm.OpNop:       {kind: plainNop},
		wasm.OpDrop:      {kind: plainDrop},
		wasm.OpLocalGet:  {kind: plainLocalGet},
		wasm.OpLocalSet:  {kind: plainLocalSet},
		wasm.OpLocalTee:  {kind: plainLocalTee},
		wasm.OpGlobalGet: {kind: plainGlobalGet},
		wasm.OpGlobalSet: {kind: plainGlobalSet},
		wasm.OpI32Const:  {kind: plainConstI32},
		wasm.OpI64Const:  {kind: plainConstI64},
	}
	for _, part := range [][]lowering{numericLowerings, memoryLowerings} {
		for op := range min(len(part), len(all)) {
			info := wasm.Info(wasm.Opcode(op))
			kind := notPlain
			switch operands := info.Sig.Operands(); {
			case part[op].op == ssa.OpInvalid || info.Feature != 0:
			case info.Imm == wasm.ImmNone && operands == 1:
				kind = plainUnary
			case info.Imm == wasm.ImmNone && operands == 2:
				kind = plainBinary
			case info.Imm == wasm.ImmMemArg && operands == 1:
				kind = plainLoad
			case info.Imm == wasm.ImmMemArg && operands == 2:
				kind = plainStore
			}
			if kind == notPlain {
				continue
			}
			all[op] = plainOp{kind: kind, typ: part[op].typ, op: part[op].op, result: uint8(info.Sig.Result())}
			for i := range info.Sig.Operands() {
				all[op].operands[i] = uint8(info.Sig.Operand(i))
			}
			for size := info.Size; size > 1; size /= 2 {
				all[op].maxAlign++
			}
		}
	}
	return all
}

// plainWindow is more than the longest plain instruction: ends of bodies are not plain.
const plainWindow = 16

// plain takes instructions up to the first that is not plain. The current block must be reachable.
func (b *Builder) plain() {
	at := b.v.Open()
	code, pos, stack, height := at.Code, at.Pos, at.Stack, at.Height
	f, s, locals := b.f, &b.locals, b.v.Locals()
	for len(code)-pos >= plainWindow && len(stack) < at.Limit {
		in := (*[plainWindow]byte)(code[pos:])
		op := &b.plainOps[in[0]]
		b.in.Offset = uint32(pos)
		top := len(stack) - 1 // the operator's last operand
		switch op.kind {
		case plainNop:
			pos++

		case plainDrop:
			if top < height {
				goto others
			}
			stack = stack[:top]
			pos++

		case plainLocalGet:
			i, n := plainIndex(in, 1)
			if n == 0 || i >= uint32(len(locals)) {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: locals[i], Ref: s.get(i)})
			pos += n

		case plainLocalSet, plainLocalTee:
			i, n := plainIndex(in, 1)
			if n == 0 || i >= uint32(len(locals)) || top < height || stack[top].Type != locals[i] {
				goto others
			}
			s.set(i, stack[top].Ref)
			if op.kind == plainLocalSet {
				stack = stack[:top]
			}
			pos += n

		case plainGlobalGet:
			i, n := plainIndex(in, 1)
			if n == 0 || i >= uint32(len(b.m.globals)) || b.m.globals[i].constant {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: b.m.Wasm.Globals[i].Type, Ref: b.emit(ssa.OpGlobal, b.m.SSA.GlobalTypes[i], i, 0, 0)})
			pos += n

		case plainGlobalSet:
			i, n := plainIndex(in, 1)
			if n == 0 || i >= uint32(len(b.m.globals)) || top < height {
				goto others
			}
			if g := &b.m.Wasm.Globals[i]; !g.Mutable || stack[top].Type != g.Type {
				goto others
			}
			b.emit(ssa.OpGlobalSet, abi.Void, i, stack[top].Ref, 0)
			stack = stack[:top]
			pos += n

		case plainConstI32:
			k, n := plainSigned(in, maxPlainI32)
			if n == 0 {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: wasm.I32, Ref: uint32(f.Const(abi.I32, uint64(k)))})
			pos += n

		case plainConstI64:
			k, n := plainSigned(in, maxPlainI64)
			if n == 0 {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: wasm.I64, Ref: uint32(f.Const(abi.I64, uint64(k)))})
			pos += n

		case plainUnary:
			if top < height {
				goto others
			}
			x := &stack[top]
			if x.Type != wasm.ValType(op.operands[0]) {
				goto others
			}
			*x = wasm.Operand{Type: wasm.ValType(op.result), Ref: b.emit(op.op, op.typ, x.Ref, 0, 0)}
			pos++

		case plainBinary:
			if top <= height {
				goto others
			}
			x, y := &stack[top-1], &stack[top]
			if x.Type != wasm.ValType(op.operands[0]) || y.Type != wasm.ValType(op.operands[1]) {
				goto others
			}
			*x = wasm.Operand{Type: wasm.ValType(op.result), Ref: b.emit(op.op, op.typ, x.Ref, y.Ref, 0)}
			stack = stack[:top]
			pos++

		case plainLoad:
			offset, n := plainIndex(in, 2)
			if n == 0 || in[1] > op.maxAlign || !b.plainMem || top < height {
				goto others
			}
			x := &stack[top]
			if x.Type != wasm.I32 {
				goto others
			}
			addr := b.plainAddress(op, x.Ref, offset)
			*x = wasm.Operand{Type: wasm.ValType(op.result), Ref: b.emit(op.op, op.typ, addr, 0, 0)}
			pos += n

		case plainStore:
			offset, n := plainIndex(in, 2)
			if n == 0 || in[1] > op.maxAlign || !b.plainMem || top <= height {
				goto others
			}
			x, y := &stack[top-1], &stack[top]
			if x.Type != wasm.I32 || y.Type != wasm.ValType(op.operands[1]) {
				goto others
			}
			b.emit(op.op, abi.Void, b.plainAddress(op, x.Ref, offset), y.Ref, 0)
			stack = stack[:top-1]
			pos += n

		default:
			goto others
		}
	}
others:
	b.v.Resume(pos, stack)
}

// plainAddress is address for an access to memory 0.
func (b *Builder) plainAddress(op *plainOp, index, offset uint32) uint32 {
	v := b.emit(ssa.OpAddr, abi.Addr, index, offset, 1<<op.maxAlign)
	b.f.Insts[v].Flags = b.addrFlags
	return v
}

// plainIndex reads an unsigned LEB128 number at in[at]. n is where it ends, 0 if it has more than three bytes.
func plainIndex(in *[plainWindow]byte, at int) (i uint32, n int) {
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
	maxPlainI32 = 4
	maxPlainI64 = 9
)

// plainSigned reads a signed LEB128 number of at most most bytes at in[1]. n is where it ends, 0 if it is longer.
func plainSigned(in *[plainWindow]byte, most int) (k int64, n int) {
	if in[1] < 0x80 {
		return int64(int8(in[1]<<1)) >> 1, 2
	}
	shift := uint(0)
	for i := 1; i <= most; i++ {
		c := in[i&(plainWindow-1)]
		k |= int64(c&0x7f) << shift
		shift += 7
		if c < 0x80 {
			return k << (64 - shift) >> (64 - shift), i + 1
		}
	}
	return 0, 0
}
