package frontend

import (
	"fmt"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// interp runs function bodies instruction by instruction, as the specification has it, for
// comparison with what the builder makes of them. It knows control, locals, globals and a few operators.
type interp struct {
	m       *wasm.Module
	code    []wasm.Instr
	frames  []wasm.Frame // by instruction: for block, loop, if the frame they open
	ends    []int        // by instruction: for block, loop, if the matching end
	elses   []int        // for if: the else, or 0
	globals []uint64
	fuel    int
}

// newInterp decodes a body.
func newInterp(m *wasm.Module, index uint32) (*interp, error) {
	p := &interp{m: m}
	var v wasm.Validator
	if err := v.Begin(m, index); err != nil {
		return nil, err
	}
	var open []int
	for more := true; more; {
		var in wasm.Instr
		var err error
		if more, err = v.Next(&in); err != nil {
			return nil, err
		}
		in.Targets = slices.Clone(in.Targets)
		at := len(p.code)
		p.code, p.ends, p.elses = append(p.code, in), append(p.ends, 0), append(p.elses, 0)
		p.frames = append(p.frames, wasm.Frame{})
		switch in.Op {
		case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
			p.frames[at] = *v.Frame(0)
			open = append(open, at)
		case wasm.OpElse:
			p.elses[open[len(open)-1]] = at
		case wasm.OpEnd:
			if len(open) > 0 {
				start := open[len(open)-1]
				open = open[:len(open)-1]
				p.ends[start] = at
				if e := p.elses[start]; e != 0 {
					p.ends[e] = at
				}
			}
		}
	}
	return p, nil
}

type label struct {
	next   int // instruction to go on with
	arity  int
	height int
	loop   bool
}

var errFuel = fmt.Errorf("out of fuel")

func (p *interp) run(sig *wasm.FuncType, locals []uint64) ([]uint64, abi.Trap, error) {
	var stack []uint64
	push := func(x uint64) { stack = append(stack, x) }
	pop := func() uint64 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		return x
	}
	labels := []label{{next: len(p.code), arity: len(sig.Results)}}
	pc := 0
	branch := func(depth uint32) {
		l := labels[len(labels)-1-int(depth)]
		stack = append(stack[:l.height], stack[len(stack)-l.arity:]...)
		labels = labels[:len(labels)-1-int(depth)]
		if l.loop {
			labels = append(labels, l)
		}
		pc = l.next
	}
	for pc < len(p.code) {
		if p.fuel--; p.fuel < 0 {
			return nil, 0, errFuel
		}
		in := &p.code[pc]
		at := pc
		pc++
		switch in.Op {
		case wasm.OpUnreachable:
			return nil, abi.TrapUnreachable, nil
		case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
			f := &p.frames[at]
			cond := uint64(1)
			if in.Op == wasm.OpIf {
				cond = pop()
			}
			l := label{next: p.ends[at] + 1, arity: len(f.Results), height: len(stack) - len(f.Params)}
			if in.Op == wasm.OpLoop {
				l.next, l.arity, l.loop = at+1, len(f.Params), true
			}
			labels = append(labels, l)
			if uint32(cond) == 0 {
				if pc = p.ends[at]; p.elses[at] != 0 {
					pc = p.elses[at] + 1
				}
			}
		case wasm.OpElse:
			pc = p.ends[at]
		case wasm.OpEnd:
			labels = labels[:len(labels)-1]
		case wasm.OpBr:
			branch(in.Index)
		case wasm.OpBrIf:
			if uint32(pop()) != 0 {
				branch(in.Index)
			}
		case wasm.OpBrTable:
			branch(in.Targets[min(uint64(uint32(pop())), uint64(len(in.Targets)-1))])
		case wasm.OpReturn:
			return stack[len(stack)-len(sig.Results):], 0, nil
		case wasm.OpNop:
		case wasm.OpDrop:
			pop()
		case wasm.OpSelect:
			c, y, x := pop(), pop(), pop()
			if uint32(c) == 0 {
				x = y
			}
			push(x)
		case wasm.OpLocalGet:
			push(locals[in.Index])
		case wasm.OpLocalSet:
			locals[in.Index] = pop()
		case wasm.OpLocalTee:
			locals[in.Index] = stack[len(stack)-1]
		case wasm.OpGlobalGet:
			push(p.globals[in.Index])
		case wasm.OpGlobalSet:
			p.globals[in.Index] = pop()
		case wasm.OpI32Const:
			push(uint64(uint32(in.Bits)))
		case wasm.OpI64Const:
			push(in.Bits)
		case wasm.OpI32Eqz:
			push(truth(uint32(pop()) == 0))
		case wasm.OpI32Add, wasm.OpI32Sub, wasm.OpI32Mul, wasm.OpI32Xor, wasm.OpI32And, wasm.OpI32LtU:
			y, x := uint32(pop()), uint32(pop())
			push(uint64(binary32(in.Op, x, y)))
		case wasm.OpI64Add:
			push(pop() + pop())
		case wasm.OpI64ExtendI32U:
		case wasm.OpI32WrapI64:
			push(uint64(uint32(pop())))
		default:
			return nil, 0, fmt.Errorf("cannot run %s", in.Op)
		}
	}
	return stack, 0, nil
}

func binary32(op wasm.Opcode, x, y uint32) uint32 {
	switch op {
	case wasm.OpI32Add:
		return x + y
	case wasm.OpI32Sub:
		return x - y
	case wasm.OpI32Mul:
		return x * y
	case wasm.OpI32Xor:
		return x ^ y
	case wasm.OpI32And:
		return x & y
	}
	return uint32(truth(x < y))
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
