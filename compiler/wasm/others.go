package wasm

import "math"

// local handles local.get, local.set and local.tee.
func (v *Validator) local(in *Instr) {
	pos := v.pos
	in.Index = v.u32()
	if in.Index >= uint32(len(v.locals)) {
		v.unknown(pos, in.Index, len(v.locals), "local")
		return
	}
	t := v.locals[in.Index]
	if in.Op != OpLocalGet {
		v.arg(int(in.Offset), 0, t)
	}
	if in.Op != OpLocalSet {
		v.push(t)
	}
}

// global handles global.get and global.set.
func (v *Validator) global(in *Instr) {
	pos := v.pos
	in.Index = v.u32()
	if in.Index >= uint32(len(v.m.Globals)) {
		v.unknown(pos, in.Index, len(v.m.Globals), "global")
		return
	}
	g := &v.m.Globals[in.Index]
	if in.Op == OpGlobalGet {
		v.push(g.Type)
		return
	}
	if !g.Mutable {
		v.failAt(pos, "immutable global %d", in.Index)
	}
	v.arg(int(in.Offset), 0, g.Type)
}

// memArg reads the immediates of a load or store and returns its signature.
func (v *Validator) memArg(in *Instr, info *OpInfo) Sig {
	pos := v.pos
	in.Align, in.Index = v.u32(), 0
	if in.Align&memArgIndex != 0 && v.features&FeatureMultiMemory != 0 {
		in.Align &^= memArgIndex
		in.Index = v.u32()
	}
	if in.Align > 4 || 1<<in.Align > info.Size {
		v.badAlign(pos, in.Align, info)
	}
	if int(in.Index) >= len(v.m.Mems) {
		v.unknown(pos, in.Index, len(v.m.Mems), "memory")
		return info.Sig
	}
	if v.features&FeatureMemory64 == 0 {
		in.Bits = uint64(v.u32())
		return info.Sig
	}
	pos = v.pos
	in.Bits = v.u64()
	if v.m.Mems[in.Index].Is64 {
		return info.Sig.with64(addrBits)
	}
	if in.Bits > math.MaxUint32 {
		v.failAt(pos, "offset out of range: 0x%x in a memory with 32-bit addresses", in.Bits)
	}
	return info.Sig
}

// memArgIndex is the flag beside the alignment that says that a memory index follows.
const memArgIndex = 1 << 6

func (v *Validator) badAlign(pos int, align uint32, info *OpInfo) {
	if align >= 1<<6 {
		v.failAt(pos, "malformed memop flags 0x%x", align)
		return
	}
	v.failAt(pos, "alignment must not be larger than natural: %s accesses %d bytes, found 2^%d", info.Name, info.Size, align)
}

// others handles the operators whose immediates are not handled by Next itself.
func (v *Validator) others(in *Instr, info *OpInfo) {
	pos := int(in.Offset)
	switch info.Imm {
	case ImmBlock:
		v.block(in)
	case ImmLabel:
		v.branch(in)
	case ImmLabels:
		v.branchTable(in)
	case ImmFunc:
		if in.Op == OpRefFunc {
			v.refFunc(in)
		} else {
			v.call(in)
		}
	case ImmCallIndirect:
		v.callIndirect(in)
	case ImmF32:
		in.Bits = uint64(v.le32())
		v.push(F32)
	case ImmF64:
		in.Bits = v.le64()
		v.push(F64)
	case ImmV128:
		v.vec(&in.Vec)
		v.push(V128)
	case ImmShuffle:
		v.shuffle(in)
		v.apply(pos, info.Sig)
	case ImmLane:
		in.Index2 = v.lane(int(info.Lanes))
		v.apply(pos, info.Sig)
	case ImmMemLane:
		sig := v.memArg(in, info)
		in.Index2 = v.lane(16 / int(info.Size))
		v.apply(pos, sig)
	case ImmMem:
		in.Index = v.memory()
		v.apply(pos, v.memSig(info.Sig, in.Index))
	case ImmMemInit:
		in.Index2 = v.dataSegment()
		in.Index = v.memory()
		v.apply(pos, v.memSig(info.Sig, in.Index))
	case ImmMemCopy:
		in.Index = v.memory()
		in.Index2 = v.memory()
		v.apply(pos, v.memCopySig(info.Sig, in))
	case ImmData:
		in.Index = v.dataSegment()
	case ImmElem:
		in.Index = v.index(len(v.m.Elems), "elem segment")
	case ImmTable, ImmTableInit, ImmTableCopy:
		v.tableOp(in, info)
	case ImmHeapType:
		v.push(v.heapType(v.features))
	case ImmSelect:
		v.selectTyped(pos)
	}
}

