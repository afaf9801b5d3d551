package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/leaf"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Options say how a function is to be built.
type Options struct {
	// Explicit makes every memory access compare its address with the memory's size. Without it
	// the guard region behind the memory catches what is outside.
	Explicit bool
	// Threading sends jumps to a dispatching loop straight to their targets.
	Threading bool
	// Split gives such a loop a body of its own for its first state, apart from all others.
	Split bool
	// Inlines, if not nil, tells whether calls of a function will be replaced by it.
	Inlines func(callee uint32) bool
}

// Builder validates and builds functions. It is reused from function to function; every worker
// has its own. The zero value is ready.
type Builder struct {
	m         *Module
	f         *ssa.Func
	opts      Options
	addrFlags ssa.Flags
	plainMem  bool // memory 0 is there and has 32-bit addresses
	err       error

	v        wasm.Validator
	in       wasm.Instr
	plainOps *[256]plainOp
	shapes   *[opcodes]ssa.Shape // of operators on vectors
	cur      ssa.Block           // block being written, ssa.NoBlock in unreachable code
	dead     int                 // frames opened since code became unreachable
	frames   []frame             // control stack, the function first
	saved    []uint32            // parameters of open ifs, for their else
	entered  int                 // frame whose loop header cur is, or -1
	gen      uint32              // number of the br_table being written, for frame.gen

	locals     localState
	dispatches []dispatch
	threads    []thread
	flow       flow
	scratch    ssa.Scratch
}

// Build validates the body of function index, one that the module defines, and writes it to f, which
// is reset first. Afterwards f is analysed (ssa.Func.Analyze) and all its blocks are reachable.
func (b *Builder) Build(m *Module, index uint32, opts Options, f *ssa.Func) error {
	f.Reset()
	f.Module, f.Index, f.Name = m.SSA, index, m.Wasm.Names.Funcs[index]
	f.Sig = m.SSA.FuncSigs[index]
	b.m, b.f, b.opts, b.err = m, f, opts, nil
	b.addrFlags = 0
	if opts.Explicit {
		b.addrFlags = ssa.FlagChecked
	}
	mems := m.Wasm.Mems
	b.plainMem = len(mems) > 0 && !mems[0].Is64
	body, replaced := m.Leaves[index]
	if replaced {
		b.err = b.v.BeginBody(m.Wasm, index, body.Code)
	} else {
		b.err = b.v.Begin(m.Wasm, index)
	}
	if b.err != nil {
		return b.err
	}
	b.begin()
	if err := b.body(); err != nil {
		return err
	}
	if replaced {
		relocate(f, &body)
	}
	b.thread()
	b.split()
	b.reach()
	return b.joinLocals()
}

// relocate gives the instructions of a replaced body their positions in the file.
func relocate(f *ssa.Func, body *leaf.Body) {
	for i := range f.Pos {
		f.Pos[i] = body.Offset(f.Pos[i])
	}
	for i := range f.Blocks {
		f.Blocks[i].Pos = body.Offset(f.Blocks[i].Pos)
	}
}

// begin opens the entry block and the function's frame.
func (b *Builder) begin() {
	b.locals.reset(b.v.Locals())
	b.frames = b.frames[:0]
	b.push()
	b.saved = b.saved[:0]
	b.dispatches = b.dispatches[:0]
	b.threads = b.threads[:0]
	b.dead, b.gen = 0, 0
	b.startBlock()
	entry := &b.f.Blocks[0]
	entry.ParamStart, entry.ParamEnd = b.newParams(b.f.Sig.Params)
}

// body goes through the code once.
func (b *Builder) body() error {
	lowerings := lowerings.Get(makeLowerings)
	b.shapes = vectorShapes.Get(makeVectorShapes)
	b.plainOps = plainOps.Get(makePlainOps)
	for {
		if b.cur != ssa.NoBlock {
			b.plain()
		}
		more, err := b.v.Next(&b.in)
		if err != nil {
			return err
		}
		switch {
		case b.cur == ssa.NoBlock:
			b.skip()
		case int(b.in.Op) < len(lowerings) && lowerings[b.in.Op].emit != nil:
			l := &lowerings[b.in.Op]
			l.emit(b, l)
		default:
			b.noLowering()
		}
		if b.err != nil {
			return b.err
		}
		if !more {
			return nil
		}
	}
}

