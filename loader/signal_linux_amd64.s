#include "go_asm.h"
#include "textflag.h"

// Offsets in the kernel's ucontext (x86-64: uc_mcontext begins at 40) and siginfo.
#define UC_R8 40
#define UC_R9 48
#define UC_R10 56
#define UC_R11 64
#define UC_R12 72
#define UC_R13 80
#define UC_R14 88
#define UC_R15 96
#define UC_RDI 104
#define UC_RSI 112
#define UC_RBP 120
#define UC_RBX 128
#define UC_RDX 136
#define UC_RAX 144
#define UC_RCX 152
#define UC_RSP 160
#define UC_RIP 168
#define UC_FLAGS 176
#define SI_CODE 8
#define SI_ADDR 16

#define SIGILL 4
#define SIGBUS 7
#define SIGSEGV 11
#define SIGURG 23

#define SYS_write 1
#define SYS_mprotect 10
#define PROT_READ_WRITE 3

// A register from the ucontext (DX) into the exec (R9); AX is lost.
#define SAVE(from, to) MOVQ from(DX), AX; MOVQ AX, to(R9)

#define SAVE_ALL \
	SAVE(UC_RAX, exec_guestState+guestState_regs+0); SAVE(UC_RCX, exec_guestState+guestState_regs+8); SAVE(UC_RDX, exec_guestState+guestState_regs+16); SAVE(UC_RBX, exec_guestState+guestState_regs+24) \
	SAVE(UC_RSP, exec_guestState+guestState_regs+32); SAVE(UC_RBP, exec_guestState+guestState_regs+40); SAVE(UC_RSI, exec_guestState+guestState_regs+48); SAVE(UC_RDI, exec_guestState+guestState_regs+56) \
	SAVE(UC_R8, exec_guestState+guestState_regs+64); SAVE(UC_R9, exec_guestState+guestState_regs+72); SAVE(UC_R10, exec_guestState+guestState_regs+80); SAVE(UC_R11, exec_guestState+guestState_regs+88) \
	SAVE(UC_R12, exec_guestState+guestState_regs+96); SAVE(UC_R13, exec_guestState+guestState_regs+104); SAVE(UC_R14, exec_guestState+guestState_regs+112); SAVE(UC_R15, exec_guestState+guestState_regs+120) \
	SAVE(UC_RIP, exec_guestState+guestState_pc); SAVE(UC_FLAGS, exec_guestState+guestState_flags); SAVE(UC_RSP, exec_guestState+guestState_sp)

// func sigHandler()
//
// The handler of the signals in caughtSignals. The kernel calls it by the C convention, on the thread's signal stack, all signals
// blocked: DI = signal, SI = siginfo, DX = ucontext. It cannot be written in Go: the world may be
// stopped, and g is not what Go expects. It may change AX, CX, DX, SI, DI, R8–R11.
TEXT ·sigHandler(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	MOVQ UC_RIP(DX), AX
	MOVQ UC_RSP(DX), R8
	ANDQ $~(const_windowSize-1), R8                // the window, if SP is in a native stack
	LEAQ (const_windowSize-const_execSize)(R8), R9 // its exec
	XORL R11, R11                                  // 1 = in a function's body
	MOVQ AX, CX
	SUBQ ·handled+handlerState_textLo(SB), CX
	CMPQ CX, ·handled+handlerState_textSize(SB)
	JCS  body
	SUBQ ·handled+handlerState_stubLo(SB), AX
	CMPQ AX, ·handled+handlerState_stubSize(SB)
	JCC  chain
	CMPL DI, $SIGSEGV // a stub of a type runs on the native stack and may find its end
	JNE  chain
	JMP  fault

body:
	MOVL $1, R11
	CMPL DI, $SIGURG
	JEQ  preempt

fault:
	CMPL SI_CODE(SI), $0 // sent by a process, not by the machine
	JLE  chain
	MOVQ SI_ADDR(SI), R10
	CMPL DI, $SIGSEGV
	JEQ  address
	CMPL DI, $SIGBUS
	JNE  trap

address:
	MOVQ R10, CX
	SUBQ R8, CX
	CMPQ CX, $(const_windowSize-const_execSize)
	JCC  memory
	CMPQ R10, exec_limit(R9)
	JCS  trap // the guard below the stack
	CMPQ R10, exec_committed(R9)
	JCC  foreign

	// The first touch of the stack's lower part: map it and go on. The system call leaves R8–R10 alone.
	MOVQ DX, R8
	MOVQ exec_limit(R9), DI
	MOVQ exec_committed(R9), SI
	SUBQ DI, SI
	MOVL $PROT_READ_WRITE, DX
	MOVL $SYS_mprotect, AX
	SYSCALL
	MOVQ R8, DX
	MOVL $SIGSEGV, DI
	TESTQ AX, AX
	JNE  trap // no memory: as if the stack ended here
	MOVQ exec_limit(R9), AX
	MOVQ AX, exec_committed(R9)
	MOVL $1, exec_special(R9)
	RET

memory:
	TESTL R11, R11
	JEQ   foreign
	MOVQ  UC_R14(DX), CX // the instance's context
	MOVQ  const_ctxFaults(CX), CX

next:
	MOVQ 8(CX), R8 // size of a range, 0 at the end
	TESTQ R8, R8
	JEQ  foreign
	MOVQ R10, AX
	SUBQ (CX), AX
	ADDQ $16, CX
	CMPQ AX, R8
	JCC  next

trap:
	SAVE_ALL
	MOVLQZX DI, DI
	MOVQ DI, exec_signal(R9)
	MOVQ R10, exec_fault(R9)
	MOVQ ·stubs+switchStubs_trap(SB), AX
	MOVQ AX, UC_RIP(DX)
	RET

preempt:
	SAVE_ALL
	MOVQ ·stubs+switchStubs_preempt(SB), AX
	MOVQ AX, UC_RIP(DX)
	JMP  chain // Go's handler must acknowledge

foreign:
	// A fault at an address that the guest must not reach is a compiler's bug. Go's handler would make a SIGSEGV a panic on a stack that
	// it does not know; a SIGILL always ends the process.
	MOVQ SI, R8
	MOVQ DX, R9
	MOVL $2, DI
	MOVQ ·foreignFault+0(SB), SI // a Go string
	MOVQ ·foreignFault+8(SB), DX
	MOVL $SYS_write, AX
	SYSCALL
	MOVQ R8, SI
	MOVQ R9, DX
	MOVL $SIGILL, DI

chain:
	MOVLQZX DI, AX
	LEAQ ·handled+handlerState_old(SB), CX
	MOVQ (CX)(AX*8), AX
	CMPQ AX, $1 // SIG_DFL, SIG_IGN
	JLS  ignore
	JMP  AX

ignore:
	RET

// func sigHandlerAddr() uint64
TEXT ·sigHandlerAddr(SB), NOSPLIT, $0-8
	LEAQ ·sigHandler(SB), AX
	MOVQ AX, ret+0(FP)
	RET
