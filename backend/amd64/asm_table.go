package amd64

// A code is one encoding: the opcode byte, what stands around it, and which
// operands it takes (Intel SDM, volume 2, chapters 2 to 5).
type code uint32

const (
	p66      code = 1 << 8 // the prefix, numbered as VEX does
	pF3      code = 2 << 8
	pF2      code = 3 << 8
	prefixes code = 3 << 8

	m0F  code = 1 << 10 // the opcode map, numbered as VEX does; 0 is the one-byte map
	m38  code = 2 << 10
	m3A  code = 3 << 10
	maps code = 3 << 10

	w1 code = 1 << 12 // REX.W, VEX.W
	l1 code = 1 << 13 // VEX.L: 256 bits

	byteReg code = 1 << 14 // the reg operand is an 8-bit register: 4–7 need a REX prefix
	byteRM  code = 1 << 15 // the r/m operand likewise

	d1     code = 1 << 16 // /1: a digit in place of the reg operand
	d2     code = 2 << 16
	d3     code = 3 << 16
	d4     code = 4 << 16
	d5     code = 5 << 16
	d6     code = 6 << 16
	d7     code = 7 << 16
	digits code = 7 << 16

	rx      code = 1 << 20 // the reg operand is a vector register
	mx      code = 1 << 21 // the r/m operand likewise, if it is a register
	memOnly code = 1 << 22 // r/m must be memory
	regOnly code = 1 << 23 // r/m must be a register
	cc      code = 1 << 24 // a condition is added to the opcode
	plusR   code = 1 << 25 // the register is added to the opcode, there is no ModRM byte

	sized code = 1 << 31 // in sizeBits: there is such an operand size

	// What most vector instructions have.
	v0F   = m0F | rx | mx
	v66   = p66 | v0F
	vF3   = pF3 | v0F
	vF2   = pF2 | v0F
	v6638 = p66 | m38 | rx | mx
	v663A = p66 | m3A | rx | mx
)

// A sizeClass says which operand sizes an instruction has and what they change.
type sizeClass uint8

const (
	szNone sizeClass = iota
	szInt
	szInt2
	szW
	szZX
	sz1
	sz2
	sz4
	sz8
	sz8W
	szF
	szU
	szR
	szFW
	szX
	szV
	szY
	szClasses
)

// maxSize is the largest operand size in bytes.
const maxSize = 32

// sizeBits is what a size changes in a code, by exclusive or.
var sizeBits = [szClasses][maxSize + 1]code{
	szInt:  {1: sized | byteReg | byteRM | 1, 2: sized | p66, 4: sized, 8: sized | w1}, // the byte form is the opcode below
	szInt2: {2: sized | p66, 4: sized, 8: sized | w1},
	szW:    {4: sized, 8: sized | w1},
	szZX:   {4: sized, 8: sized}, // the upper half is zeroed either way
	sz1:    {1: sized},
	sz2:    {2: sized},
	sz4:    {4: sized},
	sz8:    {8: sized},
	sz8W:   {8: sized | w1},
	szF:    {4: sized | pF3, 8: sized | pF2}, // …SS, …SD
	szU:    {4: sized, 8: sized | p66},
	szR:    {4: sized, 8: sized | 1}, // the double form is the opcode above
	szFW:   {4: sized, 8: sized | w1},
	szX:    {16: sized},
	szV:    {16: sized, 32: sized | l1},
	szY:    {32: sized | l1},
}

// vexForm says where the operands of an instruction's VEX form are.
type vexForm uint8

const (
	noVEX   vexForm = iota
	vex2            // destination, source: vvvv is not used
	vex3            // the first source is in vvvv
	vexSwap         // the second source is in vvvv
	vexDst          // the destination is in vvvv, a digit in reg
	vexMask         // as vex3, with a mask register in the immediate byte
	vexOnly vexForm = 8
)

// immForm says how an instruction takes its immediate.
type immForm uint8

const (
	imm8     immForm = iota
	immALU           // 8 bits sign-extended or 32; short form for the accumulator
	immTest          // 32; short form for the accumulator
	immMul           // 8 bits sign-extended or 32
	immMove          // 32, 64
	immShift         // 8, below the operand's width; short form for 1
)

// encoding is an instruction's row. A code that is 0 is a form it does not have.
type encoding struct {
	name string
	size sizeClass
	vex  vexForm
	imm  immForm
	bare uint32 // the bytes of an instruction without operands, first in the highest place

	rm  code // reg ← r/m
	mr  code // r/m ← reg
	i   code // r/m ← immediate
	u   code // r/m alone
	rmi code // reg ← r/m, immediate
	mri code // r/m ← reg, immediate
}

