package wasm

// constExpr reads a constant expression whose value has type want (spec, "Validation", "Constant Expressions").
func (d *decoder) constExpr(want ValType) *ConstExpr {
	e := ConstExpr{Offset: uint32(d.pos)}
	d.consts, d.types = d.consts[:0], d.types[:0]
	for d.err == nil {
		pos := d.pos
		var in ConstInstr
		b := d.byte()
		if Opcode(b) == OpEnd {
			break
		}
		var t ValType
		switch in.Op = Opcode(b); in.Op {
		case OpI32Const:
			t, in.Bits = I32, uint64(int64(d.s32()))
		case OpI64Const:
			t, in.Bits = I64, uint64(d.s64())
		case OpF32Const:
			t, in.Bits = F32, uint64(d.le32())
		case OpF64Const:
			t, in.Bits = F64, d.le64()
		case OpGlobalGet:
			t, in.Index = d.constGlobal()
		case OpRefNull:
			d.need(d.m.features, FeatureReferenceTypes, pos, "ref.null")
			t = d.heapType(d.m.features)
		case OpRefFunc:
			d.need(d.m.features, FeatureReferenceTypes, pos, "ref.func")
			t, in.Index = FuncRef, d.funcRef()
		case prefixFD:
			if Opcode(d.u32())|pageFD != OpV128Const {
				d.failAt(pos, "constant expression required: it has a vector operator other than v128.const")
			}
			d.need(d.m.features, FeatureSIMD, pos, "v128.const")
			in.Op, t = OpV128Const, V128
			d.vec(&in.Vec)
		case OpI32Add, OpI32Sub, OpI32Mul, OpI64Add, OpI64Sub, OpI64Mul:
			d.need(d.m.features, FeatureExtendedConst, pos, in.Op.String()+" in a constant expression")
			t = d.constOperands(pos, in.Op)
		default:
			d.failAt(pos, "constant expression required: it has %s", in.Op)
		}
		d.consts = append(d.consts, in)
		d.types = append(d.types, t)
	}
	switch n := len(d.types); {
	case n == 0:
		d.failAt(int(e.Offset), "type mismatch: expected %s, found an empty expression", want)
	case n > 1:
		d.failAt(int(e.Offset), "type mismatch: expected one %s, found an expression with %d values", want, n)
	case !d.types[0].Matches(want):
		d.failAt(int(e.Offset), "type mismatch: expected %s, found %s", want, d.types[0])
	}
	e.Instrs = d.instrs.copy(d.consts...)
	return &d.exprs.copy(e)[0]
}

// constGlobal reads the index of a global whose value is known before the module's own
// are made: an imported one.
func (d *decoder) constGlobal() (ValType, uint32) {
	pos := d.pos
	i := d.index(len(d.m.Globals), "global")
	if d.err != nil {
		return Bottom, 0
	}
	g := &d.m.Globals[i]
	if g.Mutable {
		d.failAt(pos, "constant expression required: global %d is mutable", i)
	}
	if int(i) >= d.m.ImportedGlobals {
		d.need(d.m.features, FeatureGC, pos, "global.get of a global that is not imported, in a constant expression,")
	}
	return g.Type, i
}

// constOperands pops the operands of an operator and returns its result.
func (d *decoder) constOperands(pos int, op Opcode) ValType {
	sig := opcodes[op].Sig
	n := sig.Operands()
	if len(d.types) < n {
		d.failAt(pos, "type mismatch: %s expects %d operands, found %d", op, n, len(d.types))
		return Bottom
	}
	base := len(d.types) - n
	for i, t := range d.types[base:] {
		if want := sig.Operand(i); t != want {
			d.failAt(pos, "type mismatch: %s expects %s, found %s", op, want, t)
		}
	}
	d.types = d.types[:base]
	return sig.Result()
}

// Flags of segments. For element segments segIndex says "declarative" if the segment
// is passive.
const (
	segPassive = 1
	segIndex   = 2
	segExprs   = 4
)

func (d *decoder) elementSection() {
	n := d.count(maxSegments, "element segments")
	d.m.Elems = make([]ElemSegment, 0, d.room(n, 4))
	total := 0
	for i := 0; i < n && d.err == nil; i++ {
		s := d.elemSegment()
		if total += s.Len(); total > maxElems {
			d.failAt(int(s.Offset), "too many elements: the limit is %d", maxElems)
		}
		d.m.Elems = append(d.m.Elems, s)
	}
}

func (d *decoder) elemSegment() ElemSegment {
	pos := d.pos
	s := ElemSegment{Offset: uint32(pos), Type: FuncRef}
	flags := d.u32()
	if flags > segPassive|segIndex|segExprs {
		d.failAt(pos, "malformed elements segment kind %d", flags)
		return s
	}
	if flags != 0 {
		d.need(d.m.features, FeatureBulkMemory, pos, "an element segment with flags")
	}
	switch {
	case flags&segPassive == 0:
		d.elemPlace(&s, flags&segIndex != 0)
	case flags&segIndex != 0:
		s.Mode = SegmentDeclarative
	default:
		s.Mode = SegmentPassive
	}
	if flags&(segPassive|segIndex) != 0 {
		d.elemType(&s, flags&segExprs != 0)
	}
	if s.Mode == SegmentActive && d.err == nil {
		if table := &d.m.Tables[s.Table]; !s.Type.Matches(table.Elem) {
			d.failAt(pos, "type mismatch: expected elements of table %d's type %s, found %s", s.Table, table.Elem, s.Type)
		}
	}
	d.elements(&s, flags&segExprs != 0)
	return s
}

