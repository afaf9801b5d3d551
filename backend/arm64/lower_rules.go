package arm64

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
	ssa.OpMul:    {(*lowerer).mul, MUL},
	ssa.OpDivS:   {(*lowerer).divide, SDIV},
	ssa.OpDivU:   {(*lowerer).divide, UDIV},
	ssa.OpRemS:   {(*lowerer).divide, SDIV},
	ssa.OpRemU:   {(*lowerer).divide, UDIV},
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

	ssa.OpFAdd:      {(*lowerer).plainTwo, FADD},
	ssa.OpFSub:      {(*lowerer).plainTwo, FSUB},
	ssa.OpFMul:      {(*lowerer).plainTwo, FMUL},
	ssa.OpFDiv:      {(*lowerer).plainTwo, FDIV},
	ssa.OpFMin:      {(*lowerer).plainTwo, FMIN},
	ssa.OpFMax:      {(*lowerer).plainTwo, FMAX},
	ssa.OpFCopysign: {fn: (*lowerer).copysign},
	ssa.OpFAbs:      {(*lowerer).unary, FABS},
	ssa.OpFNeg:      {(*lowerer).unary, FNEG},
	ssa.OpFSqrt:     {(*lowerer).unary, FSQRT},
	ssa.OpFCeil:     {(*lowerer).unary, FRINTP},
	ssa.OpFFloor:    {(*lowerer).unary, FRINTM},
	ssa.OpFTrunc:    {(*lowerer).unary, FRINTZ},
	ssa.OpFNearest:  {(*lowerer).unary, FRINTN},
	ssa.OpDemote:    {(*lowerer).unary, FCVT},
	ssa.OpPromote:   {(*lowerer).unary, FCVT},
	ssa.OpTruncS:    {fn: (*lowerer).truncate},
	ssa.OpTruncU:    {fn: (*lowerer).truncate},
	ssa.OpTruncSatS: {fn: (*lowerer).truncate},
	ssa.OpTruncSatU: {fn: (*lowerer).truncate},
	ssa.OpConvS:     {fn: (*lowerer).convert},
	ssa.OpConvU:     {fn: (*lowerer).convert},
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
