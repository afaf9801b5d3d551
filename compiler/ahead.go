package compiler

import (
	"cmp"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// While a guest runs on one thread another compiles what it is likely to call soon: what programs built by Go run at their start, then
// callees of what was compiled already, outside of cold blocks. A program's start is begun with the largest functions: if both threads
// began with the first the guest would come to wait for each.
//
// What was guessed wrong is work for nothing, so there is never more of it than aheadBytes in the bodies' sizes, apart from a start of up
// to startBytes. No guess is larger than aheadBytes, since it cannot be ended once it is begun.
const (
	aheadBytes = 256 << 10
	startBytes = 4 << 20
	maxGuesses = 1 << 12 // that are kept for later
)

// ahead is what was guessed.
type ahead struct {
	asked   []bool         // by defined function: somebody has asked for it, or it is among ready
	ready   map[int]*guess // those nobody has asked for yet
	bytes   int            // of their bodies, but for those of the start
	start   []int          // functions of the start that are still to be compiled: the last comes first
	soon    []int          // callees of functions that somebody had to wait for, likewise
	later   []int          // other callees, likewise
	running chan struct{}  // closed when the goroutine that compiles has ended; nil if there is none
	closed  bool
}

// guess is a function that is compiled ahead, or is being compiled.
type guess struct {
	size    int // as part of ahead.bytes
	done    chan struct{}
	piece   *artifact.Piece
	callees []int
	err     error
}

// taken tells that someone asks for function i, and gives it if it was guessed.
func (d *onDemand) taken(i int) *guess {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := &d.ahead
	a.asked[i] = true
	g := a.ready[i]
	if g != nil {
		a.bytes -= g.size
		delete(a.ready, i)
	}
	return g
}

// likely adds functions to a list of those that will be called.
func (d *onDemand) likely(list *[]int, functions []int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := &d.ahead
	for _, i := range functions {
		if !a.asked[i] {
			*list = append(*list, i)
		}
	}
	if n := len(*list) - maxGuesses; n > 0 && list != &a.start {
		*list = slices.Delete(*list, 0, n)
	}
	if a.running == nil && d.guesses && !a.closed {
		a.running = make(chan struct{})
		go d.compileAhead(a.running)
	}
}

// compileAhead compiles functions until none is left, or there are enough.
func (d *onDemand) compileAhead(done chan struct{}) {
	defer close(done)
	for {
		i, g := d.nextGuess()
		if g == nil {
			return
		}
		g.piece, g.callees, g.err = d.function(i)
		close(g.done)
		d.likely(&d.ahead.later, g.callees)
	}
}

// nextGuess is the function to be compiled ahead next; nil if there is none, or there are enough.
func (d *onDemand) nextGuess() (int, *guess) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := &d.ahead
	for list := a.first(); list != nil && !a.closed; list = a.first() {
		n := len(*list) - 1
		i := (*list)[n]
		size := len(d.body(i))
		skip := a.asked[i] || size > aheadBytes
		if list == &a.start {
			size = 0
		}
		if !skip && a.bytes+size > aheadBytes {
			break
		}
		*list = (*list)[:n]
		if skip {
			continue
		}
		a.asked[i] = true
		a.bytes += size
		g := &guess{size: size, done: make(chan struct{})}
		a.ready[i] = g
		return i, g
	}
	a.running = nil
	return 0, nil
}

// first is the list to be taken from; nil if all are empty.
func (a *ahead) first() *[]int {
	for _, list := range [...]*[]int{&a.start, &a.soon, &a.later} {
		if len(*list) > 0 {
			return list
		}
	}
	return nil
}

// closeAhead ends compiling ahead.
func (d *onDemand) closeAhead() {
	d.mu.Lock()
	d.ahead.closed = true
	running := d.ahead.running
	d.mu.Unlock()
	if running != nil {
		<-running
	}
}

// callees lists functions of the module that f calls directly, but those called from cold blocks.
func (j *job) callees(f *ssa.Func) (list []int) {
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		if bd.Cold {
			continue
		}
		for _, v := range f.OrderOf(bd) {
			in := &f.Insts[v]
			if in.Op != ssa.OpCall || f.Calls[in.A].Kind != ssa.CallDirect {
				continue
			}
			if len(list) == maxGuesses {
				return list
			}
			list = append(list, int(f.Calls[in.A].Callee)-j.module.ImportedFuncs)
		}
	}
	return list
}

// startFuncs lists the functions that a module built by Go runs at its start, small ones first.
func startFuncs(m *wasm.Module) (list []int) {
	early := earlyNames()
	known := false
	size := func(i int) int { return len(m.Funcs[m.ImportedFuncs+i].Body) }
	left := startBytes
	for i := range m.Funcs[m.ImportedFuncs:] {
		name := m.Names.Funcs[uint32(m.ImportedFuncs+i)]
		if !early[name] && !initialises(name) || size(i) > min(left, aheadBytes) {
			continue
		}
		known = known || early[name]
		left -= size(i)
		list = append(list, i)
	}
	if !known {
		return nil
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(size(a), size(b)) })
	return list
}

// initialises tells whether a function of Go's initialises a package: path.init, path.init.N or path.map.init.N, where methods have a receiver
// in parentheses, which linkers write as underscores.
func initialises(name string) bool {
	name = strings.TrimRight(name, "0123456789")
	name = strings.TrimSuffix(name, ".")
	pkg, ok := strings.CutSuffix(name, ".init")
	return ok && !strings.HasSuffix(pkg, "_")
}
