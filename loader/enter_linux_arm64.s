#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// The frames have room where a function called by CALLGO may keep its seven parameters, and above it s-8(SP) and e-16(SP).

// CALLGO calls the Go function whose closure is in R26, its parameters and results in registers by Go's internal convention
// (cmd/compile/abi-internal.md). That this is the convention still is tested when the program starts: see direct.go.
#define CALLGO \
	MOVD (R26), R12; \
	CALL (R12)

// DIRECT is hostCall for the usual host functions without Go code in between. Like that it gives way to the scheduler where the goroutine's stack guard says so. R1 = the stack, R9 = the exec.
#define DIRECT \
	MOVD exec_desc(R9), R13; \
	MOVD funcDesc_host(R13), R13; \
	MOVD Func_direct(R13), R26; \
	CBZ R26, indirect; \
	MOVD const_stackGuard(g), R10; \
	MOVD RSP, R11; \
	CMP R10, R11; \
	BLS indirect; \
	MOVD nativeStack_ctx+0(R1), R0; \
	MOVD nativeStack_ctx+8(R1), R1; \
	MOVD exec_vmctx(R9), R2; \
	MOVD const_ctxInstance(R2), R2; \
	MOVD exec_nativeSP(R9), R3; \
	ADD $const_exitSaved, R3; \
	MOVD Func_slots(R13), R4; \
	MOVD R4, R5; \
	MOVD R13, R6; \
	MOVW ZR, exec_native(R9); \
	CALLGO; \
	MOVD e-16(SP), R9; \
	CBNZ R0, called; \
	MOVD $1, R12; \
	MOVW R12, exec_native(R9); \
	MOVWU exec_cancelled(R9), R12; \
	CBNZ R12, called; \
	MOVD exec_resume(R9), R12; \
	JMP going; \
called: \
	MOVD s-8(SP), R2; \
	MOVD R2, 8(RSP); \
	MOVD R0, 16(RSP); \
	MOVD R1, 24(RSP); \
	CALL ·hostCalled(SB); \
	MOVD 32(RSP), R12; \
	JMP going; \
indirect:

#define GUARDED

// CROSS notes in the exec R9 where Go's stack and the slots, R10, are: anew whenever Go code has run, which may have moved them.
#define CROSS \
	MOVD RSP, R13; \
	MOVD R13, exec_goSP(R9); \
	MOVD R10, exec_buffer(R9)

// RUN runs the entry stub R11 with the descriptor R8 and the slots R10 on the stack that is in s-8(SP) and has the exec R9. It goes on behind it when the guest is done, with
// the exec in R9, and at failed when host, which is called for host functions with the stack and the slots, or dispatch says so. direct is DIRECT, or GUARDED for
// none of it.
//
// The frame is an ordinary one: between the instructions of these functions the stack pointer is always the same. The
// stub that is called switches stacks and comes back to the instruction after CALL, by RET when the guest
// is done, by a jump when it leaves for Go. R28 is g all the while; the frame pointer is lost.
#define RUN(slots, host, direct) \
	MOVD R9, e-16(SP); \
	CROSS; \
	CALL (R11); \
	SUB $8, RSP, R29; \
	CBZ R0, done; \
	MOVD s-8(SP), R1; \
	CMP $const_reasonHost, R0; \
	BNE notHost; \
	direct; \
	MOVD R1, 8(RSP); \
	MOVD slots, R1; \
	MOVD R1, 16(RSP); \
	CALL host; \
back: \
	MOVD 24(RSP), R12; \
going: \
	MOVD e-16(SP), R9; \
	CMP $const_guestDone, R12; \
	BLS ended; \
	MOVD RSP, R13; \
	MOVD exec_goSP(R9), R10; \
	CMP R10, R13; \
	BNE moved; \
	JMP (R12); \
moved: \
	MOVD slots, R10; \
	CROSS; \
	JMP (R12); \
