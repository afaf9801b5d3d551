package amd64

import "github.com/wasmaot/wasmaot/compiler/ssa"

// A rule selects the instructions for an operation; op is the machine's for it.
type rule struct {
	fn func(l *lowerer, v ssa.Value, in *ssa.Inst, op Op)
	op Op
}

// rules has a rule for each operation that makes instructions by itself and not by way of package isel. The others
// are part of their users: constants, parameters, zero extensions.
var rules = [ssa.OpCount]rule{

	ssa.OpAdd:    {(*lowerer).add, ADD},
	ssa.OpSub:    {(*lowerer).sub, SUB},
	ssa.OpMul:    {(*lowerer).mul, IMUL},
	ssa.OpDivS:   {fn: (*lowerer).divide},
	ssa.OpDivU:   {fn: (*lowerer).divide},
	ssa.OpRemS:   {fn: (*lowerer).divide},
	ssa.OpRemU:   {fn: (*lowerer).divide},
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

	ssa.OpEqz: {fn: (*lowerer).set},
	ssa.OpEq:  {fn: (*lowerer).set},
	ssa.OpNe:  {fn: (*lowerer).set},
	ssa.OpLtS: {fn: (*lowerer).set},
	ssa.OpLtU: {fn: (*lowerer).set},
	ssa.OpGtS: {fn: (*lowerer).set},
	ssa.OpGtU: {fn: (*lowerer).set},
	ssa.OpLeS: {fn: (*lowerer).set},
	ssa.OpLeU: {fn: (*lowerer).set},
	ssa.OpGeS: {fn: (*lowerer).set},
	ssa.OpGeU: {fn: (*lowerer).set},
	ssa.OpFEq: {fn: (*lowerer).set},
	ssa.OpFNe: {fn: (*lowerer).set},
	ssa.OpFLt: {fn: (*lowerer).set},
	ssa.OpFGt: {fn: (*lowerer).set},
	ssa.OpFLe: {fn: (*lowerer).set},
	ssa.OpFGe: {fn: (*lowerer).set},

	ssa.OpFAdd:      {(*lowerer).floatTwo, ADDF},
	ssa.OpFSub:      {(*lowerer).floatTwo, SUBF},
	ssa.OpFMul:      {(*lowerer).floatTwo, MULF},
	ssa.OpFDiv:      {(*lowerer).floatTwo, DIVF},
	ssa.OpFMin:      {(*lowerer).minMax, MINF},
	ssa.OpFMax:      {(*lowerer).minMax, MAXF},
	ssa.OpFCopysign: {fn: (*lowerer).copysign},
	ssa.OpFAbs:      {(*lowerer).floatMask, ANDPS},
	ssa.OpFNeg:      {(*lowerer).floatMask, XORPS},
	ssa.OpFSqrt:     {(*lowerer).floatUnary, SQRTF},
	ssa.OpFCeil:     {(*lowerer).round, ROUNDF},
	ssa.OpFFloor:    {(*lowerer).round, ROUNDF},
	ssa.OpFTrunc:    {(*lowerer).round, ROUNDF},
	ssa.OpFNearest:  {(*lowerer).round, ROUNDF},
	ssa.OpDemote:    {(*lowerer).floatUnary, CVTSD2SS},
	ssa.OpPromote:   {(*lowerer).floatUnary, CVTSS2SD},
	ssa.OpTruncS:    {fn: (*lowerer).truncate},
	ssa.OpTruncU:    {fn: (*lowerer).truncate},
	ssa.OpTruncSatS: {fn: (*lowerer).truncate},
	ssa.OpTruncSatU: {fn: (*lowerer).truncate},
	ssa.OpConvS:     {fn: (*lowerer).convertS},
	ssa.OpConvU:     {fn: (*lowerer).convertU},
	ssa.OpBitcast:   {fn: (*lowerer).bitcast},

	ssa.OpSelect: {fn: (*lowerer).selectOp},

	ssa.OpAddr:    {fn: (*lowerer).address},
	ssa.OpLoad:    {fn: (*lowerer).load},
	ssa.OpLoad8U:  {fn: (*lowerer).load},
	ssa.OpLoad8S:  {fn: (*lowerer).load},
	ssa.OpLoad16U: {fn: (*lowerer).load},
	ssa.OpLoad16S: {fn: (*lowerer).load},
	ssa.OpLoad32U: {fn: (*lowerer).load},
	ssa.OpLoad32S: {fn: (*lowerer).load},
	ssa.OpStore:   {fn: (*lowerer).store},
	ssa.OpStore8:  {fn: (*lowerer).store},
	ssa.OpStore16: {fn: (*lowerer).store},
	ssa.OpStore32: {fn: (*lowerer).store},
}
