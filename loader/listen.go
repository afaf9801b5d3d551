package loader

import "context"

// Listener is told of an instance's calls at its boundary: those of its functions by the host, and those that it makes of imported functions of the host.
// Calls from one function of a guest to another are not seen. Calls are slower then. Neither function is called for a builtin; After is not called when a
// host function panics.
type Listener struct {
	Before func(ctx context.Context, c *ListenedCall)
	After  func(ctx context.Context, c *ListenedCall, err error) // c.Values are the results if err is nil
}

// ListenedCall is a call that a Listener is told of. It must not be kept.
type ListenedCall struct {
	Instance *Instance
	Func     *Func    // what is called: the instance's or an imported one
	Values   []uint64 // parameters, then results, in slots; may be changed

	stack *nativeStack
}

// Callers is where the guest is that makes the call, innermost first; empty if the host does.
func (c *ListenedCall) Callers() []Frame {
	if c.stack == nil {
		return nil
	}
	frames, _ := c.stack.callers(nil, c.stack.hostReturn())
	return frames
}

// around makes a call between Before and After.
func (l *Listener) around(ctx context.Context, c *ListenedCall, call func() error) error {
	if l.Before != nil {
		l.Before(ctx, c)
	}
	err := call()
	if l.After != nil {
		l.After(ctx, c, err)
	}
	return err
}

// listened is an imported function of the host whose calls the importing instance's listener is told of.
func listened(f *Func) *Func {
	return &Func{typ: f.typ, name: f.name, err: f.err, slots: f.slots, listened: f}
}
