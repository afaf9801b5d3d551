package amd64

import "github.com/wasmaot/wasmaot/backend/regalloc"

// Reg is a register, numbered as the allocator numbers them.
type Reg = regalloc.Reg

// NoReg stands where a memory operand has no base.
const NoReg Reg = 255

const (
	RAX Reg = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

const (
	X0 = regalloc.FirstFloat + iota
	X1
	X2
	X3
	X4
	X5
	X6
	X7
	X8
	X9
	X10
	X11
	X12
	X13
	X14
	X15
)

// Cond is a condition code as the machine numbers it. Cond^1 is its opposite.
type Cond uint8

const (
	CondO  Cond = iota // overflow
	CondNO             // no overflow
	CondB              // unsigned <, carry
	CondAE             // unsigned ≥, no carry
	CondE              // =, zero
	CondNE             // ≠, not zero
	CondBE             // unsigned ≤
	CondA              // unsigned >
	CondS              // negative
	CondNS             // not negative
	CondP              // parity: unordered after UCOMIF
	CondNP             // no parity: ordered
	CondL              // signed <
	CondGE             // signed ≥
	CondLE             // signed ≤
	CondG              // signed >
)

// Op is an instruction of the table in asm_table.go. The size that goes with it is
// the operand's in bytes: 1, 2, 4, 8 for integers, 4 and 8 for the scalar floats
// named …F (ADDF is ADDSS or ADDSD), 16 and, in VEX form, 32 for packed ones.
// Where an integer and a float meet (CVTSI2SD, MOVD) it is the integer's.
type Op uint16

// If is CMOVcc or SETcc with its condition.
func (op Op) If(c Cond) Op { return op&opMask | Op(c)<<condShift }

const (
	condShift = 12
	opMask    = 1<<condShift - 1
)

const (
	NoOp Op = iota

	// Integers.
	MOV
	MOVZX8  // from 8 bits; the size is the destination's
	MOVZX16 // from 16 bits
	MOVSX8
	MOVSX16
	MOVSXD // 32 → 64 bits, size 8
	LEA
	ADD
	OR
	ADC
	SBB
	AND
	SUB
	XOR
	CMP
	TEST
	IMUL // two or, with RRI and RMI, three operands
	MUL  // rdx:rax = rax × operand
	IMUL1
	DIV
	IDIV
	NEG
	NOT
	INC
	DEC
	ROL // shifts: R and M shift by cl, RI and MI by a constant
	ROR
	SHL
	SHR
	SAR
	BSF
	BSR
	LZCNT
	TZCNT
	POPCNT
	BSWAP
	BT
	BTS
	BTR
	BTC
	XCHG
	CMOVcc
	SETcc // size 1
	PUSH  // size 8
	POP

	// CallR, CallM, JmpR and JmpM.
	callInd
	jmpInd

	// BMI1 and BMI2, in VEX form only: VRRR and so on.
	ANDN
	BLSR
	BLSMSK
	BLSI
	BEXTR
	BZHI
	SHLX // VRRR(SHLX, size, dst, src, count)
	SHRX
	SARX
	RORX // VRRI
	PDEP
	PEXT
	ADCX // with the carry flag alone
	ADOX // with the overflow flag in its place
	MULX // VRRR(MULX, size, high, low, src): the product of src and rdx; one register for both keeps the high half

	// Without operands: Bare.
	CDQ
	CQO
	REPMOVSB
	REPMOVSQ
	REPSTOSB
	REPSTOSQ
	CLD
	UD2
	INT3
	NOP
	PAUSE
	LFENCE
	MFENCE
	RET
	VZEROUPPER

	// Scalar floats: size 4 or 8.
	MOVF // load and store; between registers it is MOVAPS
	ADDF
	SUBF
	MULF
	DIVF
	SQRTF
	MINF
	MAXF
	UCOMIF
	ROUNDF // RRI, RMI
	CMPF   // RRI, RMI
	CVTSI2SS
	CVTSI2SD
	CVTTSS2SI
	CVTTSD2SI
	CVTSS2SI
	CVTSD2SI
	CVTSS2SD // size 4, the source's
	CVTSD2SS // size 8
	MOVD     // between an integer register and a vector register either way, size 4 or 8; also loads and stores
	MOVQ     // 64 bits between vector registers or memory, upper half zeroed

	// Moves.
	MOVAPS
	MOVAPD
	MOVUPS
	MOVUPD
	MOVDQA
	MOVDQU
	LDDQU
	MOVHLPS
	MOVLHPS
	MOVLPS
	MOVLPD
	MOVHPS
	MOVHPD
	MOVDDUP
	MOVSLDUP
	MOVSHDUP
	MOVMSKPS
	MOVMSKPD
	PMOVMSKB

	// Floats.
	SQRTPS
	SQRTPD
	ANDPS
	ANDPD
	ANDNPS
	ANDNPD
	ORPS
	ORPD
	XORPS
	XORPD
	ADDPS
	ADDPD
	MULPS
	MULPD
	SUBPS
	SUBPD
	MINPS
	MINPD
	DIVPS
	DIVPD
	MAXPS
	MAXPD
	UNPCKLPS
	UNPCKLPD
	UNPCKHPS
	UNPCKHPD
	CMPPS
	CMPPD
	SHUFPS
	SHUFPD
	ROUNDPS
	ROUNDPD
	BLENDPS
	BLENDPD
	INSERTPS
	EXTRACTPS
	DPPS
	DPPD
	HADDPS
	HADDPD

	// Conversions.
	CVTDQ2PS
	CVTPS2DQ
	CVTTPS2DQ
	CVTDQ2PD
	CVTPD2DQ
	CVTTPD2DQ
	CVTPS2PD
	CVTPD2PS

	// Integers.
	PADDB
	PADDW
	PADDD
	PADDQ
	PADDSB
	PADDSW
	PADDUSB
	PADDUSW
	PSUBB
	PSUBW
	PSUBD
	PSUBQ
	PSUBSB
	PSUBSW
	PSUBUSB
	PSUBUSW
	PMULLW
	PMULHW
	PMULHUW
	PMULUDQ
	PMADDWD
	PAVGB
	PAVGW
	PSADBW
	PMINUB
	PMAXUB
	PMINSW
	PMAXSW
	PAND
	PANDN
	POR
	PXOR
	PCMPEQB
	PCMPEQW
	PCMPEQD
	PCMPGTB
	PCMPGTW
	PCMPGTD
	PUNPCKLBW
	PUNPCKLWD
	PUNPCKLDQ
	PUNPCKLQDQ
	PUNPCKHBW
	PUNPCKHWD
	PUNPCKHDQ
	PUNPCKHQDQ
	PACKSSWB
	PACKSSDW
	PACKUSWB
	PSHUFB
	PHADDW
	PHADDD
	PMADDUBSW
	PHSUBW
	PHSUBD
	PSIGNB
	PSIGNW
	PSIGND
	PMULHRSW
	PMULDQ
	PCMPEQQ
	PACKUSDW
	PCMPGTQ
	PMINSB
	PMINSD
	PMINUW
	PMINUD
	PMAXSB
	PMAXSD
	PMAXUW
	PMAXUD
	PMULLD
	PTEST
	PABSB
	PABSW
	PABSD
	PMOVSXBW
	PMOVSXBD
	PMOVSXBQ
	PMOVSXWD
	PMOVSXWQ
	PMOVSXDQ
	PMOVZXBW
	PMOVZXBD
	PMOVZXBQ
	PMOVZXWD
	PMOVZXWQ
	PMOVZXDQ
	PHMINPOSUW

	// Shifts, by a vector register or a constant.
	PSLLW
	PSLLD
	PSLLQ
	PSRLW
	PSRLD
	PSRLQ
	PSRAW
	PSRAD
	PSLLDQ
	PSRLDQ

	// Shuffles and lanes.
	PSHUFD
	PSHUFHW
	PSHUFLW
	PALIGNR
	PBLENDW
	MPSADBW
	PCLMULQDQ
	PINSRB
	PINSRW
	PINSR
	PEXTRB
	PEXTRW
	PEXTR

	// With xmm0 as the mask, not in VEX form.
	PBLENDVB
	BLENDVPS
	BLENDVPD

	// The SHA extensions, not in VEX form; the rounds' schedule is in xmm0.
	SHA256RNDS2
	SHA256MSG1
	SHA256MSG2

	// AVX and AVX2, in VEX form only; the mask of the blends is a fourth operand.
	VBLENDVPS
	VBLENDVPD
	VPBLENDVB
	VBROADCASTSS
	VBROADCASTSD
	VBROADCASTF128
	VBROADCASTI128
	VPBROADCASTB
	VPBROADCASTW
	VPBROADCASTD
	VPBROADCASTQ
	VPERMQ
	VPERMPD
	VPERMD
	VPERMPS
	VPERM2F128
	VPERM2I128
	VINSERTF128
	VINSERTI128
	VEXTRACTF128
	VEXTRACTI128
	VPERMILPS
	VPERMILPD
	VPBLENDD
	VPSRLVD
	VPSRLVQ
	VPSRAVD
	VPSLLVD
	VPSLLVQ

	// FMA.
	VFMADD213PS
	VFMADD213PD
	VFMADD213F
	VFMADD231PS
	VFMADD231PD
	VFMADD231F
	VFMSUB213PS
	VFMSUB213PD
	VFMSUB213F
	VFMSUB231PS
	VFMSUB231PD
	VFMSUB231F
	VFNMADD213PS
	VFNMADD213PD
	VFNMADD213F
	VFNMADD231PS
	VFNMADD231PD
	VFNMADD231F
	VFNMSUB213PS
	VFNMSUB213PD
	VFNMSUB213F
	VFNMSUB231PS
	VFNMSUB231PD
	VFNMSUB231F

	opCount
)
