package frontend

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// TestEval runs the official suite's functions as the builder makes them on ssa.Machine. It is about
// modules on their own; linked modules are left to spectest.
func TestEval(t *testing.T) {
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	names, err := suite.Names("core")
	if err != nil {
		t.Fatal(err)
	}
	passed, left := 0, 0
	for i, name := range names {
		s, err := suite.Open("core", name)
		if err != nil {
			t.Fatal(err)
		}
		e := &evalRun{T: t, script: s, opts: allOptions[i%len(allOptions)]}
		for j := range s.Commands {
			e.command(&s.Commands[j])
		}
		passed, left = passed+e.passed, left+e.left
	}
	t.Logf("%d assertions hold, %d left out", passed, left)
	if passed < 15_000 {
		t.Errorf("%d assertions hold, expected far more", passed)
	}
}

type evalRun struct {
	*testing.T
	script       *script.Script
	opts         Options
	inst         *instance // nil if the current module cannot be run
	passed, left int
}

func (e *evalRun) command(c *script.Command) {
	switch c.Type {
	case script.Module:
		src, err := e.script.File(c.Binary())
		if err != nil {
			e.Fatal(err)
		}
		e.inst = instantiate(src, e.opts)
	case script.DoAction, script.AssertReturn, script.AssertTrap:
		results, trap, err := e.act(c.Action)
		switch {
		case err != nil:
			e.left++
			if e.inst != nil && c.Action.Type == script.Invoke && c.Action.Module == "" {
				e.inst = nil // its state is no longer what the script expects
			}
		case c.Type == script.AssertTrap && !strings.HasPrefix(c.Text, trap.String()): // a number may follow
			e.Errorf("%s:%d: expected trap %q, found %q", e.script.Source, c.Line, c.Text, trap)
		case c.Type == script.AssertReturn && !matchAll(c.Expected, results, trap):
			e.Errorf("%s:%d: %s: expected %v, found %x, %s", e.script.Source, c.Line, c.Action.Field, c.Expected, results, trap)
		default:
			e.passed++
		}
	}
}

// act gives an error for what cannot be run here.
func (e *evalRun) act(a *script.Action) ([]uint64, abi.Trap, error) {
	if e.inst == nil || a.Module != "" {
		return nil, 0, errLeft
	}
	args := make([]uint64, len(a.Args))
	for i := range a.Args {
		switch v := &a.Args[i]; v.Ref {
		case script.NotRef:
			args[i] = v.Lo
		case script.RefHost:
			args[i] = v.Lo + 1
		}
	}
	for _, ex := range e.inst.m.Wasm.Exports {
		switch {
		case ex.Name != a.Field:
		case a.Type == script.Get:
			return []uint64{e.inst.machine.Globals[ex.Index]}, 0, nil
		default:
			e.inst.machine.Fuel = 10_000_000
			return e.inst.run(ex.Index, args)
		}
	}
	return nil, 0, errLeft
}

func matchAll(want []script.Value, got []uint64, trap abi.Trap) bool {
	if len(want) != len(got) || trap != 0 {
		return false
	}
	for i := range want {
		if !match(&want[i], got[i]) {
			return false
		}
	}
	return true
}

func match(want *script.Value, got uint64) bool {
	if len(want.NaNs) == 1 && want.NaNs[0] != script.NotNaN {
		sign, quiet := uint64(1)<<63, uint64(0x7ff8)<<48
		if want.Type == "f32" {
			sign, quiet = 1<<31, 0x7fc0<<16
		}
		return got&quiet == quiet && (want.NaNs[0] == script.NaNArithmetic || got&^sign == quiet)
	}
	switch want.Ref {
	case script.RefNull:
		return got == 0
	case script.RefHost:
		return got == want.Lo+1
	case script.RefSome:
		return got != 0
	}
	return got == want.Lo
}

var errLeft = errors.New("not for this test")

// instance is a module on ssa.Machine. References are function indices or host numbers, plus 1.
type instance struct {
	m       *Module
	machine *ssa.Machine
	funcs   []*ssa.Func
	elems   []bool // segments that are dropped
	datas   [][]byte
	opts    Options
	depth   int
}

