package compiler

import (
	"strings"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/frontend"
	"github.com/wasmaot/wasmaot/compiler/leaf"
	"github.com/wasmaot/wasmaot/compiler/opt"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// job is what the workers share: a module, and how its functions are compiled. It is read-only once they begin, but for what they make.
type job struct {
	opts     *Options
	target   *backend.Target
	features uint64 // of the CPU
	config   backend.Config
	frontend frontend.Options
	run      []int // indices of passes
	middle   []func(f *ssa.Func, s *opt.Scratch)

	module *wasm.Module
	mod    *frontend.Module
	a      *artifact.Artifact
	image  image

	inlinees []inlinee // by defined function; nil: none are looked for
	pieces   []piece   // likewise
	bytes    store[byte]
	relocs   store[backend.Reloc]
}

// newJob understands the options and decodes the module.
func newJob(src []byte, opts *Options) (*job, error) {
	checkOrder()
	j := &job{opts: opts, a: &artifact.Artifact{}}
	var err error
	if j.target, j.features, err = opts.resolve(); err != nil {
		return nil, err
	}
	if j.run, err = opts.enabled(); err != nil {
		return nil, err
	}
	for _, i := range j.run {
		if p := passes[i].opt; p != nil {
			j.middle = append(j.middle, p.Run)
		}
	}
	if j.a.Header.Options, err = opts.Key(); err != nil {
		return nil, err
	}
	j.module, err = wasm.Decode(src, opts.features())
	return j, err
}

// defined is the number of functions that the module defines, index the number of the i-th of them among all, body its body.
func (j *job) defined() int       { return len(j.module.Funcs) - j.module.ImportedFuncs }
func (j *job) index(i int) uint32 { return uint32(j.module.ImportedFuncs + i) }
func (j *job) body(i int) []byte  { return j.module.Funcs[j.index(i)].Body }

// analyse finds what the module's declarations say.
func (j *job) analyse() (err error) {
	j.mod, err = frontend.NewModule(j.module)
	return err
}

// findFacts looks through all functions for what each one's compilation wants to know of the others, and decides how they are compiled.
func (j *job) findFacts() {
	opts, mod, target := j.opts, j.mod, j.target
	if !j.findInBodies(j.features&target.SHA != 0) {
		j.features &^= target.SHA // code that does not need it runs where it is lacking
	}
	if opts.Poll {
		addPollCounter(mod.SSA)
	}
	explicit := opts.Tier == artifact.TierExplicit
	// One operation may take as long as memory is large: it has neither checks nor polls.
	mod.SSA.Limbs = target.Limbs != 0 && j.features&target.Limbs == target.Limbs && opts.on(opt.Limbs.Name) && !explicit && !opts.Poll
	j.config = backend.Config{Features: j.features, Explicit: explicit, InOrder: !opts.on(layout), Poison: opts.Debug.Poison}
	j.frontend = frontend.Options{Explicit: explicit, Threading: opts.on(threading), Split: opts.on(split)}
	if len(j.module.Source) < maxInlining {
		j.inlinees = make([]inlinee, j.defined())
	}
}

// findInBodies looks for unwinders, for leaves and for the global to be pinned. sha tells whether there are operators for SHA-256, and
// whether the module has use for them.
func (j *job) findInBodies(sha bool) (usesSHA bool) {
	var found map[uint32]leaf.Body
	leavesFound := beside(func() {
		if j.opts.on(leaves) && j.opts.features()&wasm.FeatureSIMD != 0 {
			found, usesSHA = leaf.Find(j.module, sha)
		}
	})
	if j.opts.on(unwinders) {
		j.mod.FindUnwinders()
	}
	if j.opts.on(pinning) {
		j.mod.FindPinned(j.opts.Debug.Poison)
	}
	leavesFound()
	j.mod.Leaves = found
	return usesSHA
}

// maxInlining bounds the modules in which functions are put in the place of calls: positions have a bit for it.
const maxInlining = 1 << 31

// addPollCounter adds the global that counts polls, behind those of the module, which cannot name it.
func addPollCounter(mod *ssa.Module) {
	shape := mod.Layout.Shape
	mod.Polls = uint32(shape.ImportedGlobals + shape.Globals)
	shape.Globals++
	mod.Layout = abi.NewLayout(shape)
	mod.GlobalTypes = append(mod.GlobalTypes, abi.I32)
}

// declare puts what the module declares into the artifact. Facts need not be found yet.
func (j *job) declare() (err error) {
	j.image = mergeImage(j.module)
	j.a.ImageStart = j.image.start
	j.a.Module, err = declare(j.module, j.image, j.mod.Signature, frontend.Type)
	return err
}

// finishHeader puts the rest into it that is known before there is code: everything is declared, and all facts are found.
func (j *job) finishHeader() {
	j.a.Module.Pinned = j.mod.SSA.Pinned
	if j.opts.Poll {
		declarePollCounter(&j.a.Module)
	}
	h := &j.a.Header
	h.Format, h.ABI, h.Build = artifact.FormatVersion, abi.Version, Build()
	h.Target, h.Features, h.Tier = j.target.Name, j.features, j.opts.Tier
	j.a.Funcs = make([]artifact.Func, j.defined())
	for i := range j.a.Funcs {
		fn := &j.module.Funcs[j.index(i)]
		j.a.Funcs[i] = artifact.Func{Type: fn.Type, WasmOff: fn.Offset}
	}
}

// declarePollCounter declares it.
func declarePollCounter(m *artifact.Module) {
	m.Globals = append(m.Globals, artifact.Global{Type: abi.I32, Mutable: true,
		Init: &artifact.Expr{Insts: []artifact.ExprInst{{Op: artifact.ExprConst, Bits: opt.PollInterval}}}})
}

func (o *Options) features() wasm.Features {
	if o.Features != 0 {
		return o.Features
	}
	return wasm.Features20
}

// joinNames makes one string of the functions' names.
func (j *job) joinNames() {
	size := 0
	for i := range j.a.Funcs {
		size += len(j.module.Names.Funcs[j.index(i)])
	}
	var names strings.Builder
	names.Grow(size)
	for i := range j.a.Funcs {
		f, name := &j.a.Funcs[i], j.module.Names.Funcs[j.index(i)]
		f.NameOff, f.NameLen = uint32(names.Len()), uint32(len(name))
		names.WriteString(name)
	}
	j.a.Names = names.String()
}
