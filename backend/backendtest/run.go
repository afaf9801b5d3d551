//go:build linux && (amd64 || arm64)

package backendtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/backendtest/exec"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// Machine is an instruction set under test: that of the machine the test runs on.
type Machine struct {
	Target   *backend.Target
	Features []uint64                     // sets of CPU features to test with, the last is Target.Baseline
	Lowered  func(m *backend.Func) string // selected instructions as text
	Lengths  []uint64                     // of bulk operations at which more changes
}

// compiler makes code of functions with all checkers on.
type compiler struct {
	mc    *Machine
	cfg   backend.Config
	m     backend.Func
	alloc regalloc.Allocator
	r     regalloc.Result
}

func (c *compiler) compile(f *ssa.Func) (*backend.Code, error) {
	target := c.mc.Target
	if err := target.Lower(&c.cfg, f, &c.m); err != nil {
		return nil, err
	}
	if err := c.alloc.Run(&c.m.RA, target.File(f.Module), &c.r); err != nil {
		return nil, err
	}
	if err := regalloc.Check(&c.m.RA, target.File(f.Module), &c.r); err != nil {
		return nil, err
	}
	code := new(backend.Code)
	if err := target.Emit(&c.cfg, &c.m, &c.r, code); err != nil {
		return nil, err
	}
	if target.CheckAccess != nil {
		if err := target.CheckAccess(&c.cfg, &c.m, code); err != nil {
			return nil, err
		}
	}
	return code, nil
}

// testModule is the module of random functions with a layout: function 0 is imported.
var testModule = func() *ssa.Module {
	m := *ssatest.Module
	m.Layout = abi.NewLayout(abi.Shape{
		Types: len(m.FuncSigs), ImportedFuncs: 1, Funcs: len(m.FuncSigs),
		Globals: len(m.GlobalTypes), Tables: 1, Memories: 2,
	})
	return &m
}()

// pinnedModule is testModule with its first global pinned.
var pinnedModule = func() *ssa.Module {
	m := *testModule
	m.Pinned = 1
	return &m
}()

// guestMemory is a reservation whose first part can be accessed: room for all 32-bit
// indices and offsets.
var guestMemory = func() []byte {
	mem, err := syscall.Mmap(-1, 0, 1<<33+1<<16, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err == nil {
		err = syscall.Mprotect(mem[:ssatest.MemoryBytes], syscall.PROT_READ|syscall.PROT_WRITE)
	}
	if err != nil {
		panic(err)
	}
	return mem
}()

func addressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }

// instance is the context of testModule with what belongs to it.
type instance struct {
	mc      *Machine
	code    *exec.Code
	native  *backend.Code
	text    uint64
	ctx     []byte
	imports []byte       // FuncDescs
	foreign []byte       // another context
	second  []byte       // memory 1
	m       *ssa.Machine // the state that native code works on, brought up to date for calls
	trap    abi.Trap     // of a call
	pinned  bool         // the code is that of pinnedModule
}

// pin puts the pinned global from its cell into its register, unpin back.
func (in *instance) pin(s *exec.State) {
	if in.pinned {
		s.Int[in.mc.Target.Conv.Pinned] = garbage&^math.MaxUint32 | uint64(binary.LittleEndian.Uint32(in.ctx[testModule.Layout.Globals:]))
	}
}

func (in *instance) unpin(s *exec.State) {
	if in.pinned {
		binary.LittleEndian.PutUint32(in.ctx[testModule.Layout.Globals:], uint32(s.Int[in.mc.Target.Conv.Pinned]))
	}
}

// havePinned says that the code has a pinned global.
func (in *instance) havePinned() {
	in.pinned = true
	binary.LittleEndian.PutUint64(in.ctx[abi.CtxPinned:], addressOf(in.ctx[testModule.Layout.Globals:]))
}

// secondBytes is the size of memory 1.
const secondBytes = 256

// tableFuncs are the functions in the table; 0 is null.
var tableFuncs = []uint64{1, 2, 0, 3, 4, 2, 0, 1}

