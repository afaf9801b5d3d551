package wasm

// control handles the operators without immediates whose types vary.
func (v *Validator) control(in *Instr) {
	pos := int(in.Offset)
	switch in.Op {
	case OpUnreachable:
		v.unreachable()
	case OpEnd:
		v.end(pos)
	case OpElse:
		v.otherwise(pos)
	case OpReturn:
		v.label(pos, uint32(len(v.frames)-1))
		v.unreachable()
	case OpDrop:
		v.arg(pos, 0, Bottom)
	case OpSelect:
		v.selectAny(pos)
	case OpRefIsNull:
		if t := v.arg(pos, 0, Bottom); t != Bottom && !t.IsRef() {
			v.failAt(pos, "type mismatch: expected a reference, found %s", t)
		}
		v.push(I32)
	}
}

// block opens a block.
func (v *Validator) block(in *Instr) {
	pos := int(in.Offset)
	params, results := v.blockType()
	if in.Op == OpIf {
		v.arg(pos, len(params), I32)
	}
	v.argList(pos, params)
	if len(v.frames) >= maxNesting {
		v.failAt(pos, "blocks nested deeper than %d", maxNesting)
		return
	}
	v.height = len(v.stack)
	v.pushFrame(in.Op, params, results)
	v.pushAll(params)
}

// pushFrame opens a frame that begins at v.height.
func (v *Validator) pushFrame(op Opcode, params, results []ValType) {
	n := len(v.frames)
	if n == cap(v.frames) {
		v.frames = append(v.frames, Frame{})
	}
	v.frames = v.frames[:n+1]
	f := &v.frames[n]
	f.Op, f.Unreachable, f.Ref, f.Height, f.Params, f.Results = op, false, 0, v.height, params, results
}

// oneType holds every type of which a block can have one result and no other.
var oneType = [...]ValType{I32: I32, I64: I64, F32: F32, F64: F64, V128: V128, V128 + 1: FuncRef, V128 + 2: ExternRef}

// blockType reads the type of a block: nothing, a value type, or an index of a function type.
func (v *Validator) blockType() (params, results []ValType) {
	pos := v.pos
	if v.left() > 0 && v.src[pos]&0xc0 == 0x40 { // one byte, negative
		if v.src[pos] == codeEmpty {
			v.pos++
			return nil, nil
		}
		t := v.valType(v.features)
		switch i := t; t {
		case FuncRef:
			return nil, oneType[V128+1 : V128+2]
		case ExternRef:
			return nil, oneType[V128+2 : V128+3]
		default:
			return nil, oneType[i : i+1 : i+1]
		}
	}
	i := v.s33()
	if i < 0 || i >= int64(len(v.m.Types)) {
		v.failAt(pos, "unknown type %d of a block", i)
		return nil, nil
	}
	v.need(v.features, FeatureMultiValue, pos, "a block with a function type")
	t := &v.m.Types[i]
	return t.Params, t.Results
}

// endBlock pops the results of the innermost block, which must be all it has left.
func (v *Validator) endBlock(pos int) *Frame {
	f := v.Frame(0)
	v.argList(pos, f.Results)
	if extra := len(v.stack) - v.height; extra != 0 {
		v.failAt(pos, "type mismatch: the block leaves %d more operands than its %d results", extra, len(f.Results))
	}
	return f
}

func (v *Validator) end(pos int) {
	f := v.endBlock(pos)
	if f.Op == OpIf && !equalTypes(f.Params, f.Results) {
		v.failAt(pos, "type mismatch: an if without else has to leave what it takes")
	}
	results := f.Results
	v.frames = v.frames[:len(v.frames)-1]
	v.height = 0
	if len(v.frames) > 0 {
		v.height = v.Frame(0).Height
	} else if v.left() > 0 {
		v.failAt(v.pos, "unexpected content after the end of the function: %d bytes", v.left())
	}
	v.pushAll(results)
}

func (v *Validator) otherwise(pos int) {
	if v.Frame(0).Op != OpIf {
		v.failAt(pos, "else without if")
		return
	}
	f := v.endBlock(pos)
	f.Op, f.Unreachable = OpElse, false
	v.pushAll(f.Params)
}

