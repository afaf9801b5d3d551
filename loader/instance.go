package loader

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// Config says how an instance is made.
type Config struct {
	Name    string                                   // of the instance, for messages and backtraces
	Resolve func(module, name string) (Extern, bool) // finds imports; nil if there are none
	// ResolveFunc is asked for functions before Resolve: it knows the type, for hosts that have several of one name.
	ResolveFunc func(module, name string, sig *abi.Signature) (Extern, bool)
	Listener    *Listener // is told of calls at the instance's boundary
	// Allocate gives the bytes of an own memory in place of addresses that are reserved: at least min of them, zero, and at most what the memory may grow to. They stay
	// where they are until release is called. Code that relies on guard regions cannot use such memory: Instantiate fails with ErrAddressSpace.
	Allocate       func(min, max uint64) (bytes []byte, release func(), err error)
	MaxMemoryPages uint64       // bound of each own memory in pages of 64 KiB; 0 = 65536
	StackSize      uint64       // of native stacks in bytes; 0 = DefaultStackSize, at most MaxStackSize
	TableMax       uint64       // bound of each own table in elements; 0 = 10,000,000
	OnClose        func()       // is called once, when the instance is closed and its last call has ended
	OnReset        func() error // is called by Reset
}

// Instance is an instance of a module. Methods may be called from several goroutines; whether calls of its functions may
// overlap is the guest's affair: overlapping calls cannot harm the host, but see each other's half-done work.
type Instance struct {
	code   *Code
	name   string
	node   *node
	stacks *stackPool
	own    atomic.Pointer[nativeStack] // see hold.go
	state  atomic.Int64                // calls in progress but that on the own stack, and closedBit
	pooled atomic.Uint32               // calls on stacks from the pool

	block  *vmem.Region // context, then the loader's own part (blockLayout), then tables
	vmctx  uint64
	layout blockLayout

	// All, imported first.
	imported []*Func
	mems     []*Memory
	tables   []*table
	globals  []*global

	elems [][]uint64 // by segment index, nil once dropped
	datas [][]byte   // of Module.Datas, nil once dropped

	mu       sync.Mutex
	made     map[uint32]*Func
	data     any
	saved    *checkpoint
	listener *Listener
	onClose  func()
	onReset  func() error

	ownMem   Memory // room for memory 0
	ownTable table  // and for table 0

	// See hold.go.
	lost             []*nativeStack // taken away from calls in progress
	patience, holder uint32
}

const closedBit = 1 << 62

// Instantiate makes an instance: it finds the imports, applies the segments and runs the start function. Errors are *LinkError
// (an import is unknown or has an incompatible type), *Trap (of a segment or the start function), what the start function's
// host functions return, or that there is no memory. cfg may be nil.
func (c *Code) Instantiate(ctx context.Context, cfg *Config) (*Instance, error) {
	if cfg == nil {
		cfg = &Config{}
	}
	stacks, err := poolFor(cfg.StackSize)
	if err != nil {
		return nil, err
	}
	found, err := c.resolve(cfg)
	if err != nil {
		return nil, err
	}
	i := &Instance{code: c, name: cfg.Name, stacks: stacks, onClose: cfg.OnClose, onReset: cfg.OnReset,
		imported: found.funcs, mems: found.mems, tables: found.tables, globals: found.globals}
	i.own.Store(noStack)
	if i.listener = cfg.Listener; i.listener != nil {
		for k, f := range i.imported {
			if f.inst == nil {
				i.imported[k] = listened(f)
			}
		}
	}
	if err := c.use(cfg.Name); err != nil {
		return nil, err
	}
	i.node = newNode(func() { i.free() })
	if err := found.hold(i.node); err != nil {
		i.Close()
		return nil, err
	}
	if err := i.build(cfg); err != nil {
		i.onClose = nil // there has been no instance
		i.Close()
		return nil, err
	}
	found.share(i.node)
	if c.check != nil { // as late as can be: it may run beside all this
		if err := c.check(); err != nil {
			i.Close()
			return nil, err
		}
	}
	if err := i.initialise(ctx); err != nil {
		i.Close() // what it stored in imported tables stays there and stays callable
		return nil, err
	}
	return i, nil
}

// initialise applies the segments and runs the start function (core specification, 4.5.4 instantiation).
func (i *Instance) initialise(ctx context.Context) error {
	if err := i.applyElems(); err != nil {
		return err
	}
	if err := i.applyDatas(); err != nil {
		return err
	}
	start := i.code.art.Module.Start
	if start < 0 {
		return nil
	}
	f := i.function(uint32(start))
	if n := f.typ.slots; n != 0 {
		return fmt.Errorf("start function %d: expected no parameters and results, found %s", start, sigString(&f.typ.sig))
	}
	if f.inst == nil {
		if f.listened != nil {
			f = f.listened
		}
		return f.host(ctx, i, nil)
	}
	return f.Call(ctx, nil)
}

func (i *Instance) applyElems() error {
	m := &i.code.art.Module
	i.elems = make([][]uint64, len(m.Elems))
	for k := range m.Elems {
		e := &m.Elems[k]
		var refs []uint64
		switch e.Mode {
		case artifact.SegmentDeclarative:
			continue
		case artifact.SegmentPassive:
			refs = make([]uint64, e.Len())
			i.elems[k] = refs
		default: // straight into the table
			if int(e.Table) >= len(i.tables) || e.Start == nil {
				return fmt.Errorf("element segment %d: table %d of %d", k, e.Table, len(i.tables))
			}
			at, _, err := i.eval(e.Start)
			if err != nil {
				return fmt.Errorf("element segment %d: %w", k, err)
			}
			n, all := uint64(e.Len()), i.tables[e.Table].elems()
			if !inBounds(at, n, uint64(len(all))) {
				return &Trap{Code: abi.TrapTableOutOfBounds}
			}
			refs = all[at : at+n]
		}
		if err := i.elemRefs(e, refs); err != nil {
			return fmt.Errorf("element segment %d: %w", k, err)
		}
	}
	return nil
}