// newMachine makes the state for a run; its calls do what native code does before the callee gets them.
func newMachine(seed uint64, log *strings.Builder) *ssa.Machine {
	m := ssatest.NewMachine(seed, log)
	copy(m.Tables[0], tableFuncs)
	m.Memories = append(m.Memories, bytes.Repeat([]byte("memory 1"), secondBytes/8))
	callee := m.Call
	m.Call = func(m *ssa.Machine, f *ssa.Func, c *ssa.Call, args []uint64) ([]uint64, abi.Trap, error) {
		index := c.Callee
		if c.Kind == ssa.CallIndirect {
			element := args[len(args)-1]
			args = args[:len(args)-1]
			table := m.Tables[c.Table]
			if element >= uint64(len(table)) {
				return nil, abi.TrapUndefinedElement, nil
			}
			if table[element] == 0 {
				return nil, abi.TrapUninitializedElement, nil
			}
			index = uint32(table[element] - 1)
			if index != c.TypeIndex {
				return nil, abi.TrapIndirectCallType, nil
			}
		}
		return callee(m, f, &ssa.Call{Callee: index, Sig: testModule.FuncSigs[index]}, args)
	}
	return m
}

func newInstance(mc *Machine, native *backend.Code) (*instance, error) {
	lay := &testModule.Layout
	in := &instance{mc: mc, native: native, ctx: make([]byte, lay.Size), imports: make([]byte, abi.FuncDescSize), foreign: make([]byte, abi.CtxHeader+abi.GlobalCellSize), second: make([]byte, secondBytes)}
	funcs := len(testModule.FuncSigs)
	put := binary.LittleEndian.PutUint64
	var err, failed error
	in.code, err = exec.Load(native.Text, funcs, func(mem []byte, base uint64, start uint32, callout []uint32) {
		in.text = base + uint64(start)
		for _, r := range native.Relocs {
			failed = errors.Join(failed, mc.Target.Patch(mem, 0, start+r.Off, r.Kind, callout[r.Target+1]))
		}
		for i := range funcs {
			desc := in.imports
			if i > 0 {
				desc = in.ctx[lay.Funcs+uint32(i-1)*abi.FuncDescSize:]
			}
			put(desc[abi.FuncDescCode:], base+uint64(callout[i]))
			put(desc[abi.FuncDescCtx:], addressOf(in.ctx))
			binary.LittleEndian.PutUint32(desc[abi.FuncDescTypeID:], uint32(100+i))
			binary.LittleEndian.PutUint32(in.ctx[lay.TypeIDs+4*uint32(i):], uint32(100+i))
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	put(in.imports[abi.FuncDescCtx:], addressOf(in.foreign))
	put(in.foreign[abi.CtxMemBase:], 0x1234567890)
	put(in.ctx[abi.CtxMemBase:], addressOf(guestMemory))
	put(in.foreign[abi.CtxPinned:], addressOf(in.foreign[abi.CtxHeader:]))
	put(in.ctx[abi.CtxPinned:], addressOf(in.ctx[lay.Unpinned:]))
	put(in.ctx[abi.CtxMemRec:], addressOf(in.ctx[lay.Memories:]))
	put(in.ctx[lay.Memories+abi.MemoryRecBase:], addressOf(guestMemory))
	put(in.ctx[lay.Memories+abi.MemoryRecBytes:], ssatest.MemoryBytes)
	put(in.ctx[lay.Memories+abi.MemoryRecSize+abi.MemoryRecBase:], addressOf(in.second))
	put(in.ctx[lay.Memories+abi.MemoryRecSize+abi.MemoryRecBytes:], secondBytes)
	put(in.ctx[lay.Imports:], addressOf(in.imports))
	return in, nil
}

// desc is the address of function index's FuncDesc.
func (in *instance) desc(index uint32) uint64 {
	if index == 0 {
		return addressOf(in.imports)
	}
	return addressOf(in.ctx[testModule.Layout.Funcs+(index-1)*abi.FuncDescSize:])
}

// store brings the machine's state into native code's memory, load back.
func (in *instance) store() {
	lay := &testModule.Layout
	copy(guestMemory, in.m.Memories[0])
	if len(in.m.Memories) > 1 {
		copy(in.second, in.m.Memories[1])
	}
	for i, g := range in.m.Globals {
		binary.LittleEndian.PutUint64(in.ctx[lay.Globals+uint32(i)*abi.GlobalCellSize:], g)
	}
	table := make([]byte, 8*max(1, len(in.m.Tables[0])))
	for i, r := range in.m.Tables[0] {
		if r != 0 {
			binary.LittleEndian.PutUint64(table[8*i:], in.desc(uint32(r-1)))
		}
	}
	binary.LittleEndian.PutUint64(in.ctx[lay.Tables+abi.TableRecBase:], addressOf(table))
	binary.LittleEndian.PutUint64(in.ctx[lay.Tables+abi.TableRecLen:], uint64(len(in.m.Tables[0])))
}

func (in *instance) load() {
	lay := &testModule.Layout
	copy(in.m.Memories[0], guestMemory)
	if len(in.m.Memories) > 1 {
		copy(in.m.Memories[1], in.second)
	}
	for i := range in.m.Globals {
		g := binary.LittleEndian.Uint64(in.ctx[lay.Globals+uint32(i)*abi.GlobalCellSize:])
		if t := testModule.GlobalTypes[i]; t.Size() == 4 {
			g = uint64(uint32(g))
		}
		in.m.Globals[i] = g
	}
}

// getPlaces reads values from where the convention puts them.
func getPlaces(places []abi.Place, s *exec.State, area []uint64) (vals []uint64) {
	for _, p := range places {
		var x uint64
		switch {
		case p.Reg < 0:
			x = area[p.Slot/8]
		case p.Type.IsFloat():
			x = s.Float[p.Reg][0]
		default:
			x = s.Int[p.Reg]
		}
		if p.Type.Size() == 4 {
			x = uint64(uint32(x))
		}
		vals = append(vals, x)
	}
	return vals
}

const garbage = 0xdeadbeef_cafef00d

// setPlaces writes them; what is undefined is garbage.
func setPlaces(places []abi.Place, vals []uint64, s *exec.State, area []uint64) {
	for i, p := range places {
		x := vals[i]
		if p.Type.Size() == 4 {
			x |= garbage &^ math.MaxUint32
		}
		switch {
		case p.Reg < 0:
			area[p.Slot/8] = x
		case p.Type.IsFloat():
			s.Float[p.Reg] = [2]uint64{x, garbage}
		default:
			s.Int[p.Reg] = x
		}
	}
}

// scramble fills all registers with garbage but the stack pointer.
func scramble(s *exec.State) {
	for i := range s.Int {
		if i != exec.StackPointer {
			s.Int[i] = garbage + uint64(i)
		}
	}
	for i := range s.Float {
		s.Float[i] = [2]uint64{garbage - uint64(i), garbage}
	}
}

// run runs native code on machine m.
func (in *instance) run(sig *abi.Signature, args []uint64, m *ssa.Machine) ([]uint64, abi.Trap, error) {
	mc := in.mc
	in.m, in.trap = m, 0
	params, area := mc.Target.Conv.Params(sig.Params)
	results, resultArea := mc.Target.Conv.Results(sig.Results)
	stack := make([]uint64, max(area, resultArea)/8)
	var s exec.State
	scramble(&s)
	setPlaces(params, args, &s, stack)
	s.Int[mc.Target.Conv.Context], s.Int[mc.Target.Conv.MemBase] = addressOf(in.ctx), addressOf(guestMemory)
	in.store()
	in.pin(&s)
	var err error
	fault, err2 := in.code.Call(in.text, &s, stack, func(n int, s *exec.State, area []uint64) bool {
		err = in.callout(uint32(n), s, area)
		return err == nil && in.trap == 0
	})
	if fault != nil || err == nil && in.trap == 0 {
		in.unpin(&s)
	}
	in.load()
	switch {
	case err2 != nil:
		return nil, 0, err2
	case err != nil:
		return nil, 0, err
	case fault != nil:
		return in.fault(fault)
	case in.trap != 0:
		return nil, in.trap, nil
	}
	if s.Int[mc.Target.Conv.Context] != addressOf(in.ctx) || s.Int[mc.Target.Conv.MemBase] != addressOf(guestMemory) {
		return nil, 0, fmt.Errorf("pinned registers on return: context %#x, memory base %#x", s.Int[mc.Target.Conv.Context], s.Int[mc.Target.Conv.MemBase])
	}
	return getPlaces(results, &s, stack), 0, nil
}

// runVectors runs a function of vectors, each with its number as parameter; parameter 1 is choice.
func (in *instance) runVectors(t *testing.T, m *ssa.Machine, places []abi.Place, area uint32, choice uint64) ([2]uint64, []byte) {
	t.Helper()
	mc := in.mc
	in.m, in.trap = m, 0
	stack := make([]uint64, area/8)
	var s exec.State
	scramble(&s)
	for i, p := range places {
		v := [2]uint64{uint64(i), uint64(i) << 8}
		switch {
		case p.Type == abi.I32:
			s.Int[p.Reg] = choice
		case p.Reg >= 0:
			s.Float[p.Reg] = v
		default:
			copy(stack[p.Slot/8:], v[:])
		}
	}
	s.Int[mc.Target.Conv.Context], s.Int[mc.Target.Conv.MemBase] = addressOf(in.ctx), addressOf(guestMemory)
	in.store()
	fault, err := in.code.Call(in.text, &s, stack, func(n int, s *exec.State, area []uint64) bool {
		return in.callout(uint32(n), s, area) == nil
	})
	if fault != nil || err != nil {
		t.Fatalf("%v, %v", fault, err)
	}
	in.load()
	return s.Float[0], m.Memories[0]
}

func (in *instance) fault(f *exec.Fault) ([]uint64, abi.Trap, error) {
	for _, t := range in.native.Traps {
		if in.text+uint64(t.Off) != f.PC {
			continue
		}
		base := addressOf(guestMemory)
		if f.Signal == uint32(syscall.SIGSEGV) && (f.Addr < base || f.Addr >= base+uint64(len(guestMemory))) {
			break
		}
		return nil, t.Trap, nil
	}
	return nil, 0, fmt.Errorf("signal %d at %#x, address %#x", f.Signal, f.PC-in.text, f.Addr)
}

// callout makes a call of native code.
func (in *instance) callout(n uint32, s *exec.State, area []uint64) error {
	mc := in.mc
	ctx, base := addressOf(in.ctx), addressOf(guestMemory)
	if n == 0 {
		ctx, base = addressOf(in.foreign), 0x1234567890
	}
	if s.Int[mc.Target.Conv.Context] != ctx || s.Int[mc.Target.Conv.MemBase] != base {
		return fmt.Errorf("pinned registers on call of function %d: context %#x, memory base %#x", n, s.Int[mc.Target.Conv.Context], s.Int[mc.Target.Conv.MemBase])
	}
	sig := testModule.FuncSigs[n]
	params, _ := mc.Target.Conv.Params(sig.Params)
	results, _ := mc.Target.Conv.Results(sig.Results)
	if n > 0 {
		in.unpin(s)
	}
	in.load()
	vals, trap, err := in.m.Call(in.m, nil, &ssa.Call{Callee: n}, getPlaces(params, s, area))
	in.trap = trap
	if err != nil || trap != 0 {
		return err
	}
	in.store()
	scramble(s)
	s.Int[mc.Target.Conv.Context] = ctx
	if n > 0 {
		s.Int[mc.Target.Conv.MemBase] = base
		in.pin(s)
	}
	setPlaces(results, vals, s, area)
	return nil
}

// outcome runs f natively like ssatest.Run does on the evaluator.
func outcome(m *ssa.Machine, log *strings.Builder, results []uint64, trap abi.Trap, err error) ssatest.Outcome {
	if len(results) == 0 {
		results = nil
	}
	out := ssatest.Outcome{Results: results, Trap: trap, Globals: m.Globals, Calls: log.String()}
	if err != nil {
		out.Err = err.Error()
	}
	out.Memory = crc32.Checksum(m.Memories[0], crc32.MakeTable(crc32.Castagnoli))
	return out
}
