#include "funcdata.h"
#include "go_asm.h"
#include "textflag.h"

// The frames have room where a function called by CALLGO may keep its seven parameters, and above it s-8(SP) and e-16(SP).

// CALLGO calls the Go function whose closure is in DX, its parameters and results in registers by Go's internal convention
// (cmd/compile/abi-internal.md). That this is the convention still is tested when the program starts: see direct.go.
#define CALLGO \
	XORPS X15, X15; \
	MOVQ (DX), R12; \
	CALL R12

// G loads the goroutine's g.
#define G \
	MOVQ TLS, R14; \
	MOVQ 0(R14)(TLS*1), R14

// DIRECT is hostCall for the usual host functions without Go code in between. Like that it gives way to the scheduler where the goroutine's stack guard says so. CX = the stack, BX = the exec.
#define DIRECT \
	MOVQ exec_desc(BX), R10; \
	MOVQ funcDesc_host(R10), R10; \
	MOVQ Func_direct(R10), DX; \
	TESTQ DX, DX; \
	JEQ indirect; \
	G; \
	CMPQ SP, const_stackGuard(R14); \
	JLS indirect; \
	MOVQ nativeStack_ctx+0(CX), AX; \
	MOVQ exec_nativeSP(BX), DI; \
	ADDQ $const_exitSaved, DI; \
	MOVQ exec_vmctx(BX), R11; \
	MOVL $0, exec_native(BX); \
	MOVQ nativeStack_ctx+8(CX), BX; \
	MOVQ const_ctxInstance(R11), CX; \
	MOVQ Func_slots(R10), SI; \
	MOVQ SI, R8; \
	MOVQ R10, R9; \
	CALLGO; \
	MOVQ BX, CX; \
	MOVQ e-16(SP), BX; \
	TESTQ AX, AX; \
	JNE  called; \
	MOVL $1, exec_native(BX); \
	CMPL exec_cancelled(BX), $0; \
	JNE  called; \
	MOVQ exec_resume(BX), AX; \
	LEAQ -8(SP), DX; \
	MOVQ exec_goPC(BX), CX; \
	MOVQ CX, (DX); \
	CMPQ DX, exec_goSP(BX); \
	JNE  moved; \
	JMP AX; \
called: \
	MOVQ s-8(SP), DX; \
	MOVQ DX, 0(SP); \
	MOVQ AX, 8(SP); \
	MOVQ CX, 16(SP); \
	CALL ·hostCalled(SB); \
	MOVQ 24(SP), AX; \
	JMP going; \
indirect:

#define GUARDED

// RUN runs the entry stub DX with the descriptor AX and the slots R11 on the stack that is in s-8(SP) and has the exec BX. It goes on behind it when the guest is done, with
// the exec in BX, and at failed when host, which is called for host functions with the stack and the slots, or dispatch says so. direct is DIRECT, or GUARDED for
// none of it.
//
// The frame is an ordinary one: between the instructions of these functions the stack pointer is always the same. The
// stub that is called switches stacks and comes back to the instruction after CALL, by RET when the guest
// is done, by a jump when it leaves for Go. Only BP is lost.
#define RUN(slots, host, direct) \
	MOVQ BX, e-16(SP); \
	MOVQ R11, exec_buffer(BX); \
	CALL DX; \
	LEAQ 88(SP), BP; \
	TESTL AX, AX; \
	JEQ done; \
	MOVQ s-8(SP), CX; \
	CMPL AX, $const_reasonHost; \
	JNE  notHost; \
	direct; \
	MOVQ CX, 0(SP); \
	MOVQ slots, CX; \
	MOVQ CX, 8(SP); \
	CALL host; \
back: \
	MOVQ 16(SP), AX; \
going: \
	MOVQ e-16(SP), BX; \
	CMPQ AX, $const_guestDone; \
	JLS  ended; \
	LEAQ -8(SP), DX; \
	MOVQ exec_goPC(BX), CX; \
	MOVQ CX, (DX); \
	CMPQ DX, exec_goSP(BX); \
	JNE  moved; \
	JMP AX; \
