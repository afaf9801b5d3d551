package compiler

import (
	"cmp"
	"context"
	"encoding/binary"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/sha256"
)

var le = binary.LittleEndian

// Validate decodes a module and checks it whole, without compiling it.
func Validate(ctx context.Context, src []byte, opts Options) error {
	m, err := wasm.Decode(src, opts.features())
	if err != nil {
		return err
	}
	return validate(ctx, m, &opts)
}

// validate checks the functions of a module.
func validate(ctx context.Context, m *wasm.Module, opts *Options) error {
	return parallel(ctx, opts, bodySizes(m), func() (task func(i int) error, end func()) {
		var v wasm.Validator
		return func(i int) error {
			if err := v.Begin(m, uint32(m.ImportedFuncs+i)); err != nil {
				return err
			}
			return v.Check()
		}, func() {}
	})
}

// Compile translates a module. The artifact refers to parts of src.
func Compile(ctx context.Context, src []byte, opts Options) (*artifact.Artifact, error) {
	code, err := CompileCode(ctx, src, nil, opts)
	if err != nil {
		return nil, err
	}
	return code.Artifact()
}

// CompileCode translates a module, whose SHA-256 hash need not be given, but does not put the artifact together yet. The result refers to src.
func CompileCode(ctx context.Context, src []byte, hash *[sha256.Size]byte, opts Options) (*Code, error) {
	j, err := newJob(src, &opts)
	if err != nil {
		return nil, err
	}
	if err := j.analyse(); err != nil {
		return nil, err
	}
	var order []int
	var declareErr error
	declared := beside(func() {
		if hash != nil {
			j.a.Header.WasmHash = *hash
		} else {
			j.a.Header.WasmHash = sha256.Sum256(src)
		}
		order = textOrder(j.module, j.defined())
		declareErr = j.declare()
	})
	defer declared()
	j.findFacts()
	j.pieces = make([]piece, j.defined())
	j.openStores(len(src))
	err = parallel(ctx, &opts, bodySizes(j.module), func() (task func(i int) error, end func()) {
		w := j.newWorker()
		return func(i int) error {
			w.makeRoom(len(j.body(i)))
			if err := w.compile(j.index(i)); err != nil {
				return err
			}
			j.pieces[i] = w.finished()
			return nil
		}, func() { go w.space.Free() } // takes a while
	})
	declared()
	if err := cmp.Or(declareErr, err); err != nil {
		return nil, err
	}
	j.finishHeader()
	return j.link(order)
}

// beside does some work while its caller does other. wait returns when it is done; it may be called several times.
func beside(work func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	return func() { <-done }
}

func bodySizes(m *wasm.Module) []int {
	sizes := make([]int, len(m.Funcs)-m.ImportedFuncs)
	for i := range sizes {
		sizes[i] = len(m.Funcs[m.ImportedFuncs+i].Body)
	}
	return sizes
}

// parallel does task i for each of sizes, large ones first, each worker with a task function of
// its own. It returns the error of the lowest i that failed, so that the message does not
// depend on timing.
func parallel(ctx context.Context, opts *Options, sizes []int, newTask func() (task func(i int) error, end func())) error {
	workers := opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, len(sizes))
	q := newQueue(sizes, workers)

	var done atomic.Int64
	var mu sync.Mutex
	failed, firstErr := len(sizes), error(nil)
	work := func(first bool) {
		task, end := newTask()
		defer end()
		for ctx.Err() == nil {
			i, ok := q.take(first)
			if !ok {
				return
			}
			mu.Lock()
			skip := i > failed
			mu.Unlock()
			if skip {
				continue
			}
			if err := task(i); err != nil {
				mu.Lock()
				if i < failed {
					failed, firstErr = i, err
				}
				mu.Unlock()
			}
			if n := done.Add(1); opts.Progress != nil && n%64 == 0 {
				opts.Progress(int(n), len(sizes))
			}
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(func() { work(false) })
	}
	if workers > 0 {
		work(true)
	}
	wg.Wait()
	if firstErr != nil {
		return firstErr
	}
	return context.Cause(ctx)
}

// queue hands out tasks, large ones first. The largest are the first worker's: a worker's memory is as large as its largest task
// wants it, so only one worker needs that much.
type queue struct {
	todo      []int // tasks by size
	large     int   // number of those at the beginning that are the first worker's
	nextLarge atomic.Int64
	nextSmall atomic.Int64
}

// largePart is the part of its share of the whole work, as 1/largePart, that the first worker begins with.
const largePart = 8

func newQueue(sizes []int, workers int) *queue {
	q := &queue{todo: make([]int, len(sizes))}
	total := 0
	for i, size := range sizes {
		q.todo[i] = i
		total += size
	}
	slices.SortStableFunc(q.todo, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	if workers > 1 {
		q.large = 1
		for left := total/(workers*largePart) - sizes[q.todo[0]]; q.large < len(sizes); q.large++ {
			if left -= sizes[q.todo[q.large]]; left < 0 {
				break
			}
		}
	}
	return q
}

// take gives the next task of the first worker or of another. Who has no more of his own helps the others.
func (q *queue) take(first bool) (task int, ok bool) {
	if first {
		if n := int(q.nextLarge.Add(1)) - 1; n < q.large {
			return q.todo[n], true
		}
	}
	if n := q.large + int(q.nextSmall.Add(1)) - 1; n < len(q.todo) {
		return q.todo[n], true
	}
	if !first {
		if n := int(q.nextLarge.Add(1)) - 1; n < q.large {
			return q.todo[n], true
		}
	}
	return 0, false
}
