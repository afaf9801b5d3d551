package compiler

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/frontend"
	"github.com/wasmaot/wasmaot/compiler/opt"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/internal/arena"
)

// A pass is one step of the way from a function's body to its machine code.
type pass struct {
	name     string
	required bool // cannot be switched off
	run      func(w *worker) error
	opt      *opt.Pass // a pass on SSA form that needs nothing else, in the place of all above
	parts    []string  // passes that it does the work of in one; it is run if all of them are wanted, in their place
}

func (p *pass) title() string {
	if p.opt != nil {
		return p.opt.Name
	}
	return p.name
}

func (p *pass) do(w *worker) error {
	if p.opt != nil {
		p.opt.Run(&w.f, &w.opt)
		return nil
	}
	return p.run(w)
}

// passes is the pipeline of a function, in order. It is data: no code runs for it at the start of a program.
var passes = [...]pass{
	{name: "build", required: true, run: func(w *worker) error { return w.builder.Build(w.mod, w.index, w.building, &w.f) }},
	{name: inlining, run: (*worker).inline},
	{opt: &opt.Thread},
	{opt: &opt.Unroll},
	{opt: &opt.Simplify, parts: []string{"forward", "fold"}},
	{opt: &opt.Forward},
	{opt: &opt.Fold},
	{opt: &opt.LICM},
	{opt: &opt.GVN},
	{opt: &opt.Wide},
	{opt: &opt.Limbs},
	{opt: &opt.Schedule},
	{name: "clear", run: func(w *worker) error { // not in bodies that are put in the place of calls: often their lengths are known then
		opt.Clear.Run(&w.f, &w.opt)
		return nil
	}},
	{name: "poll", required: true, run: func(w *worker) error {
		if w.opts.Poll {
			opt.Poll.Run(&w.f, &w.opt)
		}
		return nil
	}},
	{name: "lower", required: true, run: func(w *worker) error { return w.target.Lower(&w.config, &w.f, &w.m) }},
	{name: "regalloc", required: true, run: func(w *worker) error { return w.alloc.Run(&w.m.RA, w.target.File(w.mod.SSA), &w.result) }},
	{name: "emit", required: true, run: func(w *worker) error { return w.target.Emit(&w.config, &w.m, &w.result, &w.code) }},
}

// order lists what must come before what.
var order = [][2]string{
	{"build", "inline"},
	{"inline", "thread"},  // blocks that were cut at calls grow together
	{"thread", "unroll"},  // loops are few blocks
	{"unroll", "forward"}, // sums become offsets
	{"thread", "forward"}, // fewer parameters: more is known
	{"forward", "fold"},   // what was loaded may be a constant now
	{"fold", "licm"},
	{"licm", "gvn"},       // what was moved may be there already
	{"gvn", "wide"},       // equal values are one
	{"wide", "limbs"},     // products and carries are known
	{"limbs", "schedule"}, // nothing is moved or left out any more
	{"limbs", "poll"},     // loops that are left are known
	{"schedule", "poll"},  // which puts calls into loops
	{"wide", "clear"},     // lengths that are known after all need no call
	{"clear", "poll"},     // what makes calls comes before what counts them
	{"poll", "lower"},
	{"lower", "regalloc"},
	{"regalloc", "emit"},
}

// checkOrder is called by the first compilation.
func checkOrder() { orderChecked.Do(verifyOrder) }

var orderChecked sync.Once

func verifyOrder() {
	at := map[string]int{}
	for i, p := range passes {
		at[p.title()] = i
	}
	for _, o := range order {
		before, ok1 := at[o[0]]
		after, ok2 := at[o[1]]
		if !ok1 || !ok2 || before >= after {
			panic(fmt.Sprintf("compiler: pass %s must come before %s", o[0], o[1]))
		}
	}
}

// worker compiles one function after the other with memory of its own.
type worker struct {
	*job
	index uint32 // function being compiled, among all
	size  int    // of the largest body since the memory is new

	building frontend.Options
	tables
	space   arena.Arena
	inliner inliner
	packer  artifact.SitesBuilder
	packed  []byte

	bytes  shelf[byte]
	relocs shelf[backend.Reloc]
}

// tables are what grows with the function that is compiled.
type tables struct {
	builder frontend.Builder
	opt     opt.Scratch
	alloc   regalloc.Allocator
	f       ssa.Func
	m       backend.Func
	result  regalloc.Result
	code    backend.Code
}

// Large functions go first, so a worker needs the memory for them for a short time only: it begins with new memory when functions are a part
// of the size, as 1/arenaSlack, and not small anyway. The largest tables have 16 bytes for each byte of a body of Go's.
// To functions of less than heapBody Go's heap does as well, without the time that reserved address space takes at first.
const (
	heapBody   = 4 << 10
	arenaSlack = 4
	smallBody  = 2 << 10
	perByte    = 32
	maxTable   = 16 << 20
)

