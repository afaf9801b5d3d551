#include "go_asm.h"
#include "textflag.h"

#define INT(n) (State_Int+8*n)
#define FLOAT(n) (State_Float+16*n)

// func enter(s *State)
// leave, below, returns from it.
TEXT ·enter(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ 8(SP), R11
	MOVQ SP, State_hostSP(R11)
	MOVQ BP, State_hostBP(R11)
	MOVUPS FLOAT(0)(R11), X0
	MOVUPS FLOAT(1)(R11), X1
	MOVUPS FLOAT(2)(R11), X2
	MOVUPS FLOAT(3)(R11), X3
	MOVUPS FLOAT(4)(R11), X4
	MOVUPS FLOAT(5)(R11), X5
	MOVUPS FLOAT(6)(R11), X6
	MOVUPS FLOAT(7)(R11), X7
	MOVUPS FLOAT(8)(R11), X8
	MOVUPS FLOAT(9)(R11), X9
	MOVUPS FLOAT(10)(R11), X10
	MOVUPS FLOAT(11)(R11), X11
	MOVUPS FLOAT(12)(R11), X12
	MOVUPS FLOAT(13)(R11), X13
	MOVUPS FLOAT(14)(R11), X14
	MOVUPS FLOAT(15)(R11), X15
	MOVQ INT(0)(R11), AX
	MOVQ INT(1)(R11), CX
	MOVQ INT(2)(R11), DX
	MOVQ INT(3)(R11), BX
	MOVQ INT(4)(R11), SP
	MOVQ INT(5)(R11), BP
	MOVQ INT(6)(R11), SI
	MOVQ INT(7)(R11), DI
	MOVQ INT(8)(R11), R8
	MOVQ INT(9)(R11), R9
	MOVQ INT(10)(R11), R10
	MOVQ INT(12)(R11), R12
	MOVQ INT(13)(R11), R13
	MOVQ INT(14)(R11), R14
	MOVQ INT(15)(R11), R15
	MOVQ INT(11)(R11), R11
	RET

// leave saves the registers in the current state with the reason in R11 and returns from enter.
TEXT ·leave(SB), NOSPLIT|NOFRAME, $0-0
	PUSHQ R11
	MOVQ ·current(SB), R11
	MOVUPS X0, FLOAT(0)(R11)
	MOVUPS X1, FLOAT(1)(R11)
	MOVUPS X2, FLOAT(2)(R11)
	MOVUPS X3, FLOAT(3)(R11)
	MOVUPS X4, FLOAT(4)(R11)
	MOVUPS X5, FLOAT(5)(R11)
	MOVUPS X6, FLOAT(6)(R11)
	MOVUPS X7, FLOAT(7)(R11)
	MOVQ AX, INT(0)(R11)
	MOVQ CX, INT(1)(R11)
	MOVQ DX, INT(2)(R11)
	MOVQ BX, INT(3)(R11)
	MOVQ BP, INT(5)(R11)
	MOVQ SI, INT(6)(R11)
	MOVQ DI, INT(7)(R11)
	MOVQ R8, INT(8)(R11)
	MOVQ R9, INT(9)(R11)
	MOVQ R10, INT(10)(R11)
	MOVQ R12, INT(12)(R11)
	MOVQ R13, INT(13)(R11)
	MOVQ R14, INT(14)(R11)
	MOVQ R15, INT(15)(R11)
	POPQ AX
	MOVQ AX, State_Reason(R11)
	MOVQ SP, INT(4)(R11)
	MOVQ State_hostSP(R11), SP
	MOVQ State_hostBP(R11), BP
	CLD
	RET

// func leaveAddr() uint64
TEXT ·leaveAddr(SB), NOSPLIT, $0-8
	LEAQ ·leave(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func handlerAddr() uint64
TEXT ·handlerAddr(SB), NOSPLIT, $0-8
	LEAQ ·handler(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// handler has the C convention: DI = signal, SI = siginfo, DX = ucontext. A fault in the code that runs
// goes on at the stub for faults, on a sane stack; all others are Go's.
TEXT ·handler(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	MOVQ 168(DX), AX // RIP in the ucontext
	CMPQ AX, ·codeLo(SB)
	JCS  other
	CMPQ AX, ·codeHi(SB)
	JCC  other
	MOVQ AX, ·fault+Fault_PC(SB)
	MOVL DI, ·fault+Fault_Signal(SB)
	MOVQ 16(SI), AX // si_addr
	MOVQ AX, ·fault+Fault_Addr(SB)
	MOVQ ·faultStub(SB), AX
	MOVQ AX, 168(DX)
	MOVQ ·current(SB), AX
	MOVQ State_hostSP(AX), AX
	SUBQ $256, AX // room for leave to push; Go's stack has some
	MOVQ AX, 160(DX) // RSP
	RET

other:
	LEAQ ·next(SB), AX
	MOVL DI, CX
	MOVQ (AX)(CX*8), AX
	JMP  AX
