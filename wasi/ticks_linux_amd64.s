#include "go_asm.h"
#include "textflag.h"

// func counter() uint64
TEXT ·counter(SB), NOSPLIT, $0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET

// func timeAt(a *anchor, last *int64) int64
TEXT ·timeAt(SB), NOSPLIT, $0-24
	MOVQ a+0(FP), SI
	MOVQ last+8(FP), DI
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	SUBQ anchor_count(SI), AX
	CMPQ AX, anchor_limit(SI)
	JCC  ask
	IMULQ anchor_rate(SI), AX
	SHRQ $32, AX
	ADDQ anchor_time(SI), AX
	MOVQ (DI), CX
	CMPQ AX, CX
	CMOVQLT CX, AX
	MOVQ AX, (DI)
	MOVQ AX, ret+16(FP)
	RET
ask:
	MOVQ $0, ret+16(FP)
	RET
