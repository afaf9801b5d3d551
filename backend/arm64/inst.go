package arm64

import (
	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// A template says how an instruction over virtual registers is assembled (backend.Inst.Op). Its operands come in the order
// given here: definitions and temporaries, uses, and last what the form asks for. Emission is in the table templates.
type template = backend.Template

const (
	// Plain instructions: the assembler's operation is part of Inst.Aux.
	tMove32  template = backend.TMachine + iota // d, a (or its slot): the low half, the upper half becomes 0
	tCopy                                       // d, a
	tOne                                        // d, a: op d, a
	tTwo                                        // d, a, source: op d, a, source
	tThree                                      // d, a, b, c: op d, a, b, c
	tField                                      // d, a: bit field op d, a, immr, imms (Imm = op | immr<<32 | imms<<40)
	tInsert                                     // d = a, b: BFM d, b, likewise
	tExtract                                    // d, a, b: EXTR d, a, b, Imm
	tPopcnt                                     // d, a
	tLoad                                       // d, memory
	tStore                                      // u, memory; without u if it is 0
	tAddr                                       // d, memory: the address

	// Comparisons and what is done with them. The form is the comparison's.
	tSet    // d, comparison: d = Cond ? 1 : 0, or -1 with auxMinus
	tSelect // d, a, b, comparison: d = Cond ? a : f(b), f by auxInc, auxInv, auxNeg; a, b are missing if auxZeroA, auxZeroB

	// Floats; Size is that of a float result, or of an integer result.
	tConv     // d, a: integer → float, Imm = integer's size
	tTrunc    // d, a: float → integer with traps
	tTruncSat // saturating

	tDiv // d, a, b
	tRem // d (early), a, b

	tTied // d = a, b, c: op d, b, c; without c op d, b

	templateEnd
)

// Templates of all instruction sets.
const (
	tBranch    = backend.TBranch
	tEntry     = backend.TEntry
	tCall      = backend.TCall
	tCallOwn   = backend.TCallOwn
	tCallDesc  = backend.TCallDesc
	tCallTable = backend.TCallTable // index x8, the form for TableRec's length
	tReturn    = backend.TReturn
	tPoison    = backend.TPoison
	tPinned    = backend.TPinned
	tPin       = backend.TPin
	tCheckAddr = backend.TCheckAddr
	tMemCopy   = backend.TMemCopy // x0, x1, x2
	tMemFill   = backend.TMemFill
	tCopyShort = backend.TCopyShort
	tFillShort = backend.TFillShort
	tIndexMask = backend.TIndexMask
	tCopysign  = backend.TCopysign
	tBitcast   = backend.TBitcast
	tVector    = backend.TVector // d (early, or = a if there are temps), operands, temps; or memory
)

// A form says what the operands at an instruction's end are.
type form uint8

const (
	formNone      form = iota
	formReg            // a register
	formShift          // a register shifted by a constant: Inst.Disp
	formExt            // a register extended, and shifted to the left by Inst.Disp
	formImm            // Inst.Imm
	formGuest          // [memory base + 32-bit index + disp]
	formGuestAbs       // [memory base + disp]
	formAddr           // [Addr + disp]
	formCtx            // [context + disp]
	formBase           // [base + disp]
	formBaseIndex      // [base + index<<shift + disp], the index extended
	formOut            // [outgoing area + disp]
	formIn             // [incoming area + disp]
)

// isMem reports whether the form is a memory operand.
func (f form) isMem() bool { return f >= formGuest }

// isGuest reports whether it is in a linear memory: the access may trap.
func (f form) isGuest() bool { return f >= formGuest && f <= formAddr }

// Inst.Aux: the assembler's operation, the form and what belongs to it.
const (
	auxFormShift = 16
	auxExtShift  = 20      // 3 bits: Shift or Ext of the form; log2 of the scale in formBaseIndex
	auxInc       = 1 << 23 // tSelect: CSINC
	auxInv       = 1 << 24 // CSINV; tSet: -1 rather than 1
	auxNeg       = 1 << 25 // CSNEG
	auxLocal     = backend.AuxLocal
	auxSameSig   = backend.AuxSameSig
	auxZeroA     = 1 << 27            // the first use is 0 and no operand
	auxZeroB     = 1 << 28            // tSelect: the second likewise
	auxWide      = backend.AuxIndex64 // tSelect: 64 bits are moved; checks: 64-bit indices. Inst.Size is the comparison's
	auxUnsigned  = 1 << 31            // divisions and conversions
	auxF64       = 1 << 24            // conversions: the float is an F64
	auxProbe     = 1 << 23            // stores: what they write to must be loaded before
	auxNonZero   = 1 << 23            // divisions: the divisor is a constant other than 0
)

func formOf(in *backend.Inst) form { return form(in.Aux >> auxFormShift & 15) }
func opOf(in *backend.Inst) Op     { return Op(in.Aux) }
func extOf(in *backend.Inst) uint8 { return uint8(in.Aux >> auxExtShift & 7) }

// Operations of comparisons beside SUBS, ADDS and ANDS.
const (
	cmpFloat     = opCount + iota // FCMP
	cmpFloatZero                  // FCMP with 0
	cmpZero                       // with 0: CBZ
	cmpBit                        // bit Imm: TBZ
)

// source is the last operand of an instruction while it is being selected.
type source struct {
	form form
	ext  uint8 // Shift, Ext or scale
	disp int32
	imm  int64
	a, b regalloc.VReg // registers of the form
	pos  uint32        // not 0: wasm offset of the load that is folded
}
