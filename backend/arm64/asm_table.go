package arm64

// A code is one encoding: the instruction with its operands' fields 0, and above
// it what these are (Arm Architecture Reference Manual, chapters C4, C6 and C7).
type code uint64

const (
	dVec code = 1 << 32 // the destination is a vector register
	nVec code = 1 << 33 // the first source
	mVec code = 1 << 34 // the second source
	aVec code = 1 << 35 // the third source
	dSP  code = 1 << 36 // register 31 as destination is SP
	nSP  code = 1 << 37 // as first source

	sized code = 1 << 63 // in sizeBits: there is such an operand size

	v1 = dVec
	v2 = dVec | nVec
	v3 = dVec | nVec | mVec
	v4 = dVec | nVec | mVec | aVec
)

// Arrangements of vectors stand where other operands have their size in bytes: how
// many lanes, and of 8, 16, 32 or 64 bits.
const (
	A8B uint8 = 32 + iota
	A16B
	A4H
	A8H
	A2S
	A4S
	A1D
	A2D
	sizeEnd
)

// A sizeClass says which sizes or arrangements an instruction has and what they change.
type sizeClass uint8

const (
	szNone   sizeClass = iota
	szW                // W and X registers
	szX                // X registers only
	szZX               // W registers, which zeroes the upper half
	szBits             // bit fields: bit 22 as well
	szRev              //
	szF                // S and D registers
	szFCVT             // by destination
	szB                // bits: 8 or 16 bytes
	szV                // vectors of all integers
	szVBHS             // but for 64 bits
	szVHS              // 16 and 32 bits
	szVBH              // 8 and 16 bits
	szVB               // 8 bits
	szVF               // vectors of floats
	szShift            // vectors whose lanes the immediate gives
	szShiftN           // but for 64 bits
	szAcross           // vectors of more than 2 lanes, but for 64 bits
	szVHalf            // the half or whole of a vector that is half as wide as the other: 32 bits
	szClasses
)

// Q and lane width of vectors.
const (
	qBit      code = 1 << 30
	laneH     code = 1 << 22
	laneS     code = 2 << 22
	laneD     code = 3 << 22
	doubleBit code = 1 << 22
)

// sizeBits is what a size changes in a code, by exclusive or.
var sizeBits = [szClasses][sizeEnd]code{
	szW:      {4: sized, 8: sized | 1<<31},
	szX:      {8: sized},
	szZX:     {4: sized, 8: sized},
	szBits:   {4: sized, 8: sized | 1<<31 | 1<<22},
	szRev:    {4: sized, 8: sized | 1<<31 | 1<<10},
	szF:      {4: sized, 8: sized | doubleBit},
	szFCVT:   {8: sized, 4: sized | doubleBit | 1<<15},
	szB:      {A8B: sized, A16B: sized | qBit},
	szV:      {A8B: sized, A16B: sized | qBit, A4H: sized | laneH, A8H: sized | laneH | qBit, A2S: sized | laneS, A4S: sized | laneS | qBit, A2D: sized | laneD | qBit},
	szVBHS:   {A8B: sized, A16B: sized | qBit, A4H: sized | laneH, A8H: sized | laneH | qBit, A2S: sized | laneS, A4S: sized | laneS | qBit},
	szVHS:    {A4H: sized | laneH, A8H: sized | laneH | qBit, A2S: sized | laneS, A4S: sized | laneS | qBit},
	szVBH:    {A8B: sized, A16B: sized | qBit, A4H: sized | laneH, A8H: sized | laneH | qBit},
	szVB:     {A8B: sized, A16B: sized | qBit},
	szVF:     {A2S: sized, A4S: sized | qBit, A2D: sized | qBit | doubleBit},
	szAcross: {A8B: sized, A16B: sized | qBit, A4H: sized | laneH, A8H: sized | laneH | qBit, A4S: sized | laneS | qBit},
	szShift:  {A8B: sized, A16B: sized | qBit, A4H: sized, A8H: sized | qBit, A2S: sized, A4S: sized | qBit, A2D: sized | qBit},
	szShiftN: {A8B: sized, A16B: sized | qBit, A4H: sized, A8H: sized | qBit, A2S: sized, A4S: sized | qBit},
	szVHalf:  {A2S: sized, A4S: sized | qBit},
}

