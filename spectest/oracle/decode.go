package oracle

import "github.com/wasmaot/wasmaot/compiler/wasm"

// code is a function body ready to run.
type code struct {
	locals int // parameters included
	insts  []inst
}

// inst is an instruction. Which fields count follows from the operator.
type inst struct {
	op     wasm.Opcode
	a, b   uint32 // Index and Index2 of wasm.Instr
	value  Value  // constants
	offset uint64 // of loads and stores
	vec    [16]byte

	// labels are where to go: one of br, br_if and return; of if, where to go on 0; of else, behind the end; those
	// of br_table, the default last.
	labels []label
}

// label is a place to go to. What is on the operand stack between height and the topmost arity operands is dropped.
type label struct {
	pc, height, arity int
}

// decoder decodes one body.
type decoder struct {
	v      wasm.Validator
	code   *code
	blocks []openBlock
	dead   bool // no way leads to the next instruction
}

// openBlock is a block whose end has not been seen.
type openBlock struct {
	op     wasm.Opcode
	start  int
	dead   bool        // no way leads to its beginning
	orElse int         // instruction that goes to the else, or -1
	toEnd  []labelName // branches whose pc is the end
}

type labelName struct{ inst, label int }

// decode validates and decodes the body of a function.
func decode(m *wasm.Module, index uint32) (*code, error) {
	d := &decoder{code: &code{}}
	if err := d.v.Begin(m, index); err != nil {
		return nil, err
	}
	d.code.locals = len(d.v.Locals())
	d.blocks = []openBlock{{op: wasm.OpBlock, orElse: -1}}
	var in wasm.Instr
	for {
		more, err := d.v.Next(&in)
		if err != nil {
			return nil, err
		}
		d.add(&in)
		if !more {
			return d.code, nil
		}
	}
}

func (d *decoder) add(in *wasm.Instr) {
	switch in.Op {
	case wasm.OpBlock, wasm.OpLoop, wasm.OpIf:
		b := openBlock{op: in.Op, start: len(d.code.insts), dead: d.dead, orElse: -1}
		if in.Op == wasm.OpIf && !d.dead {
			b.orElse = d.emit(in)
			d.code.insts[b.orElse].labels = []label{{}}
		}
		d.blocks = append(d.blocks, b)
	case wasm.OpElse:
		b := &d.blocks[len(d.blocks)-1]
		if b.dead {
			return
		}
		if !d.dead {
			b.toEnd = append(b.toEnd, labelName{d.emit(in), 0})
			d.code.insts[len(d.code.insts)-1].labels = []label{{}}
		}
		d.code.insts[b.orElse].labels[0].pc = len(d.code.insts)
		b.orElse, d.dead = -1, false
	case wasm.OpEnd:
		d.end(in)
	default:
		if !d.dead {
			d.plain(in)
		}
	}
}

func (d *decoder) end(in *wasm.Instr) {
	b := d.blocks[len(d.blocks)-1]
	d.blocks = d.blocks[:len(d.blocks)-1]
	if b.dead {
		return
	}
	d.dead = false
	here := len(d.code.insts)
	if b.orElse >= 0 {
		d.code.insts[b.orElse].labels[0].pc = here
	}
	for _, n := range b.toEnd {
		d.code.insts[n.inst].labels[n.label].pc = here
	}
	if len(d.blocks) == 0 {
		d.emit(in)
	}
}

// plain adds an instruction that does not open or close a block.
func (d *decoder) plain(in *wasm.Instr) {
	switch in.Op {
	case wasm.OpNop:
		return
	case wasm.OpBr, wasm.OpBrIf:
		d.branch(d.emit(in), in.Index)
	case wasm.OpBrTable:
		d.branch(d.emit(in), in.Targets...)
	case wasm.OpReturn:
		d.branch(d.emit(in), uint32(len(d.blocks)-1))
	default:
		d.emit(in)
	}
	switch in.Op {
	case wasm.OpBr, wasm.OpBrTable, wasm.OpReturn, wasm.OpUnreachable:
		d.dead = true
	}
}

func (d *decoder) emit(in *wasm.Instr) int {
	i := inst{op: in.Op, a: in.Index, b: in.Index2, vec: in.Vec, offset: in.Bits}
	switch in.Op {
	case wasm.OpI32Const:
		i.value.Lo = uint64(uint32(in.Bits))
	case wasm.OpI64Const, wasm.OpF32Const, wasm.OpF64Const:
		i.value.Lo = in.Bits
	case wasm.OpV128Const:
		i.value = vector(in.Vec)
	}
	d.code.insts = append(d.code.insts, i)
	return len(d.code.insts) - 1
}

// branch gives an instruction its labels.
func (d *decoder) branch(at int, depths ...uint32) {
	labels := make([]label, len(depths))
	for i, depth := range depths {
		f, b := d.v.Frame(depth), &d.blocks[len(d.blocks)-1-int(depth)]
		labels[i] = label{b.start, f.Height, len(f.LabelTypes())}
		if f.Op != wasm.OpLoop {
			b.toEnd = append(b.toEnd, labelName{at, i})
		}
	}
	d.code.insts[at].labels = labels
}
