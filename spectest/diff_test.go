package spectest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/spectest/oracle"
)

var (
	oracleSeed  = flag.Uint64("oracle.seed", 0, "TestDifferential: try only the module of this seed")
	oracleCount = flag.Int("oracle.n", 20000, "TestDifferential: number of generated modules; with -short a sixth of it")
	oracleFor   = flag.Duration("oracle.for", 0, "TestDifferential: try modules for so long, whatever -oracle.n says")
	oracleFails = flag.Int("oracle.failures", 5, "TestDifferential: after how many failing modules to stop")
	oracleCheck = flag.Bool("oracle.check", true, "TestDifferential: with the compiler's checkers; without them wrong code must show by what it does")
)

// TestDifferential compares compiled code with the oracle on generated modules: results, traps, memory, globals, tables and
// what host functions get, after every call, with all settings. The code runs in child processes.
//
// Each run has seeds of its own: the message of a failure says how to replay one. The module is then cut down for as long as
// it still fails, and left in a file.
//
// 20,000 modules take about 90 seconds on two cores.
func TestDifferential(t *testing.T) {
	nativetest.Require(t)
	first, count := uint64(time.Now().UnixNano()), uint64(*oracleCount)
	d := &differential{t: t}
	switch {
	case *oracleSeed != 0:
		first, count = *oracleSeed, 1
	case *oracleFor != 0:
		count, d.until = math.MaxUint32, time.Now().Add(*oracleFor)
	case testing.Short():
		count = (count + 5) / 6
	}
	d.next, d.end = first, first+count
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), int(count)) {
		wg.Go(d.work)
	}
	wg.Wait()
	tried := d.next - first
	t.Logf("%d modules, seeds %d to %d: %d calls returned, %d trapped, %d took too long for the oracle", tried, first, first+tried-1, d.sum.Returned,
		d.sum.Trapped, d.sum.Endless)
	if *oracleSeed == 0 && d.sum.Returned < int(tried) {
		t.Errorf("too few calls returned to mean anything")
	}
}

// differential hands out seeds and gathers what comes back.
type differential struct {
	t *testing.T

	until  time.Time // if not zero, when to stop
	mu     sync.Mutex
	next   uint64
	end    uint64
	failed int
	sum    verdict
}

// reduceTime is how long a failing module is cut down: code that never ends takes a timeout for each step.
const reduceTime = time.Minute

func (d *differential) seed() (uint64, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.next == d.end || d.failed >= *oracleFails || !d.until.IsZero() && time.Now().After(d.until) {
		return 0, false
	}
	d.next++
	return d.next - 1, true
}

func (d *differential) work() {
	c := &child{}
	defer c.stop()
	for {
		seed, ok := d.seed()
		if !ok {
			return
		}
		p := oracle.NewProgram(seed, oracle.Options{SIMD: seed%2 == 0})
		v, err := tryProgram(c, seed, p)
		if err != nil {
			d.t.Errorf("seed %d: %v", seed, err)
			return
		}
		d.mu.Lock()
		d.sum.add(v)
		if v.Problem != "" {
			d.failed++
		}
		d.mu.Unlock()
		if v.Problem != "" {
			d.report(c, seed, p, v.Problem)
		}
	}
}

func tryProgram(c *child, seed uint64, p *oracle.Program) (verdict, error) {
	src, err := p.Encode()
	if err != nil {
		return verdict{}, err
	}
	return c.try(request{Seed: seed, Module: src, Unchecked: !*oracleCheck})
}

// report cuts a failing module down and tells where it is.
func (d *differential) report(c *child, seed uint64, p *oracle.Program, problem string) {
	last, start := problem, time.Now()
	steps := p.Reduce(func(q *oracle.Program) bool {
		if time.Since(start) > reduceTime {
			return false
		}
		v, err := tryProgram(c, seed, q)
		if err != nil || v.Problem == "" {
			return false
		}
		last = v.Problem
		return true
	})
	src, err := p.Encode()
	if err != nil {
		d.t.Errorf("seed %d: %v", seed, err)
		return
	}
	file := filepath.Join(os.TempDir(), fmt.Sprintf("wasmaot-diff-%d.wasm", seed))
	if err := os.WriteFile(file, src, 0o600); err != nil {
		d.t.Error(err)
	}
	d.t.Errorf("seed %d: %s\nreplay: go test ./spectest -run '^TestDifferential$' -oracle.seed %d\ncut down in %d steps, in %s: %s\n%s",
		seed, problem, seed, steps, file, last, oracle.Text(src))
}

