package loader

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// arith does the operations of extended constant expressions, and reports whether op is one.
func arith(op artifact.ExprOp, a, b uint64) (uint64, bool) {
	switch op {
	case artifact.ExprI32Add:
		return uint64(uint32(a) + uint32(b)), true
	case artifact.ExprI32Sub:
		return uint64(uint32(a) - uint32(b)), true
	case artifact.ExprI32Mul:
		return uint64(uint32(a) * uint32(b)), true
	case artifact.ExprI64Add:
		return a + b, true
	case artifact.ExprI64Sub:
		return a - b, true
	case artifact.ExprI64Mul:
		return a * b, true
	}
	return 0, false
}

// eval is the value of a constant expression, of vectors in two halves.
func (i *Instance) eval(e *artifact.Expr) (lo, hi uint64, err error) {
	if len(e.Insts) == 1 { // nearly all
		return i.evalOne(&e.Insts[0])
	}
	var stack [][2]uint64
	for k := range e.Insts {
		in := &e.Insts[k]
		if _, ok := arith(in.Op, 0, 0); ok {
			n := len(stack)
			if n < 2 {
				return 0, 0, fmt.Errorf("constant expression: operation %d needs two operands, found %d", in.Op, n)
			}
			sum, _ := arith(in.Op, stack[n-2][0], stack[n-1][0])
			stack = append(stack[:n-2], [2]uint64{sum})
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
