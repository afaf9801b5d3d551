package loader

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/internal/lazy"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// A module's functions may be compiled when they are first called (artifact.Artifact.Compile). Until then their descriptors lead to one stub, which all of them share:
// it saves what the caller passes in registers, leaves for Go, which compiles and stores the code's address in the descriptor, loads the registers again and
// jumps there. All calls of such functions go through descriptors.
//
// Each instance has descriptors of its own, and learns of what others had compiled by its own first call.

// demand is the functions of such code.
type demand struct {
	code  *Code
	addrs []atomic.Uint64 // entry addresses of the defined functions, 0 for those not compiled yet
	stub  uint64

	mu   sync.Mutex // of adding code
	text *vmem.Appender
}

func newDemand(c *Code) (*demand, error) {
	stub := demandStub.Get(makeDemandStub)
	if stub.err != nil {
		return nil, stub.err
	}
	return &demand{code: c, addrs: make([]atomic.Uint64, len(c.art.Funcs)), stub: stub.addr, text: appendText()}, nil
}

// demandStub is the stub, which stays.
var demandStub lazy.Value[madeStub]

type madeStub struct {
	addr uint64
	err  error
}

func makeDemandStub() madeStub {
	addr, err := placeStub(emitDemand(make([]byte, 0, codeRoom)))
	return madeStub{addr, err}
}

// entry is where the descriptor of defined function i shall lead.
func (c *Code) entry(i int) uint64 {
	if c.demand == nil {
		return c.base + uint64(c.art.Funcs[i].Off)
	}
	if addr := c.demand.addrs[i].Load(); addr != 0 {
		return addr
	}
	return c.demand.stub
}

// compiled is the entry address of defined function i, which is compiled if it is not yet.
func (d *demand) compiled(i int) (uint64, error) {
	if addr := d.addrs[i].Load(); addr != 0 {
		return addr, nil
	}
	p, err := d.code.art.Compile(i)
	if err != nil {
		return 0, err
	}
	if len(p.Text) == 0 || bits.OnesCount32(p.Align) != 1 || uint64(p.Align) > vmem.PageSize {
		return 0, fmt.Errorf("code of %d bytes, aligned to %d", len(p.Text), p.Align)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if addr := d.addrs[i].Load(); addr != 0 { // another goroutine was faster
		return addr, nil
	}
	addr, pages, err := d.text.Add(p.Text, uint64(p.Align))
	if err != nil {
		return 0, err
	}
	addText(&text{code: d.code, base: addr, size: uint64(len(p.Text)), only: i, frame: p.FrameSize, traps: p.Traps, calls: p.Calls}, pages)
	d.addrs[i].Store(addr)
	return addr, nil
}

func (d *demand) close() error { return d.text.Close() }

// demanded is called when the guest has called a function that was not compiled when its descriptor was made, or looked at.
func (s *nativeStack) demanded() (resume uint64) {
	returned := false
	defer func() {
		if !returned {
			s.abandon()
		}
	}()
	desc := (*funcDesc)(pointer(s.e.desc))
	inst := instanceOf(desc.ctx)
	i := int(desc.index) - len(inst.imported)
	s.e.native = 0
	addr, err := inst.code.demand.compiled(i)
	s.e.native = 1
	returned = true
	if err != nil {
		s.err = fmt.Errorf("compiling %s: %w", inst.function(desc.index), err)
		return guestFailed
	}
	atomic.StoreUint64(&desc.code, addr)
	if s.e.cancelled.Load() != 0 && s.ended() {
		return s.interrupted(s.callers(nil, s.hostReturn()))
	}
	return s.e.resume
}

// registerParams is a signature whose parameters are in all the registers that there are for parameters, and nowhere else.
func registerParams(c *abi.Convention) (list []abi.Type) {
	for range c.ParamInt {
		list = append(list, abi.I64)
	}
	for range c.ParamFloat {
		list = append(list, abi.V128)
	}
	return list
}
