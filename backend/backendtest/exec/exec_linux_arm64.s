#include "go_asm.h"
#include "textflag.h"

#define INT(n) (State_Int+8*n)
#define FLOAT(n) (State_Float+16*n)

// func enter(s *State)
// leave, below, returns from it. Native code uses neither R16 and R17 nor R18 and R28.
TEXT ·enter(SB), NOSPLIT|NOFRAME, $0-8
	MOVD s+0(FP), R16
	MOVD RSP, R17
	MOVD R17, State_hostSP(R16)
	MOVD R29, State_hostBP(R16)
	MOVD R30, State_hostLR(R16)
	FLDPQ FLOAT(0)(R16), (F0, F1)
	FLDPQ FLOAT(2)(R16), (F2, F3)
	FLDPQ FLOAT(4)(R16), (F4, F5)
	FLDPQ FLOAT(6)(R16), (F6, F7)
	FLDPQ FLOAT(8)(R16), (F8, F9)
	FLDPQ FLOAT(10)(R16), (F10, F11)
	FLDPQ FLOAT(12)(R16), (F12, F13)
	FLDPQ FLOAT(14)(R16), (F14, F15)
	FLDPQ FLOAT(16)(R16), (F16, F17)
	FLDPQ FLOAT(18)(R16), (F18, F19)
	FLDPQ FLOAT(20)(R16), (F20, F21)
	FLDPQ FLOAT(22)(R16), (F22, F23)
	FLDPQ FLOAT(24)(R16), (F24, F25)
	FLDPQ FLOAT(26)(R16), (F26, F27)
	FLDPQ FLOAT(28)(R16), (F28, F29)
	FLDPQ FLOAT(30)(R16), (F30, F31)
	LDP INT(0)(R16), (R0, R1)
	LDP INT(2)(R16), (R2, R3)
	LDP INT(4)(R16), (R4, R5)
	LDP INT(6)(R16), (R6, R7)
	LDP INT(8)(R16), (R8, R9)
	LDP INT(10)(R16), (R10, R11)
	LDP INT(12)(R16), (R12, R13)
	LDP INT(14)(R16), (R14, R15)
	LDP INT(19)(R16), (R19, R20)
	LDP INT(21)(R16), (R21, R22)
	LDP INT(23)(R16), (R23, R24)
	LDP INT(25)(R16), (R25, R26)
	LDP INT(29)(R16), (R29, R30)
	MOVD INT(31)(R16), R17
	MOVD R17, RSP
	MOVD State_Entry(R16), R17
	MOVD INT(27)(R16), R27
	B (R17)

// leave saves the registers in the current state and returns from enter. R17 is the address of the stub's words: where to
// go, where the current state is found, the reason.
TEXT ·leave(SB), NOSPLIT|NOFRAME, $0-0
	MOVD 8(R17), R16
	MOVD (R16), R16
	STP (R0, R1), INT(0)(R16)
	STP (R2, R3), INT(2)(R16)
	STP (R4, R5), INT(4)(R16)
	STP (R6, R7), INT(6)(R16)
	STP (R8, R9), INT(8)(R16)
	STP (R10, R11), INT(10)(R16)
	STP (R12, R13), INT(12)(R16)
	STP (R14, R15), INT(14)(R16)
	STP (R19, R20), INT(19)(R16)
	STP (R21, R22), INT(21)(R16)
	STP (R23, R24), INT(23)(R16)
	STP (R25, R26), INT(25)(R16)
	MOVD R27, INT(27)(R16)
	STP (R29, R30), INT(29)(R16)
	FSTPQ (F0, F1), FLOAT(0)(R16)
	FSTPQ (F2, F3), FLOAT(2)(R16)
	FSTPQ (F4, F5), FLOAT(4)(R16)
	FSTPQ (F6, F7), FLOAT(6)(R16)
	MOVD RSP, R0
	MOVD R0, INT(31)(R16)
	MOVD 16(R17), R0
	MOVD R0, State_Reason(R16)
	MOVD State_hostSP(R16), R0
	MOVD R0, RSP
	MOVD State_hostBP(R16), R29
	MOVD State_hostLR(R16), R30
	RET

// func leaveAddr() uint64
TEXT ·leaveAddr(SB), NOSPLIT, $0-8
	MOVD $·leave(SB), R0
	MOVD R0, ret+0(FP)
	RET

// func handlerAddr() uint64
TEXT ·handlerAddr(SB), NOSPLIT, $0-8
	MOVD $·handler(SB), R0
	MOVD R0, ret+0(FP)
	RET

// handler has the C convention: R0 = signal, R1 = siginfo, R2 = ucontext. A fault in the code that runs
// goes on at the stub for faults, on a sane stack; all others are Go's.
TEXT ·handler(SB), NOSPLIT|NOFRAME|TOPFRAME, $0-0
	MOVD 440(R2), R3 // pc in the ucontext (asm/sigcontext.h)
	MOVD ·codeLo(SB), R4
	CMP  R4, R3
	BLO  other
	MOVD ·codeHi(SB), R4
	CMP  R4, R3
	BHS  other
	MOVD $·fault(SB), R4
	MOVD R3, Fault_PC(R4)
	MOVW R0, Fault_Signal(R4)
	MOVD 16(R1), R3 // si_addr
	MOVD R3, Fault_Addr(R4)
	MOVD ·faultStub(SB), R3
	MOVD R3, 440(R2)
	MOVD ·current(SB), R3
	MOVD State_hostSP(R3), R3
	MOVD R3, 432(R2) // sp
	RET

other:
	MOVD $·next(SB), R3
	MOVD (R3)(R0<<3), R3
	B    (R3)
