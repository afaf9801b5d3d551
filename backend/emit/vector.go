package emit

import "github.com/wasmaot/wasmaot/compiler/ssa"

// VectorOp, Shape and Number are what TVector is to make: Number is a lane or what else belongs to the operation.
func (e *Emitter) VectorOp() ssa.Op { return ssa.Op(e.In.Imm & 0xffff) }
func (e *Emitter) Shape() ssa.Shape { return ssa.Shape(e.In.Cond) }
func (e *Emitter) Number() int64    { return e.In.Imm >> 16 }
