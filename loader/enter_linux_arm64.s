#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// func enter(s *nativeStack, e *exec, entry, desc, slots uint64)
//
// The frame is an ordinary one: between the instructions of this function the stack pointer is always the same. The
// stub that is called switches stacks and comes back to the instruction after CALL, by RET when the guest
// is done, by a jump when it leaves for Go. R28 is g all the while.
TEXT ·enter(SB), 0, $24-40
	NO_LOCAL_POINTERS
	MOVD e+8(FP), R9
	MOVD entry+16(FP), R11
	MOVD desc+24(FP), R8
	MOVD slots+32(FP), R10
	MOVD ·stubs+switchStubs_enter(SB), R12
	MOVD RSP, R13
	MOVD R13, exec_goSP(R9)
	MOVD R29, exec_goBP(R9)
	CALL (R12)
	CBZ R0, done // reason
	MOVD s+0(FP), R1
	MOVD R1, 8(RSP)
	MOVD R0, 16(RSP)
	CALL ·dispatch(SB)
	MOVD 24(RSP), R12 // where to go on
	CBZ R12, done
	// Go's stack may have moved.
	MOVD e+8(FP), R9
	MOVD RSP, R13
	MOVD R13, exec_goSP(R9)
	MOVD R29, exec_goBP(R9)
	JMP (R12)
done:
	RET

// func crash()
//
// SIGILL in Go code cannot be recovered from.
TEXT ·crash(SB), NOSPLIT, $0-0
	WORD $0 // udf #0
	RET
