package compiler

import (
	"sync"

	"github.com/wasmaot/wasmaot/compiler/frontend"
	"github.com/wasmaot/wasmaot/compiler/opt"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// inlinee is what is known of a function as one to be put in the place of its calls: looked at when the first of them is met, by
// whichever worker meets it. Nothing but the function itself decides what it is.
type inlinee struct {
	once sync.Once
	body *opt.Body // nil: stays a call
}

// inliner is a worker's memory for making bodies.
type inliner struct {
	builder frontend.Builder
	f       ssa.Func
	opt     opt.Scratch
}

// newWorker makes a worker, which builds the functions that it compiles so that others can be put into them.
func (j *job) newWorker() *worker {
	w := &worker{job: j, building: j.frontend}
	if j.inlinees != nil && j.opts.on(inlining) {
		w.building.Inlines = func(callee uint32) bool { return w.inlinee(callee) != nil }
	}
	return w
}

// inline puts small functions in the place of their calls, if there are enough of them: the function is analysed anew.
func (w *worker) inline() error {
	if w.inlinees != nil {
		opt.Inline(&w.f, &w.opt, len(w.f.Blocks)/frontend.BlocksForCall, w.inlinee)
	}
	return nil
}

// inlinee gives the body of a defined function, nil if it is not small. A function that is not valid is none: it will be told when it is
// compiled itself.
func (w *worker) inlinee(callee uint32) *opt.Body {
	fn := &w.mod.Wasm.Funcs[callee]
	if len(fn.Body) > opt.MaxInlineSource || !w.mod.Inlinable(callee) {
		return nil
	}
	in := &w.inlinees[int(callee)-w.mod.Wasm.ImportedFuncs]
	in.once.Do(func() { in.body = w.makeInlinee(callee) })
	return in.body
}

func (w *worker) makeInlinee(callee uint32) *opt.Body {
	in := &w.inliner
	if in.builder.Build(w.mod, callee, w.frontend, &in.f) != nil {
		return nil
	}
	resumed := w.mod.Resumes(callee)
	if resumed {
		opt.Called(&in.f, &in.opt)
	}
	for _, run := range w.middle {
		run(&in.f, &in.opt)
	}
	if w.opts.Debug.Check && ssa.Check(&in.f) != nil {
		return nil // the same function's own compilation tells it
	}
	return opt.NewBody(&in.f, &in.opt, resumed)
}
