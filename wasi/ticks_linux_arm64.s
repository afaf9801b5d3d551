#include "go_asm.h"
#include "textflag.h"

// func counter() uint64
TEXT ·counter(SB), NOSPLIT, $0-8
	MRS  CNTVCT_EL0, R0
	MOVD R0, ret+0(FP)
	RET

// func timeAt(a *anchor, last *int64) int64
TEXT ·timeAt(SB), NOSPLIT, $0-24
	MOVD a+0(FP), R1
	MOVD last+8(FP), R2
	MRS  CNTVCT_EL0, R0
	MOVD anchor_count(R1), R3
	SUB  R3, R0
	MOVD anchor_limit(R1), R3
	CMP  R3, R0
	BHS  ask
	MOVD anchor_rate(R1), R3
	MUL  R3, R0
	MOVD anchor_time(R1), R3
	ADD  R0>>32, R3, R0
	MOVD (R2), R3
	CMP  R3, R0
	CSEL GT, R0, R3, R0
	MOVD R0, (R2)
	MOVD R0, ret+16(FP)
	RET
ask:
	MOVD ZR, ret+16(FP)
	RET
