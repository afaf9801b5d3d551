#include "go_asm.h"
#include "textflag.h"

// Offsets in the kernel's ucontext (arm64: uc_mcontext begins at 176, with fault_address) and siginfo.
#define UC_REGS 184
#define UC_R27 400
#define UC_SP 432
#define UC_PC 440
#define SI_CODE 8
#define SI_ADDR 16

#define SIGILL 4
#define SIGBUS 7
#define SIGSEGV 11
#define SIGURG 23

#define SYS_write 64
#define SYS_mprotect 226
#define PROT_READ_WRITE 3

// Two of the words that sigcontext (ucontext in R2) and guestState (exec in R5) have alike: x0-x30, sp, pc, pstate.
#define SAVE(n) LDP (UC_REGS+8*n)(R2), (R6, R7); STP (R6, R7), (exec_guestState+8*n)(R5)

#define SAVE_ALL \
	SAVE(0); SAVE(2); SAVE(4); SAVE(6); SAVE(8); SAVE(10); SAVE(12); SAVE(14); SAVE(16); \
	SAVE(18); SAVE(20); SAVE(22); SAVE(24); SAVE(26); SAVE(28); SAVE(30); SAVE(32)

// func sigHandler()
//
// The handler of the signals in caughtSignals. The kernel calls it by the C convention, on the thread's signal stack, all signals
// blocked: R0 = signal, R1 = siginfo, R2 = ucontext, R30 = where to return to. It cannot be written in Go: the world may be
// stopped. It may change R3-R17 and, as sigreturn restores them, R27 and the like; R28 is g also while a guest runs.
TEXT ·sigHandler(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	MOVD UC_PC(R2), R3
	MOVD UC_SP(R2), R4
	AND  $~(const_windowSize-1), R4                 // the window, if SP is in a native stack
	MOVD $(const_windowSize-const_execSize), R5
	ADD  R4, R5                                     // its exec
	MOVD $0, R10                                    // 1 = in a function's body
	MOVD ·handled+handlerState_textLo(SB), R6
	MOVD ·handled+handlerState_textSize(SB), R7
	SUB  R6, R3, R6
	CMP  R7, R6
	BLO  body
	MOVD ·handled+handlerState_stubLo(SB), R6
	MOVD ·handled+handlerState_stubSize(SB), R7
	SUB  R6, R3, R6
	CMP  R7, R6
	BHS  chain
	CMPW $SIGSEGV, R0 // a stub of a type runs on the native stack and may find its end
	BNE  chain
	JMP  fault

body:
	MOVD $1, R10
	CMPW $SIGURG, R0
	BEQ  preempt

fault:
	MOVW SI_CODE(R1), R6
	CMPW $0, R6 // sent by a process, not by the machine
	BLE  chain
	MOVD SI_ADDR(R1), R9
	CMPW $SIGSEGV, R0
	BEQ  address
	CMPW $SIGBUS, R0
	BNE  trap

address:
	SUB  R4, R9, R6
	MOVD $(const_windowSize-const_execSize), R7
	CMP  R7, R6
	BHS  memory
	MOVD exec_limit(R5), R6
	CMP  R6, R9
	BLO  trap // the guard below the stack
	MOVD exec_committed(R5), R7
	CMP  R7, R9
	BHS  foreign

	// The first touch of the stack's lower part: map it and go on. The system call changes R0 alone.
	MOVD R0, R11
	MOVD R1, R12
	MOVD R2, R13
	MOVD R6, R0
	SUB  R6, R7, R1
	MOVD $PROT_READ_WRITE, R2
	MOVD $SYS_mprotect, R8
	SVC
	MOVD R0, R7
	MOVD R11, R0
	MOVD R12, R1
	MOVD R13, R2
	CBNZ R7, trap // no memory: as if the stack ended here
	MOVD R6, exec_committed(R5)
	MOVD $1, R6
	MOVW R6, exec_special(R5)
	RET

memory:
	CBZ  R10, foreign
	MOVD UC_R27(R2), R6 // the instance's context
	MOVD const_ctxFaults(R6), R6

next:
	LDP  (R6), (R7, R8) // start and size of a range; size 0 at the end
	CBZ  R8, foreign
	ADD  $16, R6
	SUB  R7, R9, R7
	CMP  R8, R7
	BHS  next

trap:
	SAVE_ALL
	MOVWU R0, R0
	MOVD R0, exec_signal(R5)
	MOVD R9, exec_fault(R5)
	MOVD ·stubs+switchStubs_trap(SB), R6
	MOVD R6, UC_PC(R2)
	RET

preempt:
	SAVE_ALL
	MOVD ·stubs+switchStubs_preempt(SB), R6
	MOVD R6, UC_PC(R2)
	JMP  chain // Go's handler must acknowledge

foreign:
	// A fault at an address that the guest must not reach is a compiler's bug. Go's handler would make a SIGSEGV a panic on a stack that
	// it does not know; a SIGILL always ends the process.
	MOVD R1, R11
	MOVD R2, R12
	MOVD $2, R0
	MOVD ·foreignFault+0(SB), R1 // a Go string
	MOVD ·foreignFault+8(SB), R2
	MOVD $SYS_write, R8
	SVC
	MOVD R11, R1
	MOVD R12, R2
	MOVD $SIGILL, R0

chain:
	MOVWU R0, R6
	MOVD $·handled+handlerState_old(SB), R7
	MOVD (R7)(R6<<3), R7
	CMP  $1, R7 // SIG_DFL, SIG_IGN
	BLS  ignore
	JMP  (R7)

ignore:
	RET

// func sigHandlerAddr() uint64
TEXT ·sigHandlerAddr(SB), NOSPLIT, $0-8
	MOVD $·sigHandler(SB), R0
	MOVD R0, ret+0(FP)
	RET
