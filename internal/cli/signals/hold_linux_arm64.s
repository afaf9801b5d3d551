#include "textflag.h"

// func note(), called by the kernel with the signal in R0; it returns to the restorer.
TEXT ·note(SB), NOSPLIT|NOFRAME, $0-0
	MOVW R0, ·noted(SB)
	RET

// func noteAddr() uintptr
TEXT ·noteAddr(SB), NOSPLIT, $0-8
	MOVD $·note(SB), R0
	MOVD R0, ret+0(FP)
	RET