notHost: \
	MOVD R1, 8(RSP); \
	MOVD R0, 16(RSP); \
	CALL ·dispatch(SB); \
	JMP back; \
ended: \
	BNE failed; \
done:

// func run(s *nativeStack, desc, entry uint64, slots *uint64) (done bool)
TEXT ·run(SB), NOSPLIT, $88-33
	NO_LOCAL_POINTERS
	MOVD s+0(FP), R1
	MOVD R1, s-8(SP)
	MOVD nativeStack_e(R1), R9
	MOVD desc+8(FP), R8
	MOVD entry+16(FP), R11
	MOVD slots+24(FP), R10
	RUN(slots+24(FP), ·hostCall(SB), DIRECT)
	MOVD $1, R0
	MOVB R0, done+32(FP)
	RET
failed:
	MOVB ZR, done+32(FP)
	RET

// func enter(f *Func, ctx context.Context, slots *uint64, n int) (err error)
//
// What is done with owner and busy, and why plain stores suffice, stands in hold.go; they are released with
// the order that Go's memory model asks for. Everything that is not the common case is left to entered. Func.exec is a guess, as on amd64.
TEXT ·enter(SB), NOSPLIT, $88-56
	NO_LOCAL_POINTERS
	MOVD f+0(FP), R2
	MOVD slots+24(FP), R10
	MOVD Func_entry(R2), R11
	CBZ R11, other // not a guest's, or not for here
	MOVD n+32(FP), R0
	MOVD Func_slots(R2), R3
	CMP R3, R0
	BLT other
	MOVD Func_inst(R2), R5
	ADD $Instance_own, R5
	MOVD (R5), R1
	MOVD nativeStack_owner(R1), R0
	CMP R0, g
	BNE unowned
	MOVWU nativeStack_busy(R1), R0
	CBNZ R0, other
owned:
	MOVD ctx_itable+8(FP), R0
	MOVD nativeStack_free+0(R1), R3
	CMP R0, R3
	BNE watched
	MOVD ctx_data+16(FP), R0
	MOVD nativeStack_free+8(R1), R3
	CMP R0, R3
	BNE watched
begin:
	MOVD $const_stackEnter, R0
	MOVW R0, nativeStack_busy(R1)
	MOVW ZR, nativeStack_guarded(R1)
	MOVD (R5), R0
	CMP R0, R1
	BNE gone
	MOVD R1, s-8(SP)
	MOVD Func_exec(R2), R9
	MOVD nativeStack_e(R1), R0
	CMP R0, R9
	BNE guess
guessed:
	MOVD Func_desc(R2), R8
	RUN(slots+24(FP), ·firstHostCalls(SB), GUARDED)
	MOVD s-8(SP), R1
	MOVWU exec_special(R9), R0
	CBNZ R0, special
	ADD $nativeStack_busy, R1, R3
	MOVD $const_stackIdle, R0
	STLRW R0, (R3)
given:
	MOVD nativeStack_inst(R1), R5
	MOVD Instance_own(R5), R0
	CMP R0, R1
	BNE settle
	MOVD ZR, err_itable+40(FP)
	MOVD ZR, err_data+48(FP)
	RET

watched: // see watch
	MOVBU nativeStack_watched(R1), R0
	CBZ R0, other
	MOVD ctx_itable+8(FP), R0
	MOVD nativeStack_ctx+0(R1), R3
	CMP R0, R3
	BNE other
	MOVD ctx_data+16(FP), R0
	MOVD nativeStack_ctx+8(R1), R3
	CMP R0, R3
	BNE other
	MOVD $1, R0
	MOVD nativeStack_e(R1), R3
	MOVW R0, exec_special(R3)
	MOVW R0, nativeStack_under(R1)
	MOVD nativeStack_watcher(R1), R3
	CBZ R3, unwatched // who takes the stack away at this moment has stopped the watch
	MOVD watch_done(R3), R3
	MOVWU const_chanClosed(R3), R0
	CBZ R0, begin
