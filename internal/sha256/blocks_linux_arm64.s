#include "textflag.h"

// V0 has the words A to D of the state, V1 E to H, the first of them lowest (Arm ARM, SHA256H). V2 to V5 are the last 16 words of the
// message, V16 to V31 the constants.

// rounds does four, with words of the message.
#define rounds(k, m) \
	VADD k.S4, m.S4, V8.S4; \
	VMOV V0.B16, V9.B16; \
	SHA256H V8.S4, V1, V0; \
	SHA256H2 V8.S4, V9, V1

// first is rounds with words that stand in the block, their highest byte first.
#define first(k, m) \
	VREV32 m.B16, m.B16; \
	rounds(k, m)

// next makes the four words that follow those of m0 to m3 in place of m0, and does their rounds.
#define next(k, m0, m1, m2, m3) \
	SHA256SU0 m1.S4, m0.S4; \
	SHA256SU1 m3.S4, m2.S4, m0.S4; \
	rounds(k, m0)

// func extension(state *[8]uint32, constants *[64]uint32, p []byte)
TEXT ·extension(SB), NOSPLIT, $0-40
	MOVD state+0(FP), R0
	MOVD constants+8(FP), R1
	MOVD p_base+16(FP), R2
	MOVD p_len+24(FP), R3
	LSR  $6, R3
	CBZ  R3, done

	VLD1   (R0), [V0.S4, V1.S4]
	VLD1.P 64(R1), [V16.S4, V17.S4, V18.S4, V19.S4]
	VLD1.P 64(R1), [V20.S4, V21.S4, V22.S4, V23.S4]
	VLD1.P 64(R1), [V24.S4, V25.S4, V26.S4, V27.S4]
	VLD1   (R1), [V28.S4, V29.S4, V30.S4, V31.S4]

block:
	VMOV   V0.B16, V6.B16
	VMOV   V1.B16, V7.B16
	VLD1.P 64(R2), [V2.B16, V3.B16, V4.B16, V5.B16]
	first(V16, V2)
	first(V17, V3)
	first(V18, V4)
	first(V19, V5)
	next(V20, V2, V3, V4, V5)
	next(V21, V3, V4, V5, V2)
	next(V22, V4, V5, V2, V3)
	next(V23, V5, V2, V3, V4)
	next(V24, V2, V3, V4, V5)
	next(V25, V3, V4, V5, V2)
	next(V26, V4, V5, V2, V3)
	next(V27, V5, V2, V3, V4)
	next(V28, V2, V3, V4, V5)
	next(V29, V3, V4, V5, V2)
	next(V30, V4, V5, V2, V3)
	next(V31, V5, V2, V3, V4)
	VADD   V6.S4, V0.S4, V0.S4
	VADD   V7.S4, V1.S4, V1.S4
	SUB    $1, R3
	CBNZ   R3, block

	VST1 [V0.S4, V1.S4], (R0)

done:
	RET
