package loader

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// call runs a function of the instance on a native stack from the pool.
func (i *Instance) call(ctx context.Context, f *Func, stack []uint64) error {
	t := f.typ
	entry, err := t.entryStub()
	if err != nil {
		return fmt.Errorf("call of %s: %w", f, err)
	}
	s, err := i.acquire()
	if err != nil {
		return fmt.Errorf("call of %s: %w", f, err)
	}
	// A panic or Goexit in a host function leaves the native stack as it is: nothing there is needed any more.
	defer i.release(s)
	s.ctx = ctx
	if ctx.Done() != nil {
		if ctx.Err() != nil {
			return &Interrupted{Cause: context.Cause(ctx)}
		}
		defer s.watch().end()
	}
	if t.refs {
		holdRefs(i.node, t.sig.Params, stack)
	}
	at := s.slot(t.slots)
	slots := unsafe.Slice((*uint64)(pointer(at)), t.slots)
	for k := range t.params { // few: faster than memmove
		slots[k] = stack[k]
	}
	enter(s, s.e, entry, f.desc, at)
	runtime.KeepAlive(f)
	if s.err != nil {
		return s.err
	}
	for k := range t.results {
		stack[k] = slots[k]
	}
	return nil
}

// dispatch is called by enter when native code leaves for a reason other than the end of the call. It returns the address of
// the stub with which to go on, 0 to end the call with s.err.
//
// That it is an ordinary Go function matters: where it checks its stack the scheduler takes its turn.
func dispatch(s *nativeStack, reason uint64) (resume uint64) {
	switch reason {
	case reasonHost:
		return s.hostCall()
	case reasonPreempt:
		if s.watched {
			if s.e.cancelled.Load() != 0 {
				frames, elided := s.backtraceFrom(site{s.e.pc, s.e.sp})
				s.err = &Interrupted{context.Cause(s.ctx), frames, elided}
				return 0
			}
			s.e.thread = threadID()
		}
		return stubs.restore
	}
	s.err = s.trap()
	return 0
}

// hostCall runs the host function or builtin that the guest called.
func (s *nativeStack) hostCall() (resume uint64) {
	e := s.e
	f := (*Func)(pointer((*funcDesc)(pointer(e.desc)).host))
	inst := instanceOf(e.vmctx)
	slots := unsafe.Slice((*uint64)(pointer(e.slots)), f.typ.slots)
	if f.builtin != nil {
		if code := f.builtin(inst, slots); code != abi.TrapNone {
			s.err = s.trapAtCall(code)
			return 0
		}
		return stubs.resume
	}
	// Plain stores: see watch.
	e.native = 0
	err := f.fn(s.ctx, inst, slots)
	e.native = 1
	if stopped, ok := err.(*Interrupted); ok && len(stopped.Frames) == 0 {
		// A host function that gives up when the context ends does not know where the guest is.
		frames, elided := s.callers(nil, s.returnAt(e.frame))
		err = &Interrupted{stopped.Cause, frames, elided}
	}
	if err != nil {
		s.err = err
		return 0
	}
	if s.watched && e.cancelled.Load() != 0 {
		frames, elided := s.callers(nil, s.returnAt(e.frame))
		s.err = &Interrupted{context.Cause(s.ctx), frames, elided}
		return 0
	}
	if f.typ.refs && inst != nil {
		holdRefs(inst.node, f.typ.sig.Results, slots)
	}
	return stubs.resume
}

// trapAtCall is the error of a builtin that traps.
func (s *nativeStack) trapAtCall(code abi.Trap) *Trap {
	frames, elided := s.callers(nil, s.returnAt(s.e.frame))
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
	c, off := codeAt(at.pc)
	if c != nil {
		if t, ok := c.art.Traps.Find(off); ok {
			frames, elided := s.backtraceFrom(at)
			return &Trap{t.Code, frames, elided}
		}
	}
	fmt.Fprintf(os.Stderr, "wasmaot: unexpected signal %d at address 0x%x in compiled code", e.signal, e.fault)
	if c != nil {
		fmt.Fprintf(os.Stderr, ", text offset 0x%x of %q", off, *c.name.Load())
		if i := c.funcAt(off); i >= 0 {
			fmt.Fprintf(os.Stderr, ", function %d %s", c.layout.Shape.ImportedFuncs+i, c.art.FuncName(i))
		}
	}
	fmt.Fprintln(os.Stderr, ": this is a bug in the compiler")
	crash()
	return nil
}
