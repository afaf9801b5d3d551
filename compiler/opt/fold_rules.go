package opt

import "github.com/wasmaot/wasmaot/compiler/ssa"

// opRules is what fold knows of an op: the op that does the same with the operands swapped
// (0 if there is none), rules with a constant on the right, and others.
type opRules struct {
	swapped   ssa.Op
	withConst []constRule
	plain     []rule
	none      bool // nothing at all, and no constants to compute with; set from the rest
}

// rules is the table of simplifications. An op's rules are tried in order.
var rules [ssa.OpCount]opRules

func init() {
	rules = [ssa.OpCount]opRules{
		ssa.OpAdd:  {ssa.OpAdd, []constRule{addZero, addChain}, []rule{addNegated}, false},
		ssa.OpSub:  {0, []constRule{subConst}, []rule{subSame, subChain, subNegated}, false},
		ssa.OpMul:  {ssa.OpMul, []constRule{mulConst, mulChain}, nil, false},
		ssa.OpDivS: {0, []constRule{divOne}, nil, false},
		ssa.OpDivU: {0, []constRule{divOne, divPower}, nil, false},
		ssa.OpRemS: {0, []constRule{remOne}, nil, false},
		ssa.OpRemU: {0, []constRule{remPower}, nil, false},
		ssa.OpAnd:  {ssa.OpAnd, []constRule{andMask, andChain, andOr, andLow}, []rule{sameOperands}, false},
		ssa.OpOr:   {ssa.OpOr, []constRule{orConst, orChain}, []rule{sameOperands, rotate}, false},
		ssa.OpXor:  {ssa.OpXor, []constRule{xorZero, xorChain, xorTruth}, []rule{xorSame, rotate}, false},

		ssa.OpShl:  {0, []constRule{shiftCount, shiftOut, shlShl, shlShr}, []rule{shiftZero, shiftMasked}, false},
		ssa.OpShrU: {0, []constRule{shiftCount, shiftOut, shruShru, shruShl}, []rule{shiftZero, shiftMasked}, false},
		ssa.OpShrS: {0, []constRule{shiftCount, shrsPositive, shrsShrs, shrsShl}, []rule{shiftZero, shiftMasked}, false},
		ssa.OpRotl: {0, []constRule{shiftCount}, []rule{shiftZero, shiftMasked}, false},
		ssa.OpRotr: {0, []constRule{shiftCount}, []rule{shiftZero, shiftMasked}, false},

		ssa.OpSext8:  {0, nil, []rule{sextSmall, sextNested}, false},
		ssa.OpSext16: {0, nil, []rule{sextSmall, sextNested}, false},
		ssa.OpSext32: {0, nil, []rule{sextSmall, sextNested}, false},

		ssa.OpEqz: {0, nil, []rule{eqzCompare, eqzWide, eqzDifference}, false},
		ssa.OpEq:  {ssa.OpEq, []constRule{eqMask, eqZero, eqOne, eqChain, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpNe:  {ssa.OpNe, []constRule{eqMask, neZero, neOne, eqChain, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpLtS: {ssa.OpGtS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpLtU: {ssa.OpGtU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpGtS: {ssa.OpLtS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpGtU: {ssa.OpLtU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpLeS: {ssa.OpGeS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpLeU: {ssa.OpGeU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpGeS: {ssa.OpLeS, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},
		ssa.OpGeU: {ssa.OpLeU, []constRule{compareBounds, compareWide}, []rule{compareSame, compareBothWide}, false},

		ssa.OpMulHiU: {ssa.OpMulHiU, []constRule{mulHiSmall}, nil, false},

		ssa.OpWrap: {0, nil, []rule{wrapWide, wrapAnd, wrapArith, wrapShift, wrapSelect}, false},
		ssa.OpZext: {0, nil, []rule{zextWrap}, false},
		ssa.OpSext: {0, nil, []rule{sextPositive, sextWrap}, false},

		ssa.OpFAbs:    {0, nil, []rule{absSign}, false},
		ssa.OpFNeg:    {0, nil, []rule{negNeg}, false},
		ssa.OpBitcast: {0, nil, []rule{bitcastTwice}, false},
		ssa.OpConvS:   {0, nil, []rule{convSext}, false},

		ssa.OpSelect: {0, nil, []rule{selectConst, selectSame, selectInverted, selectTruth}, false},
		ssa.OpAddr:   {0, nil, []rule{addrConst}, false},
	}
	for op := range rules {
		r := &rules[op]
		number := ssa.Op(op) >= ssa.OpAdd && ssa.Op(op) <= ssa.OpBitcast
		r.none = !number && r.plain == nil
	}
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