moved: \
	MOVQ slots, R11; \
	MOVQ R11, exec_buffer(BX); \
	MOVQ DX, exec_goSP(BX); \
	JMP AX; \
notHost: \
	MOVQ CX, 0(SP); \
	MOVQ AX, 8(SP); \
	CALL ·dispatch(SB); \
	JMP back; \
ended: \
	JNE failed; \
done:

// func run(s *nativeStack, desc, entry uint64, slots *uint64) (done bool)
TEXT ·run(SB), NOSPLIT, $88-33
	NO_LOCAL_POINTERS
	MOVQ s+0(FP), CX
	MOVQ CX, s-8(SP)
	MOVQ nativeStack_e(CX), BX
	MOVQ desc+8(FP), AX
	MOVQ entry+16(FP), DX
	MOVQ slots+24(FP), R11
	RUN(slots+24(FP), ·hostCall(SB), DIRECT)
	MOVB $1, done+32(FP)
	RET
failed:
	MOVB $0, done+32(FP)
	RET

// func enter(f *Func, ctx context.Context, slots *uint64, n int) (err error)
//
// What is done with owner and busy, and why plain stores suffice, stands in hold.go. Everything that is not
// the common case is left to entered. Func.exec spares the processor to wait for three loads, each of which gives the next one's address, before it knows
// the stack pointer to which the call returns: it goes on with the guess while it compares.
TEXT ·enter(SB), NOSPLIT, $88-56
	NO_LOCAL_POINTERS
	MOVQ f+0(FP), DX
	MOVQ slots+24(FP), R11
	CMPQ Func_entry(DX), $0 // not a guest's, or not for here
	JEQ  other
	MOVQ n+32(FP), AX
	CMPQ AX, Func_slots(DX)
	JLT  other
	MOVQ Func_inst(DX), R9
	MOVQ Instance_own(R9), CX
	MOVQ TLS, R8
	MOVQ 0(R8)(TLS*1), R8 // g
	MOVQ nativeStack_owner(CX), AX
	CMPQ AX, R8
	JNE  unowned
	CMPL nativeStack_busy(CX), $const_stackIdle
	JNE  other
owned:
	MOVQ ctx_itable+8(FP), AX
	CMPQ AX, nativeStack_free+0(CX)
	JNE  watched
	MOVQ ctx_data+16(FP), AX
	CMPQ AX, nativeStack_free+8(CX)
	JNE  watched
begin:
	MOVL $const_stackEnter, nativeStack_busy(CX)
	MOVL $0, nativeStack_guarded(CX)
	CMPQ Instance_own(R9), CX
	JNE  gone
	MOVQ CX, s-8(SP)
	MOVQ Func_exec(DX), BX
	CMPQ BX, nativeStack_e(CX)
	JNE  guess
guessed:
	MOVQ Func_desc(DX), AX
	MOVQ Func_entry(DX), DX
	RUN(slots+24(FP), ·firstHostCalls(SB), GUARDED)
	MOVQ s-8(SP), CX
	CMPL exec_special(BX), $0
	JNE  special
	MOVL $const_stackIdle, nativeStack_busy(CX)
given:
	MOVQ nativeStack_inst(CX), R9
	CMPQ Instance_own(R9), CX
	JNE  settle
	MOVQ $0, err_itable+40(FP)
	MOVQ $0, err_data+48(FP)
	RET

watched: // see watch
	CMPB nativeStack_watched(CX), $0
	JEQ  other
	MOVQ ctx_itable+8(FP), AX
	CMPQ AX, nativeStack_ctx+0(CX)
	JNE  other
	MOVQ ctx_data+16(FP), AX
	CMPQ AX, nativeStack_ctx+8(CX)
	JNE  other
	MOVQ nativeStack_e(CX), AX
	MOVL $1, exec_special(AX)
	MOVL $1, nativeStack_under(CX)
	MOVQ nativeStack_watcher(CX), AX
	TESTQ AX, AX // who takes the stack away at this moment has stopped the watch
	JEQ  unwatched
	MOVQ watch_done(AX), AX
	CMPL const_chanClosed(AX), $0
	JEQ  begin