// immForm says what immediates an instruction takes in place of its last source.
type immForm uint8

const (
	immNone  immForm = iota
	immAdd           // 12 bits, perhaps shifted by 12
	immLogic         // a repeated pattern of bits
	immLeft          // a shift to the left, as a bit field
	immRight         // a shift to the right, as a bit field
	immRor           // a rotation, as EXTR
	immVecL          // vectors: a shift to the left
	immVecR          // vectors: a shift to the right
)

// encoding is an instruction's row. A code that is 0 is a form it does not have.
type encoding struct {
	name string
	size sizeClass
	imm  immForm

	rr   code // d, n
	rrr  code // d, n, m
	rrrr code // d, n, m, a
	ext  code // d, n, m extended
	i    code // d, n, immediate
	sh   bool // m may be shifted
	neg  Op   // the opposite, for negative immediates
}

// The groups of vector instructions (Arm ARM, C4.1.96).

// same is "three the same".
func same(u, opcode code) code { return v3 | 0x0E200400 | u<<29 | opcode<<11 }

// logic is "three the same" of the bitwise operations, which are numbered in the size.
func logic(u, size code) code { return same(u, 3) | size<<22 }

// sameF is "three the same" of floats; a is bit 23.
func sameF(u, a, opcode code) code { return same(u, opcode) | a<<23 }

// two is "two-register miscellaneous".
func two(u, opcode code) code { return v2 | 0x0E200800 | u<<29 | opcode<<12 }

// twoF is the same of floats; a is bit 23.
func twoF(u, a, opcode code) code { return two(u, opcode) | a<<23 }

// diff is "three different".
func diff(u, opcode code) code { return v3 | 0x0E200000 | u<<29 | opcode<<12 }

// across is "across lanes".
func across(u, opcode code) code { return v2 | 0x0E300800 | u<<29 | opcode<<12 }

// permute is "permute".
func permute(opcode code) code { return v3 | 0x0E000800 | opcode<<12 }

// shift is "shift by immediate".
func shift(u, opcode code) code { return v2 | 0x0F000400 | u<<29 | opcode<<11 }

// float1 is "floating-point data-processing (1 source)", float2 that of two.
func float1(opcode code) code { return v2 | 0x1E204000 | opcode<<15 }

func float2(opcode code) code { return v3 | 0x1E200800 | opcode<<12 }