// instantiate is nil for a module that cannot be run here.
func instantiate(src []byte, opts Options) *instance {
	w, err := wasm.Decode(src, wasm.Features20NoSIMD)
	if err != nil {
		return nil
	}
	mod, err := NewModule(w)
	if err != nil {
		return nil
	}
	mod.FindUnwinders()
	for _, im := range w.Imports {
		if im.Module != "spectest" || im.Kind != wasm.ExternFunc {
			return nil
		}
	}
	in := &instance{
		m: mod, opts: opts, funcs: make([]*ssa.Func, len(w.Funcs)),
		elems: make([]bool, len(w.Elems)), datas: make([][]byte, w.DataLen),
	}
	in.machine = &ssa.Machine{Call: in.call}
	for _, mem := range w.Mems {
		if mem.Min > 100 {
			return nil
		}
		in.machine.Memories = append(in.machine.Memories, make([]byte, mem.Min<<16))
	}
	for i := range w.Globals {
		in.machine.Globals = append(in.machine.Globals, in.constant(w.Globals[i].Init))
	}
	for _, table := range w.Tables {
		if table.Min > 10_000 {
			return nil
		}
		in.machine.Tables = append(in.machine.Tables, make([]uint64, table.Min))
	}
	if !in.fill() {
		return nil
	}
	if w.Start >= 0 {
		in.machine.Fuel = 1_000_000
		if _, trap, err := in.run(uint32(w.Start), nil); trap != 0 || err != nil {
			return nil
		}
	}
	return in
}

// fill applies the active segments.
func (in *instance) fill() bool {
	for i := range in.m.Wasm.Elems {
		e := &in.m.Wasm.Elems[i]
		in.elems[i] = e.Mode == wasm.SegmentDeclarative
		if e.Mode != wasm.SegmentActive {
			continue
		}
		start, table := uint64(uint32(in.constant(e.Start))), in.machine.Tables[e.Table]
		if start+uint64(e.Len()) > uint64(len(table)) {
			return false
		}
		copy(table[start:], in.refs(e))
		in.elems[i] = true
	}
	for i, d := range in.m.Wasm.Datas() {
		if d.Mode != wasm.SegmentActive {
			in.datas[i] = d.Init
			continue
		}
		start, mem := uint64(uint32(in.constant(in.m.Wasm.DataStart(d)))), in.machine.Memories[d.Mem]
		if start+uint64(len(d.Init)) > uint64(len(mem)) {
			return false
		}
		copy(mem[start:], d.Init)
	}
	return true
}

func (in *instance) constant(e *wasm.ConstExpr) uint64 {
	switch c := &e.Instrs[0]; c.Op {
	case wasm.OpGlobalGet:
		return in.machine.Globals[c.Index]
	case wasm.OpRefFunc:
		return uint64(c.Index) + 1
	case wasm.OpRefNull:
		return 0
	case wasm.OpI32Const:
		return uint64(uint32(c.Bits))
	default:
		return c.Bits
	}
}

func (in *instance) run(index uint32, args []uint64) ([]uint64, abi.Trap, error) {
	if int(index) < in.m.Wasm.ImportedFuncs {
		return make([]uint64, len(in.m.SSA.FuncSigs[index].Results)), 0, nil // spectest.print does nothing
	}
	if in.depth++; in.depth > 1000 {
		return nil, 0, errLeft
	}
	defer func() { in.depth-- }()
	f := in.funcs[index]
	if f == nil {
		f = new(ssa.Func)
		if err := new(Builder).Build(in.m, index, in.opts, f); err != nil {
			return nil, 0, err
		}
		in.funcs[index] = f
	}
	return in.machine.Eval(f, args)
}