// elemRefs stores the references of a segment, e.Len() of them.
func (i *Instance) elemRefs(e *artifact.Elem, refs []uint64) (err error) {
	for k, f := range e.Funcs {
		if refs[k], err = i.funcRef(f); err != nil {
			return err
		}
	}
	refs = refs[len(e.Funcs):]
	for k := range e.Exprs {
		if refs[k], _, err = i.eval(&e.Exprs[k]); err != nil {
			return err
		}
	}
	return nil
}

func (i *Instance) applyDatas() error {
	a := i.code.art
	if len(a.Image) > 0 {
		if len(i.mems) == 0 {
			return errors.New("artifact has a memory image, but no memory")
		}
		code, err := i.mems[0].applyImage(a)
		if err != nil {
			return err
		}
		if code != abi.TrapNone {
			return &Trap{Code: code}
		}
	}
	i.datas = make([][]byte, len(a.Module.Datas))
	for k := range a.Module.Datas {
		d := &a.Module.Datas[k]
		switch d.Mode {
		case artifact.SegmentPassive:
			i.datas[k] = d.Init
			continue
		}
		if int(d.Mem) >= len(i.mems) || d.Start == nil {
			return fmt.Errorf("data segment %d: memory %d of %d", d.Index, d.Mem, len(i.mems))
		}
		at, _, err := i.eval(d.Start)
		if err != nil {
			return fmt.Errorf("data segment %d: %w", d.Index, err)
		}
		if code := i.mems[d.Mem].store(d.Init, at, 0, uint64(len(d.Init))); code != abi.TrapNone {
			return &Trap{Code: code}
		}
	}
	return nil
}

// dataSegment is the place of a passive segment's contents, nil for those that the artifact's image holds.
func (i *Instance) dataSegment(index uint64) *[]byte {
	datas := i.code.art.Module.Datas
	k := sort.Search(len(datas), func(k int) bool { return uint64(datas[k].Index) >= index })
	if k < len(datas) && uint64(datas[k].Index) == index {
		return &i.datas[k]
	}
	return nil
}

// Name is Config.Name.
func (i *Instance) Name() string { return i.name }

// Export is the export of a name, nil if there is none.
func (i *Instance) Export(name string) Extern {
	k, ok := i.code.exports[name]
	if !ok {
		return nil
	}
	switch e := &i.code.art.Module.Exports[k]; e.Kind {
	case artifact.KindFunc:
		return i.function(e.Index)
	case artifact.KindTable:
		return &Table{i.tables[e.Index]}
	case artifact.KindMemory:
		return i.mems[e.Index]
	case artifact.KindGlobal:
		return &Global{i.globals[e.Index]}
	}
	return nil
}

// Func is the exported function of a name, nil if there is none.
func (i *Instance) Func(name string) *Func {
	f, _ := i.Export(name).(*Func)
	return f
}

// Memory is memory 0, nil without one.
func (i *Instance) Memory() *Memory {
	if len(i.mems) == 0 {
		return nil
	}
	return i.mems[0]
}

// Data is what SetData stored last.
func (i *Instance) Data() any {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.data
}

// SetData keeps a value of the host with the instance.
func (i *Instance) SetData(v any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.data = v
}

// Close ends the instance's use: calls of its functions give ErrClosed. Its memory is freed when the calls in progress
// have ended and no other open instance can reach it. Close is idempotent.
func (i *Instance) Close() error {
	i.mu.Lock() // for endHold: what it counts must be seen by the second to close
	i.endHold()
	unused := i.state.Or(closedBit) == 0
	i.mu.Unlock()
	if unused {
		i.finish()
	}
	return nil
}

// Closed reports whether Close was called.
func (i *Instance) Closed() bool { return i.state.Load() >= closedBit }

// Code is what the instance was made of.
func (i *Instance) Code() *Code { return i.code }

// finish runs once the instance is closed and not in use.
func (i *Instance) finish() {
	i.mu.Lock()
	notify := i.onClose
	i.onClose = nil
	i.mu.Unlock()
	i.node.close()
	if notify != nil {
		notify()
	}
}

// begin notes a call, unless the instance is closed.
func (i *Instance) begin() bool {
	if i.state.Add(1) < closedBit {
		return true
	}
	i.end()
	return false
}

func (i *Instance) end() {
	if i.state.Add(-1) == closedBit {
		i.finish()
	}
}

// function is a function of the module, imported or defined. The index is valid.
func (i *Instance) function(index uint32) *Func {
	n := uint32(len(i.imported))
	if index < n {
		return i.imported[index]
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if f := i.made[index]; f != nil {
		return f
	}
	f := &Func{inst: i, index: index}
	if t, name, ok := i.code.funcType(int(index - n)); ok {
		f.typ, f.name, f.desc, f.slots = t, name, i.descAddr(index), t.slots
		f.setEntry(t.entry.Load())
	} else {
		f.typ = &funcType{}
		f.err = fmt.Errorf("%s: %w", f, ErrClosed)
	}
	if i.made == nil {
		i.made = map[uint32]*Func{}
	}
	i.made[index] = f
	return f
}

// funcRef is the reference to a function by its index.
func (i *Instance) funcRef(index uint32) (uint64, error) {
	if n := len(i.imported) + len(i.code.art.Funcs); int(index) >= n {
		return 0, fmt.Errorf("function %d: expected less than %d", index, n)
	}
	return i.descAddr(index), nil
}