// request asks a child about a module, verdict answers.
type request struct {
	Seed   uint64 // of the arguments, and of which settings are tried
	Module []byte
	All    bool // try all settings

	Unchecked bool // without the compiler's checkers
}

// tries reports whether a setting is tried: the first two always, of the others two, which saves a third of the time.
func (r *request) tries(setting int) bool {
	return r.All || setting < 2 || setting%2 == int(r.Seed%2)
}

type verdict struct {
	Problem                    string // empty if all agreed
	Returned, Trapped, Endless int
}

func (v *verdict) add(w verdict) {
	v.Returned += w.Returned
	v.Trapped += w.Trapped
	v.Endless += w.Endless
}

// judge runs a module on the oracle and natively, and compares.
func judge(r request) (v verdict) {
	m, err := wasm.Decode(r.Module, wasm.Features20)
	if err != nil {
		return verdict{Problem: fmt.Sprint("not valid: ", err)}
	}
	calls, states, err := runOracle(r, m, &v)
	if err != nil {
		return verdict{Problem: fmt.Sprint("oracle: ", err)}
	}
	for i := range settings {
		if !r.tries(i) {
			continue
		}
		if err := runNative(r, m, i, calls, states); err != nil {
			v.Problem = fmt.Sprintf("%s: %v", settings[i].name, err)
			break
		}
	}
	return v
}

// call is a call from outside.
type call struct {
	name string
	typ  *wasm.FuncType
	args []oracle.Value
}

// state is what there is after a call, or at the start.
type state struct {
	trap    string
	results []oracle.Value
	memory  []byte
	globals []oracle.Value
	tables  [][]bool // which elements are not null
	host    uint64   // hash of all calls of host functions so far
}

// hostFunc is what all imported functions do: the results are made of the arguments and of how often it was called.
type hostFunc struct {
	hash uint64
}

func (h *hostFunc) call(index uint32, t *wasm.FuncType, args []oracle.Value) []oracle.Value {
	sum := fnv.New64a()
	fmt.Fprint(sum, h.hash, index)
	for i, t := range t.Params {
		fmt.Fprint(sum, plainNaN(t, args[i]))
	}
	h.hash = sum.Sum64()
	return oracle.Arguments(h.hash, t.Results)
}

// plainNaN makes a NaN the canonical one.
func plainNaN(t wasm.ValType, v oracle.Value) oracle.Value {
	switch {
	case t == wasm.F32 && v.Lo&0x7fffffff > 0x7f800000:
		v.Lo = 0x7fc00000
	case t == wasm.F64 && v.Lo&^(1<<63) > 0x7ff<<52:
		v.Lo = 0x7ff8 << 48
	}
	return v
}