// depth reads the depth of a label.
func (v *Validator) depth() uint32 {
	pos := v.pos
	d := v.u32()
	if d >= uint32(len(v.frames)) {
		v.failAt(pos, "unknown label %d: blocks are nested %d deep", d, len(v.frames))
		return 0
	}
	return d
}

func (v *Validator) branch(in *Instr) {
	pos := int(in.Offset)
	in.Index = v.depth()
	if in.Op == OpBr {
		v.label(pos, in.Index)
		v.unreachable()
		return
	}
	v.arg(pos, len(v.Frame(in.Index).LabelTypes()), I32)
	v.pushAll(v.label(pos, in.Index))
}

// branchTable checks br_table. All its labels take the same number of operands; in unreachable
// code their types may differ.
func (v *Validator) branchTable(in *Instr) {
	pos := int(in.Offset)
	v.readTargets()
	if v.err != nil {
		return
	}
	in.Targets = v.targets
	last := v.targets[len(v.targets)-1]
	want := v.Frame(last).LabelTypes()
	v.arg(pos, len(want), I32)
	checked := last
	for _, t := range v.targets {
		if t == checked {
			continue
		}
		checked = t
		types := v.Frame(t).LabelTypes()
		if len(types) != len(want) {
			v.failAt(pos, "type mismatch: label %d takes %d operands, the default label %d takes %d", t, len(types), last, len(want))
			return
		}
		v.peek(pos, types)
	}
	v.label(pos, last)
	v.unreachable()
}

func (v *Validator) readTargets() {
	n := int64(v.u32())
	v.targets = v.targets[:0]
	for i := int64(0); i <= n && v.err == nil; i++ {
		v.targets = append(v.targets, v.depth())
	}
}

// peek checks the topmost operands and leaves them.
func (v *Validator) peek(pos int, types []ValType) {
	n := len(v.stack) - 1
	for i := len(types) - 1; i >= 0; i-- {
		if n < v.height {
			if !v.Unreachable() {
				v.missing(pos, types[i])
			}
			return
		}
		if got := v.stack[n].Type; !got.Matches(types[i]) {
			v.mismatch(pos, types[i], got)
		}
		n--
	}
}

func (v *Validator) call(in *Instr) {
	if in.Index = v.index(len(v.m.Funcs), "function"); v.err == nil {
		v.callType(in, v.m.FuncType(in.Index))
	}
}

func (v *Validator) callIndirect(in *Instr) {
	in.Index = v.index(len(v.m.Types), "type")
	in.Index2 = v.table()
	if v.err != nil {
		return
	}
	table, t := &v.m.Tables[in.Index2], &v.m.Types[in.Index]
	if !table.Elem.Matches(FuncRef) {
		v.mismatch(int(in.Offset), FuncRef, table.Elem)
	}
	v.arg(int(in.Offset), len(t.Params), table.AddrType())
	v.callType(in, t)
}

func (v *Validator) callType(in *Instr, t *FuncType) {
	pos := int(in.Offset)
	v.argList(pos, t.Params)
	switch in.Op {
	case OpReturnCall, OpReturnCallIndirect:
		if own := v.m.FuncType(v.fn); !equalTypes(t.Results, own.Results) {
			v.failAt(pos, "type mismatch: a tail call of %s in a function %s, with other results", t, own)
		}
		v.unreachable()
	default:
		v.pushAll(t.Results)
	}
}

func (v *Validator) selectAny(pos int) {
	v.arg(pos, 2, I32)
	b := v.arg(pos, 1, Bottom)
	a := v.arg(pos, 0, Bottom)
	for _, t := range [...]ValType{a, b} {
		if t.IsRef() {
			v.failAt(pos, "type mismatch: a select without type takes numbers, found %s", t)
		}
	}
	if a == Bottom {
		a, b = b, a
	}
	if !b.Matches(a) {
		v.mismatch(pos, a, b)
	}
	v.push(a)
}

func (v *Validator) selectTyped(pos int) {
	start := v.pos
	if n := v.u32(); n != 1 {
		v.failAt(start, "invalid result arity: select has %d types, expected 1", n)
	}
	t := v.valType(v.features)
	v.arg(pos, 2, I32)
	v.arg(pos, 1, t)
	v.arg(pos, 0, t)
	v.push(t)
}
