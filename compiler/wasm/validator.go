package wasm

// Prefix bytes of opcodes.
const (
	firstPrefix = 0xfb
	prefixFC    = 0xfc
	prefixFD    = 0xfd
)

// Validator decodes and checks function bodies, one instruction a call. It is made to be
// reused from body to body and allocates nothing for an instruction. The zero value is ready for Begin.
//
// The operand stack holds types, and with each a number of the caller's: what Next pops
// can be read from Args, what it pushes has to be written to Results.
type Validator struct {
	reader
	features Features
	height   int // of the operand stack at entry of the innermost frame
	nargs    int
	nresults int
	stack    []Operand
	locals   []ValType
	frames   []Frame
	m        *Module
	fn       uint32 // function
	targets  []uint32
	args     [maxParams + 1]uint32
}

// Begin starts with the body of function index of m, a valid module: it reads the
// declarations of locals.
func (v *Validator) Begin(m *Module, index uint32) error {
	f := &m.Funcs[index]
	if f.Body == nil {
		return &Error{Func: int64(index), FuncName: m.Names.Funcs[index], Msg: "an imported function has no body"}
	}
	return v.begin(m, index, reader{src: m.Source[:int(f.Offset)+len(f.Body)], pos: int(f.Offset)})
}

// BeginBody is Begin for another body in the function's place, which may have operators that modules cannot have. Offsets
// count from its start.
func (v *Validator) BeginBody(m *Module, index uint32, body []byte) error {
	err := v.begin(m, index, reader{src: body})
	v.features |= featureOwn
	return err
}

func (v *Validator) begin(m *Module, index uint32, r reader) error {
	v.reader = r
	v.features, v.m, v.fn = m.features, m, index
	v.reset()
	t := m.FuncType(index)
	v.locals = append(v.locals[:0], t.Params...)
	v.declareLocals()
	v.pushFrame(OpBlock, nil, t.Results)
	return v.failure()
}

// reset empties the stacks and lets go of unusually large ones.
func (v *Validator) reset() {
	v.height, v.nargs, v.nresults = 0, 0, 0
	v.stack, v.frames, v.targets = v.stack[:0], v.frames[:0], v.targets[:0]
	if cap(v.stack) > keepOperands {
		v.stack = nil
	}
	if cap(v.frames) > keepFrames {
		v.frames = nil
	}
	if cap(v.targets) > keepTargets {
		v.targets = nil
	}
}

func (v *Validator) declareLocals() {
	groups := v.u32()
	for total := uint32(0); groups > 0 && v.err == nil; groups-- {
		pos := v.pos
		n := v.u32()
		if n > maxLocals-total {
			v.failAt(pos, "too many locals: the limit is %d", maxLocals)
			return
		}
		total += n
		t := v.valType(v.features)
		for range n {
			v.locals = append(v.locals, t)
		}
	}
}

// failure is the error, told where it happened.
func (v *Validator) failure() error {
	if v.err == nil {
		return nil
	}
	v.err.Func, v.err.FuncName = int64(v.fn), v.m.Names.Funcs[v.fn]
	return v.err
}

// Locals are the types of the function's locals, parameters first.
func (v *Validator) Locals() []ValType { return v.locals }

// Args are the Refs of the operands that the last instruction popped, deepest first; 0 for one that
// unreachable code popped from nothing. For block, loop and if these are the block's parameters (and for if
// the condition, last), for branches and return the label's operands (and for br_if and br_table the condition
// or index, last), for else and end the block's results.
func (v *Validator) Args() []uint32 { return v.args[:v.nargs] }

// Results are the operands that the last instruction pushed. Their Refs are 0, for the caller
// to set. block, loop, if and else push the block's parameters, end its results; br_if pushes what
// it popped for its label.
func (v *Validator) Results() []Operand { return v.stack[len(v.stack)-v.nresults:] }

// Unreachable reports whether the innermost block cannot be reached any more.
func (v *Validator) Unreachable() bool {
	return len(v.frames) > 0 && v.frames[len(v.frames)-1].Unreachable
}

