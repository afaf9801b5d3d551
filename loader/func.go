package loader

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// HostFunc implements a host function. stack holds the parameters in slots (abi.Signature) and takes
// the results from slot 0 on; 32-bit parameters are zero-extended. It runs on the goroutine that called the guest; caller is the
// instance that imports the function, nil if the host calls it or it got into a table without being imported; ctx is
// that of the call. An error ends the guest's call, which returns it as it is. A panic unwinds through the guest.
type HostFunc func(ctx context.Context, caller *Instance, stack []uint64) error

// SharedHostFunc is a HostFunc for several Funcs, of which it is told the one that is called: what it works on is Func.Data.
type SharedHostFunc func(ctx context.Context, caller *Instance, stack []uint64, f *Func) error

// Func is a function of an instance or of the host. It is safe for concurrent use as far as the guest is.
type Func struct {
	typ  *funcType
	name string
	err  error // of NewHostFunc

	// A guest's function: its instance, FuncDesc and index.
	inst  *Instance
	desc  uint64
	index uint32
	entry atomic.Uint64 // address of the type's entry stub, 0 until first needed, and where enter does not suffice
	slots int           // typ.slots
	exec  uint64        // address of the exec of the last call by enter, which guesses that of the next one

	// A host's function, or a builtin.
	fn       HostFunc
	shared   SharedHostFunc // in place of fn
	data     any            // for shared
	direct   HostFunc       // fn or shared if assembly may call it, which gives it f as well
	builtin  builtin
	listened *Func // the function itself, where calls are listened to
	own      struct {
		once sync.Once
		desc funcDesc // without instance
		err  error
	}
}

// funcDesc is a FuncDesc of package abi.
type funcDesc struct {
	code, ctx     uint64
	typeID, index uint32
	host          uint64 // address of the *Func, which the instance or table with the descriptor keeps alive
}

var _ = [1]struct{}{}[unsafe.Sizeof(funcDesc{})-abi.FuncDescSize]

// NewHostFunc makes a function of the host. The name is for messages.
func NewHostFunc(name string, sig *abi.Signature, fn HostFunc) *Func {
	f := &Func{fn: fn}
	f.init(name, sig, fn)
	return f
}

// InitShared makes f, which is new, a function of the host.
func (f *Func) InitShared(name string, sig *abi.Signature, fn SharedHostFunc, data any) {
	f.shared, f.data = fn, data
	f.init(name, sig, *(*HostFunc)(unsafe.Pointer(&fn)))
}

func (f *Func) init(name string, sig *abi.Signature, direct HostFunc) {
	f.name = name
	if f.typ, f.err = typeOf(sig); f.err != nil {
		f.typ = &funcType{sig: *sig}
	}
	f.slots = f.typ.slots
	if !f.typ.refs && directCalls {
		f.direct = direct
	}
}

// Data is what InitShared was given.
func (f *Func) Data() any { return f.data }

// host calls a host function that is not listened to.
func (f *Func) host(ctx context.Context, caller *Instance, stack []uint64) error {
	if f.shared != nil {
		return f.shared(ctx, caller, stack, f)
	}
	return f.fn(ctx, caller, stack)
}

// Signature is the function's type.
func (f *Func) Signature() *abi.Signature { return &f.typ.sig }

// Call calls the function with the parameters in stack, in slots as abi.Signature says, and puts the results there from slot 0 on. The stack must be
// at least Signature().SlotCount() long. The error is what a host function returned, a *Trap, or an *Interrupted.
//
// If ctx can be cancelled, its end stops the guest wherever it is; a host function that runs then is
// waited for. The instance may keep ctx until it is called with another one, reset or closed.
func (f *Func) Call(ctx context.Context, stack []uint64) error {
	return enter(f, ctx, hide(stack), len(stack))
}

// hide is the address of a stack, of which the compiler need not know that a call reads it: so that it can lie on the goroutine's. Whatever moves that
// adjusts the parameters of functions in assembly, too.
func hide(stack []uint64) *uint64 {
	p := uintptr(unsafe.Pointer(unsafe.SliceData(stack)))
	return *(**uint64)(unsafe.Pointer(&p))
}