// encodings is the one table of instructions. The names of scalar floats lack
// their last letter, s or d.
var encodings = [opCount]encoding{
	NoOp: {name: "no instruction"},

	MOV:     {name: "mov", size: szInt, rm: 0x8B, mr: 0x89, i: 0xC7, imm: immMove},
	MOVZX8:  {name: "movzx8", size: szZX, rm: m0F | byteRM | 0xB6},
	MOVZX16: {name: "movzx16", size: szZX, rm: m0F | 0xB7},
	MOVSX8:  {name: "movsx8", size: szW, rm: m0F | byteRM | 0xBE},
	MOVSX16: {name: "movsx16", size: szW, rm: m0F | 0xBF},
	MOVSXD:  {name: "movsxd", size: sz8W, rm: 0x63},
	LEA:     {name: "lea", size: szW, rm: memOnly | 0x8D},
	ADD:     {name: "add", size: szInt, rm: 0x03, mr: 0x01, i: 0x81, imm: immALU},
	OR:      {name: "or", size: szInt, rm: 0x0B, mr: 0x09, i: d1 | 0x81, imm: immALU},
	ADC:     {name: "adc", size: szInt, rm: 0x13, mr: 0x11, i: d2 | 0x81, imm: immALU},
	SBB:     {name: "sbb", size: szInt, rm: 0x1B, mr: 0x19, i: d3 | 0x81, imm: immALU},
	AND:     {name: "and", size: szInt, rm: 0x23, mr: 0x21, i: d4 | 0x81, imm: immALU},
	SUB:     {name: "sub", size: szInt, rm: 0x2B, mr: 0x29, i: d5 | 0x81, imm: immALU},
	XOR:     {name: "xor", size: szInt, rm: 0x33, mr: 0x31, i: d6 | 0x81, imm: immALU},
	CMP:     {name: "cmp", size: szInt, rm: 0x3B, mr: 0x39, i: d7 | 0x81, imm: immALU},
	TEST:    {name: "test", size: szInt, rm: 0x85, mr: 0x85, i: 0xF7, imm: immTest},
	IMUL:    {name: "imul", size: szInt2, rm: m0F | 0xAF, rmi: 0x69, imm: immMul},
	MUL:     {name: "mul", size: szInt, u: d4 | 0xF7},
	IMUL1:   {name: "imul", size: szInt, u: d5 | 0xF7},
	DIV:     {name: "div", size: szInt, u: d6 | 0xF7},
	IDIV:    {name: "idiv", size: szInt, u: d7 | 0xF7},
	NEG:     {name: "neg", size: szInt, u: d3 | 0xF7},
	NOT:     {name: "not", size: szInt, u: d2 | 0xF7},
	INC:     {name: "inc", size: szInt, u: 0xFF},
	DEC:     {name: "dec", size: szInt, u: d1 | 0xFF},
	ROL:     {name: "rol", size: szInt, i: 0xC1, u: 0xD3, imm: immShift},
	ROR:     {name: "ror", size: szInt, i: d1 | 0xC1, u: d1 | 0xD3, imm: immShift},
	SHL:     {name: "shl", size: szInt, i: d4 | 0xC1, u: d4 | 0xD3, imm: immShift},
	SHR:     {name: "shr", size: szInt, i: d5 | 0xC1, u: d5 | 0xD3, imm: immShift},
	SAR:     {name: "sar", size: szInt, i: d7 | 0xC1, u: d7 | 0xD3, imm: immShift},
	BSF:     {name: "bsf", size: szInt2, rm: m0F | 0xBC},
	BSR:     {name: "bsr", size: szInt2, rm: m0F | 0xBD},
	LZCNT:   {name: "lzcnt", size: szW, rm: pF3 | m0F | 0xBD},
	TZCNT:   {name: "tzcnt", size: szW, rm: pF3 | m0F | 0xBC},
	POPCNT:  {name: "popcnt", size: szW, rm: pF3 | m0F | 0xB8},
	BSWAP:   {name: "bswap", size: szW, u: m0F | plusR | regOnly | 0xC8},
	// A bit number in a register would reach memory beyond the operand.
	BT:     {name: "bt", size: szInt2, mr: m0F | regOnly | 0xA3, i: m0F | d4 | 0xBA},
	BTS:    {name: "bts", size: szInt2, mr: m0F | regOnly | 0xAB, i: m0F | d5 | 0xBA},
	BTR:    {name: "btr", size: szInt2, mr: m0F | regOnly | 0xB3, i: m0F | d6 | 0xBA},
	BTC:    {name: "btc", size: szInt2, mr: m0F | regOnly | 0xBB, i: m0F | d7 | 0xBA},
	XCHG:   {name: "xchg", size: szInt, rm: 0x87, mr: 0x87},
	CMOVcc: {name: "cmov", size: szInt2, rm: m0F | cc | 0x40},
	SETcc:  {name: "set", size: sz1, u: m0F | cc | byteRM | 0x90},
	PUSH:   {name: "push", size: sz8, u: plusR | regOnly | 0x50},
	POP:    {name: "pop", size: sz8, u: plusR | regOnly | 0x58},

	callInd: {name: "call", size: sz8, u: d2 | 0xFF},
	jmpInd:  {name: "jmp", size: sz8, u: d4 | 0xFF},

	ANDN:   {name: "andn", size: szW, vex: vex3 | vexOnly, rm: m38 | 0xF2},
	BLSR:   {name: "blsr", size: szW, vex: vexDst | vexOnly, rm: m38 | d1 | 0xF3},
	BLSMSK: {name: "blsmsk", size: szW, vex: vexDst | vexOnly, rm: m38 | d2 | 0xF3},
	BLSI:   {name: "blsi", size: szW, vex: vexDst | vexOnly, rm: m38 | d3 | 0xF3},
	BEXTR:  {name: "bextr", size: szW, vex: vexSwap | vexOnly, rm: m38 | 0xF7},
	BZHI:   {name: "bzhi", size: szW, vex: vexSwap | vexOnly, rm: m38 | 0xF5},
	SHLX:   {name: "shlx", size: szW, vex: vexSwap | vexOnly, rm: p66 | m38 | 0xF7},
	SHRX:   {name: "shrx", size: szW, vex: vexSwap | vexOnly, rm: pF2 | m38 | 0xF7},
	SARX:   {name: "sarx", size: szW, vex: vexSwap | vexOnly, rm: pF3 | m38 | 0xF7},
	RORX:   {name: "rorx", size: szW, vex: vex2 | vexOnly, rmi: pF2 | m3A | 0xF0},
	PDEP:   {name: "pdep", size: szW, vex: vex3 | vexOnly, rm: pF2 | m38 | 0xF5},
	PEXT:   {name: "pext", size: szW, vex: vex3 | vexOnly, rm: pF3 | m38 | 0xF5},
	ADCX:   {name: "adcx", size: szW, rm: p66 | m38 | 0xF6},
	ADOX:   {name: "adox", size: szW, rm: pF3 | m38 | 0xF6},
	MULX:   {name: "mulx", size: szW, vex: vex3 | vexOnly, rm: pF2 | m38 | 0xF6},

	CDQ:        {name: "cdq", bare: 0x99},
	CQO:        {name: "cqo", bare: 0x4899},
	REPMOVSB:   {name: "rep movsb", bare: 0xF3A4},
	REPMOVSQ:   {name: "rep movsq", bare: 0xF348A5},
	REPSTOSB:   {name: "rep stosb", bare: 0xF3AA},
	REPSTOSQ:   {name: "rep stosq", bare: 0xF348AB},
	CLD:        {name: "cld", bare: 0xFC},
	UD2:        {name: "ud2", bare: 0x0F0B},
	INT3:       {name: "int3", bare: 0xCC},
	NOP:        {name: "nop", bare: 0x90},
	PAUSE:      {name: "pause", bare: 0xF390},
	LFENCE:     {name: "lfence", bare: 0x0FAEE8},
	MFENCE:     {name: "mfence", bare: 0x0FAEF0},
	RET:        {name: "ret", bare: 0xC3},
	VZEROUPPER: {name: "vzeroupper", bare: 0xC5F877},

	MOVF:      {name: "movs", size: szF, vex: vex2, rm: v0F | memOnly | 0x10, mr: v0F | memOnly | 0x11},
	ADDF:      {name: "adds", size: szF, vex: vex3, rm: v0F | 0x58},
	SUBF:      {name: "subs", size: szF, vex: vex3, rm: v0F | 0x5C},
	MULF:      {name: "muls", size: szF, vex: vex3, rm: v0F | 0x59},
	DIVF:      {name: "divs", size: szF, vex: vex3, rm: v0F | 0x5E},
	SQRTF:     {name: "sqrts", size: szF, vex: vex3, rm: v0F | 0x51},
	MINF:      {name: "mins", size: szF, vex: vex3, rm: v0F | 0x5D},
	MAXF:      {name: "maxs", size: szF, vex: vex3, rm: v0F | 0x5F},
	UCOMIF:    {name: "ucomis", size: szU, vex: vex2, rm: v0F | 0x2E},
	ROUNDF:    {name: "rounds", size: szR, vex: vex3, rmi: v663A | 0x0A},
	CMPF:      {name: "cmps", size: szF, vex: vex3, rmi: v0F | 0xC2},
	CVTSI2SS:  {name: "cvtsi2ss", size: szW, vex: vex3, rm: pF3 | m0F | rx | 0x2A},
	CVTSI2SD:  {name: "cvtsi2sd", size: szW, vex: vex3, rm: pF2 | m0F | rx | 0x2A},
	CVTTSS2SI: {name: "cvttss2si", size: szW, vex: vex2, rm: pF3 | m0F | mx | 0x2C},
	CVTTSD2SI: {name: "cvttsd2si", size: szW, vex: vex2, rm: pF2 | m0F | mx | 0x2C},
	CVTSS2SI:  {name: "cvtss2si", size: szW, vex: vex2, rm: pF3 | m0F | mx | 0x2D},
	CVTSD2SI:  {name: "cvtsd2si", size: szW, vex: vex2, rm: pF2 | m0F | mx | 0x2D},
	CVTSS2SD:  {name: "cvtss2sd", size: sz4, vex: vex3, rm: vF3 | 0x5A},
	CVTSD2SS:  {name: "cvtsd2ss", size: sz8, vex: vex3, rm: vF2 | 0x5A},
	MOVD:      {name: "movd", size: szW, vex: vex2, rm: p66 | m0F | rx | 0x6E, mr: p66 | m0F | rx | 0x7E},
	MOVQ:      {name: "movq", size: sz8, vex: vex2, rm: vF3 | 0x7E, mr: v66 | 0xD6},

	MOVAPS:   {name: "movaps", vex: vex2, size: szV, rm: v0F | 0x28, mr: v0F | 0x29},
	MOVAPD:   {name: "movapd", vex: vex2, size: szV, rm: v66 | 0x28, mr: v66 | 0x29},
	MOVUPS:   {name: "movups", vex: vex2, size: szV, rm: v0F | 0x10, mr: v0F | 0x11},
	MOVUPD:   {name: "movupd", vex: vex2, size: szV, rm: v66 | 0x10, mr: v66 | 0x11},
	MOVDQA:   {name: "movdqa", vex: vex2, size: szV, rm: v66 | 0x6F, mr: v66 | 0x7F},
	MOVDQU:   {name: "movdqu", vex: vex2, size: szV, rm: vF3 | 0x6F, mr: vF3 | 0x7F},
	LDDQU:    {name: "lddqu", vex: vex2, size: szV, rm: vF2 | memOnly | 0xF0},
	MOVHLPS:  {name: "movhlps", vex: vex3, size: szX, rm: v0F | regOnly | 0x12},
	MOVLHPS:  {name: "movlhps", vex: vex3, size: szX, rm: v0F | regOnly | 0x16},
	MOVLPS:   {name: "movlps", vex: vex3, size: sz8, rm: v0F | memOnly | 0x12, mr: v0F | memOnly | 0x13},
	MOVLPD:   {name: "movlpd", vex: vex3, size: sz8, rm: v66 | memOnly | 0x12, mr: v66 | memOnly | 0x13},
	MOVHPS:   {name: "movhps", vex: vex3, size: sz8, rm: v0F | memOnly | 0x16, mr: v0F | memOnly | 0x17},
	MOVHPD:   {name: "movhpd", vex: vex3, size: sz8, rm: v66 | memOnly | 0x16, mr: v66 | memOnly | 0x17},
	MOVDDUP:  {name: "movddup", vex: vex2, size: szV, rm: vF2 | 0x12},
	MOVSLDUP: {name: "movsldup", vex: vex2, size: szV, rm: vF3 | 0x12},
	MOVSHDUP: {name: "movshdup", vex: vex2, size: szV, rm: vF3 | 0x16},
	MOVMSKPS: {name: "movmskps", vex: vex2, size: szV, rm: m0F | mx | regOnly | 0x50},
	MOVMSKPD: {name: "movmskpd", vex: vex2, size: szV, rm: p66 | m0F | mx | regOnly | 0x50},
	PMOVMSKB: {name: "pmovmskb", vex: vex2, size: szV, rm: p66 | m0F | mx | regOnly | 0xD7},

	SQRTPS:    {name: "sqrtps", vex: vex2, size: szV, rm: v0F | 0x51},
	SQRTPD:    {name: "sqrtpd", vex: vex2, size: szV, rm: v66 | 0x51},
	ANDPS:     {name: "andps", vex: vex3, size: szV, rm: v0F | 0x54},
	ANDPD:     {name: "andpd", vex: vex3, size: szV, rm: v66 | 0x54},
	ANDNPS:    {name: "andnps", vex: vex3, size: szV, rm: v0F | 0x55},
	ANDNPD:    {name: "andnpd", vex: vex3, size: szV, rm: v66 | 0x55},
	ORPS:      {name: "orps", vex: vex3, size: szV, rm: v0F | 0x56},
	ORPD:      {name: "orpd", vex: vex3, size: szV, rm: v66 | 0x56},
	XORPS:     {name: "xorps", vex: vex3, size: szV, rm: v0F | 0x57},
	XORPD:     {name: "xorpd", vex: vex3, size: szV, rm: v66 | 0x57},
	ADDPS:     {name: "addps", vex: vex3, size: szV, rm: v0F | 0x58},
	ADDPD:     {name: "addpd", vex: vex3, size: szV, rm: v66 | 0x58},
	MULPS:     {name: "mulps", vex: vex3, size: szV, rm: v0F | 0x59},
	MULPD:     {name: "mulpd", vex: vex3, size: szV, rm: v66 | 0x59},
	SUBPS:     {name: "subps", vex: vex3, size: szV, rm: v0F | 0x5C},
	SUBPD:     {name: "subpd", vex: vex3, size: szV, rm: v66 | 0x5C},
	MINPS:     {name: "minps", vex: vex3, size: szV, rm: v0F | 0x5D},
	MINPD:     {name: "minpd", vex: vex3, size: szV, rm: v66 | 0x5D},
	DIVPS:     {name: "divps", vex: vex3, size: szV, rm: v0F | 0x5E},
	DIVPD:     {name: "divpd", vex: vex3, size: szV, rm: v66 | 0x5E},
	MAXPS:     {name: "maxps", vex: vex3, size: szV, rm: v0F | 0x5F},
	MAXPD:     {name: "maxpd", vex: vex3, size: szV, rm: v66 | 0x5F},
	UNPCKLPS:  {name: "unpcklps", vex: vex3, size: szV, rm: v0F | 0x14},
	UNPCKLPD:  {name: "unpcklpd", vex: vex3, size: szV, rm: v66 | 0x14},
	UNPCKHPS:  {name: "unpckhps", vex: vex3, size: szV, rm: v0F | 0x15},
	UNPCKHPD:  {name: "unpckhpd", vex: vex3, size: szV, rm: v66 | 0x15},
	CMPPS:     {name: "cmpps", vex: vex3, size: szV, rmi: v0F | 0xC2},
	CMPPD:     {name: "cmppd", vex: vex3, size: szV, rmi: v66 | 0xC2},
	SHUFPS:    {name: "shufps", vex: vex3, size: szV, rmi: v0F | 0xC6},
	SHUFPD:    {name: "shufpd", vex: vex3, size: szV, rmi: v66 | 0xC6},
	ROUNDPS:   {name: "roundps", vex: vex2, size: szV, rmi: v663A | 0x08},
	ROUNDPD:   {name: "roundpd", vex: vex2, size: szV, rmi: v663A | 0x09},
	BLENDPS:   {name: "blendps", vex: vex3, size: szV, rmi: v663A | 0x0C},
	BLENDPD:   {name: "blendpd", vex: vex3, size: szV, rmi: v663A | 0x0D},
	INSERTPS:  {name: "insertps", vex: vex3, size: sz4, rmi: v663A | 0x21},
	EXTRACTPS: {name: "extractps", vex: vex2, size: sz4, mri: p66 | m3A | rx | 0x17},
	DPPS:      {name: "dpps", vex: vex3, size: szV, rmi: v663A | 0x40},
	DPPD:      {name: "dppd", vex: vex3, size: szX, rmi: v663A | 0x41},
	HADDPS:    {name: "haddps", vex: vex3, size: szV, rm: vF2 | 0x7C},
	HADDPD:    {name: "haddpd", vex: vex3, size: szV, rm: v66 | 0x7C},

	CVTDQ2PS:  {name: "cvtdq2ps", vex: vex2, size: szV, rm: v0F | 0x5B},
	CVTPS2DQ:  {name: "cvtps2dq", vex: vex2, size: szV, rm: v66 | 0x5B},
	CVTTPS2DQ: {name: "cvttps2dq", vex: vex2, size: szV, rm: vF3 | 0x5B},
	CVTDQ2PD:  {name: "cvtdq2pd", vex: vex2, size: szV, rm: vF3 | 0xE6},
	CVTPD2DQ:  {name: "cvtpd2dq", vex: vex2, size: szV, rm: vF2 | 0xE6},
	CVTTPD2DQ: {name: "cvttpd2dq", vex: vex2, size: szV, rm: v66 | 0xE6},
	CVTPS2PD:  {name: "cvtps2pd", vex: vex2, size: szV, rm: v0F | 0x5A},
	CVTPD2PS:  {name: "cvtpd2ps", vex: vex2, size: szV, rm: v66 | 0x5A},

	PADDB:      {name: "paddb", vex: vex3, size: szV, rm: v66 | 0xFC},
	PADDW:      {name: "paddw", vex: vex3, size: szV, rm: v66 | 0xFD},
	PADDD:      {name: "paddd", vex: vex3, size: szV, rm: v66 | 0xFE},
	PADDQ:      {name: "paddq", vex: vex3, size: szV, rm: v66 | 0xD4},
	PADDSB:     {name: "paddsb", vex: vex3, size: szV, rm: v66 | 0xEC},
	PADDSW:     {name: "paddsw", vex: vex3, size: szV, rm: v66 | 0xED},
	PADDUSB:    {name: "paddusb", vex: vex3, size: szV, rm: v66 | 0xDC},
	PADDUSW:    {name: "paddusw", vex: vex3, size: szV, rm: v66 | 0xDD},
	PSUBB:      {name: "psubb", vex: vex3, size: szV, rm: v66 | 0xF8},
	PSUBW:      {name: "psubw", vex: vex3, size: szV, rm: v66 | 0xF9},
	PSUBD:      {name: "psubd", vex: vex3, size: szV, rm: v66 | 0xFA},
	PSUBQ:      {name: "psubq", vex: vex3, size: szV, rm: v66 | 0xFB},
	PSUBSB:     {name: "psubsb", vex: vex3, size: szV, rm: v66 | 0xE8},
	PSUBSW:     {name: "psubsw", vex: vex3, size: szV, rm: v66 | 0xE9},
	PSUBUSB:    {name: "psubusb", vex: vex3, size: szV, rm: v66 | 0xD8},
	PSUBUSW:    {name: "psubusw", vex: vex3, size: szV, rm: v66 | 0xD9},
	PMULLW:     {name: "pmullw", vex: vex3, size: szV, rm: v66 | 0xD5},
	PMULHW:     {name: "pmulhw", vex: vex3, size: szV, rm: v66 | 0xE5},
	PMULHUW:    {name: "pmulhuw", vex: vex3, size: szV, rm: v66 | 0xE4},
	PMULUDQ:    {name: "pmuludq", vex: vex3, size: szV, rm: v66 | 0xF4},
	PMADDWD:    {name: "pmaddwd", vex: vex3, size: szV, rm: v66 | 0xF5},
	PAVGB:      {name: "pavgb", vex: vex3, size: szV, rm: v66 | 0xE0},
	PAVGW:      {name: "pavgw", vex: vex3, size: szV, rm: v66 | 0xE3},
	PSADBW:     {name: "psadbw", vex: vex3, size: szV, rm: v66 | 0xF6},
	PMINUB:     {name: "pminub", vex: vex3, size: szV, rm: v66 | 0xDA},
	PMAXUB:     {name: "pmaxub", vex: vex3, size: szV, rm: v66 | 0xDE},
	PMINSW:     {name: "pminsw", vex: vex3, size: szV, rm: v66 | 0xEA},
	PMAXSW:     {name: "pmaxsw", vex: vex3, size: szV, rm: v66 | 0xEE},
	PAND:       {name: "pand", vex: vex3, size: szV, rm: v66 | 0xDB},
	PANDN:      {name: "pandn", vex: vex3, size: szV, rm: v66 | 0xDF},
	POR:        {name: "por", vex: vex3, size: szV, rm: v66 | 0xEB},
	PXOR:       {name: "pxor", vex: vex3, size: szV, rm: v66 | 0xEF},
	PCMPEQB:    {name: "pcmpeqb", vex: vex3, size: szV, rm: v66 | 0x74},
	PCMPEQW:    {name: "pcmpeqw", vex: vex3, size: szV, rm: v66 | 0x75},
	PCMPEQD:    {name: "pcmpeqd", vex: vex3, size: szV, rm: v66 | 0x76},
	PCMPGTB:    {name: "pcmpgtb", vex: vex3, size: szV, rm: v66 | 0x64},
	PCMPGTW:    {name: "pcmpgtw", vex: vex3, size: szV, rm: v66 | 0x65},
	PCMPGTD:    {name: "pcmpgtd", vex: vex3, size: szV, rm: v66 | 0x66},
	PUNPCKLBW:  {name: "punpcklbw", vex: vex3, size: szV, rm: v66 | 0x60},
	PUNPCKLWD:  {name: "punpcklwd", vex: vex3, size: szV, rm: v66 | 0x61},
	PUNPCKLDQ:  {name: "punpckldq", vex: vex3, size: szV, rm: v66 | 0x62},
	PUNPCKLQDQ: {name: "punpcklqdq", vex: vex3, size: szV, rm: v66 | 0x6C},
	PUNPCKHBW:  {name: "punpckhbw", vex: vex3, size: szV, rm: v66 | 0x68},
	PUNPCKHWD:  {name: "punpckhwd", vex: vex3, size: szV, rm: v66 | 0x69},
	PUNPCKHDQ:  {name: "punpckhdq", vex: vex3, size: szV, rm: v66 | 0x6A},
	PUNPCKHQDQ: {name: "punpckhqdq", vex: vex3, size: szV, rm: v66 | 0x6D},
	PACKSSWB:   {name: "packsswb", vex: vex3, size: szV, rm: v66 | 0x63},
	PACKSSDW:   {name: "packssdw", vex: vex3, size: szV, rm: v66 | 0x6B},
	PACKUSWB:   {name: "packuswb", vex: vex3, size: szV, rm: v66 | 0x67},
	PSHUFB:     {name: "pshufb", vex: vex3, size: szV, rm: v6638 | 0x00},
	PHADDW:     {name: "phaddw", vex: vex3, size: szV, rm: v6638 | 0x01},
	PHADDD:     {name: "phaddd", vex: vex3, size: szV, rm: v6638 | 0x02},
	PMADDUBSW:  {name: "pmaddubsw", vex: vex3, size: szV, rm: v6638 | 0x04},
	PHSUBW:     {name: "phsubw", vex: vex3, size: szV, rm: v6638 | 0x05},
	PHSUBD:     {name: "phsubd", vex: vex3, size: szV, rm: v6638 | 0x06},
	PSIGNB:     {name: "psignb", vex: vex3, size: szV, rm: v6638 | 0x08},
	PSIGNW:     {name: "psignw", vex: vex3, size: szV, rm: v6638 | 0x09},
	PSIGND:     {name: "psignd", vex: vex3, size: szV, rm: v6638 | 0x0A},
	PMULHRSW:   {name: "pmulhrsw", vex: vex3, size: szV, rm: v6638 | 0x0B},
	PMULDQ:     {name: "pmuldq", vex: vex3, size: szV, rm: v6638 | 0x28},
	PCMPEQQ:    {name: "pcmpeqq", vex: vex3, size: szV, rm: v6638 | 0x29},
	PACKUSDW:   {name: "packusdw", vex: vex3, size: szV, rm: v6638 | 0x2B},
	PCMPGTQ:    {name: "pcmpgtq", vex: vex3, size: szV, rm: v6638 | 0x37},
	PMINSB:     {name: "pminsb", vex: vex3, size: szV, rm: v6638 | 0x38},
	PMINSD:     {name: "pminsd", vex: vex3, size: szV, rm: v6638 | 0x39},
	PMINUW:     {name: "pminuw", vex: vex3, size: szV, rm: v6638 | 0x3A},
	PMINUD:     {name: "pminud", vex: vex3, size: szV, rm: v6638 | 0x3B},
	PMAXSB:     {name: "pmaxsb", vex: vex3, size: szV, rm: v6638 | 0x3C},
	PMAXSD:     {name: "pmaxsd", vex: vex3, size: szV, rm: v6638 | 0x3D},
	PMAXUW:     {name: "pmaxuw", vex: vex3, size: szV, rm: v6638 | 0x3E},
	PMAXUD:     {name: "pmaxud", vex: vex3, size: szV, rm: v6638 | 0x3F},
	PMULLD:     {name: "pmulld", vex: vex3, size: szV, rm: v6638 | 0x40},
	PTEST:      {name: "ptest", vex: vex2, size: szV, rm: v6638 | 0x17},
	PABSB:      {name: "pabsb", vex: vex2, size: szV, rm: v6638 | 0x1C},
	PABSW:      {name: "pabsw", vex: vex2, size: szV, rm: v6638 | 0x1D},
	PABSD:      {name: "pabsd", vex: vex2, size: szV, rm: v6638 | 0x1E},
	PMOVSXBW:   {name: "pmovsxbw", vex: vex2, size: szV, rm: v6638 | 0x20},
	PMOVSXBD:   {name: "pmovsxbd", vex: vex2, size: szV, rm: v6638 | 0x21},
	PMOVSXBQ:   {name: "pmovsxbq", vex: vex2, size: szV, rm: v6638 | 0x22},
	PMOVSXWD:   {name: "pmovsxwd", vex: vex2, size: szV, rm: v6638 | 0x23},
	PMOVSXWQ:   {name: "pmovsxwq", vex: vex2, size: szV, rm: v6638 | 0x24},
	PMOVSXDQ:   {name: "pmovsxdq", vex: vex2, size: szV, rm: v6638 | 0x25},
	PMOVZXBW:   {name: "pmovzxbw", vex: vex2, size: szV, rm: v6638 | 0x30},
	PMOVZXBD:   {name: "pmovzxbd", vex: vex2, size: szV, rm: v6638 | 0x31},
	PMOVZXBQ:   {name: "pmovzxbq", vex: vex2, size: szV, rm: v6638 | 0x32},
	PMOVZXWD:   {name: "pmovzxwd", vex: vex2, size: szV, rm: v6638 | 0x33},
	PMOVZXWQ:   {name: "pmovzxwq", vex: vex2, size: szV, rm: v6638 | 0x34},
	PMOVZXDQ:   {name: "pmovzxdq", vex: vex2, size: szV, rm: v6638 | 0x35},
	PHMINPOSUW: {name: "phminposuw", vex: vex2, size: szX, rm: v6638 | 0x41},

	PSLLW:  {name: "psllw", vex: vex3, size: szV, rm: v66 | 0xF1, i: p66 | m0F | mx | regOnly | d6 | 0x71, imm: imm8},
	PSLLD:  {name: "pslld", vex: vex3, size: szV, rm: v66 | 0xF2, i: p66 | m0F | mx | regOnly | d6 | 0x72, imm: imm8},
	PSLLQ:  {name: "psllq", vex: vex3, size: szV, rm: v66 | 0xF3, i: p66 | m0F | mx | regOnly | d6 | 0x73, imm: imm8},
	PSRLW:  {name: "psrlw", vex: vex3, size: szV, rm: v66 | 0xD1, i: p66 | m0F | mx | regOnly | d2 | 0x71, imm: imm8},
	PSRLD:  {name: "psrld", vex: vex3, size: szV, rm: v66 | 0xD2, i: p66 | m0F | mx | regOnly | d2 | 0x72, imm: imm8},
	PSRLQ:  {name: "psrlq", vex: vex3, size: szV, rm: v66 | 0xD3, i: p66 | m0F | mx | regOnly | d2 | 0x73, imm: imm8},
	PSRAW:  {name: "psraw", vex: vex3, size: szV, rm: v66 | 0xE1, i: p66 | m0F | mx | regOnly | d4 | 0x71, imm: imm8},
	PSRAD:  {name: "psrad", vex: vex3, size: szV, rm: v66 | 0xE2, i: p66 | m0F | mx | regOnly | d4 | 0x72, imm: imm8},
	PSLLDQ: {name: "pslldq", vex: vex3, size: szV, i: p66 | m0F | mx | regOnly | d7 | 0x73, imm: imm8},
	PSRLDQ: {name: "psrldq", vex: vex3, size: szV, i: p66 | m0F | mx | regOnly | d3 | 0x73, imm: imm8},

	PSHUFD:    {name: "pshufd", vex: vex2, size: szV, rmi: v66 | 0x70},
	PSHUFHW:   {name: "pshufhw", vex: vex2, size: szV, rmi: vF3 | 0x70},
	PSHUFLW:   {name: "pshuflw", vex: vex2, size: szV, rmi: vF2 | 0x70},
	PALIGNR:   {name: "palignr", vex: vex3, size: szV, rmi: v663A | 0x0F},
	PBLENDW:   {name: "pblendw", vex: vex3, size: szV, rmi: v663A | 0x0E},
	MPSADBW:   {name: "mpsadbw", vex: vex3, size: szV, rmi: v663A | 0x42},
	PCLMULQDQ: {name: "pclmulqdq", vex: vex3, size: szX, rmi: v663A | 0x44},
	PINSRB:    {name: "pinsrb", vex: vex3, size: sz1, rmi: p66 | m3A | rx | 0x20},
	PINSRW:    {name: "pinsrw", vex: vex3, size: sz2, rmi: p66 | m0F | rx | 0xC4},
	PINSR:     {name: "pinsr", vex: vex3, size: szW, rmi: p66 | m3A | rx | 0x22},
	PEXTRB:    {name: "pextrb", vex: vex2, size: sz1, mri: p66 | m3A | rx | 0x14},
	PEXTRW:    {name: "pextrw", vex: vex2, size: sz2, rmi: p66 | m0F | mx | regOnly | 0xC5, mri: p66 | m3A | rx | memOnly | 0x15},
	PEXTR:     {name: "pextr", vex: vex2, size: szW, mri: p66 | m3A | rx | 0x16},

	PBLENDVB: {name: "pblendvb", size: szX, rm: v6638 | 0x10},
	BLENDVPS: {name: "blendvps", size: szX, rm: v6638 | 0x14},
	BLENDVPD: {name: "blendvpd", size: szX, rm: v6638 | 0x15},

	SHA256RNDS2: {name: "sha256rnds2", size: szX, rm: m38 | rx | mx | 0xCB},
	SHA256MSG1:  {name: "sha256msg1", size: szX, rm: m38 | rx | mx | 0xCC},
	SHA256MSG2:  {name: "sha256msg2", size: szX, rm: m38 | rx | mx | 0xCD},

	VBLENDVPS:      {name: "vblendvps", vex: vexMask | vexOnly, size: szV, rm: v663A | 0x4A},
	VBLENDVPD:      {name: "vblendvpd", vex: vexMask | vexOnly, size: szV, rm: v663A | 0x4B},
	VPBLENDVB:      {name: "vpblendvb", vex: vexMask | vexOnly, size: szV, rm: v663A | 0x4C},
	VBROADCASTSS:   {name: "vbroadcastss", vex: vex2 | vexOnly, size: szV, rm: v6638 | 0x18},
	VBROADCASTSD:   {name: "vbroadcastsd", vex: vex2 | vexOnly, size: szY, rm: v6638 | 0x19},
	VBROADCASTF128: {name: "vbroadcastf128", vex: vex2 | vexOnly, size: szY, rm: v6638 | memOnly | 0x1A},
	VBROADCASTI128: {name: "vbroadcasti128", vex: vex2 | vexOnly, size: szY, rm: v6638 | memOnly | 0x5A},
	VPBROADCASTB:   {name: "vpbroadcastb", vex: vex2 | vexOnly, size: szV, rm: v6638 | 0x78},
	VPBROADCASTW:   {name: "vpbroadcastw", vex: vex2 | vexOnly, size: szV, rm: v6638 | 0x79},
	VPBROADCASTD:   {name: "vpbroadcastd", vex: vex2 | vexOnly, size: szV, rm: v6638 | 0x58},
	VPBROADCASTQ:   {name: "vpbroadcastq", vex: vex2 | vexOnly, size: szV, rm: v6638 | 0x59},
	VPERMQ:         {name: "vpermq", vex: vex2 | vexOnly, size: szY, rmi: v663A | w1 | 0x00},
	VPERMPD:        {name: "vpermpd", vex: vex2 | vexOnly, size: szY, rmi: v663A | w1 | 0x01},
	VPERMD:         {name: "vpermd", vex: vex3 | vexOnly, size: szY, rm: v6638 | 0x36},
	VPERMPS:        {name: "vpermps", vex: vex3 | vexOnly, size: szY, rm: v6638 | 0x16},
	VPERM2F128:     {name: "vperm2f128", vex: vex3 | vexOnly, size: szY, rmi: v663A | 0x06},
	VPERM2I128:     {name: "vperm2i128", vex: vex3 | vexOnly, size: szY, rmi: v663A | 0x46},
	VINSERTF128:    {name: "vinsertf128", vex: vex3 | vexOnly, size: szY, rmi: v663A | 0x18},
	VINSERTI128:    {name: "vinserti128", vex: vex3 | vexOnly, size: szY, rmi: v663A | 0x38},
	VEXTRACTF128:   {name: "vextractf128", vex: vex2 | vexOnly, size: szY, mri: v663A | 0x19},
	VEXTRACTI128:   {name: "vextracti128", vex: vex2 | vexOnly, size: szY, mri: v663A | 0x39},
	VPERMILPS:      {name: "vpermilps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0x0C},
	VPERMILPD:      {name: "vpermilpd", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0x0D},
	VPBLENDD:       {name: "vpblendd", vex: vex3 | vexOnly, size: szV, rmi: v663A | 0x02},
	VPSRLVD:        {name: "vpsrlvd", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0x45},
	VPSRLVQ:        {name: "vpsrlvq", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0x45},
	VPSRAVD:        {name: "vpsravd", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0x46},
	VPSLLVD:        {name: "vpsllvd", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0x47},
	VPSLLVQ:        {name: "vpsllvq", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0x47},

	VFMADD213PS:  {name: "vfmadd213ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xA8},
	VFMADD213PD:  {name: "vfmadd213pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xA8},
	VFMADD213F:   {name: "vfmadd213s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xA9},
	VFMADD231PS:  {name: "vfmadd231ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xB8},
	VFMADD231PD:  {name: "vfmadd231pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xB8},
	VFMADD231F:   {name: "vfmadd231s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xB9},
	VFMSUB213PS:  {name: "vfmsub213ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xAA},
	VFMSUB213PD:  {name: "vfmsub213pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xAA},
	VFMSUB213F:   {name: "vfmsub213s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xAB},
	VFMSUB231PS:  {name: "vfmsub231ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xBA},
	VFMSUB231PD:  {name: "vfmsub231pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xBA},
	VFMSUB231F:   {name: "vfmsub231s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xBB},
	VFNMADD213PS: {name: "vfnmadd213ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xAC},
	VFNMADD213PD: {name: "vfnmadd213pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xAC},
	VFNMADD213F:  {name: "vfnmadd213s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xAD},
	VFNMADD231PS: {name: "vfnmadd231ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xBC},
	VFNMADD231PD: {name: "vfnmadd231pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xBC},
	VFNMADD231F:  {name: "vfnmadd231s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xBD},
	VFNMSUB213PS: {name: "vfnmsub213ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xAE},
	VFNMSUB213PD: {name: "vfnmsub213pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xAE},
	VFNMSUB213F:  {name: "vfnmsub213s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xAF},
	VFNMSUB231PS: {name: "vfnmsub231ps", vex: vex3 | vexOnly, size: szV, rm: v6638 | 0xBE},
	VFNMSUB231PD: {name: "vfnmsub231pd", vex: vex3 | vexOnly, size: szV, rm: v6638 | w1 | 0xBE},
	VFNMSUB231F:  {name: "vfnmsub231s", vex: vex3 | vexOnly, size: szFW, rm: v6638 | 0xBF},
}