// makeRoom is called before a function with a body of that size is compiled.
func (w *worker) makeRoom(size int) {
	if w.size == 0 && size < heapBody {
		return
	}
	size = max(size, smallBody)
	if w.size == 0 || size < w.size/arenaSlack {
		w.share(size)
	}
}

// share begins with new memory for functions with bodies up to a size.
func (w *worker) share(size int) {
	w.tables = tables{}
	w.space.Share(min(size*perByte, maxTable), &w.tables)
	w.size = size
}

// compile runs the pipeline on one function.
func (w *worker) compile(index uint32) error {
	w.index = index
	for i := range w.run {
		p := &passes[w.run[i]]
		var start time.Time
		if w.opts.Debug.Times != nil {
			start = time.Now()
		}
		if err := p.do(w); err != nil {
			return err
		}
		if w.opts.Debug.Times != nil {
			w.opts.Debug.Times.add(w.run[i], time.Since(start))
		}
		if w.opts.Debug.Check || w.opts.Debug.Dump != nil {
			if err := w.inspect(p.title()); err != nil {
				return w.failed(p.title(), err)
			}
		}
	}
	return nil
}

// inspect checks and dumps what a pass has left.
func (w *worker) inspect(pass string) error {
	d := &w.opts.Debug
	middle := pass != "lower" && pass != "regalloc" && pass != "emit"
	if d.Dump != nil && middle && (d.DumpFunc == w.f.Name || d.DumpFunc == fmt.Sprintf("#%d", w.index)) {
		fmt.Fprintf(d.Dump, "; after %s\n%s\n", pass, w.f.String())
	}
	switch {
	case !d.Check:
		return nil
	case middle:
		return ssa.Check(&w.f)
	case pass == "regalloc":
		return regalloc.Check(&w.m.RA, w.target.File(w.mod.SSA), &w.result)
	case pass == "emit":
		if w.target.CheckAccess != nil {
			return w.target.CheckAccess(&w.config, &w.m, &w.code)
		}
	}
	return nil
}

func (w *worker) failed(pass string, err error) error {
	return fmt.Errorf("function %d (%s): after pass %s: %w", w.index, w.f.Name, pass, err)
}

// enabled gives the indices of the passes to run.
func (o *Options) enabled() ([]int, error) {
	for _, name := range o.Debug.Off {
		if !slices.Contains(Optional(), name) {
			return nil, fmt.Errorf("%q cannot be switched off (optional: %v)", name, Optional())
		}
	}
	var run []int
	var done []string // by passes that have parts
	for i, p := range passes {
		switch {
		case p.parts != nil:
			if !slices.ContainsFunc(p.parts, func(name string) bool { return !o.on(name) }) {
				run = append(run, i)
				done = append(done, p.parts...)
			}
		case p.required || o.on(p.title()) && !slices.Contains(done, p.title()):
			run = append(run, i)
		}
	}
	return run, nil
}

// on reports whether an optional part is wanted.
func (o *Options) on(name string) bool { return !o.NoOpt && !slices.Contains(o.Debug.Off, name) }

// The optimisations that the frontend does while it builds.
const (
	threading = "threading" // jumps to a dispatching loop go straight to their target
	split     = "split"     // a dispatching loop's first state has a body of its own
	leaves    = "leaves"    // known loops over bytes take many at a time, SHA-256 has the processor's instructions
	unwinders = "unwinders" // no way on from calls of functions that never return 0
)

// pinning keeps the global that is written most often in a register.
const pinning = "pinning"

// inlining is the pass that puts functions in the place of calls.
const inlining = "inline"

// layout is an optimisation of the instruction sets: all that is cold is placed behind what is not.
const layout = "layout"

// Optional names what Debug.Off may switch off.
func Optional() []string {
	names := []string{threading, split, leaves, unwinders, pinning, layout}
	for _, p := range passes {
		if !p.required && p.parts == nil {
			names = append(names, p.title())
		}
	}
	return names
}

// Times adds up what each pass took, over all workers.
type Times struct {
	ns [32]atomic.Int64
}

func (t *Times) add(pass int, d time.Duration) { t.ns[pass].Add(int64(d)) }

// PassTime is the time a pass took.
type PassTime struct {
	Name string
	Time time.Duration
}

// List gives the times in the order of the pipeline.
func (t *Times) List() []PassTime {
	var list []PassTime
	for i, p := range passes {
		list = append(list, PassTime{p.title(), time.Duration(t.ns[i].Load())})
	}
	return list
}