unwatched:
	MOVL $0, nativeStack_under(CX)
	JMP  other

guess:
	MOVQ nativeStack_e(CX), BX
	MOVQ BX, Func_exec(DX)
	JMP  guessed

special:
	MOVL $0, nativeStack_under(CX)
	MOVQ exec_committed(BX), AX
	CMPQ AX, exec_shallow(BX)
	JCS  failed // nativeStack.err is nil: this only leaves giving back to Go
	MOVL $const_stackIdle, nativeStack_busy(CX)
	CMPB nativeStack_sticky(CX), $0
	JNE  given
	MOVQ $0, nativeStack_owner(CX)
	JMP  given

unowned:
	TESTQ AX, AX
	JNE  other
	LOCK
	CMPXCHGQ R8, nativeStack_owner(CX)
	JNE  other
	CMPQ nativeStack_last(CX), R8
	JNE  turn
	CMPL nativeStack_left(CX), $0
	JEQ  stick
	DECL nativeStack_left(CX)
	JMP  owned
stick:
	MOVB $1, nativeStack_sticky(CX)
	MOVQ nativeStack_e(CX), AX
	MOVL $0, exec_special(AX)
	JMP  owned
turn: // goroutines take turns
	MOVQ R8, nativeStack_last(CX)
	MOVL nativeStack_patience(CX), AX
	MOVL AX, nativeStack_left(CX)
	JMP  owned

gone:
	MOVL $0, nativeStack_under(CX)
	MOVL $const_stackIdle, nativeStack_busy(CX)
	MOVQ $const_callGone, AX
	JMP  rest
other:
	MOVQ $const_callOther, AX
	JMP  rest
settle:
	MOVQ $const_callSettle, AX
	JMP  rest
failed:
	MOVQ s-8(SP), CX
	MOVQ $const_callFailed, AX
rest: // entered(how, s, f, ctx, slots, n)
	MOVQ AX, 0(SP)
	MOVQ CX, 8(SP)
	MOVQ f+0(FP), AX
	MOVQ AX, 16(SP)
	MOVQ ctx_itable+8(FP), AX
	MOVQ AX, 24(SP)
	MOVQ ctx_data+16(FP), AX
	MOVQ AX, 32(SP)
	MOVQ slots+24(FP), AX
	MOVQ AX, 40(SP)
	MOVQ n+32(FP), AX
	MOVQ AX, 48(SP)
	CALL ·entered(SB)
	MOVQ 56(SP), AX
	MOVQ AX, err_itable+40(FP)
	MOVQ 64(SP), AX
	MOVQ AX, err_data+48(FP)
	RET

// func callDirect(fn SharedHostFunc, ctx context.Context, caller *Instance, stack []uint64, f *Func) error
TEXT ·callDirect(SB), NOSPLIT, $88-80
	NO_LOCAL_POINTERS
	MOVQ fn+0(FP), DX
	MOVQ ctx_itable+8(FP), AX
	MOVQ ctx_data+16(FP), BX
	MOVQ caller+24(FP), CX
	MOVQ stack_base+32(FP), DI
	MOVQ stack_len+40(FP), SI
	MOVQ stack_cap+48(FP), R8
	MOVQ f+56(FP), R9
	G
	CALLGO
	MOVQ AX, ret_itable+64(FP)
	MOVQ BX, ret_data+72(FP)
	RET

// func goroutine() uintptr
TEXT ·goroutine(SB), NOSPLIT, $0-8
	MOVQ TLS, AX
	MOVQ 0(AX)(TLS*1), AX
	MOVQ AX, ret+0(FP)
	RET

// func crash()
//
// SIGILL in Go code cannot be recovered from.
TEXT ·crash(SB), NOSPLIT, $0-0
	UD2
	RET