func (in *instance) call(m *ssa.Machine, _ *ssa.Func, c *ssa.Call, args []uint64) ([]uint64, abi.Trap, error) {
	switch c.Kind {
	case ssa.CallDirect, ssa.CallImport:
		return in.run(c.Callee, args)
	case ssa.CallIndirect:
		last := len(args) - 1
		table := m.Tables[c.Table]
		if args[last] >= uint64(len(table)) {
			return nil, abi.TrapUndefinedElement, nil
		}
		ref := table[args[last]]
		if ref == 0 {
			return nil, abi.TrapUninitializedElement, nil
		}
		index := uint32(ref - 1)
		same := in.m.classes[in.m.Wasm.Funcs[index].Type] == in.m.classes[c.TypeIndex]
		if c.SameSig && !same || c.Local && int(index) < in.m.Wasm.ImportedFuncs {
			return nil, 0, fmt.Errorf("table %d does not hold what is known of it", c.Table)
		}
		if !same {
			return nil, abi.TrapIndirectCallType, nil
		}
		return in.run(index, args[:last])
	}
	return in.builtin(m, abi.Builtin(c.Callee), args)
}

// builtin does what the runtime does.
func (in *instance) builtin(m *ssa.Machine, id abi.Builtin, args []uint64) ([]uint64, abi.Trap, error) {
	w, x := in.m.Wasm, args[0]
	switch id {
	case abi.BuiltinMemoryGrow:
		old := uint64(len(m.Memories[x])) >> 16
		if !fits(w.Mems[x].Limits, old, args[1], 1000) {
			return []uint64{math.MaxUint64}, 0, nil
		}
		m.Memories[x] = append(m.Memories[x], make([]byte, args[1]<<16)...)
		return []uint64{old}, 0, nil
	case abi.BuiltinMemoryInit:
		return replace(m.Memories[x], args[2], in.datas[args[1]], args[3], args[4], abi.TrapMemoryOutOfBounds)
	case abi.BuiltinDataDrop:
		in.datas[x] = nil
	case abi.BuiltinTableGrow:
		old := uint64(len(m.Tables[x]))
		if !fits(w.Tables[x].Limits, old, args[2], 100_000) {
			return []uint64{math.MaxUint64}, 0, nil
		}
		for range args[2] {
			m.Tables[x] = append(m.Tables[x], args[1])
		}
		return []uint64{old}, 0, nil
	case abi.BuiltinTableFill:
		if args[1]+args[3] > uint64(len(m.Tables[x])) {
			return nil, abi.TrapTableOutOfBounds, nil
		}
		for i := range args[3] {
			m.Tables[x][args[1]+i] = args[2]
		}
	case abi.BuiltinTableCopy:
		return replace(m.Tables[x], args[2], m.Tables[args[1]], args[3], args[4], abi.TrapTableOutOfBounds)
	case abi.BuiltinTableInit:
		var refs []uint64
		if e := &w.Elems[args[1]]; !in.elems[args[1]] {
			refs = in.refs(e)
		}
		return replace(m.Tables[x], args[2], refs, args[3], args[4], abi.TrapTableOutOfBounds)
	case abi.BuiltinElemDrop:
		in.elems[x] = true
	default:
		return nil, 0, errLeft
	}
	return nil, 0, nil
}

// fits reports whether something of size old may grow by n.
func fits(l wasm.Limits, old, n, limit uint64) bool {
	return n <= limit && old+n <= limit && (!l.HasMax || old+n <= l.Max)
}

// replace copies src[from:from+n] to dst[to:].
func replace[T any](dst []T, to uint64, src []T, from, n uint64, trap abi.Trap) ([]uint64, abi.Trap, error) {
	if to+n > uint64(len(dst)) || from+n > uint64(len(src)) {
		return nil, trap, nil
	}
	copy(dst[to:to+n], src[from:from+n])
	return nil, 0, nil
}

func (in *instance) refs(e *wasm.ElemSegment) []uint64 {
	refs := make([]uint64, 0, e.Len())
	for _, f := range e.Funcs {
		refs = append(refs, uint64(f)+1)
	}
	for i := range e.Exprs {
		refs = append(refs, in.constant(&e.Exprs[i]))
	}
	return refs
}
