package compiler

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/sha256"
)

// NewOnDemand makes an artifact whose functions are compiled when they are first called, see [artifact.Artifact.Compile]. The module is
// decoded and checked whole, and refused for the same reasons as by Compile. If its SHA-256 hash is not given the header has none. The artifact refers
// to src until it is released.
func NewOnDemand(ctx context.Context, src []byte, hash *[sha256.Size]byte, opts Options) (*artifact.Artifact, error) {
	d, err := newOnDemand(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	if hash != nil {
		d.a.Header.WasmHash = *hash
	}
	d.a.Compile, d.a.Release = d.compile, d.release
	return d.a, nil
}

// newOnDemand makes all of the artifact but its functions.
func newOnDemand(ctx context.Context, src []byte, opts Options) (*onDemand, error) {
	opts.Progress = nil
	j, err := newJob(src, &opts)
	if err != nil {
		return nil, err
	}
	var prepareErr error
	prepared := beside(func() {
		if prepareErr = j.analyse(); prepareErr != nil {
			return
		}
		if prepareErr = j.declare(); prepareErr != nil {
			return
		}
		j.findFacts()
		j.config.ThroughDesc = true
		j.finishHeader()
		j.joinNames()
		j.a.Image = j.image.bytes(j.module)
	})
	defer prepared()
	if opts.features()&^wasm.Features20 == 0 {
		err = validate(ctx, j.module, &opts)
	} else if prepared(); prepareErr == nil {
		err = j.buildAll(ctx) // there are operators that are valid and yet have no lowering
	}
	prepared()
	if err := cmp.Or(prepareErr, err); err != nil {
		return nil, err
	}
	workers := max(1, cmp.Or(opts.Workers, runtime.GOMAXPROCS(0)))
	d := &onDemand{job: j, room: make(chan struct{}, workers), guesses: workers > 1 && runtime.GOMAXPROCS(0) > 1}
	d.ahead.asked = make([]bool, j.defined())
	d.ahead.ready = map[int]*guess{}
	if d.guesses {
		d.likely(&d.ahead.start, startFuncs(j.module))
	}
	return d, nil
}

// buildAll takes the first step of the compilation of every function.
func (j *job) buildAll(ctx context.Context) error {
	return parallel(ctx, j.opts, bodySizes(j.module), func() (task func(i int) error, end func()) {
		in := new(inliner)
		return func(i int) error { return in.builder.Build(j.mod, j.index(i), j.frontend, &in.f) }, func() {}
	})
}

// onDemand compiles functions in any order, each by one of its workers, of which there are no more than Options.Workers at a time.
type onDemand struct {
	*job
	room    chan struct{} // has an element for each that is at work for somebody
	guesses bool          // another compiles ahead

	mu    sync.Mutex
	idle  []*worker
	ahead ahead
}

// keptBody is the size of a body up to which a worker keeps the memory that it took.
const keptBody = 64 << 10

// compile is [artifact.Artifact.Compile].
func (d *onDemand) compile(i int) (*artifact.Piece, error) {
	if g := d.taken(i); g != nil {
		<-g.done
		d.likely(&d.ahead.later, g.callees)
		return g.piece, g.err
	}
	d.room <- struct{}{}
	defer func() { <-d.room }()
	p, callees, err := d.function(i)
	d.likely(&d.ahead.soon, callees)
	return p, err
}

// function compiles function i, and tells which ones it calls.
func (d *onDemand) function(i int) (p *artifact.Piece, callees []int, err error) {
	w := d.worker()
	w.makeRoomInAnyOrder(len(d.body(i)))
	if err := w.compile(d.index(i)); err != nil {
		w.space.Free()
		return nil, nil, err
	}
	p, err = w.piece()
	callees = d.callees(&w.f)
	d.put(w)
	return p, callees, err
}

// worker takes an idle worker or makes one.
func (d *onDemand) worker() *worker {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.idle); n > 0 {
		w := d.idle[n-1]
		d.idle = d.idle[:n-1]
		return w
	}
	return d.newWorker()
}

// put makes a worker idle.
func (d *onDemand) put(w *worker) {
	if w.size > keptBody {
		w.share(heapBody)
	}
	d.mu.Lock()
	d.idle = append(d.idle, w)
	d.mu.Unlock()
}

// release frees what the workers have. Nothing is compiled any more.
func (d *onDemand) release() error {
	d.closeAhead()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.idle {
		w.tables = tables{}
		w.space.Free()
	}
	d.idle = nil
	return nil
}

// makeRoomInAnyOrder is makeRoom for functions that come in any order.
func (w *worker) makeRoomInAnyOrder(size int) {
	if size > max(w.size, heapBody) {
		w.share(2 * size) // not again for the next that is a little larger
	}
}

// piece copies the code of the function just compiled out of memory that is used again.
func (w *worker) piece() (*artifact.Piece, error) {
	c := &w.code
	p := &artifact.Piece{Text: bytes.Clone(c.Text), Align: w.target.FuncAlign, FrameSize: c.FrameSize}
	for _, r := range c.Relocs {
		if int(r.Target) != int(w.index)-w.module.ImportedFuncs {
			return nil, w.failed("emit", fmt.Errorf("the code at %#x refers to function %d", r.Off, r.Target))
		}
		if err := w.target.Patch(p.Text, 0, r.Off, r.Kind, 0); err != nil {
			return nil, w.failed("emit", err)
		}
	}
	w.packTraps()
	p.Traps = w.packer.Sites()
	w.packCalls()
	p.Calls = w.packer.Sites()
	return p, nil
}
