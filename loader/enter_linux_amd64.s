#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// func enter(s *nativeStack, e *exec, entry, desc, slots uint64)
//
// The frame is an ordinary one: between the instructions of this function the stack pointer is always the same. The
// stub that is called switches stacks and comes back to the instruction after CALL, by RET when the guest
// is done, by a jump when it leaves for Go.
TEXT ·enter(SB), 0, $24-40
	NO_LOCAL_POINTERS
	MOVQ e+8(FP), BX
	MOVQ entry+16(FP), DX
	MOVQ desc+24(FP), AX
	MOVQ slots+32(FP), SI
	MOVQ ·stubs+switchStubs_enter(SB), CX
	MOVQ SP, exec_goSP(BX)
	MOVQ BP, exec_goBP(BX)
	CALL CX
	TESTQ AX, AX // reason
	JEQ done
	MOVQ s+0(FP), CX
	MOVQ CX, 0(SP)
	MOVQ AX, 8(SP)
	CALL ·dispatch(SB)
	MOVQ 16(SP), AX // where to go on
	TESTQ AX, AX
	JEQ done
	// Go's stack may have moved.
	MOVQ e+8(FP), BX
	MOVQ SP, exec_goSP(BX)
	MOVQ BP, exec_goBP(BX)
	JMP AX
done:
	RET

// func crash()
//
// SIGILL in Go code cannot be recovered from.
TEXT ·crash(SB), NOSPLIT, $0-0
	UD2
	RET
