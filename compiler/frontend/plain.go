package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// plainOp is a plain operator and what it becomes. plain is sure of what it takes; all it is not sure of it leaves to the validator and to the
// lowerings.
type plainOp struct {
	wasm.PlainOp
	typ abi.Type // of op's value
	op  ssa.Op
}

// plainOps is indexed by the operators of one byte.
var plainOps lazy.Value[*[256]plainOp]

func makePlainOps() *[256]plainOp {
	all := new([256]plainOp)
	for op := range all {
		if p := wasm.Plain(wasm.Opcode(op)); p.Kind < wasm.PlainConstF32 {
			all[op].PlainOp = p
		}
	}
	for _, part := range [][]lowering{numericLowerings, memoryLowerings} {
		for op := range min(len(part), len(all)) {
			if p := wasm.Plain(wasm.Opcode(op)); p.Kind >= wasm.PlainUnary && part[op].op != ssa.OpInvalid {
				all[op] = plainOp{p, part[op].typ, part[op].op}
			}
		}
	}
	return all
}

// plain takes instructions up to the first that is not plain. The current block must be reachable.
func (b *Builder) plain() {
	at := b.v.Open()
	code, pos, stack, height := at.Code, at.Pos, at.Stack, at.Height
	f, s, locals := b.f, &b.locals, b.v.Locals()
	for len(code)-pos >= wasm.PlainWindow && len(stack) < at.Limit {
		in := (*[wasm.PlainWindow]byte)(code[pos:])
		op := &b.plainOps[in[0]]
		b.in.Offset = uint32(pos)
		top := len(stack) - 1 // the operator's last operand
		switch op.Kind {
		case wasm.PlainNop:
			pos++

		case wasm.PlainDrop:
			if top < height {
				goto others
			}
			stack = stack[:top]
			pos++

		case wasm.PlainLocalGet:
			i, n := wasm.PlainIndex(in, 1)
			if n == 0 || i >= uint32(len(locals)) {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: locals[i], Ref: s.get(i)})
			pos += n

		case wasm.PlainLocalSet, wasm.PlainLocalTee:
			i, n := wasm.PlainIndex(in, 1)
			if n == 0 || i >= uint32(len(locals)) || top < height || stack[top].Type != locals[i] {
				goto others
			}
			s.set(i, stack[top].Ref)
			if op.Kind == wasm.PlainLocalSet {
				stack = stack[:top]
			}
			pos += n

		case wasm.PlainGlobalGet:
			i, n := wasm.PlainIndex(in, 1)
			if n == 0 || i >= uint32(len(b.m.globals)) || b.m.globals[i].constant {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: b.m.Wasm.Globals[i].Type, Ref: b.emit(ssa.OpGlobal, b.m.SSA.GlobalTypes[i], i, 0, 0)})
			pos += n

		case wasm.PlainGlobalSet:
			i, n := wasm.PlainIndex(in, 1)
			if n == 0 || i >= uint32(len(b.m.globals)) || top < height {
				goto others
			}
			if g := &b.m.Wasm.Globals[i]; !g.Mutable || stack[top].Type != g.Type {
				goto others
			}
			b.emit(ssa.OpGlobalSet, abi.Void, i, stack[top].Ref, 0)
			stack = stack[:top]
			pos += n

		case wasm.PlainConstI32:
			k, n := wasm.PlainSigned(in, wasm.MaxPlainI32)
			if n == 0 {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: wasm.I32, Ref: uint32(f.Const(abi.I32, uint64(k)))})
			pos += n

		case wasm.PlainConstI64:
			k, n := wasm.PlainSigned(in, wasm.MaxPlainI64)
			if n == 0 {
				goto others
			}
			stack = append(stack, wasm.Operand{Type: wasm.I64, Ref: uint32(f.Const(abi.I64, uint64(k)))})
			pos += n

		case wasm.PlainUnary:
			if top < height {
				goto others
			}
			x := &stack[top]
			if x.Type != wasm.ValType(op.Operands[0]) {
				goto others
			}
			*x = wasm.Operand{Type: wasm.ValType(op.Result), Ref: b.emit(op.op, op.typ, x.Ref, 0, 0)}
			pos++

		case wasm.PlainBinary:
			if top <= height {
				goto others
			}
			x, y := &stack[top-1], &stack[top]
			if x.Type != wasm.ValType(op.Operands[0]) || y.Type != wasm.ValType(op.Operands[1]) {
				goto others
			}
			*x = wasm.Operand{Type: wasm.ValType(op.Result), Ref: b.emit(op.op, op.typ, x.Ref, y.Ref, 0)}
			stack = stack[:top]
			pos++

		case wasm.PlainLoad:
			offset, n := wasm.PlainIndex(in, 2)
			if n == 0 || in[1] > op.MaxAlign || !b.plainMem || top < height {
				goto others
			}
			x := &stack[top]
			if x.Type != wasm.I32 {
				goto others
			}
			addr := b.plainAddress(op, x.Ref, offset)
			*x = wasm.Operand{Type: wasm.ValType(op.Result), Ref: b.emit(op.op, op.typ, addr, 0, 0)}
			pos += n

		case wasm.PlainStore:
			offset, n := wasm.PlainIndex(in, 2)
			if n == 0 || in[1] > op.MaxAlign || !b.plainMem || top <= height {
				goto others
			}
			x, y := &stack[top-1], &stack[top]
			if x.Type != wasm.I32 || y.Type != wasm.ValType(op.Operands[1]) {
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
	v := b.emit(ssa.OpAddr, abi.Addr, index, offset, 1<<op.MaxAlign)
	b.f.Insts[v].Flags = b.addrFlags
	return v
}
