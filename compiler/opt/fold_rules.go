package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// opRules is what fold knows of an op: the op that does the same with the operands swapped
// (0 if there is none), rules with a constant on the right, and others.
type opRules struct {
	swapped   ssa.Op
	withConst []constRule
	plain     []rule
}

// simplifications is the table of rules. An op's rules are tried in order. A folder refers to it, rather than the rules themselves, which the table refers
// to: so it is data, not made at the start of every program.
var simplifications = [ssa.OpCount]opRules{
	ssa.OpAdd:  {ssa.OpAdd, []constRule{addZero, addChain}, []rule{addNegated}},
	ssa.OpSub:  {0, []constRule{subConst}, []rule{subSame, subChain, subNegated}},
	ssa.OpMul:  {ssa.OpMul, []constRule{mulConst, mulChain}, nil},
	ssa.OpDivS: {0, []constRule{divOne}, nil},
	ssa.OpDivU: {0, []constRule{divOne, divPower}, nil},
	ssa.OpRemS: {0, []constRule{remOne}, nil},
	ssa.OpRemU: {0, []constRule{remPower}, nil},
	ssa.OpAnd:  {ssa.OpAnd, []constRule{andMask, andChain, andOr, andLow}, []rule{sameOperands}},
	ssa.OpOr:   {ssa.OpOr, []constRule{orConst, orChain}, []rule{sameOperands, rotate}},
	ssa.OpXor:  {ssa.OpXor, []constRule{xorZero, xorChain, xorTruth}, []rule{xorSame, rotate}},

	ssa.OpShl:  {0, []constRule{shiftCount, shiftOut, shlShl, shlShr}, []rule{shiftZero, shiftMasked}},
	ssa.OpShrU: {0, []constRule{shiftCount, shiftOut, shruShru, shruShl}, []rule{shiftZero, shiftMasked}},
	ssa.OpShrS: {0, []constRule{shiftCount, shrsPositive, shrsShrs, shrsShl}, []rule{shiftZero, shiftMasked}},
	ssa.OpRotl: {0, []constRule{shiftCount}, []rule{shiftZero, shiftMasked}},
	ssa.OpRotr: {0, []constRule{shiftCount}, []rule{shiftZero, shiftMasked}},

	ssa.OpSext8:  {0, nil, []rule{sextSmall, sextNested}},
	ssa.OpSext16: {0, nil, []rule{sextSmall, sextNested}},
	ssa.OpSext32: {0, nil, []rule{sextSmall, sextNested}},

	ssa.OpEqz: {0, nil, []rule{eqzCompare, eqzWide, eqzDifference}},
	ssa.OpEq:  {ssa.OpEq, []constRule{eqMask, eqZero, eqOne, eqChain, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpNe:  {ssa.OpNe, []constRule{eqMask, neZero, neOne, eqChain, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpLtS: {ssa.OpGtS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpLtU: {ssa.OpGtU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpGtS: {ssa.OpLtS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpGtU: {ssa.OpLtU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpLeS: {ssa.OpGeS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpLeU: {ssa.OpGeU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpGeS: {ssa.OpLeS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},
	ssa.OpGeU: {ssa.OpLeU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}},

	ssa.OpMulHiU: {ssa.OpMulHiU, []constRule{mulHiSmall}, nil},

	ssa.OpWrap: {0, nil, []rule{wrapOf}},
	ssa.OpZext: {0, nil, []rule{zextWrap}},
	ssa.OpSext: {0, nil, []rule{sextPositive, sextWrap}},

	ssa.OpFAbs:    {0, nil, []rule{absSign}},
	ssa.OpFNeg:    {0, nil, []rule{negNeg}},
	ssa.OpBitcast: {0, nil, []rule{bitcastTwice}},
	ssa.OpConvS:   {0, nil, []rule{convSext}},

	ssa.OpSelect: {0, nil, []rule{selectConst, selectSame, selectInverted, selectTruth}},
	ssa.OpAddr:   {0, nil, []rule{addrConst}},
}

// inverse gives for each comparison the one that is true where it is not. Ordered comparisons
// of floats have none: NaN makes both false.
var inverse = [ssa.OpCount]ssa.Op{
	ssa.OpEq: ssa.OpNe, ssa.OpNe: ssa.OpEq,
	ssa.OpLtS: ssa.OpGeS, ssa.OpGeS: ssa.OpLtS, ssa.OpGtS: ssa.OpLeS, ssa.OpLeS: ssa.OpGtS,
	ssa.OpLtU: ssa.OpGeU, ssa.OpGeU: ssa.OpLtU, ssa.OpGtU: ssa.OpLeU, ssa.OpLeU: ssa.OpGtU,
	ssa.OpFEq: ssa.OpFNe, ssa.OpFNe: ssa.OpFEq,
}

// unsigned gives for each comparison the one of the same kind without signs.
var unsigned = [ssa.OpCount]ssa.Op{
	ssa.OpEq: ssa.OpEq, ssa.OpNe: ssa.OpNe,
	ssa.OpLtS: ssa.OpLtU, ssa.OpGtS: ssa.OpGtU, ssa.OpLeS: ssa.OpLeU, ssa.OpGeS: ssa.OpGeU,
	ssa.OpLtU: ssa.OpLtU, ssa.OpGtU: ssa.OpGtU, ssa.OpLeU: ssa.OpLeU, ssa.OpGeU: ssa.OpGeU,
}
