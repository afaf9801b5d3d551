#include "textflag.h"

// func note(), called by the kernel with the signal in DI; its return address is the restorer.
TEXT ·note(SB), NOSPLIT|NOFRAME, $0-0
	MOVL DI, ·noted(SB)
	RET

// func noteAddr() uintptr
TEXT ·noteAddr(SB), NOSPLIT, $0-8
	LEAQ ·note(SB), AX
	MOVQ AX, ret+0(FP)
	RET
