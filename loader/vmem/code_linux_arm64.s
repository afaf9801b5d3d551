#include "textflag.h"

// func cleanCode(addr, n uint64)
//
// Arm Architecture Reference Manual, B2.4.4: data cache to the point of unification, then the instruction caches, line by line. The first barrier is for what was
// stored at another address, or by a thread that this goroutine has left: only stores to the same one come before the cleaning of a line by themselves.
TEXT ·cleanCode(SB), NOSPLIT, $0-16
	MOVD addr+0(FP), R0
	MOVD n+8(FP), R1
	ADD  R0, R1
	DSB  $11 // ISH
	MRS  CTR_EL0, R2 // log2 of the words in a line: data in bits 16-19, instructions in bits 0-3

	MOVD $4, R4
	UBFX $16, R2, $4, R3
	LSL  R3, R4, R5
	SUB  $1, R5, R6
	BIC  R6, R0, R3

data:
	DC   CVAU, R3
	ADD  R5, R3
	CMP  R1, R3
	BLO  data
	DSB  $11

	UBFX $0, R2, $4, R3
	LSL  R3, R4, R5
	SUB  $1, R5, R6
	BIC  R6, R0, R3

instructions:
	WORD $0xd50b7523 // ic ivau, x3
	ADD  R5, R3
	CMP  R1, R3
	BLO  instructions
	DSB  $11
	ISB  $15
	RET