// encodings is the one table of instructions.
var encodings = [opCount]encoding{
	NoOp: {name: "no instruction"},

	ADD:    {name: "add", size: szW, sh: true, rrr: 0x0B000000, ext: dSP | nSP | 0x0B200000, i: dSP | nSP | 0x11000000, imm: immAdd, neg: SUB},
	ADDS:   {name: "adds", size: szW, sh: true, rrr: 0x2B000000, ext: nSP | 0x2B200000, i: nSP | 0x31000000, imm: immAdd, neg: SUBS},
	SUB:    {name: "sub", size: szW, sh: true, rrr: 0x4B000000, ext: dSP | nSP | 0x4B200000, i: dSP | nSP | 0x51000000, imm: immAdd, neg: ADD},
	SUBS:   {name: "subs", size: szW, sh: true, rrr: 0x6B000000, ext: nSP | 0x6B200000, i: nSP | 0x71000000, imm: immAdd, neg: ADDS},
	ADC:    {name: "adc", size: szW, rrr: 0x1A000000},
	ADCS:   {name: "adcs", size: szW, rrr: 0x3A000000},
	SBC:    {name: "sbc", size: szW, rrr: 0x5A000000},
	SBCS:   {name: "sbcs", size: szW, rrr: 0x7A000000},
	AND:    {name: "and", size: szW, sh: true, rrr: 0x0A000000, i: dSP | 0x12000000, imm: immLogic},
	BIC:    {name: "bic", size: szW, sh: true, rrr: 0x0A200000},
	ORR:    {name: "orr", size: szW, sh: true, rrr: 0x2A000000, i: dSP | 0x32000000, imm: immLogic},
	ORN:    {name: "orn", size: szW, sh: true, rrr: 0x2A200000},
	EOR:    {name: "eor", size: szW, sh: true, rrr: 0x4A000000, i: dSP | 0x52000000, imm: immLogic},
	EON:    {name: "eon", size: szW, sh: true, rrr: 0x4A200000},
	ANDS:   {name: "ands", size: szW, sh: true, rrr: 0x6A000000, i: 0x72000000, imm: immLogic},
	BICS:   {name: "bics", size: szW, sh: true, rrr: 0x6A200000},
	MUL:    {name: "mul", size: szW, rrr: 0x1B007C00},
	MNEG:   {name: "mneg", size: szW, rrr: 0x1B00FC00},
	SMULH:  {name: "smulh", size: szX, rrr: 0x9B407C00},
	UMULH:  {name: "umulh", size: szX, rrr: 0x9BC07C00},
	UDIV:   {name: "udiv", size: szW, rrr: 0x1AC00800},
	SDIV:   {name: "sdiv", size: szW, rrr: 0x1AC00C00},
	LSL:    {name: "lsl", size: szW, rrr: 0x1AC02000, i: 0x53000000, imm: immLeft},
	LSR:    {name: "lsr", size: szW, rrr: 0x1AC02400, i: 0x53000000, imm: immRight},
	ASR:    {name: "asr", size: szW, rrr: 0x1AC02800, i: 0x13000000, imm: immRight},
	ROR:    {name: "ror", size: szW, rrr: 0x1AC02C00, i: 0x13800000, imm: immRor},
	MADD:   {name: "madd", size: szW, rrrr: 0x1B000000},
	MSUB:   {name: "msub", size: szW, rrrr: 0x1B008000},
	SMADDL: {name: "smaddl", size: szX, rrrr: 0x9B200000},
	SMSUBL: {name: "smsubl", size: szX, rrrr: 0x9B208000},
	UMADDL: {name: "umaddl", size: szX, rrrr: 0x9BA00000},
	UMSUBL: {name: "umsubl", size: szX, rrrr: 0x9BA08000},

	RBIT:  {name: "rbit", size: szW, rr: 0x5AC00000},
	REV16: {name: "rev16", size: szW, rr: 0x5AC00400},
	REV:   {name: "rev", size: szRev, rr: 0x5AC00800},
	REV32: {name: "rev32", size: szX, rr: 0xDAC00800},
	CLZ:   {name: "clz", size: szW, rr: 0x5AC01000},
	CLS:   {name: "cls", size: szW, rr: 0x5AC01400},
	SXTB:  {name: "sxtb", size: szBits, rr: 0x13001C00},
	SXTH:  {name: "sxth", size: szBits, rr: 0x13003C00},
	SXTW:  {name: "sxtw", size: szX, rr: 0x93407C00},
	UXTB:  {name: "uxtb", size: szZX, rr: 0x53001C00},
	UXTH:  {name: "uxth", size: szZX, rr: 0x53003C00},

	FMUL:   {name: "fmul", size: szF, rrr: float2(0)},
	FDIV:   {name: "fdiv", size: szF, rrr: float2(1)},
	FADD:   {name: "fadd", size: szF, rrr: float2(2)},
	FSUB:   {name: "fsub", size: szF, rrr: float2(3)},
	FMAX:   {name: "fmax", size: szF, rrr: float2(4)},
	FMIN:   {name: "fmin", size: szF, rrr: float2(5)},
	FMAXNM: {name: "fmaxnm", size: szF, rrr: float2(6)},
	FMINNM: {name: "fminnm", size: szF, rrr: float2(7)},
	FNMUL:  {name: "fnmul", size: szF, rrr: float2(8)},
	FMADD:  {name: "fmadd", size: szF, rrrr: v4 | 0x1F000000},
	FMSUB:  {name: "fmsub", size: szF, rrrr: v4 | 0x1F008000},
	FNMADD: {name: "fnmadd", size: szF, rrrr: v4 | 0x1F200000},
	FNMSUB: {name: "fnmsub", size: szF, rrrr: v4 | 0x1F208000},
	FMOV:   {name: "fmov", size: szF, rr: float1(0)},
	FABS:   {name: "fabs", size: szF, rr: float1(1)},
	FNEG:   {name: "fneg", size: szF, rr: float1(2)},
	FSQRT:  {name: "fsqrt", size: szF, rr: float1(3)},
	FCVT:   {name: "fcvt", size: szFCVT, rr: float1(5)},
	FRINTN: {name: "frintn", size: szF, rr: float1(8)},
	FRINTP: {name: "frintp", size: szF, rr: float1(9)},
	FRINTM: {name: "frintm", size: szF, rr: float1(10)},
	FRINTZ: {name: "frintz", size: szF, rr: float1(11)},
	FRINTA: {name: "frinta", size: szF, rr: float1(12)},
	FRINTX: {name: "frintx", size: szF, rr: float1(14)},
	FRINTI: {name: "frinti", size: szF, rr: float1(15)},

	VAND:      {name: "and", size: szB, rrr: logic(0, 0)},
	VBIC:      {name: "bic", size: szB, rrr: logic(0, 1)},
	VORR:      {name: "orr", size: szB, rrr: logic(0, 2)},
	VORN:      {name: "orn", size: szB, rrr: logic(0, 3)},
	VEOR:      {name: "eor", size: szB, rrr: logic(1, 0)},
	VBSL:      {name: "bsl", size: szB, rrr: logic(1, 1)},
	VBIT:      {name: "bit", size: szB, rrr: logic(1, 2)},
	VBIF:      {name: "bif", size: szB, rrr: logic(1, 3)},
	VNOT:      {name: "mvn", size: szB, rr: two(1, 5)},
	VADD:      {name: "add", size: szV, rrr: same(0, 16)},
	VSUB:      {name: "sub", size: szV, rrr: same(1, 16)},
	VSQADD:    {name: "sqadd", size: szV, rrr: same(0, 1)},
	VUQADD:    {name: "uqadd", size: szV, rrr: same(1, 1)},
	VSQSUB:    {name: "sqsub", size: szV, rrr: same(0, 5)},
	VUQSUB:    {name: "uqsub", size: szV, rrr: same(1, 5)},
	VURHADD:   {name: "urhadd", size: szVBHS, rrr: same(1, 2)},
	VCMGT:     {name: "cmgt", size: szV, rrr: same(0, 6), rr: two(0, 8)},
	VCMHI:     {name: "cmhi", size: szV, rrr: same(1, 6)},
	VCMGE:     {name: "cmge", size: szV, rrr: same(0, 7), rr: two(1, 8)},
	VCMHS:     {name: "cmhs", size: szV, rrr: same(1, 7)},
	VCMEQ:     {name: "cmeq", size: szV, rrr: same(1, 17), rr: two(0, 9)},
	VCMLE:     {name: "cmle", size: szV, rr: two(1, 9)},
	VCMLT:     {name: "cmlt", size: szV, rr: two(0, 10)},
	VCMTST:    {name: "cmtst", size: szV, rrr: same(0, 17)},
	VSSHL:     {name: "sshl", size: szV, rrr: same(0, 8)},
	VUSHL:     {name: "ushl", size: szV, rrr: same(1, 8)},
	VSMAX:     {name: "smax", size: szVBHS, rrr: same(0, 12)},
	VUMAX:     {name: "umax", size: szVBHS, rrr: same(1, 12)},
	VSMIN:     {name: "smin", size: szVBHS, rrr: same(0, 13)},
	VUMIN:     {name: "umin", size: szVBHS, rrr: same(1, 13)},
	VMLA:      {name: "mla", size: szVBHS, rrr: same(0, 18)},
	VMLS:      {name: "mls", size: szVBHS, rrr: same(1, 18)},
	VMUL:      {name: "mul", size: szVBHS, rrr: same(0, 19)},
	VUMAXP:    {name: "umaxp", size: szVBHS, rrr: same(1, 20)},
	VUMINP:    {name: "uminp", size: szVBHS, rrr: same(1, 21)},
	VSQRDMULH: {name: "sqrdmulh", size: szVHS, rrr: same(1, 22)},
	VADDP:     {name: "addp", size: szV, rrr: same(0, 23)},
	VREV64:    {name: "rev64", size: szVBHS, rr: two(0, 0)},
	VREV32:    {name: "rev32", size: szVBH, rr: two(1, 0)},
	VREV16:    {name: "rev16", size: szVB, rr: two(0, 1)},
	VSADDLP:   {name: "saddlp", size: szVBHS, rr: two(0, 2)},
	VUADDLP:   {name: "uaddlp", size: szVBHS, rr: two(1, 2)},
	VSADALP:   {name: "sadalp", size: szVBHS, rr: two(0, 6)},
	VUADALP:   {name: "uadalp", size: szVBHS, rr: two(1, 6)},
	VCLZ:      {name: "clz", size: szVBHS, rr: two(1, 4)},
	VCNT:      {name: "cnt", size: szVB, rr: two(0, 5)},
	VABS:      {name: "abs", size: szV, rr: two(0, 11)},
	VNEG:      {name: "neg", size: szV, rr: two(1, 11)},
	VXTN:      {name: "xtn", size: szVBHS, rr: two(0, 18)},
	VSQXTUN:   {name: "sqxtun", size: szVBHS, rr: two(1, 18)},
	VSQXTN:    {name: "sqxtn", size: szVBHS, rr: two(0, 20)},
	VUQXTN:    {name: "uqxtn", size: szVBHS, rr: two(1, 20)},
	VSMLAL:    {name: "smlal", size: szVBHS, rrr: diff(0, 8)},
	VUMLAL:    {name: "umlal", size: szVBHS, rrr: diff(1, 8)},
	VSMULL:    {name: "smull", size: szVBHS, rrr: diff(0, 12)},
	VUMULL:    {name: "umull", size: szVBHS, rrr: diff(1, 12)},
	VADDV:     {name: "addv", size: szAcross, rr: across(0, 27)},
	VUMAXV:    {name: "umaxv", size: szAcross, rr: across(1, 10)},
	VUMINV:    {name: "uminv", size: szAcross, rr: across(1, 26)},
	VUADDLV:   {name: "uaddlv", size: szAcross, rr: across(1, 3)},
	VUZP1:     {name: "uzp1", size: szV, rrr: permute(1)},
	VTRN1:     {name: "trn1", size: szV, rrr: permute(2)},
	VZIP1:     {name: "zip1", size: szV, rrr: permute(3)},
	VUZP2:     {name: "uzp2", size: szV, rrr: permute(5)},
	VTRN2:     {name: "trn2", size: szV, rrr: permute(6)},
	VZIP2:     {name: "zip2", size: szV, rrr: permute(7)},
	VTBL:      {name: "tbl", size: szB, rrr: v3 | 0x0E000000},
	VTBL2:     {name: "tbl", size: szB, rrr: v3 | 0x0E002000},
	VTBX:      {name: "tbx", size: szB, rrr: v3 | 0x0E001000},
	VSSHR:     {name: "sshr", size: szShift, i: shift(0, 0), imm: immVecR},
	VUSHR:     {name: "ushr", size: szShift, i: shift(1, 0), imm: immVecR},
	VSSRA:     {name: "ssra", size: szShift, i: shift(0, 2), imm: immVecR},
	VUSRA:     {name: "usra", size: szShift, i: shift(1, 2), imm: immVecR},
	VSHL:      {name: "shl", size: szShift, i: shift(0, 10), imm: immVecL},
	VSLI:      {name: "sli", size: szShift, i: shift(1, 10), imm: immVecL},
	VSRI:      {name: "sri", size: szShift, i: shift(1, 8), imm: immVecR},
	VSHRN:     {name: "shrn", size: szShiftN, i: shift(0, 16), imm: immVecR},
	VSSHLL:    {name: "sshll", size: szShiftN, i: shift(0, 20), imm: immVecL},
	VUSHLL:    {name: "ushll", size: szShiftN, i: shift(1, 20), imm: immVecL},

	VFMAXNM: {name: "fmaxnm", size: szVF, rrr: sameF(0, 0, 24)},
	VFMLA:   {name: "fmla", size: szVF, rrr: sameF(0, 0, 25)},
	VFADD:   {name: "fadd", size: szVF, rrr: sameF(0, 0, 26)},
	VFCMEQ:  {name: "fcmeq", size: szVF, rrr: sameF(0, 0, 28), rr: twoF(0, 1, 13)},
	VFMAX:   {name: "fmax", size: szVF, rrr: sameF(0, 0, 30)},
	VFMINNM: {name: "fminnm", size: szVF, rrr: sameF(0, 1, 24)},
	VFMLS:   {name: "fmls", size: szVF, rrr: sameF(0, 1, 25)},
	VFSUB:   {name: "fsub", size: szVF, rrr: sameF(0, 1, 26)},
	VFMIN:   {name: "fmin", size: szVF, rrr: sameF(0, 1, 30)},
	VFADDP:  {name: "faddp", size: szVF, rrr: sameF(1, 0, 26)},
	VFMUL:   {name: "fmul", size: szVF, rrr: sameF(1, 0, 27)},
	VFCMGE:  {name: "fcmge", size: szVF, rrr: sameF(1, 0, 28), rr: twoF(1, 1, 12)},
	VFDIV:   {name: "fdiv", size: szVF, rrr: sameF(1, 0, 31)},
	VFCMGT:  {name: "fcmgt", size: szVF, rrr: sameF(1, 1, 28), rr: twoF(0, 1, 12)},
	VFCMLE:  {name: "fcmle", size: szVF, rr: twoF(1, 1, 13)},
	VFCMLT:  {name: "fcmlt", size: szVF, rr: twoF(0, 1, 14)},
	VFABS:   {name: "fabs", size: szVF, rr: twoF(0, 1, 15)},
	VFNEG:   {name: "fneg", size: szVF, rr: twoF(1, 1, 15)},
	VFSQRT:  {name: "fsqrt", size: szVF, rr: twoF(1, 1, 31)},
	VFRINTN: {name: "frintn", size: szVF, rr: twoF(0, 0, 24)},
	VFRINTM: {name: "frintm", size: szVF, rr: twoF(0, 0, 25)},
	VFRINTP: {name: "frintp", size: szVF, rr: twoF(0, 1, 24)},
	VFRINTZ: {name: "frintz", size: szVF, rr: twoF(0, 1, 25)},
	VFCVTZS: {name: "fcvtzs", size: szVF, rr: twoF(0, 1, 27)},
	VFCVTZU: {name: "fcvtzu", size: szVF, rr: twoF(1, 1, 27)},
	VSCVTF:  {name: "scvtf", size: szVF, rr: twoF(0, 0, 29)},
	VUCVTF:  {name: "ucvtf", size: szVF, rr: twoF(1, 0, 29)},
	VFCVTN:  {name: "fcvtn", size: szVHalf, rr: two(0, 22) | doubleBit},
	VFCVTL:  {name: "fcvtl", size: szVHalf, rr: two(0, 23) | doubleBit},
}

// Instructions that stand alone or whose operands are put in elsewhere.
const (
	wordADR    uint32 = 0x10000000
	wordAddImm uint32 = 0x91000000
	wordSubImm uint32 = 0xD1000000
	wordB      uint32 = 0x14000000
	wordBL     uint32 = 0x94000000
	wordBCond  uint32 = 0x54000000
	wordCBZ    uint32 = 0x34000000
	wordTBZ    uint32 = 0x36000000
	wordBR     uint32 = 0xD61F0000
	wordBLR    uint32 = 0xD63F0000
	wordRET    uint32 = 0xD65F0000
	wordBRK    uint32 = 0xD4200000
	wordNOP    uint32 = 0xD503201F
)
