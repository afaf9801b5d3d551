package amd64

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
	ssa.OpMul:    {(*lowerer).mul, IMUL},
	ssa.OpAnd:    {(*lowerer).and, AND},
	ssa.OpOr:     {(*lowerer).commutative, OR},
	ssa.OpXor:    {(*lowerer).xor, XOR},
	ssa.OpShl:    {(*lowerer).shift, SHL},
	ssa.OpShrS:   {(*lowerer).shift, SAR},
	ssa.OpShrU:   {(*lowerer).shift, SHR},
	ssa.OpRotl:   {(*lowerer).rotate, ROL},
	ssa.OpRotr:   {(*lowerer).rotate, ROR},
	ssa.OpClz:    {(*lowerer).countZeros, LZCNT},
	ssa.OpCtz:    {(*lowerer).countZeros, TZCNT},
	ssa.OpPopcnt: {(*lowerer).unary, POPCNT},
	ssa.OpSext8:  {(*lowerer).extend, MOVSX8},
	ssa.OpSext16: {(*lowerer).extend, MOVSX16},
	ssa.OpSext32: {(*lowerer).extend, MOVSXD},
	ssa.OpWrap:   {fn: (*lowerer).wrap},
	ssa.OpSext:   {(*lowerer).extend, MOVSXD},
	ssa.OpMulHiU: {(*lowerer).mulHighOp, MUL},

	ssa.OpMulAddLimbs: {(*lowerer).limbs, MULX},
	ssa.OpAddLimbs:    {(*lowerer).limbs, ADC},
	ssa.OpSubLimbs:    {(*lowerer).limbs, SBB},

	ssa.OpFAdd:     {(*lowerer).floatTwo, ADDF},
	ssa.OpFSub:     {(*lowerer).floatTwo, SUBF},
	ssa.OpFMul:     {(*lowerer).floatTwo, MULF},
	ssa.OpFDiv:     {(*lowerer).floatTwo, DIVF},
	ssa.OpFMin:     {(*lowerer).minMax, MINF},
	ssa.OpFMax:     {(*lowerer).minMax, MAXF},
	ssa.OpFAbs:     {(*lowerer).floatMask, ANDPS},
	ssa.OpFNeg:     {(*lowerer).floatMask, XORPS},
	ssa.OpFSqrt:    {(*lowerer).floatUnary, SQRTF},
	ssa.OpFCeil:    {(*lowerer).round, ROUNDF},
	ssa.OpFFloor:   {(*lowerer).round, ROUNDF},
	ssa.OpFTrunc:   {(*lowerer).round, ROUNDF},
	ssa.OpFNearest: {(*lowerer).round, ROUNDF},
	ssa.OpDemote:   {(*lowerer).floatUnary, CVTSD2SS},
	ssa.OpPromote:  {(*lowerer).floatUnary, CVTSS2SD},
	ssa.OpConvS:    {fn: (*lowerer).convertS},
	ssa.OpConvU:    {fn: (*lowerer).convertU},
}