// Depth is the number of frames, the function's own included.
func (v *Validator) Depth() int { return len(v.frames) }

// Frame is the frame that a branch to depth leaves; 0 is the innermost. The pointer is good
// until the next call of Next.
func (v *Validator) Frame(depth uint32) *Frame { return &v.frames[len(v.frames)-1-int(depth)] }

// Stack is the whole operand stack.
func (v *Validator) Stack() []Operand { return v.stack }

// A Position is what instructions change that do nothing to the control stack.
type Position struct {
	Code   []byte // the body ends where it ends; positions are those in the file
	Pos    int
	Stack  []Operand
	Height int // of the part of the stack that belongs to outer blocks
	Limit  int // of the stack's length
}

// Open gives the position. A caller may take instructions himself, as far as he checks them like Next; Resume ends that.
func (v *Validator) Open() Position {
	return Position{v.src, v.pos, v.stack, v.height, maxOperands}
}

// Resume goes on at a position that was reached from that of Open.
func (v *Validator) Resume(pos int, stack []Operand) { v.pos, v.stack = pos, stack }

// Next decodes and checks the next instruction. more is false at the end of the
// body: after the function's own end. Errors are of type *Error and stay.
func (v *Validator) Next(in *Instr) (more bool, err error) {
	start := v.pos
	in.Offset = uint32(start)
	if start >= len(v.src) {
		return false, v.stop(start)
	}
	op := Opcode(v.src[start])
	v.pos++
	if op >= firstPrefix {
		op = v.prefixed(start, op)
	}
	in.Op = op
	info := &opcodes[op]
	if info.Name == "" || info.Feature&^v.features != 0 {
		return false, v.refuse(start, op)
	}
	v.nargs, v.nresults = 0, 0
	switch info.Imm {
	case ImmNone:
		if info.Sig.Fixed() {
			v.apply(start, info.Sig)
		} else {
			v.control(in)
		}
	case ImmLocal:
		v.local(in)
	case ImmI32:
		in.Bits = uint64(int64(v.s32()))
		v.push(I32)
	case ImmI64:
		in.Bits = uint64(v.s64())
		v.push(I64)
	case ImmMemArg:
		v.apply(start, v.memArg(in, info))
	case ImmGlobal:
		v.global(in)
	default:
		v.others(in, info)
	}
	if v.err != nil || len(v.stack) > maxOperands {
		return false, v.stop(start)
	}
	return len(v.frames) > 0, nil
}

// stop returns the error, or finds the one that Next left unsaid.
func (v *Validator) stop(start int) error {
	if start >= len(v.src) {
		v.failAt(start, "unexpected end")
	}
	v.failAt(start, "more than %d operands on the stack", maxOperands)
	return v.failure()
}

// prefixed reads the second part of an opcode.
func (v *Validator) prefixed(start int, prefix Opcode) Opcode {
	sub := v.u32()
	switch {
	case prefix == prefixFC && sub < pageFD-pageFC:
		return pageFC | Opcode(sub)
	case prefix == prefixFD && sub < opcodeCount-pageFD:
		return pageFD | Opcode(sub)
	}
	v.failAt(start, "illegal opcode 0x%02x 0x%02x", uint16(prefix), sub)
	return prefix
}

// refuse fails for an opcode that does not exist or is not enabled.
func (v *Validator) refuse(start int, op Opcode) error {
	switch info := &opcodes[op]; {
	case info.Feature == featureOwn:
		v.failAt(start, "illegal opcode 0x%02x 0x%02x", prefixFC, uint16(op-pageFC))
	case info.Name != "":
		v.need(v.features, info.Feature, start, info.Name)
	}
	v.failAt(start, "illegal %s", op)
	return v.failure()
}

func (v *Validator) mismatch(pos int, want, got ValType) {
	v.failAt(pos, "type mismatch: expected %s, found %s", want, got)
}
