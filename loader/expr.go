package loader

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// arith are the operations of extended constant expressions.
var arith = map[artifact.ExprOp]func(a, b uint64) uint64{
	artifact.ExprI32Add: func(a, b uint64) uint64 { return uint64(uint32(a) + uint32(b)) },
	artifact.ExprI32Sub: func(a, b uint64) uint64 { return uint64(uint32(a) - uint32(b)) },
	artifact.ExprI32Mul: func(a, b uint64) uint64 { return uint64(uint32(a) * uint32(b)) },
	artifact.ExprI64Add: func(a, b uint64) uint64 { return a + b },
	artifact.ExprI64Sub: func(a, b uint64) uint64 { return a - b },
	artifact.ExprI64Mul: func(a, b uint64) uint64 { return a * b },
}

// eval is the value of a constant expression, of vectors in two halves.
func (i *Instance) eval(e *artifact.Expr) (lo, hi uint64, err error) {
	if len(e.Insts) == 1 { // nearly all
		return i.evalOne(&e.Insts[0])
	}
	var stack [][2]uint64
	for k := range e.Insts {
		in := &e.Insts[k]
		if op := arith[in.Op]; op != nil {
			n := len(stack)
			if n < 2 {
				return 0, 0, fmt.Errorf("constant expression: operation %d needs two operands, found %d", in.Op, n)
			}
			stack = append(stack[:n-2], [2]uint64{op(stack[n-2][0], stack[n-1][0])})
			continue
		}
		lo, hi, err := i.evalOne(in)
		if err != nil {
			return 0, 0, err
		}
		stack = append(stack, [2]uint64{lo, hi})
	}
	if len(stack) != 1 {
		return 0, 0, fmt.Errorf("constant expression: expected one value, found %d", len(stack))
	}
	return stack[0][0], stack[0][1], nil
}

func (i *Instance) evalOne(in *artifact.ExprInst) (lo, hi uint64, err error) {
	switch in.Op {
	case artifact.ExprConst:
		return in.Bits, in.Hi, nil
	case artifact.ExprGlobal:
		if int(in.Index) >= len(i.globals) {
			return 0, 0, fmt.Errorf("constant expression: global %d of %d", in.Index, len(i.globals))
		}
		lo, hi = i.globals[in.Index].Get()
		return lo, hi, nil
	case artifact.ExprRefFunc:
		ref, err := i.funcRef(in.Index)
		return ref, 0, err
	case artifact.ExprRefNull:
		return 0, 0, nil
	}
	return 0, 0, fmt.Errorf("constant expression: unknown operation %d", in.Op)
}