// elemPlace reads where an active segment goes.
func (d *decoder) elemPlace(s *ElemSegment, explicit bool) {
	pos := d.pos
	if explicit {
		s.Table = d.u32()
	}
	if d.err == nil && int(s.Table) >= len(d.m.Tables) {
		d.unknown(pos, s.Table, len(d.m.Tables), "table")
	}
	if d.err != nil {
		return
	}
	s.Start = d.constExpr(d.m.Tables[s.Table].AddrType())
}

func (d *decoder) elemType(s *ElemSegment, exprs bool) {
	if exprs {
		s.Type = d.refType(d.m.features)
		return
	}
	pos := d.pos
	if kind := d.byte(); kind != 0 {
		d.failAt(pos, "malformed element kind 0x%02x", kind)
	}
}

func (d *decoder) elements(s *ElemSegment, exprs bool) {
	n := d.count(maxElems, "elements")
	if exprs {
		s.Exprs = make([]ConstExpr, 0, d.room(n, 3))
		for i := 0; i < n && d.err == nil; i++ {
			s.Exprs = append(s.Exprs, *d.constExpr(s.Type))
		}
		return
	}
	s.Funcs = make([]uint32, 0, d.room(n, 1))
	for i := 0; i < n && d.err == nil; i++ {
		s.Funcs = append(s.Funcs, d.funcRef())
	}
}

func (d *decoder) dataSection() {
	n := d.count(maxSegments, "data segments")
	d.m.dataAt = d.pos
	var s DataSegment
	for d.m.DataLen < n && d.err == nil {
		d.dataSegment(&s)
		d.m.DataLen++
	}
}

func (d *decoder) dataSegment(s *DataSegment) {
	if d.plainData(s) {
		return
	}
	pos := d.pos
	*s = DataSegment{Offset: uint32(pos)}
	flags := d.u32()
	switch flags {
	case 0, segIndex:
	case segPassive:
		s.Mode = SegmentPassive
	default:
		d.failAt(pos, "malformed data segment kind %d", flags)
		return
	}
	if flags != 0 {
		d.need(d.m.features, FeatureBulkMemory, pos, "a data segment with flags")
	}
	if s.Mode == SegmentActive {
		d.dataPlace(s, flags == segIndex)
	}
	s.Init = d.bytes(int(d.u32()), "data")
}

// plainData reads a segment as nearly all of Go's tens of thousands are, which are decoded several times: at a constant of up to four bytes
// in memory 0, with less than 128 bytes.
func (d *decoder) plainData(s *DataSegment) bool {
	const most = 8 // bytes before the contents: kind, i32.const, place, end, size
	if d.left() < most || len(d.m.Mems) == 0 || d.m.Mems[0].Is64 {
		return false
	}
	b := (*[most]byte)(d.src[d.pos:])
	if b[0] != 0 || Opcode(b[1]) != OpI32Const {
		return false
	}
	place, bits, i := uint32(0), 0, 2
	for more := true; more; i++ {
		if bits == 28 {
			return false
		}
		place |= uint32(b[i]&0x7f) << bits
		more = b[i] >= 0x80
		bits += 7
	}
	if Opcode(b[i]) != OpEnd || b[i+1] >= 0x80 {
		return false
	}
	start := d.pos + i + 2
	end := start + int(b[i+1])
	if end > len(d.src) {
		return false
	}
	s.Mode, s.Mem, s.Offset, s.Init = SegmentActive, 0, uint32(d.pos), d.src[start:end:end]
	s.known, s.place, s.start = true, uint64(int64(int32(place<<(32-bits))>>(32-bits))), nil
	d.pos = end
	return true
}

// dataPlace reads where an active segment begins.
func (d *decoder) dataPlace(s *DataSegment, explicit bool) {
	pos := d.pos
	if explicit {
		s.Mem = d.u32()
	}
	if d.err == nil && int(s.Mem) >= len(d.m.Mems) {
		d.unknown(pos, s.Mem, len(d.m.Mems), "memory")
	}
	if d.err != nil {
		return
	}
	want := d.m.Mems[s.Mem].AddrType()
	if want == I32 && d.left() > 0 && Opcode(d.src[d.pos]) == OpI32Const {
		start := d.pos
		d.pos++
		s.place = uint64(int64(d.s32()))
		if s.known = d.err == nil && Opcode(d.byte()) == OpEnd; s.known || d.err != nil {
			return
		}
		d.pos = start
	}
	e := d.constExpr(want)
	if len(e.Instrs) == 1 && e.Instrs[0].Op == OpI64Const {
		s.known, s.place = true, e.Instrs[0].Bits
		return
	}
	s.start = e
}