unwatched:
	MOVW ZR, nativeStack_under(R1)
	JMP other

guess:
	MOVD R0, R9
	MOVD R9, Func_exec(R2)
	JMP guessed

special:
	MOVW ZR, nativeStack_under(R1)
	MOVD exec_committed(R9), R0
	MOVD exec_shallow(R9), R3
	CMP R3, R0
	BLO failed // nativeStack.err is nil: this only leaves giving back to Go
	ADD $nativeStack_busy, R1, R3
	MOVD $const_stackIdle, R0
	STLRW R0, (R3)
	MOVBU nativeStack_sticky(R1), R0
	CBNZ R0, given
	ADD $nativeStack_owner, R1, R3
	STLR ZR, (R3)
	JMP given

unowned:
	CBNZ R0, other
	ADD $nativeStack_owner, R1, R3
	LDAXR (R3), R0
	CBNZ R0, other
	STLXR g, (R3), R4
	CBNZ R4, unowned
	MOVD nativeStack_last(R1), R0
	CMP R0, g
	BNE turn
	MOVWU nativeStack_left(R1), R0
	CBZ R0, stick
	SUBW $1, R0
	MOVW R0, nativeStack_left(R1)
	JMP owned
stick:
	MOVD $1, R0
	MOVB R0, nativeStack_sticky(R1)
	MOVD nativeStack_e(R1), R0
	MOVW ZR, exec_special(R0)
	JMP owned
turn: // goroutines take turns
	MOVD g, nativeStack_last(R1)
	MOVWU nativeStack_patience(R1), R0
	MOVW R0, nativeStack_left(R1)
	JMP owned

gone:
	MOVW ZR, nativeStack_under(R1)
	ADD $nativeStack_busy, R1, R3
	MOVD $const_stackIdle, R0
	STLRW R0, (R3)
	MOVD $const_callGone, R0
	JMP rest
other:
	MOVD $const_callOther, R0
	JMP rest
settle:
	MOVD $const_callSettle, R0
	JMP rest
failed:
	MOVD s-8(SP), R1
	MOVD $const_callFailed, R0
rest: // entered(how, s, f, ctx, slots, n)
	MOVD R0, 8(RSP)
	MOVD R1, 16(RSP)
	MOVD f+0(FP), R0
	MOVD R0, 24(RSP)
	MOVD ctx_itable+8(FP), R0
	MOVD R0, 32(RSP)
	MOVD ctx_data+16(FP), R0
	MOVD R0, 40(RSP)
	MOVD slots+24(FP), R0
	MOVD R0, 48(RSP)
	MOVD n+32(FP), R0
	MOVD R0, 56(RSP)
	CALL ·entered(SB)
	MOVD 64(RSP), R0
	MOVD R0, err_itable+40(FP)
	MOVD 72(RSP), R0
	MOVD R0, err_data+48(FP)
	RET

// func callDirect(fn SharedHostFunc, ctx context.Context, caller *Instance, stack []uint64, f *Func) error
TEXT ·callDirect(SB), NOSPLIT, $88-80
	NO_LOCAL_POINTERS
	MOVD fn+0(FP), R26
	MOVD ctx_itable+8(FP), R0
	MOVD ctx_data+16(FP), R1
	MOVD caller+24(FP), R2
	MOVD stack_base+32(FP), R3
	MOVD stack_len+40(FP), R4
	MOVD stack_cap+48(FP), R5
	MOVD f+56(FP), R6
	CALLGO
	MOVD R0, ret_itable+64(FP)
	MOVD R1, ret_data+72(FP)
	RET

// func goroutine() uintptr
TEXT ·goroutine(SB), NOSPLIT, $0-8
	MOVD g, R0
	MOVD R0, ret+0(FP)
	RET

// func crash()
//
// SIGILL in Go code cannot be recovered from.
TEXT ·crash(SB), NOSPLIT, $0-0
	WORD $0 // udf #0
	RET
