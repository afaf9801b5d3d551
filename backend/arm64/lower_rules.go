package arm64

import "github.com/wasmaot/wasmaot/compiler/ssa"

// A rule selects the instructions for an operation; op is the machine's for it.
type rule struct {
	fn func(l *lowerer, v ssa.Value, in *ssa.Inst, op Op)
	op Op
}

// rules has a rule for each operation that makes instructions by itself and not by way of a method that package isel knows. The others
// are part of their users: constants, parameters, zero extensions.
var rules = [ssa.OpCount]rule{

	ssa.OpAdd:    {(*lowerer).add, ADD},
	ssa.OpSub:    {(*lowerer).sub, SUB},
	ssa.OpMul:    {(*lowerer).mul, MUL},
	ssa.OpAnd:    {(*lowerer).and, AND},
	ssa.OpOr:     {(*lowerer).logic, ORR},
	ssa.OpXor:    {(*lowerer).logic, EOR},
	ssa.OpShl:    {(*lowerer).shift, LSL},
	ssa.OpShrS:   {(*lowerer).shift, ASR},
	ssa.OpShrU:   {(*lowerer).shift, LSR},
	ssa.OpRotl:   {(*lowerer).rotate, ROR},
	ssa.OpRotr:   {(*lowerer).rotate, ROR},
	ssa.OpClz:    {(*lowerer).unary, CLZ},
	ssa.OpCtz:    {fn: (*lowerer).ctz},
	ssa.OpPopcnt: {fn: (*lowerer).popcnt},
	ssa.OpSext8:  {(*lowerer).unary, SXTB},
	ssa.OpSext16: {(*lowerer).unary, SXTH},
	ssa.OpSext32: {(*lowerer).unary, SXTW},
	ssa.OpWrap:   {fn: (*lowerer).wrap},
	ssa.OpSext:   {(*lowerer).unary, SXTW},
	ssa.OpMulHiU: {(*lowerer).plainTwo, UMULH},

	ssa.OpFAdd:     {(*lowerer).plainTwo, FADD},
	ssa.OpFSub:     {(*lowerer).plainTwo, FSUB},
	ssa.OpFMul:     {(*lowerer).plainTwo, FMUL},
	ssa.OpFDiv:     {(*lowerer).plainTwo, FDIV},
	ssa.OpFMin:     {(*lowerer).plainTwo, FMIN},
	ssa.OpFMax:     {(*lowerer).plainTwo, FMAX},
	ssa.OpFAbs:     {(*lowerer).unary, FABS},
	ssa.OpFNeg:     {(*lowerer).unary, FNEG},
	ssa.OpFSqrt:    {(*lowerer).unary, FSQRT},
	ssa.OpFCeil:    {(*lowerer).unary, FRINTP},
	ssa.OpFFloor:   {(*lowerer).unary, FRINTM},
	ssa.OpFTrunc:   {(*lowerer).unary, FRINTZ},
	ssa.OpFNearest: {(*lowerer).unary, FRINTN},
	ssa.OpDemote:   {(*lowerer).unary, FCVT},
	ssa.OpPromote:  {(*lowerer).unary, FCVT},
	ssa.OpConvS:    {fn: (*lowerer).convert},
	ssa.OpConvU:    {fn: (*lowerer).convert},
}