// runOracle runs all exported functions, twice, and notes the state after each.
func runOracle(r request, m *wasm.Module, v *verdict) ([]call, []state, error) {
	var host hostFunc
	inst, err := oracle.Instantiate(m, oracle.Config{Fuel: 100_000, Resolve: oracle.Host(m, host.call)})
	var trap oracle.Trap
	if errors.As(err, &trap) {
		v.Trapped++
		return nil, []state{{trap: string(trap)}}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	note := func(trap string, results []oracle.Value) state {
		s := state{trap: trap, results: results, memory: bytes.Clone(inst.Mems[0].Data), host: host.hash}
		for _, g := range inst.Globals {
			s.globals = append(s.globals, g.Value)
		}
		for i, t := range inst.Tables {
			if inst.Export(fmt.Sprint("t", i)) == nil {
				s.tables = append(s.tables, nil)
				continue
			}
			some := make([]bool, 0, len(t.Elems))
			for _, e := range t.Elems {
				some = append(some, e.Func != nil || e.Lo != 0)
			}
			s.tables = append(s.tables, some)
		}
		return s
	}
	states := []state{note("", nil)}
	var calls []call
	random := rand.New(rand.NewPCG(r.Seed, 1))
	for range 2 {
		for _, e := range m.Exports {
			if e.Kind != wasm.ExternFunc {
				continue
			}
			t := m.FuncType(e.Index)
			c := call{e.Name, t, oracle.Arguments(random.Uint64(), t.Params)}
			inst.Export(oracle.FuelGlobal).(*oracle.Global).Lo = oracle.StartFuel
			inst.Export(oracle.SPGlobal).(*oracle.Global).Lo = oracle.StartSP
			results, err := inst.Invoke(c.name, slices.Clone(c.args))
			trap = ""
			switch {
			case err == nil:
				v.Returned++
			case errors.As(err, &trap):
				v.Trapped++
				results = nil
			case err == oracle.ErrFuel:
				v.Endless++
				return calls, states, nil
			default:
				return nil, nil, err
			}
			calls, states = append(calls, c), append(states, note(string(trap), results))
		}
	}
	return calls, states, nil
}

// nativeHost is what oracle.Host is.
func nativeHost(m *wasm.Module, host *hostFunc) func(module, name string) (loader.Extern, bool) {
	return func(_, name string) (loader.Extern, bool) {
		i := slices.IndexFunc(m.Imports, func(im wasm.Import) bool { return im.Name == name })
		if i < 0 {
			return nil, false
		}
		index := m.Imports[i].Index
		switch m.Imports[i].Kind {
		case wasm.ExternFunc:
			t := m.FuncType(index)
			return loader.NewHostFunc(name, signature(t), func(_ context.Context, _ *loader.Instance, stack []uint64) error {
				toSlots(t.Results, host.call(index, t, fromSlots(t.Params, stack)), stack)
				return nil
			}), true
		case wasm.ExternGlobal:
			g := &m.Globals[index]
			v := oracle.ImportedGlobal(index, g.Type)
			return loader.NewGlobal(artifact.Global{Type: abiType(g.Type), Mutable: g.Mutable}, v.Lo, v.Hi), true
		case wasm.ExternMemory:
			l := &m.Mems[index].Limits
			mem, err := loader.NewMemory(artifact.Memory{Min: l.Min, Max: maxOf(l)})
			return mem, err == nil
		}
		t := &m.Tables[index]
		table, err := loader.NewTable(artifact.Table{Elem: abiType(t.Elem), Min: t.Min, Max: maxOf(&t.Limits)})
		return table, err == nil
	}
}

// maxOf is the maximum in the artifact's terms.
func maxOf(l *wasm.Limits) uint64 {
	if l.HasMax {
		return l.Max
	}
	return math.MaxUint64
}

func abiType(t wasm.ValType) abi.Type {
	return map[wasm.ValType]abi.Type{wasm.I32: abi.I32, wasm.I64: abi.I64, wasm.F32: abi.F32, wasm.F64: abi.F64, wasm.V128: abi.V128,
		wasm.FuncRef: abi.FuncRef, wasm.ExternRef: abi.ExternRef}[t]
}

// callTimeout is how long native code may take for what the oracle does in milliseconds.
const callTimeout = 30 * time.Second

// runNative compiles the module, makes the calls and compares with the states.
func runNative(r request, m *wasm.Module, setting int, calls []call, states []state) error {
	a, err := settings[setting].compile(r.Module, !r.Unchecked)
	if err != nil {
		return err
	}
	code, err := loader.Load(a)
	if err != nil {
		return err
	}
	defer code.Close()
	var host hostFunc
	inst, err := code.Instantiate(context.Background(), &loader.Config{StackSize: 1 << 20, Resolve: nativeHost(m, &host)})
	if inst != nil {
		defer inst.Close()
	}
	if states[0].trap != "" {
		return sameTrap(err, states[0].trap)
	}
	if err != nil {
		return err
	}
	if err := compareState(m, inst, &host, &states[0]); err != nil {
		return fmt.Errorf("at the start: %w", err)
	}
	for i, c := range calls {
		want := &states[i+1]
		if err := nativeCall(inst, c, want); err != nil {
			return fmt.Errorf("call %d, %s%v: %w", i, c.name, c.args, err)
		}
		if err := compareState(m, inst, &host, want); err != nil {
			return fmt.Errorf("after call %d, %s%v (%s): %w", i, c.name, c.args, want.trap, err)
		}
	}
	return nil
}

func nativeCall(inst *loader.Instance, c call, want *state) error {
	inst.Export(oracle.FuelGlobal).(*loader.Global).Set(oracle.StartFuel, 0)
	inst.Export(oracle.SPGlobal).(*loader.Global).Set(oracle.StartSP, 0)
	f := inst.Func(c.name)
	if f == nil {
		return errors.New("no such export")
	}
	stack := make([]uint64, f.Signature().SlotCount())
	toSlots(c.typ.Params, c.args, stack)
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	err := f.Call(ctx, stack)
	if err := sameTrap(err, want.trap); err != nil || want.trap != "" {
		return err
	}
	for i, got := range fromSlots(c.typ.Results, stack) {
		if err := sameValue(c.typ.Results[i], got, want.results[i]); err != nil {
			return fmt.Errorf("result %d: %w", i, err)
		}
	}
	return nil
}

// sameTrap compares the error of a call with the oracle's trap, "" for none.
func sameTrap(err error, want string) error {
	var trap *loader.Trap
	switch {
	case errors.As(err, &trap):
		if text := trap.Code.String(); text != want {
			return fmt.Errorf("expected %s, found the trap %q\n%s", orReturn(want), text, trap.Backtrace())
		}
		return nil
	case err == nil && want != "":
		return fmt.Errorf("expected the trap %q, found none", want)
	}
	return err
}

func orReturn(trap string) string {
	if trap == "" {
		return "no trap"
	}
	return strconv.Quote(trap)
}

func sameValue(t wasm.ValType, got, want oracle.Value) error {
	if plainNaN(t, got) != plainNaN(t, want) {
		return fmt.Errorf("expected %s 0x%x %x, found 0x%x %x", t, want.Lo, want.Hi, got.Lo, got.Hi)
	}
	return nil
}

func compareState(m *wasm.Module, inst *loader.Instance, host *hostFunc, want *state) error {
	got := inst.Export("mem").(*loader.Memory).Bytes()
	if len(got) != len(want.memory) {
		return fmt.Errorf("memory: expected %d bytes, found %d", len(want.memory), len(got))
	}
	if !bytes.Equal(got, want.memory) {
		for i := range got {
			if got[i] != want.memory[i] {
				return fmt.Errorf("memory at 0x%x: expected % x, found % x", i, want.memory[i:min(len(got), i+8)], got[i:min(len(got), i+8)])
			}
		}
	}
	for i, v := range want.globals {
		lo, hi := inst.Export(fmt.Sprint("g", i)).(*loader.Global).Get()
		if err := sameValue(m.Globals[i].Type, oracle.Value{Lo: lo, Hi: hi}, v); err != nil {
			return fmt.Errorf("global %d: %w", i, err)
		}
	}
	for i, elems := range want.tables {
		if elems == nil { // not exported
			continue
		}
		t := inst.Export(fmt.Sprint("t", i)).(*loader.Table)
		if int(t.Len()) != len(elems) {
			return fmt.Errorf("table %d: expected %d elements, found %d", i, len(elems), t.Len())
		}
		for k, some := range elems {
			if ref, _ := t.Get(uint64(k)); (ref != 0) != some {
				return fmt.Errorf("table %d: element %d: expected not null: %t, found reference 0x%x", i, k, some, ref)
			}
		}
	}
	if host.hash != want.host {
		return errors.New("host functions were called otherwise")
	}
	return nil
}

func signature(t *wasm.FuncType) *abi.Signature {
	list := func(types []wasm.ValType) (out []abi.Type) {
		for _, t := range types {
			out = append(out, abiType(t))
		}
		return out
	}
	return &abi.Signature{Params: list(t.Params), Results: list(t.Results)}
}

// fromSlots and toSlots read and write values as loader passes them.
func fromSlots(types []wasm.ValType, stack []uint64) []oracle.Value {
	values := make([]oracle.Value, len(types))
	for i, t := range types {
		values[i].Lo = stack[0]
		stack = stack[1:]
		switch t {
		case wasm.I32, wasm.F32:
			values[i].Lo &= 1<<32 - 1
		case wasm.V128:
			values[i].Hi = stack[0]
			stack = stack[1:]
		}
	}
	return values
}

func toSlots(types []wasm.ValType, values []oracle.Value, stack []uint64) {
	for i, t := range types {
		stack[0] = values[i].Lo
		if stack = stack[1:]; t == wasm.V128 {
			stack[0] = values[i].Hi
			stack = stack[1:]
		}
	}
}
