package loader

import (
	"context"
	"fmt"
	"math"
	"os"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Why enter calls entered.
const (
	callFailed = 1 // or done, with a deep stack
	callSettle = 2 // done, but the stack was taken away
	callOther  = 3 // not begun: this is not for enter, or the stack is another goroutine's, or in use
	callGone   = 4 // not begun: the stack was taken away when it was already marked as busy
)

// entered is the rest of enter where there is one.
func entered(how uint64, s *nativeStack, f *Func, ctx context.Context, slots *uint64, n int) error {
	stack := unsafe.Slice(slots, n)
	switch how {
	case callFailed:
		err := s.err
		f.inst.release(s)
		return err
	case callSettle:
		f.inst.settle(s)
		return nil
	case callGone:
		f.inst.settle(s)
	}
	switch {
	case f.err != nil:
		return f.err
	case len(stack) < f.slots:
		return fmt.Errorf("call of %s: expected a stack of %d slots, found %d", f, f.slots, len(stack))
	case f.inst == nil:
		return f.callHost(ctx, stack[:f.slots])
	}
	return f.inst.call(ctx, f, stack)
}

// call runs a function of the instance on a stack that it takes.
func (i *Instance) call(ctx context.Context, f *Func, stack []uint64) error {
	t := f.typ
	entry, err := t.entryStub()
	if err != nil {
		return fmt.Errorf("call of %s: %w", f, err)
	}
	f.setEntry(entry)
	s, err := i.acquire()
	if err != nil {
		return fmt.Errorf("call of %s: %w", f, err)
	}
	// A panic or Goexit in a host function leaves the native stack as it is: nothing there is needed any more.
	defer i.release(s)
	if !s.begin(ctx) {
		return &Interrupted{Cause: context.Cause(ctx)}
	}
	if t.refs {
		holdRefs(i.node, t.sig.Params, stack)
	}
	if i.listener == nil {
		return s.run(f.desc, entry, stack)
	}
	own := append([]uint64(nil), stack...) // the caller's may lie on its stack
	err = i.listener.around(ctx, &ListenedCall{Instance: i, Func: f, Values: own}, func() error { return s.run(f.desc, entry, own) })
	copy(stack, own)
	return err
}

func (s *nativeStack) run(desc, entry uint64, stack []uint64) error {
	if run(s, desc, entry, unsafe.SliceData(stack)) {
		return nil
	}
	return s.err
}

// What hostCall, firstHostCalls and dispatch return that is no address of native code to go on at.
const (
	guestFailed = 0 // the call ends with s.err
	guestDone   = 1 // the guest has returned
)

// dispatch is called by enter and run when native code leaves for a reason other than a call or the end.
//
// That it and hostCall are ordinary Go functions matters: where they check their stack the scheduler takes its turn.
func dispatch(s *nativeStack, reason uint64) (resume uint64) {
	switch reason {
	case reasonDemand:
		return s.demanded()
	case reasonPreempt:
		if s.ended() {
			s.e.settlePinned()
			return s.interrupted(s.backtraceFrom(site{s.e.pc, s.e.sp}))
		}
		if s.watched {
			s.e.thread = threadID()
		}
		return stubs.restore
	}
	s.e.settlePinned()
	s.err = s.trap()
	return guestFailed
}

// hostCall is called by run: it runs the host function or builtin that the guest calls. Who calls run gives the stack back if a host function
// panics or ends the goroutine.
func hostCall(s *nativeStack, _ *uint64) (resume uint64) {
	e := s.e
	f, slots, inst := e.hostFunc()
	if f.direct == nil {
		return s.otherCall(f, inst, slots)
	}
	// Plain stores: see watch.
	e.native = 0
	err := f.host(s.ctx, inst, slots)
	e = s.e // not kept on the stack
	e.native = 1
	if err != nil || e.cancelled.Load() != 0 {
		return hostCalled(s, err)
	}
	return e.resume
}

// guardedCalls is how many host calls firstHostCalls makes before it hands a guest over to run.
const guardedCalls = 16

// firstHostCalls is hostCall for enter, which is in assembly and cannot give the stack back. A deferred function costs as much as a third of a host call: so
// after some calls it stays, and runs the guest itself until that returns. To the processor the guest's returns up to there come unexpected, which is why not the first call does so.
func firstHostCalls(s *nativeStack, slots *uint64) (resume uint64) {
	e := s.e
	f, stack, inst := e.hostFunc()
	if f.builtin != nil {
		return s.builtinCall(f, inst, stack)
	}
	returned := false
	defer func() {
		if !returned {
			s.abandon()
		}
	}()
	if f.direct == nil {
		resume = s.otherCall(f, inst, stack)
	} else {
		e.native = 0
		err := f.host(s.ctx, inst, stack)
		e = s.e
		e.native = 1
		if resume = e.resume; err != nil || e.cancelled.Load() != 0 {
			resume = hostCalled(s, err)
		}
	}
	if s.guarded++; s.guarded >= guardedCalls && resume > guestDone {
		resume = guestFailed
		if run(s, 0, stubs.again, slots) {
			resume = guestDone
		}
	}
	returned = true
	return resume
}

// hostFunc is the host function or builtin that the guest calls, with its slots and the instance.
func (e *exec) hostFunc() (f *Func, slots []uint64, inst *Instance) {
	f = (*Func)(pointer((*funcDesc)(pointer(e.desc)).host))
	return f, (*[math.MaxInt32 / 8]uint64)(pointer(e.exitSlots()))[:f.slots:f.slots], instanceOf(e.vmctx)
}

// otherCall is hostCall for all but the usual host functions.
func (s *nativeStack) otherCall(f *Func, inst *Instance, slots []uint64) (resume uint64) {
	switch {
	case f.builtin != nil:
		return s.builtinCall(f, inst, slots)
	case f.listened != nil:
		return s.listenedCall(f, inst, slots)
	}
	s.e.native = 0
	err := f.host(s.ctx, inst, slots)
	return hostCalled(s, err)
}

// builtinCall is hostCall for builtins, which are short.
func (s *nativeStack) builtinCall(f *Func, inst *Instance, slots []uint64) (resume uint64) {
	if code := f.builtin(inst, slots); code != abi.TrapNone {
		s.err = s.trapAtCall(code)
		return guestFailed
	}
	if s.e.cancelled.Load() != 0 && s.ended() {
		return s.interrupted(s.callers(nil, s.hostReturn()))
	}
	return s.e.resume
}

// listenedCall is hostCall for functions whose calls a listener is told of.
func (s *nativeStack) listenedCall(f *Func, inst *Instance, slots []uint64) (resume uint64) {
	s.e.native = 0
	c := &ListenedCall{Instance: inst, Func: f.listened, Values: slots, stack: s}
	err := inst.listener.around(s.ctx, c, func() error { return f.listened.host(s.ctx, inst, slots) })
	return hostCalled(s, err)
}

// hostCalled is the rest of hostCall where there is one.
func hostCalled(s *nativeStack, err error) (resume uint64) {
	e := s.e
	e.native = 1
	f, results, inst := e.hostFunc()
	if stopped, ok := err.(*Interrupted); ok && len(stopped.Frames) == 0 {
		// A host function that gives up when the context ends does not know where the guest is.
		frames, elided := s.callers(nil, s.hostReturn())
		err = &Interrupted{stopped.Cause, frames, elided}
	}
	if err != nil {
		s.err = err
		return guestFailed
	}
	if e.cancelled.Load() != 0 && s.ended() {
		return s.interrupted(s.callers(nil, s.hostReturn()))
	}
	if f.typ.refs && inst != nil {
		holdRefs(inst.node, f.typ.sig.Results, results)
	}
	return e.resume
}

// interrupted ends a call whose context has ended.
func (s *nativeStack) interrupted(frames []Frame, elided bool) (resume uint64) {
	s.err = &Interrupted{context.Cause(s.ctx), frames, elided}
	return guestFailed
}

// abandon ends a call of enter that will not return.
func (s *nativeStack) abandon() {
	if s.busy == stackEnter {
		s.inst.release(s)
	}
}

// trapAtCall is the error of a builtin that traps.
func (s *nativeStack) trapAtCall(code abi.Trap) *Trap {
	frames, elided := s.callers(nil, s.hostReturn())
	return &Trap{code, frames, elided}
}

// trap makes the error of the fault that the signal handler recorded. The handler has made sure that the
// guest was running and that an address was in its memory or in its stack's guard; what the instruction meant is in the
// trap map. A fault that is not there is a compiler's bug, and no one knows what else is wrong: the process ends.
func (s *nativeStack) trap() *Trap {
	e := s.e
	at := site{e.pc, e.sp}
	if e.signal == sigTRAP {
		at.pc -= breakpointSize // where it is reported behind the instruction
	}
	if (e.signal == sigSEGV || e.signal == sigBUS) && e.fault >= e.window() && e.fault < e.addr() {
		frames, elided := s.backtraceFrom(at)
		if isStub(at.pc) {
			frames, elided = s.callers(nil, s.exitReturn())
		}
		return &Trap{abi.TrapStackExhausted, frames, elided}
	}
	t, off := textAt(at.pc)
	if t != nil {
		if found, ok := t.traps.Find(off); ok {
			frames, elided := s.backtraceFrom(at)
			return &Trap{found.Code, frames, elided}
		}
	}
	fmt.Fprintf(os.Stderr, "wasmaot: unexpected signal %d at address 0x%x in compiled code", e.signal, e.fault)
	if t != nil {
		c := t.code
		fmt.Fprintf(os.Stderr, ", text offset 0x%x of %q", off, *c.name.Load())
		if i := t.funcAt(off); i >= 0 {
			fmt.Fprintf(os.Stderr, ", function %d %s", c.layout.Shape.ImportedFuncs+i, c.art.FuncName(i))
		}
	}
	fmt.Fprintln(os.Stderr, ": this is a bug in the compiler")
	crash()
	return nil
}
