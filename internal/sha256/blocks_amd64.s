#include "textflag.h"

// The words of a block are stored with their highest byte first.
DATA swap<>+0(SB)/8, $0x0405060700010203
DATA swap<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL swap<>(SB), RODATA|NOPTR, $16

// X1 has the words A, B, E and F of the state, X2 C, D, G and H, the first of them highest (Intel SDM 2B, SHA256RNDS2). X3 to X6 are
// the last 16 words of the message.

// rounds does four, with words of the message.
#define rounds(at, m) \
	MOVOU at(CX), X0; \
	PADDD m, X0; \
	SHA256RNDS2 X0, X1, X2; \
	PSHUFD $0x0e, X0, X0; \
	SHA256RNDS2 X0, X2, X1

// load takes four words of the block and does their rounds.
#define load(from, at, m) \
	MOVOU from(SI), m; \
	PSHUFB X8, m; \
	rounds(at, m)

// next makes the four words that follow those of m0 to m3 in place of m0, and does their rounds.
#define next(at, m0, m1, m2, m3) \
	SHA256MSG1 m1, m0; \
	MOVOU m3, X7; \
	PALIGNR $4, m2, X7; \
	PADDD X7, m0; \
	SHA256MSG2 m3, m0; \
	rounds(at, m0)

// func extension(state *[8]uint32, constants *[64]uint32, p []byte)
TEXT ·extension(SB), NOSPLIT, $0-40
	MOVQ  state+0(FP), DI
	MOVQ  constants+8(FP), CX
	MOVQ  p_base+16(FP), SI
	MOVQ  p_len+24(FP), DX
	SHRQ  $6, DX
	JEQ   done
	MOVOU swap<>(SB), X8

	MOVOU   (DI), X1         // D C B A
	MOVOU   16(DI), X2       // H G F E
	PSHUFD  $0xb1, X1, X1    // C D A B
	PSHUFD  $0x1b, X2, X2    // E F G H
	MOVOU   X1, X7
	PALIGNR $8, X2, X1       // A B E F
	PBLENDW $0xf0, X7, X2    // C D G H

block:
	MOVOU X1, X9
	MOVOU X2, X10
	load(0, 0, X3)
	load(16, 16, X4)
	load(32, 32, X5)
	load(48, 48, X6)
	next(64, X3, X4, X5, X6)
	next(80, X4, X5, X6, X3)
	next(96, X5, X6, X3, X4)
	next(112, X6, X3, X4, X5)
	next(128, X3, X4, X5, X6)
	next(144, X4, X5, X6, X3)
	next(160, X5, X6, X3, X4)
	next(176, X6, X3, X4, X5)
	next(192, X3, X4, X5, X6)
	next(208, X4, X5, X6, X3)
	next(224, X5, X6, X3, X4)
	next(240, X6, X3, X4, X5)
	PADDD X9, X1
	PADDD X10, X2
	ADDQ  $64, SI
	DECQ  DX
	JNE   block

	PSHUFD  $0x1b, X1, X1    // F E B A
	PSHUFD  $0xb1, X2, X2    // D C H G
	MOVOU   X1, X7
	PBLENDW $0xf0, X2, X1    // D C B A
	PALIGNR $8, X7, X2       // H G F E
	MOVOU   X1, (DI)
	MOVOU   X2, 16(DI)

done:
	RET