// setEntry lets enter call the function.
func (f *Func) setEntry(stub uint64) {
	if !f.typ.refs && !raceDetector && f.inst.listener == nil && f.entry.Load() == 0 {
		f.entry.Store(stub)
	}
}

// callHost calls a host function without a guest. It works on a copy: so that the stacks of calls into guests, the usual case, can lie
// on the goroutine's.
func (f *Func) callHost(ctx context.Context, stack []uint64) error {
	if f.listened != nil { // this call is the host's own
		f = f.listened
	}
	own := append([]uint64(nil), stack...)
	err := f.host(ctx, nil, own)
	copy(stack, own)
	return err
}

// Name is the function's name: that of the name section, or that which NewHostFunc was given; it may be empty.
func (f *Func) Name() string { return f.name }

// Instance is the instance whose function it is, nil for host functions.
func (f *Func) Instance() *Instance { return f.inst }

// String is the function's name or index with its module.
func (f *Func) String() string {
	if f.inst == nil {
		return fmt.Sprintf("host function %q", f.name)
	}
	if f.name != "" {
		return fmt.Sprintf("function %q of %q", f.name, f.inst.name)
	}
	return fmt.Sprintf("function %d of %q", f.index, f.inst.name)
}

// Ref is the function as a funcref value in a slot. It stays valid as long as the function's instance is open or
// the value is in a table or global of an instance, and f is in use.
func (f *Func) Ref() uint64 {
	if f.inst != nil {
		return f.desc
	}
	f.own.once.Do(func() {
		f.own.desc, f.own.err = f.descFor(hostContext())
	})
	if f.own.err != nil {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(&f.own.desc)))
}

// descFor is a descriptor for a host function with the context that it is to be called with.
func (f *Func) descFor(vmctx uint64) (funcDesc, error) {
	if f.err != nil {
		return funcDesc{}, f.err
	}
	code, err := f.typ.exitStub()
	return funcDesc{code: code, ctx: vmctx, typeID: f.typ.id, host: uint64(uintptr(unsafe.Pointer(f)))}, err
}

// FuncOf is the function that a funcref value stands for, nil for null.
func FuncOf(ref uint64) *Func {
	if ref == 0 {
		return nil
	}
	d := (*funcDesc)(pointer(ref))
	if d.host != 0 {
		return (*Func)(pointer(d.host))
	}
	return instanceOf(d.ctx).function(d.index)
}

// holdRef keeps what a funcref value reaches at least as long as n's memory.
func holdRef(n *node, ref uint64) {
	if f := FuncOf(ref); f != nil {
		holdFunc(n, f)
	}
}

// holdFunc reports false if the function's instance is gone.
func holdFunc(n *node, f *Func) bool {
	if f.inst != nil {
		return n.reaches(f.inst.node)
	}
	n.retain(f)
	return true
}

// holdRefs does so for the funcrefs among values in slots.
func holdRefs(n *node, types []abi.Type, stack []uint64) {
	at := 0
	for _, t := range types {
		if t == abi.FuncRef {
			holdRef(n, stack[at])
		}
		at += t.Slots()
	}
}

// hostContext is the context of host functions that no instance imports: one without memory and instance.
func hostContext() uint64 {
	return hostContextOnce.Get(func() uint64 {
		b := new([abi.CtxHeader / 8]uint64)
		b[abi.CtxMemRec/8] = uint64(uintptr(unsafe.Pointer(&noMemory)))
		b[abi.CtxSelf/8] = uint64(uintptr(unsafe.Pointer(b)))
		b[abi.CtxPinned/8] = uint64(uintptr(unsafe.Pointer(&noPinned)))
		hostContextBlock = b
		return b[abi.CtxSelf/8]
	})
}

var hostContextOnce lazy.Value[uint64]

// noPinned is the cell for the pinned global of code that has none.
var noPinned uint64

var hostContextBlock *[abi.CtxHeader / 8]uint64 // keeps it