// memory reads the index of a memory: a zero byte as long as there can be but one.
func (v *Validator) memory() uint32 {
	if v.features&FeatureMultiMemory != 0 {
		return v.index(len(v.m.Mems), "memory")
	}
	pos := v.pos
	if b := v.byte(); b != 0 {
		v.failAt(pos, "zero byte expected: memory index, found 0x%02x", b)
	}
	if len(v.m.Mems) == 0 {
		v.unknown(pos, 0, 0, "memory")
	}
	return 0
}

// memSig is a signature for the address type of a memory.
func (v *Validator) memSig(sig Sig, mem uint32) Sig {
	if v.err == nil && v.m.Mems[mem].Is64 {
		return sig.with64(addrBits)
	}
	return sig
}

// memCopySig is memory.copy's: the length has the smaller one of the two address types.
func (v *Validator) memCopySig(sig Sig, in *Instr) Sig {
	if v.err != nil {
		return sig
	}
	to, from := v.m.Mems[in.Index].Is64, v.m.Mems[in.Index2].Is64
	var wide Sig
	if to {
		wide |= addrP0
	}
	if from {
		wide |= addrP1
	}
	if to && from {
		wide |= addrP2
	}
	return sig.with64(wide)
}

// dataSegment reads the index of a data segment, of which bodies know the number only from
// the data count section.
func (v *Validator) dataSegment() uint32 {
	if v.m.DataCount < 0 {
		v.failAt(v.pos, "data count section required")
	}
	return v.index(int(v.m.DataCount), "data segment")
}

func (v *Validator) lane(lanes int) uint32 {
	pos := v.pos
	lane := v.byte()
	if int(lane) >= lanes {
		v.failAt(pos, "invalid lane index %d: the vector has %d", lane, lanes)
	}
	return uint32(lane)
}

func (v *Validator) shuffle(in *Instr) {
	pos := v.pos
	v.vec(&in.Vec)
	for i, lane := range in.Vec {
		if lane >= 32 && v.err == nil {
			v.failAt(pos+i, "invalid lane index %d: two vectors have 32", lane)
		}
	}
}

func (v *Validator) refFunc(in *Instr) {
	pos := v.pos
	in.Index = v.index(len(v.m.Funcs), "function")
	if v.err == nil && !v.m.Funcs[in.Index].declared {
		v.failAt(pos, "undeclared function reference %d: the function is in no export, element segment or global", in.Index)
	}
	v.push(FuncRef)
}

func (v *Validator) table() uint32 { return v.index(len(v.m.Tables), "table") }

// tableOp handles the operators that name tables.
func (v *Validator) tableOp(in *Instr, info *OpInfo) {
	if info.Imm == ImmTableInit {
		in.Index2 = v.index(len(v.m.Elems), "elem segment")
	}
	in.Index = v.table()
	if info.Imm == ImmTableCopy {
		in.Index2 = v.table()
	}
	if v.err != nil {
		return
	}
	pos, table := int(in.Offset), &v.m.Tables[in.Index]
	addr, elem := table.AddrType(), table.Elem
	switch in.Op {
	case OpTableGet:
		v.arg(pos, 0, addr)
		v.push(elem)
	case OpTableSet:
		v.argList(pos, []ValType{addr, elem})
	case OpTableSize:
		v.push(addr)
	case OpTableGrow:
		v.argList(pos, []ValType{elem, addr})
		v.push(addr)
	case OpTableFill:
		v.argList(pos, []ValType{addr, elem, addr})
	case OpTableInit:
		v.elemMatches(pos, v.m.Elems[in.Index2].Type, elem)
		v.argList(pos, []ValType{addr, I32, I32})
	case OpTableCopy:
		source := &v.m.Tables[in.Index2]
		v.elemMatches(pos, source.Elem, elem)
		from := source.AddrType()
		v.argList(pos, []ValType{addr, from, min(addr, from)})
	}
}

func (v *Validator) elemMatches(pos int, got, want ValType) {
	if !got.Matches(want) {
		v.mismatch(pos, want, got)
	}
}