// skip takes an instruction in unreachable code: only the nesting matters.
func (b *Builder) skip() {
	switch b.in.Op {
	case wasm.OpBlock, wasm.OpLoop, wasm.OpIf, wasm.OpTryTable:
		b.dead++
	case wasm.OpElse:
		if b.dead == 0 {
			emitElse(b, nil)
		}
	case wasm.OpEnd:
		if b.dead == 0 {
			emitEnd(b, nil)
		} else {
			b.dead--
		}
	}
}

// lowering says how a wasm operator becomes SSA.
type lowering struct {
	emit func(b *Builder, l *lowering)
	op   ssa.Op
	typ  abi.Type // of op's value
}

// opcodes is the number of those that have a lowering, at most.
const opcodes = wasm.OpF64x2ConvertLowI32x4U + 1

// lowerings is indexed by wasm.Opcode. Each family of instructions has its part.
var lowerings lazy.Value[*[opcodes]lowering]

func makeLowerings() *[opcodes]lowering {
	all := new([opcodes]lowering)
	for _, part := range [][]lowering{
		controlLowerings, callLowerings, variableLowerings, numericLowerings, memoryLowerings, tableLowerings, vectorLowerings(),
	} {
		for op, l := range part {
			if l.emit != nil {
				all[op] = l
			}
		}
	}
	return all
}

// emit appends an instruction to the current block.
func (b *Builder) emit(op ssa.Op, t abi.Type, x, y, z uint32) uint32 {
	f := b.f
	v := uint32(len(f.Insts))
	f.Insts = append(f.Insts, ssa.NewInst(op, t, x, y, z))
	f.Pos = append(f.Pos, b.in.Offset)
	f.Order = append(f.Order, ssa.Value(v))
	return v
}

// result sets the value of the operator's only result.
func (b *Builder) result(v uint32) { b.v.Results()[0].Ref = v }

// list appends values to Func.Lists.
func (b *Builder) list(refs []uint32) (start, end uint32) {
	start = uint32(len(b.f.Lists))
	for _, r := range refs {
		b.f.Lists = append(b.f.Lists, ssa.Value(r))
	}
	return start, uint32(len(b.f.Lists))
}

// newParams makes a list of block parameters.
func (b *Builder) newParams(types []abi.Type) (start, end uint32) {
	f := b.f
	start = uint32(len(f.Lists))
	for i, t := range types {
		f.Lists = append(f.Lists, f.NewValue(ssa.OpParam, t, uint32(i), 0, 0, 0))
	}
	return start, uint32(len(f.Lists))
}

// operandParams gives the current block parameters for operands just pushed.
func (b *Builder) operandParams(operands []wasm.Operand) {
	f := b.f
	start := uint32(len(f.Lists))
	for i := range operands {
		v := f.NewValue(ssa.OpParam, Type(operands[i].Type), uint32(i), 0, 0, 0)
		operands[i].Ref = uint32(v)
		f.Lists = append(f.Lists, v)
	}
	bd := &f.Blocks[b.cur]
	bd.ParamStart, bd.ParamEnd = start, uint32(len(f.Lists))
}

// startBlock begins the next block.
func (b *Builder) startBlock() ssa.Block {
	f := b.f
	b.cur = ssa.Block(len(f.Blocks))
	b.entered = -1
	at := uint32(len(f.Order))
	f.Blocks = append(f.Blocks, ssa.BlockData{})
	bd := &f.Blocks[b.cur]
	bd.InstStart, bd.InstEnd = at, at
	return b.cur
}

// endBlock finishes the current block; its edges from start on are there already.
func (b *Builder) endBlock(kind ssa.BlockKind, ctl uint32, start ssa.Edge) {
	f := b.f
	bd := &f.Blocks[b.cur]
	bd.Kind, bd.Ctl, bd.Pos = kind, ssa.Value(ctl), b.in.Offset
	bd.InstEnd = uint32(len(f.Order))
	bd.SuccStart, bd.SuccEnd = uint32(start), uint32(len(f.Edges))
	b.locals.endBlock(b.cur)
	b.cur = ssa.NoBlock
}
