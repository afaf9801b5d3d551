package amd64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// A template says how an instruction over virtual registers is assembled
// (backend.Inst.Op). Its operands come in the order given here: definitions and
// temporaries, uses, and last what the form asks for. Emission is in the
// table templates.
type template = backend.Template

const (
	// Plain instructions: the assembler's operation is part of Inst.Aux.
	tMove32 template = backend.TMachine + iota // d, source: the low half of the source, upper half zeroed
	tLoad                                      // d, source: op d, source
	tLoadI                                     // d, source: op d, source, Imm
	tStore                                     // u, memory: op memory, u
	tStoreI                                    // memory: op memory, Imm
	tTwo                                       // d = a, source: op d, source
	tOne                                       // d = a: op d
	tShift                                     // d = a, count in rcx: op d, cl
	tShiftX                                    // d, count, source: op d, source, count
	tLea                                       // d, memory: the address
	tOffset                                    // d (early), index: index + the unsigned 32-bit constant Imm, in 64 bits

	// Comparisons and what is done with them. The form is the comparison's.
	tSet     // d, comparison: d = Cond ? 1 : 0
	tSelect  // d = b, a, comparison: d = Cond ? a : b
	tSelectF // the same for floats
	tAddBit  // d = a, comparison: op d, 0: ADC, where Cond is the carry flag
	tAddWide // s = a, d = b, source: op s, source; ADC d, 0

	tDiv         // quotient rax, remainder rdx, dividend rax, divisor (late)
	tDivS        // the same, signed
	tRemS        // the same, x % -1 is 0
	tMulHi       // high rdx, low rax, a rax, source: 64-bit product, op is MUL or IMUL1
	tMulX        // high, low if Cond is 1, a rdx, source: the same, unsigned, op is MULX
	tAddLimbs    // carry rax, z rdi, x rbx, y rsi, count rcx, carry rax: op is ADC or SBB; Imm: where the loads from x and, above, y are from
	tMulAddLimbs // carry rax, z rdi, x rbx, y rsi, count rcx, factor rdx, carry rax; Imm: where the loads from x and, above, y are from

	tBitScan // d, source: leading or trailing zeros by BSR or BSF

	// Floats; Size is that of a float result, or of an integer result.
	tFloatTwo  // d, a, source: VEX op d, a, source
	tFloatMask // d = a: op d, mask: XORPS with the sign bit or ANDPS with the others
	tMinMax    // d = a, b: op is MINF or MAXF
	tConvU64   // d, u: unsigned 64-bit integer → float, op is the signed conversion
	tTrunc     // d, u: float → integer with traps
	tTruncU    //
	tTruncSat  // saturating
	tTruncSatU //

	tRounds // d = a, b, schedule in xmm0: SHA256RNDS2 d, b

	templateEnd
)

// Templates of all instruction sets.
const (
	tBranch    = backend.TBranch
	tEntry     = backend.TEntry
	tCall      = backend.TCall
	tCallOwn   = backend.TCallOwn
	tCallDesc  = backend.TCallDesc
	tCallTable = backend.TCallTable // index rax, the form for TableRec's length
	tReturn    = backend.TReturn
	tJump      = backend.TJump
	tSwitch    = backend.TSwitch
	tTrap      = backend.TTrap
	tPoison    = backend.TPoison
	tPinned    = backend.TPinned
	tPin       = backend.TPin
	tCheckAddr = backend.TCheckAddr
	tMemCopy   = backend.TMemCopy // rdi, rsi, rcx
	tMemFill   = backend.TMemFill // rdi, rax, rcx
	tCopyShort = backend.TCopyShort
	tFillShort = backend.TFillShort
	tIndexMask = backend.TIndexMask
	tCopysign  = backend.TCopysign
	tBitcast   = backend.TBitcast
	tVector    = backend.TVector // d (early), operands, temps; or memory
)

// A form says what the operands at an instruction's end are.
type form uint8

const (
	formNone      form = iota
	formReg            // a register, or its slot where the use allows
	formImm            // Inst.Imm
	formConst          // the float constant Inst.Imm, of Inst.Size bytes; the vector of that number
	formGuest          // [memory base + zero-extended index + disp]
	formGuestAbs       // [memory base + disp]
	formAddr           // [Addr + disp]
	formCtx            // [context + disp]
	formBase           // [base + disp]
	formBaseIndex      // [base + index*scale + disp]
	formIndex          // [index*scale + disp]
	formOut            // [outgoing area + disp]
	formIn             // [incoming area + disp]
)

// isMem reports whether the form is a memory operand (but for formReg in a slot).
func (f form) isMem() bool { return f >= formConst }

// isGuest reports whether it is in a linear memory: the access may trap.
func (f form) isGuest() bool { return f >= formGuest && f <= formAddr }

// Inst.Aux: the assembler's operation, the form and what belongs to it.
const (
	auxFormShift  = 16
	auxScaleShift = 20
	auxMemFirst   = 1 << 22 // comparisons: memory is the first operand, then a register or, with auxImm, Inst.Imm
	auxImm        = 1 << 23
	auxBreak      = 1 << 24 // clear the destination first: the operation merges into it
	auxLocal      = backend.AuxLocal
	auxSameSig    = backend.AuxSameSig
	auxNonZero    = 1 << 27 // divisions: the divisor is a constant other than 0
	auxNoOverflow = 1 << 28 // divisions: the divisor is a constant other than -1
	auxF64        = 1 << 29 // conversions: the float is an F64
	auxUnchecked  = backend.AuxUnchecked
	auxWide       = 1 << 30 // tSelect: 64 bits are moved; Inst.Size is the comparison's
)

func opOf(in *backend.Inst) Op       { return Op(in.Aux) }
func formOf(in *backend.Inst) form   { return form(in.Aux >> auxFormShift & 15) }
func scaleOf(in *backend.Inst) uint8 { return 1 << (in.Aux >> auxScaleShift & 3) }

// Conditions of float comparisons that take two flags (Inst.Cond beyond the machine's).
const (
	condFEq Cond = 16 + iota // ordered and equal: E and NP
	condFNe                  // NE or P
)

// source is the last operand of an instruction while it is being selected.
type source struct {
	form  form
	scale uint8 // log2
	slot  bool  // formReg: may stay in its slot
	disp  int32
	imm   int64
	a, b  regalloc.VReg // registers of the form
	pos   uint32        // not 0: wasm offset of the load that is folded
}
