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

// The groups of vector instructions (Arm ARM, C4.1.96), for U (bit 29) 0 and 1. The opcode goes to a place of the group's own. They are
// constants, not functions, so that the table needs no code at the start of the program.
const (
	setU code = 1 << 29

	// "Three the same": opcode<<11.
	same0 = v3 | 0x0E200400
	same1 = same0 | setU

	// "Three the same" of the bitwise operations, which are numbered in the size: size<<22.
	logic0 = same0 | 3<<11
	logic1 = logic0 | setU

	// "Two-register miscellaneous": opcode<<12.
	two0 = v2 | 0x0E200800
	two1 = two0 | setU

	// The other half of the floats' opcodes, in both of these groups.
	moreF code = 1 << 23

	// "Three different": opcode<<12.
	diff0 = v3 | 0x0E200000
	diff1 = diff0 | setU

	// "Across lanes": opcode<<12.
	across0 = v2 | 0x0E300800
	across1 = across0 | setU

	// "Permute": opcode<<12.
	permute = v3 | 0x0E000800

	// "Shift by immediate": opcode<<11.
	shift0 = v2 | 0x0F000400
	shift1 = shift0 | setU

	// "Floating-point data-processing (1 source)": opcode<<15, and of two: opcode<<12.
	float1 = v2 | 0x1E204000
	float2 = v3 | 0x1E200800
)

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

	FMUL:   {name: "fmul", size: szF, rrr: float2},
	FDIV:   {name: "fdiv", size: szF, rrr: float2 | 1<<12},
	FADD:   {name: "fadd", size: szF, rrr: float2 | 2<<12},
	FSUB:   {name: "fsub", size: szF, rrr: float2 | 3<<12},
	FMAX:   {name: "fmax", size: szF, rrr: float2 | 4<<12},
	FMIN:   {name: "fmin", size: szF, rrr: float2 | 5<<12},
	FMAXNM: {name: "fmaxnm", size: szF, rrr: float2 | 6<<12},
	FMINNM: {name: "fminnm", size: szF, rrr: float2 | 7<<12},
	FNMUL:  {name: "fnmul", size: szF, rrr: float2 | 8<<12},
	FMADD:  {name: "fmadd", size: szF, rrrr: v4 | 0x1F000000},
	FMSUB:  {name: "fmsub", size: szF, rrrr: v4 | 0x1F008000},
	FNMADD: {name: "fnmadd", size: szF, rrrr: v4 | 0x1F200000},
	FNMSUB: {name: "fnmsub", size: szF, rrrr: v4 | 0x1F208000},
	FMOV:   {name: "fmov", size: szF, rr: float1},
	FABS:   {name: "fabs", size: szF, rr: float1 | 1<<15},
	FNEG:   {name: "fneg", size: szF, rr: float1 | 2<<15},
	FSQRT:  {name: "fsqrt", size: szF, rr: float1 | 3<<15},
	FCVT:   {name: "fcvt", size: szFCVT, rr: float1 | 5<<15},
	FRINTN: {name: "frintn", size: szF, rr: float1 | 8<<15},
	FRINTP: {name: "frintp", size: szF, rr: float1 | 9<<15},
	FRINTM: {name: "frintm", size: szF, rr: float1 | 10<<15},
	FRINTZ: {name: "frintz", size: szF, rr: float1 | 11<<15},
	FRINTA: {name: "frinta", size: szF, rr: float1 | 12<<15},
	FRINTX: {name: "frintx", size: szF, rr: float1 | 14<<15},
	FRINTI: {name: "frinti", size: szF, rr: float1 | 15<<15},

	VAND:      {name: "and", size: szB, rrr: logic0},
	VBIC:      {name: "bic", size: szB, rrr: logic0 | 1<<22},
	VORR:      {name: "orr", size: szB, rrr: logic0 | 2<<22},
	VORN:      {name: "orn", size: szB, rrr: logic0 | 3<<22},
	VEOR:      {name: "eor", size: szB, rrr: logic1},
	VBSL:      {name: "bsl", size: szB, rrr: logic1 | 1<<22},
	VBIT:      {name: "bit", size: szB, rrr: logic1 | 2<<22},
	VBIF:      {name: "bif", size: szB, rrr: logic1 | 3<<22},
	VNOT:      {name: "mvn", size: szB, rr: two1 | 5<<12},
	VADD:      {name: "add", size: szV, rrr: same0 | 16<<11},
	VSUB:      {name: "sub", size: szV, rrr: same1 | 16<<11},
	VSQADD:    {name: "sqadd", size: szV, rrr: same0 | 1<<11},
	VUQADD:    {name: "uqadd", size: szV, rrr: same1 | 1<<11},
	VSQSUB:    {name: "sqsub", size: szV, rrr: same0 | 5<<11},
	VUQSUB:    {name: "uqsub", size: szV, rrr: same1 | 5<<11},
	VURHADD:   {name: "urhadd", size: szVBHS, rrr: same1 | 2<<11},
	VCMGT:     {name: "cmgt", size: szV, rrr: same0 | 6<<11, rr: two0 | 8<<12},
	VCMHI:     {name: "cmhi", size: szV, rrr: same1 | 6<<11},
	VCMGE:     {name: "cmge", size: szV, rrr: same0 | 7<<11, rr: two1 | 8<<12},
	VCMHS:     {name: "cmhs", size: szV, rrr: same1 | 7<<11},
	VCMEQ:     {name: "cmeq", size: szV, rrr: same1 | 17<<11, rr: two0 | 9<<12},
	VCMLE:     {name: "cmle", size: szV, rr: two1 | 9<<12},
	VCMLT:     {name: "cmlt", size: szV, rr: two0 | 10<<12},
	VCMTST:    {name: "cmtst", size: szV, rrr: same0 | 17<<11},
	VSSHL:     {name: "sshl", size: szV, rrr: same0 | 8<<11},
	VUSHL:     {name: "ushl", size: szV, rrr: same1 | 8<<11},
	VSMAX:     {name: "smax", size: szVBHS, rrr: same0 | 12<<11},
	VUMAX:     {name: "umax", size: szVBHS, rrr: same1 | 12<<11},
	VSMIN:     {name: "smin", size: szVBHS, rrr: same0 | 13<<11},
	VUMIN:     {name: "umin", size: szVBHS, rrr: same1 | 13<<11},
	VMLA:      {name: "mla", size: szVBHS, rrr: same0 | 18<<11},
	VMLS:      {name: "mls", size: szVBHS, rrr: same1 | 18<<11},
	VMUL:      {name: "mul", size: szVBHS, rrr: same0 | 19<<11},
	VUMAXP:    {name: "umaxp", size: szVBHS, rrr: same1 | 20<<11},
	VUMINP:    {name: "uminp", size: szVBHS, rrr: same1 | 21<<11},
	VSQRDMULH: {name: "sqrdmulh", size: szVHS, rrr: same1 | 22<<11},
	VADDP:     {name: "addp", size: szV, rrr: same0 | 23<<11},
	VREV64:    {name: "rev64", size: szVBHS, rr: two0},
	VREV32:    {name: "rev32", size: szVBH, rr: two1},
	VREV16:    {name: "rev16", size: szVB, rr: two0 | 1<<12},
	VSADDLP:   {name: "saddlp", size: szVBHS, rr: two0 | 2<<12},
	VUADDLP:   {name: "uaddlp", size: szVBHS, rr: two1 | 2<<12},
	VSADALP:   {name: "sadalp", size: szVBHS, rr: two0 | 6<<12},
	VUADALP:   {name: "uadalp", size: szVBHS, rr: two1 | 6<<12},
	VCLZ:      {name: "clz", size: szVBHS, rr: two1 | 4<<12},
	VCNT:      {name: "cnt", size: szVB, rr: two0 | 5<<12},
	VABS:      {name: "abs", size: szV, rr: two0 | 11<<12},
	VNEG:      {name: "neg", size: szV, rr: two1 | 11<<12},
	VXTN:      {name: "xtn", size: szVBHS, rr: two0 | 18<<12},
	VSQXTUN:   {name: "sqxtun", size: szVBHS, rr: two1 | 18<<12},
	VSQXTN:    {name: "sqxtn", size: szVBHS, rr: two0 | 20<<12},
	VUQXTN:    {name: "uqxtn", size: szVBHS, rr: two1 | 20<<12},
	VSMLAL:    {name: "smlal", size: szVBHS, rrr: diff0 | 8<<12},
	VUMLAL:    {name: "umlal", size: szVBHS, rrr: diff1 | 8<<12},
	VSMULL:    {name: "smull", size: szVBHS, rrr: diff0 | 12<<12},
	VUMULL:    {name: "umull", size: szVBHS, rrr: diff1 | 12<<12},
	VADDV:     {name: "addv", size: szAcross, rr: across0 | 27<<12},
	VUMAXV:    {name: "umaxv", size: szAcross, rr: across1 | 10<<12},
	VUMINV:    {name: "uminv", size: szAcross, rr: across1 | 26<<12},
	VUADDLV:   {name: "uaddlv", size: szAcross, rr: across1 | 3<<12},
	VUZP1:     {name: "uzp1", size: szV, rrr: permute | 1<<12},
	VTRN1:     {name: "trn1", size: szV, rrr: permute | 2<<12},
	VZIP1:     {name: "zip1", size: szV, rrr: permute | 3<<12},
	VUZP2:     {name: "uzp2", size: szV, rrr: permute | 5<<12},
	VTRN2:     {name: "trn2", size: szV, rrr: permute | 6<<12},
	VZIP2:     {name: "zip2", size: szV, rrr: permute | 7<<12},
	VTBL:      {name: "tbl", size: szB, rrr: v3 | 0x0E000000},
	VTBL2:     {name: "tbl", size: szB, rrr: v3 | 0x0E002000},
	VTBX:      {name: "tbx", size: szB, rrr: v3 | 0x0E001000},
	VSSHR:     {name: "sshr", size: szShift, i: shift0, imm: immVecR},
	VUSHR:     {name: "ushr", size: szShift, i: shift1, imm: immVecR},
	VSSRA:     {name: "ssra", size: szShift, i: shift0 | 2<<11, imm: immVecR},
	VUSRA:     {name: "usra", size: szShift, i: shift1 | 2<<11, imm: immVecR},
	VSHL:      {name: "shl", size: szShift, i: shift0 | 10<<11, imm: immVecL},
	VSLI:      {name: "sli", size: szShift, i: shift1 | 10<<11, imm: immVecL},
	VSRI:      {name: "sri", size: szShift, i: shift1 | 8<<11, imm: immVecR},
	VSHRN:     {name: "shrn", size: szShiftN, i: shift0 | 16<<11, imm: immVecR},
	VSSHLL:    {name: "sshll", size: szShiftN, i: shift0 | 20<<11, imm: immVecL},
	VUSHLL:    {name: "ushll", size: szShiftN, i: shift1 | 20<<11, imm: immVecL},

	VFMAXNM: {name: "fmaxnm", size: szVF, rrr: same0 | 24<<11},
	VFMLA:   {name: "fmla", size: szVF, rrr: same0 | 25<<11},
	VFADD:   {name: "fadd", size: szVF, rrr: same0 | 26<<11},
	VFCMEQ:  {name: "fcmeq", size: szVF, rrr: same0 | 28<<11, rr: two0 | moreF | 13<<12},
	VFMAX:   {name: "fmax", size: szVF, rrr: same0 | 30<<11},
	VFMINNM: {name: "fminnm", size: szVF, rrr: same0 | moreF | 24<<11},
	VFMLS:   {name: "fmls", size: szVF, rrr: same0 | moreF | 25<<11},
	VFSUB:   {name: "fsub", size: szVF, rrr: same0 | moreF | 26<<11},
	VFMIN:   {name: "fmin", size: szVF, rrr: same0 | moreF | 30<<11},
	VFADDP:  {name: "faddp", size: szVF, rrr: same1 | 26<<11},
	VFMUL:   {name: "fmul", size: szVF, rrr: same1 | 27<<11},
	VFCMGE:  {name: "fcmge", size: szVF, rrr: same1 | 28<<11, rr: two1 | moreF | 12<<12},
	VFDIV:   {name: "fdiv", size: szVF, rrr: same1 | 31<<11},
	VFCMGT:  {name: "fcmgt", size: szVF, rrr: same1 | moreF | 28<<11, rr: two0 | moreF | 12<<12},
	VFCMLE:  {name: "fcmle", size: szVF, rr: two1 | moreF | 13<<12},
	VFCMLT:  {name: "fcmlt", size: szVF, rr: two0 | moreF | 14<<12},
	VFABS:   {name: "fabs", size: szVF, rr: two0 | moreF | 15<<12},
	VFNEG:   {name: "fneg", size: szVF, rr: two1 | moreF | 15<<12},
	VFSQRT:  {name: "fsqrt", size: szVF, rr: two1 | moreF | 31<<12},
	VFRINTN: {name: "frintn", size: szVF, rr: two0 | 24<<12},
	VFRINTM: {name: "frintm", size: szVF, rr: two0 | 25<<12},
	VFRINTP: {name: "frintp", size: szVF, rr: two0 | moreF | 24<<12},
	VFRINTZ: {name: "frintz", size: szVF, rr: two0 | moreF | 25<<12},
	VFCVTZS: {name: "fcvtzs", size: szVF, rr: two0 | moreF | 27<<12},
	VFCVTZU: {name: "fcvtzu", size: szVF, rr: two1 | moreF | 27<<12},
	VSCVTF:  {name: "scvtf", size: szVF, rr: two0 | 29<<12},
	VUCVTF:  {name: "ucvtf", size: szVF, rr: two1 | 29<<12},
	VFCVTN:  {name: "fcvtn", size: szVHalf, rr: two0 | 22<<12 | doubleBit},
	VFCVTL:  {name: "fcvtl", size: szVHalf, rr: two0 | 23<<12 | doubleBit},
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
