package ssa

import (
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Op is an operation. What is known of each stands in the table below and nowhere
// else: the checker, the printer, the parser and the passes follow from it.
type Op uint16

const (
	OpInvalid Op = iota
	OpNop        // a deleted instruction

	// Values without operands.
	OpConst   // the constant A | B<<32 (f32 in the low half); vectors: side table entry A. Never in a block's order: it is made anew at each use
	OpParam   // block parameter; never in a block's order but in its parameter list
	OpFuncRef // address of the FuncDesc of function A
	OpGlobal  // value of global A
	OpMemSize // size of memory A in bytes, i64
	OpTabSize // length of table A in elements, i64

	// Integers, I32 and I64 alike; shift counts have the type of the result and count modulo its width.
	OpAdd
	OpSub
	OpMul
	OpDivS // traps on zero and overflow
	OpDivU // traps on zero
	OpRemS // traps on zero
	OpRemU // traps on zero
	OpAnd
	OpOr
	OpXor
	OpShl
	OpShrS
	OpShrU
	OpRotl
	OpRotr
	OpClz
	OpCtz
	OpPopcnt
	OpSext8  // sign extension of the low 8 bits within the type
	OpSext16 // of the low 16 bits
	OpSext32 // of the low 32 bits (I64 only)

	// Comparisons of operands of one type, result I32 0 or 1.
	OpEqz // operand may also be a reference
	OpEq
	OpNe
	OpLtS
	OpLtU
	OpGtS
	OpGtU
	OpLeS
	OpLeU
	OpGeS
	OpGeU

	// Widths.
	OpWrap // I64 → I32
	OpZext // I32 → I64
	OpSext // I32 → I64

	OpMulHiU // I64: the high half of the 128-bit product, unsigned

	// Floats, F32 and F64 alike.
	OpFAdd
	OpFSub
	OpFMul
	OpFDiv
	OpFMin
	OpFMax
	OpFCopysign
	OpFAbs
	OpFNeg
	OpFSqrt
	OpFCeil
	OpFFloor
	OpFTrunc
	OpFNearest
	OpFEq
	OpFNe
	OpFLt
	OpFGt
	OpFLe
	OpFGe
	OpDemote    // F64 → F32
	OpPromote   // F32 → F64
	OpTruncS    // float → signed integer; traps
	OpTruncU    // float → unsigned integer; traps
	OpTruncSatS // saturating
	OpTruncSatU
	OpConvS   // signed integer → float
	OpConvU   // unsigned integer → float
	OpBitcast // same width, other register class

	OpSelect // A ≠ 0 ? B : C; A is I32

	// Linear memory. Addr makes a host address from index A (I32; I64 for memory64), constant
	// offset B and C = memory<<8 | access size in bytes. It traps, or relies on the guard
	// (flag FlagChecked tells which). Loads extend from their width to the type.
	OpAddr
	OpLoad // full width of the type
	OpLoad8U
	OpLoad8S
	OpLoad16U
	OpLoad16S
	OpLoad32U
	OpLoad32S
	OpStore // address A, value B: full width of B's type
	OpStore8
	OpStore16
	OpStore32
	OpMemCopy // within memory 0: A = destination, B = source, C = length, all I32; traps
	OpMemFill // memory 0: A = destination, B = byte value, C = length, all I32; traps

	// Numbers of many limbs of 64 bits, in memory 0. OpMulAddLimbs makes z = x + y*factor + C, C being the carry into the lowest limb, and gives the
	// carry out of the highest. It takes limb after limb: loads from y and x, then stores to z; traps.
	OpLimbs       // A = z, B = x, C = y: indices, as the first operand of the others
	OpLimbFactor  // A = number of limbs, B = factor: its second operand
	OpMulAddLimbs // A, B as said, C = carry
	OpAddLimbs    // A as said, B = number of limbs, C = carry, 0 or 1: z = x + y + C, and the carry out
	OpSubLimbs    // z = x - y - C, and the borrow

	OpGlobalSet // global A = value B

	OpTabGet // table A, index B (I32 or I64), result a reference; traps
	OpTabSet // table A, index B, value C; traps

	// Calls: A = index into Func.Calls; the first result is the call's own value, the others are
	// OpResult (A = the call, B = number of the result, from 1) right after it.
	OpCall
	OpResult

	// Vectors. The last operand is a number: the Shape in its low byte, a lane above. What is said of
	// scalar operations holds for each lane; S and U say how integer lanes are read.
	OpVSplat
	OpVExtract  // lanes of 8 and 16 bits are zero-extended
	OpVExtractS // of 8 and 16 bits, sign-extended
	OpVReplace
	OpVAnd // without a shape, like the next ones
	OpVAndNot
	OpVOr
	OpVXor
	OpVBitselect // bits of A where C is 1, else of B
	OpVAnyTrue
	OpVShuffle // lanes of A and B, as the constant C tells
	OpVSwizzle
	OpVAdd // integers and floats, like Sub, Mul, Neg, Abs and comparisons
	OpVSub
	OpVMul
	OpVNeg
	OpVAbs
	OpVAddSatS
	OpVAddSatU
	OpVSubSatS
	OpVSubSatU
	OpVMinS
	OpVMinU
	OpVMaxS
	OpVMaxU
	OpVAvgr
	OpVPopcnt
	OpVShl // by B, an I32, modulo the width of the lanes
	OpVShrS
	OpVShrU
	OpVAllTrue
	OpVBitmask
	OpVEq
	OpVNe
	OpVLtS // also of floats, as GtS, LeS, GeS are
	OpVLtU
	OpVGtS
	OpVGtU
	OpVLeS
	OpVLeU
	OpVGeS
	OpVGeU
	OpVNarrowS // to lanes of the shape, saturating
	OpVNarrowU
	OpVExtendLowS // to lanes of the shape, as the next ones
	OpVExtendLowU
	OpVExtendHighS
	OpVExtendHighU
	OpVExtMulLowS
	OpVExtMulLowU
	OpVExtMulHighS
	OpVExtMulHighU
	OpVExtAddS
	OpVExtAddU
	OpVDot
	OpVQ15Mul
	OpVDiv
	OpVMin
	OpVMax
	OpVPmin
	OpVPmax
	OpVSqrt
	OpVCeil
	OpVFloor
	OpVTrunc
	OpVNearest
	OpVTruncSatS // from lanes of the shape to I32x4
	OpVTruncSatU
	OpVConvS // from I32x4 to lanes of the shape
	OpVConvU
	OpVDemote   // F64x2 to the low half of F32x4
	OpVPromote  // the low half of F32x4 to F64x2
	OpVLoadExtS // half a vector, extended to lanes of the shape
	OpVLoadExtU
	OpVLoadSplat
	OpVLoadZero  // one lane, the others are 0
	OpVLoadLane  // address A, vector B
	OpVStoreLane // address A, vector B

	// SHA-256 as the SHA extensions of amd64 divide it (Intel SDM, volume 2, SHA256RNDS2 and the next).
	OpVSHA256Rounds // two rounds: A = C, D, G, H, B = A, B, E, F, C = two words of schedule plus constant; the new A, B, E, F
	OpVSHA256Msg1   // schedule: A + σ0 of the words after each, the last of which is in B
	OpVSHA256Msg2   // schedule: A + σ1 of the words two before each, the first of which are in B

	OpCount
)

// Prop is a set of properties of an op.
type Prop uint16

const (
	PropCommutes Prop = 1 << iota // operands A and B may change places
	PropTraps                     // may trap: must not be removed or moved
	PropReads                     // depends on memory, globals or tables
	PropWrites                    // changes memory, globals or tables
	PropCall                      // arguments are in Func.Calls
	PropCompare                   // result I32, operands of the same type
	PropImmA                      // A is a number, not a value
	PropImmB                      // B likewise
	PropImmC                      // C likewise
	PropNoOrder                   // never listed in a block's order
	PropShape                     // the last operand is a number with a Shape in its low byte
	PropLane                      // and a lane above
)

// PropEffect marks what dead-code elimination keeps although no one uses its value.
const PropEffect = PropTraps | PropWrites | PropCall

// Info describes an op: its name in the text form, its number of operands A, B, C (values
// and numbers), their types and the result's, and its properties.
//
// Types has a letter for each operand and, after '>', one for the result, if any: i, l, s, d
// are I32, I64, F32, F64; n, f, e, t, r one integer, float, integer or reference, any
// type but Addr, reference (each the same throughout); p an index, I32 or I64; a Addr;
// b the same size in the other register class; v a vector, q a number that is a lane;
// - a number; * special.
type Info struct {
	Name  string
	Arity uint8
	Types string
	Props Prop
}

// Ops is the one table of operations.
var Ops = [OpCount]Info{
	OpInvalid: {"invalid", 0, ">", 0},
	OpNop:     {"nop", 0, ">", 0},

	OpConst:   {"const", 2, "-->t", PropImmA | PropImmB | PropNoOrder},
	OpParam:   {"param", 1, "->t", PropImmA | PropNoOrder},
	OpFuncRef: {"funcref", 1, "->r", PropImmA},
	OpGlobal:  {"global", 1, "->t", PropImmA | PropReads},
	OpMemSize: {"memsize", 1, "->l", PropImmA | PropReads},
	OpTabSize: {"tabsize", 1, "->l", PropImmA | PropReads},

	OpAdd:    {"add", 2, "nn>n", PropCommutes},
	OpSub:    {"sub", 2, "nn>n", 0},
	OpMul:    {"mul", 2, "nn>n", PropCommutes},
	OpDivS:   {"divs", 2, "nn>n", PropTraps},
	OpDivU:   {"divu", 2, "nn>n", PropTraps},
	OpRemS:   {"rems", 2, "nn>n", PropTraps},
	OpRemU:   {"remu", 2, "nn>n", PropTraps},
	OpAnd:    {"and", 2, "nn>n", PropCommutes},
	OpOr:     {"or", 2, "nn>n", PropCommutes},
	OpXor:    {"xor", 2, "nn>n", PropCommutes},
	OpShl:    {"shl", 2, "nn>n", 0},
	OpShrS:   {"shrs", 2, "nn>n", 0},
	OpShrU:   {"shru", 2, "nn>n", 0},
	OpRotl:   {"rotl", 2, "nn>n", 0},
	OpRotr:   {"rotr", 2, "nn>n", 0},
	OpClz:    {"clz", 1, "n>n", 0},
	OpCtz:    {"ctz", 1, "n>n", 0},
	OpPopcnt: {"popcnt", 1, "n>n", 0},
	OpSext8:  {"sext8", 1, "n>n", 0},
	OpSext16: {"sext16", 1, "n>n", 0},
	OpSext32: {"sext32", 1, "l>l", 0},

	OpEqz: {"eqz", 1, "e>i", PropCompare},
	OpEq:  {"eq", 2, "ee>i", PropCompare | PropCommutes},
	OpNe:  {"ne", 2, "ee>i", PropCompare | PropCommutes},
	OpLtS: {"lts", 2, "nn>i", PropCompare},
	OpLtU: {"ltu", 2, "nn>i", PropCompare},
	OpGtS: {"gts", 2, "nn>i", PropCompare},
	OpGtU: {"gtu", 2, "nn>i", PropCompare},
	OpLeS: {"les", 2, "nn>i", PropCompare},
	OpLeU: {"leu", 2, "nn>i", PropCompare},
	OpGeS: {"ges", 2, "nn>i", PropCompare},
	OpGeU: {"geu", 2, "nn>i", PropCompare},

	OpWrap: {"wrap", 1, "l>i", 0},
	OpZext: {"zext", 1, "i>l", 0},
	OpSext: {"sext", 1, "i>l", 0},

	OpMulHiU: {"mulhiu", 2, "ll>l", PropCommutes},

	OpFAdd:      {"fadd", 2, "ff>f", PropCommutes},
	OpFSub:      {"fsub", 2, "ff>f", 0},
	OpFMul:      {"fmul", 2, "ff>f", PropCommutes},
	OpFDiv:      {"fdiv", 2, "ff>f", 0},
	OpFMin:      {"fmin", 2, "ff>f", 0},
	OpFMax:      {"fmax", 2, "ff>f", 0},
	OpFCopysign: {"fcopysign", 2, "ff>f", 0},
	OpFAbs:      {"fabs", 1, "f>f", 0},
	OpFNeg:      {"fneg", 1, "f>f", 0},
	OpFSqrt:     {"fsqrt", 1, "f>f", 0},
	OpFCeil:     {"fceil", 1, "f>f", 0},
	OpFFloor:    {"ffloor", 1, "f>f", 0},
	OpFTrunc:    {"ftrunc", 1, "f>f", 0},
	OpFNearest:  {"fnearest", 1, "f>f", 0},
	OpFEq:       {"feq", 2, "ff>i", PropCompare | PropCommutes},
	OpFNe:       {"fne", 2, "ff>i", PropCompare | PropCommutes},
	OpFLt:       {"flt", 2, "ff>i", PropCompare},
	OpFGt:       {"fgt", 2, "ff>i", PropCompare},
	OpFLe:       {"fle", 2, "ff>i", PropCompare},
	OpFGe:       {"fge", 2, "ff>i", PropCompare},
	OpDemote:    {"demote", 1, "d>s", 0},
	OpPromote:   {"promote", 1, "s>d", 0},
	OpTruncS:    {"truncs", 1, "f>n", PropTraps},
	OpTruncU:    {"truncu", 1, "f>n", PropTraps},
	OpTruncSatS: {"truncsats", 1, "f>n", 0},
	OpTruncSatU: {"truncsatu", 1, "f>n", 0},
	OpConvS:     {"convs", 1, "n>f", 0},
	OpConvU:     {"convu", 1, "n>f", 0},
	OpBitcast:   {"bitcast", 1, "b>b", 0},

	OpSelect: {"select", 3, "itt>t", 0},

	OpAddr:    {"addr", 3, "p-->a", PropImmB | PropImmC}, // traps only when FlagChecked is set
	OpLoad:    {"load", 1, "a>t", PropReads | PropTraps},
	OpLoad8U:  {"load8u", 1, "a>n", PropReads | PropTraps},
	OpLoad8S:  {"load8s", 1, "a>n", PropReads | PropTraps},
	OpLoad16U: {"load16u", 1, "a>n", PropReads | PropTraps},
	OpLoad16S: {"load16s", 1, "a>n", PropReads | PropTraps},
	OpLoad32U: {"load32u", 1, "a>l", PropReads | PropTraps},
	OpLoad32S: {"load32s", 1, "a>l", PropReads | PropTraps},
	OpStore:   {"store", 2, "at>", PropWrites | PropTraps},
	OpStore8:  {"store8", 2, "an>", PropWrites | PropTraps},
	OpStore16: {"store16", 2, "an>", PropWrites | PropTraps},
	OpStore32: {"store32", 2, "al>", PropWrites | PropTraps},
	OpMemCopy: {"memcopy", 3, "iii>", PropReads | PropWrites | PropTraps},
	OpMemFill: {"memfill", 3, "iii>", PropWrites | PropTraps},

	OpLimbs:       {"limbs", 3, "iii>i", 0},
	OpLimbFactor:  {"limbfactor", 2, "ll>l", 0},
	OpMulAddLimbs: {"muladdlimbs", 3, "ill>l", PropReads | PropWrites | PropTraps},
	OpAddLimbs:    {"addlimbs", 3, "ill>l", PropReads | PropWrites | PropTraps},
	OpSubLimbs:    {"sublimbs", 3, "ill>l", PropReads | PropWrites | PropTraps},

	OpGlobalSet: {"globalset", 2, "-t>", PropImmA | PropWrites},
	OpTabGet:    {"tabget", 2, "-p>r", PropImmA | PropReads | PropTraps},
	OpTabSet:    {"tabset", 3, "-pr>", PropImmA | PropReads | PropWrites | PropTraps},

	OpCall:   {"call", 1, "->*", PropImmA | PropCall | PropReads | PropWrites | PropTraps},
	OpResult: {"result", 2, "*->t", PropImmB},

	OpVSplat:       {"vsplat", 2, "q->v", PropImmB | PropShape},
	OpVExtract:     {"vextract", 2, "v->q", PropLane | PropImmB | PropShape},
	OpVExtractS:    {"vextracts", 2, "v->i", PropLane | PropImmB | PropShape},
	OpVReplace:     {"vreplace", 3, "vq->v", PropLane | PropImmC | PropShape},
	OpVAnd:         {"vand", 2, "vv>v", PropCommutes},
	OpVOr:          {"vor", 2, "vv>v", PropCommutes},
	OpVXor:         {"vxor", 2, "vv>v", PropCommutes},
	OpVAndNot:      {"vandnot", 2, "vv>v", 0},
	OpVBitselect:   {"vbitselect", 3, "vvv>v", 0},
	OpVShuffle:     {"vshuffle", 3, "vvv>v", 0},
	OpVAnyTrue:     {"vanytrue", 1, "v>i", 0},
	OpVSwizzle:     {"vswizzle", 2, "vv>v", 0},
	OpVAdd:         {"vadd", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVMul:         {"vmul", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVAddSatS:     {"vaddsats", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVAddSatU:     {"vaddsatu", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVMinS:        {"vmins", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVMinU:        {"vminu", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVMaxS:        {"vmaxs", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVMaxU:        {"vmaxu", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVAvgr:        {"vavgr", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVEq:          {"veq", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVNe:          {"vne", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVExtMulLowS:  {"vextmullows", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVExtMulLowU:  {"vextmullowu", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVExtMulHighS: {"vextmulhighs", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVExtMulHighU: {"vextmulhighu", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVDot:         {"vdot", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVQ15Mul:      {"vq15mul", 3, "vv->v", PropCommutes | PropImmC | PropShape},
	OpVSub:         {"vsub", 3, "vv->v", PropImmC | PropShape},
	OpVSubSatS:     {"vsubsats", 3, "vv->v", PropImmC | PropShape},
	OpVSubSatU:     {"vsubsatu", 3, "vv->v", PropImmC | PropShape},
	OpVLtS:         {"vlts", 3, "vv->v", PropImmC | PropShape},
	OpVLtU:         {"vltu", 3, "vv->v", PropImmC | PropShape},
	OpVGtS:         {"vgts", 3, "vv->v", PropImmC | PropShape},
	OpVGtU:         {"vgtu", 3, "vv->v", PropImmC | PropShape},
	OpVLeS:         {"vles", 3, "vv->v", PropImmC | PropShape},
	OpVLeU:         {"vleu", 3, "vv->v", PropImmC | PropShape},
	OpVGeS:         {"vges", 3, "vv->v", PropImmC | PropShape},
	OpVGeU:         {"vgeu", 3, "vv->v", PropImmC | PropShape},
	OpVNarrowS:     {"vnarrows", 3, "vv->v", PropImmC | PropShape},
	OpVNarrowU:     {"vnarrowu", 3, "vv->v", PropImmC | PropShape},
	OpVDiv:         {"vdiv", 3, "vv->v", PropImmC | PropShape},
	OpVMin:         {"vmin", 3, "vv->v", PropImmC | PropShape},
	OpVMax:         {"vmax", 3, "vv->v", PropImmC | PropShape},
	OpVPmin:        {"vpmin", 3, "vv->v", PropImmC | PropShape},
	OpVPmax:        {"vpmax", 3, "vv->v", PropImmC | PropShape},
	OpVNeg:         {"vneg", 2, "v->v", PropImmB | PropShape},
	OpVAbs:         {"vabs", 2, "v->v", PropImmB | PropShape},
	OpVPopcnt:      {"vpopcnt", 2, "v->v", PropImmB | PropShape},
	OpVExtendLowS:  {"vextendlows", 2, "v->v", PropImmB | PropShape},
	OpVExtendLowU:  {"vextendlowu", 2, "v->v", PropImmB | PropShape},
	OpVExtendHighS: {"vextendhighs", 2, "v->v", PropImmB | PropShape},
	OpVExtendHighU: {"vextendhighu", 2, "v->v", PropImmB | PropShape},
	OpVExtAddS:     {"vextadds", 2, "v->v", PropImmB | PropShape},
	OpVExtAddU:     {"vextaddu", 2, "v->v", PropImmB | PropShape},
	OpVSqrt:        {"vsqrt", 2, "v->v", PropImmB | PropShape},
	OpVCeil:        {"vceil", 2, "v->v", PropImmB | PropShape},
	OpVFloor:       {"vfloor", 2, "v->v", PropImmB | PropShape},
	OpVTrunc:       {"vtrunc", 2, "v->v", PropImmB | PropShape},
	OpVNearest:     {"vnearest", 2, "v->v", PropImmB | PropShape},
	OpVTruncSatS:   {"vtruncsats", 2, "v->v", PropImmB | PropShape},
	OpVTruncSatU:   {"vtruncsatu", 2, "v->v", PropImmB | PropShape},
	OpVConvS:       {"vconvs", 2, "v->v", PropImmB | PropShape},
	OpVConvU:       {"vconvu", 2, "v->v", PropImmB | PropShape},
	OpVDemote:      {"vdemote", 2, "v->v", PropImmB | PropShape},
	OpVPromote:     {"vpromote", 2, "v->v", PropImmB | PropShape},
	OpVShl:         {"vshl", 3, "vi->v", PropImmC | PropShape},
	OpVShrS:        {"vshrs", 3, "vi->v", PropImmC | PropShape},
	OpVShrU:        {"vshru", 3, "vi->v", PropImmC | PropShape},
	OpVAllTrue:     {"valltrue", 2, "v->i", PropImmB | PropShape},
	OpVBitmask:     {"vbitmask", 2, "v->i", PropImmB | PropShape},
	OpVLoadExtS:    {"vloadexts", 2, "a->v", PropReads | PropTraps | PropImmB | PropShape},
	OpVLoadExtU:    {"vloadextu", 2, "a->v", PropReads | PropTraps | PropImmB | PropShape},
	OpVLoadSplat:   {"vloadsplat", 2, "a->v", PropReads | PropTraps | PropImmB | PropShape},
	OpVLoadZero:    {"vloadzero", 2, "a->v", PropReads | PropTraps | PropImmB | PropShape},
	OpVLoadLane:    {"vloadlane", 3, "av->v", PropReads | PropTraps | PropLane | PropImmC | PropShape},
	OpVStoreLane:   {"vstorelane", 3, "av->", PropWrites | PropTraps | PropLane | PropImmC | PropShape},

	OpVSHA256Rounds: {"vsha256rounds", 3, "vvv>v", 0},
	OpVSHA256Msg1:   {"vsha256msg1", 2, "vv>v", 0},
	OpVSHA256Msg2:   {"vsha256msg2", 2, "vv>v", 0},
}

func (op Op) String() string {
	if op < OpCount {
		return Ops[op].Name
	}
	return "op?"
}

// Is reports whether the op has any of the properties.
func (op Op) Is(p Prop) bool { return digest[uint8(op)].props&p != 0 }

// AccessSize is the number of bytes a load or store op touches, given the type of the
// value loaded or stored; 0 for other ops.
func (op Op) AccessSize(t abi.Type) uint32 {
	switch op {
	case OpLoad, OpStore:
		return t.Size()
	case OpLoad8U, OpLoad8S, OpStore8:
		return 1
	case OpLoad16U, OpLoad16S, OpStore16:
		return 2
	case OpLoad32U, OpLoad32S, OpStore32:
		return 4
	}
	return 0
}

// digest is what of Ops passes ask time and again, in few cache lines and without checks of bounds: there are less than 256.
var digest [256]struct {
	props Prop
	uses  uint8 // a bit for each of A, B and C that is a value
}

// prepare makes digest and seed before there is any function: a program that compiles nothing does without.
var prepare sync.Once

func makeTables() {
	for op := range Ops {
		d := &digest[op]
		d.props = Ops[op].Props
		operands, _, _ := strings.Cut(Ops[op].Types, ">")
		for i := range operands {
			if operands[i] != '-' {
				d.uses |= 1 << i
			}
		}
	}
	seed = [2]uint64{rand.Uint64(), rand.Uint64()}
}

// Uses tells which operands are values: bit 0 for A, bit 1 for B, bit 2 for C.
func (op Op) Uses() uint8 { return digest[uint8(op)].uses }

// Values gives A, B and C, each 0 if it is no value: Insts[0] takes what is asked or noted of them in vain, which costs less than
// a branch for each.
func (i *Inst) Values() (a, b, c Value) {
	use := uint32(digest[uint8(i.Op)].uses)
	return Value(i.A & -(use & 1)), Value(i.B & -(use >> 1 & 1)), Value(i.C & -(use >> 2))
}

// Operands returns pointers to A, B and C.
func (i *Inst) Operands() [3]*uint32 { return [3]*uint32{&i.A, &i.B, &i.C} }
