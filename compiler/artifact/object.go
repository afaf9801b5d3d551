package artifact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/internal/elf"
)

// An Object is a relocatable file for a C linker with the header that declares what it holds. The contract stands in docs/object.md.
type Object struct {
	File   []byte
	Header string
}

// Sections of an object.
const (
	objText = 1 + iota
	objData
	objRodata
	objCount
)

// objSym is a symbol of an object; section 0 is undefined.
type objSym struct {
	name    string
	section int
	off     uint64
	size    uint64
	typ     elf.SymType
	global  bool
}

// objRela is a relocation: the field at off of a section gets the symbol's address plus addend.
type objRela struct {
	off    uint64
	sym    string
	typ    elf.R_X86_64
	addend int64
}

// objWriter gathers an object.
type objWriter struct {
	a       *Artifact
	prefix  string
	content [objCount][]byte
	relas   [objCount][]objRela
	syms    []objSym
	layout  abi.Layout
	ctx     uint64 // offset of the context in data
	typeIDs []uint32
}

// EncodeObject makes an object whose symbols begin with prefix, a C identifier. The artifact must check every memory access: there is no
// loader that would reserve guards.
func (a *Artifact) EncodeObject(prefix string) (*Object, error) {
	if err := a.fitsObject(); err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	w := &objWriter{a: a, prefix: prefix, layout: a.Layout()}
	w.content[objText] = slices.Clone(a.Text)
	for i := range a.Funcs {
		f := &a.Funcs[i]
		name := a.FuncName(i)
		if name == "" {
			name = fmt.Sprintf("wasm-function[%d]", len(a.Module.ImportedFuncTypes)+i)
		}
		w.syms = append(w.syms, objSym{name, objText, uint64(f.Off), uint64(f.Size), elf.STT_FUNC, false})
	}
	if err := w.context(); err != nil {
		return nil, fmt.Errorf("object: %w", err)
	}
	w.readOnly()
	w.exports()
	return &Object{w.file(), w.header()}, nil
}

// fitsObject refuses what the contract does not cover.
func (a *Artifact) fitsObject() error {
	m := &a.Module
	switch {
	case a.Compile != nil:
		return errors.New("expected a module that was compiled ahead")
	case a.Header.Target != "amd64":
		return fmt.Errorf("target %s is not supported (supported: amd64)", a.Header.Target)
	case a.Header.Tier != TierExplicit:
		return errors.New("expected code that checks every access")
	case len(m.Datas) > 0:
		return errors.New("data segments that are passive or at computed offsets are not supported")
	case len(m.Mems) > 1:
		return errors.New("several memories are not supported")
	}
	for _, im := range m.Imports {
		if im.Kind != KindFunc {
			return fmt.Errorf("import %s.%s: an imported %s is not supported", im.Module, im.Name, im.Kind)
		}
		if !cSignature(&m.Types[m.ImportedFuncTypes[im.Index]]) {
			return fmt.Errorf("import %s.%s: expected at most 6 integers, 8 floats and one result, and no vectors", im.Module, im.Name)
		}
	}
	for i, e := range m.Elems {
		if e.Mode == SegmentPassive || len(e.Exprs) > 0 || e.Mode == SegmentActive && !isConst(e.Start) {
			return fmt.Errorf("element segment %d: only active ones with functions at constant offsets are supported", i)
		}
	}
	return nil
}

func isConst(e *Expr) bool { return e != nil && len(e.Insts) == 1 && e.Insts[0].Op == ExprConst }

// cSignature reports whether all parameters and results travel in the registers that C uses for them: the two conventions agree on these.
func cSignature(s *abi.Signature) bool {
	ints, floats := 0, 0
	for _, t := range s.Params {
		switch {
		case t == abi.V128:
			return false
		case t.IsFloat():
			floats++
		default:
			ints++
		}
	}
	return ints <= 6 && floats <= 8 && (len(s.Results) == 0 || len(s.Results) == 1 && s.Results[0] != abi.V128)
}

// cName makes a C identifier of a name.
func cName(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

func (w *objWriter) contextSym() string { return w.prefix + "_context" }

// put64 writes a word of the data section.
func (w *objWriter) put64(at, v uint64) { le.PutUint64(w.content[objData][at:], v) }

// point makes a word of the data section the address of a symbol.
func (w *objWriter) point(at uint64, sym string, addend uint64) {
	w.relas[objData] = append(w.relas[objData], objRela{at, sym, elf.R_X86_64_64, int64(addend)})
}

// grow adds zeros to a section and gives their offset.
func (w *objWriter) grow(section int, size uint64) uint64 {
	at := alignUp(uint64(len(w.content[section])), 16)
	w.content[section] = append(w.content[section], make([]byte, at+size-uint64(len(w.content[section])))...)
	return at
}

// context lays out what the loader would build: context, function descriptors, tables.
func (w *objWriter) context() error {
	m, l := &w.a.Module, &w.layout
	w.ctx = w.grow(objData, uint64(l.Size))
	ctx := w.contextSym()
	w.syms = append(w.syms, objSym{ctx, objData, w.ctx, uint64(l.Size), elf.STT_OBJECT, true})
	w.point(w.ctx+abi.CtxSelf, ctx, 0)
	null := w.grow(objData, abi.FuncDescSize)
	w.point(w.ctx+abi.CtxNullFunc, ctx, null-w.ctx)
	w.point(w.ctx+abi.CtxPinned, ctx, uint64(w.a.Module.PinnedCell(l)))
	w.point(w.ctx+abi.CtxMemRec, ctx, uint64(l.Memories))

	ids := map[string]uint32{}
	for i := range m.Types {
		key := fmt.Sprint(m.Types[i])
		if ids[key] == 0 {
			ids[key] = uint32(len(ids)) + 1
		}
		w.typeIDs = append(w.typeIDs, ids[key])
		le.PutUint32(w.content[objData][w.ctx+uint64(l.TypeIDs)+4*uint64(i):], ids[key])
	}
	for i := range w.a.Funcs {
		f := &w.a.Funcs[i]
		w.descriptor(w.ctx+uint64(l.Funcs)+uint64(i)*abi.FuncDescSize, uint64(f.Off), w.typeIDs[f.Type], uint32(len(m.ImportedFuncTypes)+i))
	}
	for _, im := range m.Imports {
		at := w.grow(objData, abi.FuncDescSize)
		w.descriptor(at, w.callOut(w.prefix+"_import_"+cName(im.Module)+"_"+cName(im.Name)), w.typeIDs[m.ImportedFuncTypes[im.Index]], im.Index)
		w.point(w.ctx+uint64(l.Imports)+8*uint64(im.Index), ctx, at-w.ctx)
	}
	builtins := w.grow(objData, 8*uint64(abi.BuiltinCount))
	w.point(w.ctx+abi.CtxBuiltins, ctx, builtins-w.ctx)
	for b, info := range abi.Builtins {
		if b == int(abi.BuiltinPoll) {
			continue // objects are compiled without
		}
		at := w.grow(objData, abi.FuncDescSize)
		w.descriptor(at, w.callOut(w.prefix+"_"+strings.ReplaceAll(info.Name, ".", "_")), ^uint32(0), 0)
		w.point(builtins+8*uint64(b), ctx, at-w.ctx)
	}
	for i := range m.Globals {
		g := &m.Globals[i]
		at := w.ctx + uint64(l.Globals) + uint64(i)*abi.GlobalCellSize
		if g.Init == nil || len(g.Init.Insts) != 1 {
			return fmt.Errorf("global %d: a computed initial value is not supported", i)
		}
		switch in := &g.Init.Insts[0]; in.Op {
		case ExprConst:
			w.put64(at, in.Bits)
			w.put64(at+8, in.Hi)
		case ExprRefFunc:
			w.pointFunc(at, in.Index)
		case ExprRefNull:
		default:
			return fmt.Errorf("global %d: a computed initial value is not supported", i)
		}
	}
	return w.tables()
}

func (w *objWriter) descriptor(at, code uint64, typeID, index uint32) {
	w.relas[objData] = append(w.relas[objData], objRela{at + abi.FuncDescCode, ".text", elf.R_X86_64_64, int64(code)})
	w.point(at+abi.FuncDescCtx, w.contextSym(), 0)
	le.PutUint32(w.content[objData][at+abi.FuncDescTypeID:], typeID)
	le.PutUint32(w.content[objData][at+abi.FuncDescIndex:], index)
}

// pointFunc makes a word a reference to a function.
func (w *objWriter) pointFunc(at uint64, index uint32) {
	if n := uint32(len(w.a.Module.ImportedFuncTypes)); index >= n {
		w.point(at, w.contextSym(), uint64(w.layout.Funcs)+uint64(index-n)*abi.FuncDescSize)
		return
	}
	from := w.ctx + uint64(w.layout.Imports) + 8*uint64(index)
	k := slices.IndexFunc(w.relas[objData], func(r objRela) bool { return r.off == from })
	w.point(at, w.contextSym(), uint64(w.relas[objData][k].addend))
}

// maxObjectTable bounds tables, which an object holds whole.
const maxObjectTable = 1 << 20

func (w *objWriter) tables() error {
	m := &w.a.Module
	at := make([]uint64, len(m.Tables))
	for i := range m.Tables {
		t := &m.Tables[i]
		if t.Init != nil || t.Min > maxObjectTable {
			return fmt.Errorf("table %d: initial values and more than %d elements are not supported", i, maxObjectTable)
		}
		at[i] = w.grow(objData, 8*t.Min)
		rec := w.ctx + uint64(w.layout.Tables) + uint64(i)*abi.TableRecSize
		w.point(rec+abi.TableRecBase, w.contextSym(), at[i]-w.ctx)
		w.put64(rec+abi.TableRecLen, t.Min)
	}
	for i := range m.Elems {
		e := &m.Elems[i]
		if e.Mode != SegmentActive {
			continue
		}
		start := e.Start.Insts[0].Bits & 0xffffffff
		if int(e.Table) >= len(at) || start+uint64(len(e.Funcs)) > m.Tables[e.Table].Min {
			return fmt.Errorf("element segment %d does not fit in its table", i)
		}
		for k, f := range e.Funcs {
			w.pointFunc(at[e.Table]+8*(start+uint64(k)), f)
		}
	}
	return nil
}

// readOnly adds the memory's initial contents and the table of traps.
func (w *objWriter) readOnly() {
	at := w.grow(objRodata, uint64(len(w.a.Image)))
	copy(w.content[objRodata][at:], w.a.Image)
	w.syms = append(w.syms, objSym{w.prefix + "_image", objRodata, at, uint64(len(w.a.Image)), elf.STT_OBJECT, true})
	at = w.grow(objRodata, 0)
	for s := range w.a.Traps.All() {
		w.content[objRodata] = binary.LittleEndian.AppendUint32(w.content[objRodata], s.Off)
		w.content[objRodata] = binary.LittleEndian.AppendUint32(w.content[objRodata], uint32(s.Code))
	}
	w.syms = append(w.syms, objSym{w.prefix + "_traps", objRodata, at, uint64(len(w.content[objRodata])) - at, elf.STT_OBJECT, true},
		objSym{w.prefix + "_text", objText, 0, uint64(len(w.a.Text)), elf.STT_NOTYPE, true})
}

// code adds instructions to the text and gives their offset.
func (w *objWriter) code(b ...byte) uint64 {
	at := uint64(len(w.content[objText]))
	w.content[objText] = append(w.content[objText], b...)
	return at
}

// rel32 makes the last four bytes of the text a distance to a symbol.
func (w *objWriter) rel32(sym string, typ elf.R_X86_64, addend int64) {
	w.relas[objText] = append(w.relas[objText], objRela{uint64(len(w.content[objText])) - 4, sym, typ, addend - 4})
}

// callOut adds code that guests call and that calls a C function: it aligns the stack. Parameters are where C expects them.
func (w *objWriter) callOut(sym string) uint64 {
	w.grow(objText, 0)
	at := w.code(0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xe4, 0xf0) // push rbp; mov rbp, rsp; and rsp, -16
	w.code(0xe8, 0, 0, 0, 0)                                     // call sym
	w.rel32(sym, elf.R_X86_64_PLT32, 0)
	w.code(0xc9)                            // leave
	w.code(0x4d, 0x8b, 0x5e, abi.CtxPinned) // mov r11, [r14+CtxPinned]
	w.code(0x41, 0x8b, 0x2b, 0xc3)          // mov ebp, [r11]; ret
	if !slices.ContainsFunc(w.syms, func(s objSym) bool { return s.name == sym }) {
		w.syms = append(w.syms, objSym{sym, 0, 0, 0, elf.STT_NOTYPE, true})
	}
	return at
}

// callIn adds code that C calls and that calls a guest function: guests change every register.
func (w *objWriter) callIn(name string, target uint64) {
	w.grow(objText, 0)
	at := w.code(0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x48, 0x83, 0xec, 0x08) // push rbx, rbp, r12–r15; sub rsp, 8
	w.code(0x4c, 0x8d, 0x35, 0, 0, 0, 0)                                                             // lea r14, [rip+context]
	w.rel32(w.contextSym(), elf.R_X86_64_PC32, 0)
	w.code(0x4d, 0x8b, 0x7e, abi.CtxMemBase) // mov r15, [r14+CtxMemBase]
	w.code(0x4d, 0x8b, 0x5e, abi.CtxPinned)  // mov r11, [r14+CtxPinned]
	w.code(0x41, 0x8b, 0x2b)                 // mov ebp, [r11]
	w.code(0xe8, 0, 0, 0, 0)                 // call target
	end := uint64(len(w.content[objText]))
	le.PutUint32(w.content[objText][end-4:], uint32(target-end))
	w.code(0x4d, 0x8b, 0x5e, abi.CtxPinned) // mov r11, [r14+CtxPinned]
	w.code(0x41, 0x89, 0x2b)                // mov [r11], ebp
	w.code(0x48, 0x83, 0xc4, 0x08, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3)
	w.syms = append(w.syms, objSym{name, objText, at, uint64(len(w.content[objText])) - at, elf.STT_FUNC, true})
}

// callable lists what C can call: exported defined functions, and the start function.
func (w *objWriter) callable(yield func(name, export string, f *Func)) {
	m := &w.a.Module
	n := uint32(len(m.ImportedFuncTypes))
	for _, e := range m.Exports {
		if e.Kind == KindFunc && e.Index >= n && cSignature(&m.Types[w.a.Funcs[e.Index-n].Type]) {
			yield(w.prefix+"_"+cName(e.Name), e.Name, &w.a.Funcs[e.Index-n])
		}
	}
	if m.Start >= int64(n) {
		yield(w.prefix+"_start_function", "", &w.a.Funcs[m.Start-int64(n)])
	}
}

func (w *objWriter) exports() {
	w.callable(func(name, _ string, f *Func) { w.callIn(name, uint64(f.Off)) })
}

// file puts the sections together.
func (w *objWriter) file() []byte {
	const (
		relaText = objCount + iota
		relaData
		symtab
		strtab
		shstrtab
		stack
		count
	)
	slices.SortStableFunc(w.syms, func(a, b objSym) int { // local symbols come first
		switch {
		case a.global == b.global:
			return 0
		case b.global:
			return -1
		}
		return 1
	})
	syms, strs, index := make([]byte, elf.Sym64Size), []byte{0}, map[string]uint32{}
	add := func(s objSym) {
		bind, name := elf.STB_LOCAL, uint32(0)
		if s.typ != elf.STT_SECTION {
			name = uint32(len(strs))
			strs = append(append(strs, s.name...), 0)
		}
		if s.global {
			bind = elf.STB_GLOBAL
		}
		if s.global || s.typ == elf.STT_SECTION {
			index[s.name] = uint32(len(syms) / elf.Sym64Size)
		}
		syms = le.AppendUint32(syms, name)
		syms = append(syms, elf.ST_INFO(bind, s.typ), 0)
		syms = le.AppendUint16(syms, uint16(s.section))
		syms = le.AppendUint64(syms, s.off)
		syms = le.AppendUint64(syms, s.size)
	}
	add(objSym{name: ".text", section: objText, typ: elf.STT_SECTION})
	locals := 2
	for _, s := range w.syms {
		if !s.global {
			locals++
		}
		add(s)
	}
	relas := func(section int) (b []byte) {
		for _, r := range w.relas[section] {
			b = le.AppendUint64(b, r.off)
			b = le.AppendUint64(b, elf.R_INFO(index[r.sym], uint32(r.typ)))
			b = le.AppendUint64(b, uint64(r.addend))
		}
		return b
	}
	const relaSize = uint64(unsafe.Sizeof(elf.Rela64{}))
	parts := [count]struct {
		name string
		head elf.Section64
		data []byte
	}{
		objText:   {".text", elf.Section64{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addralign: 64}, w.content[objText]},
		objData:   {".data", elf.Section64{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_WRITE), Addralign: 64}, w.content[objData]},
		objRodata: {".rodata", elf.Section64{Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC), Addralign: 64}, w.content[objRodata]},
		relaText:  {".rela.text", elf.Section64{Type: uint32(elf.SHT_RELA), Flags: uint64(elf.SHF_INFO_LINK), Link: symtab, Info: objText, Entsize: relaSize, Addralign: 8}, relas(objText)},
		relaData:  {".rela.data", elf.Section64{Type: uint32(elf.SHT_RELA), Flags: uint64(elf.SHF_INFO_LINK), Link: symtab, Info: objData, Entsize: relaSize, Addralign: 8}, relas(objData)},
		symtab:    {".symtab", elf.Section64{Type: uint32(elf.SHT_SYMTAB), Link: strtab, Info: uint32(locals), Entsize: elf.Sym64Size, Addralign: 8}, syms},
		strtab:    {".strtab", elf.Section64{Type: uint32(elf.SHT_STRTAB), Addralign: 1}, strs},
		shstrtab:  {".shstrtab", elf.Section64{Type: uint32(elf.SHT_STRTAB), Addralign: 1}, nil},
		stack:     {".note.GNU-stack", elf.Section64{Type: uint32(elf.SHT_PROGBITS), Addralign: 1}, nil},
	}
	names := []byte{0}
	for i := 1; i < count; i++ {
		parts[i].head.Name = uint32(len(names))
		names = append(append(names, parts[i].name...), 0)
	}
	parts[shstrtab].data = names
	h := elf.Header64{Type: uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Ehsize: uint16(unsafe.Sizeof(elf.Header64{})),
		Shentsize: uint16(unsafe.Sizeof(elf.Section64{})), Shnum: count, Shstrndx: shstrtab}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	file := make([]byte, unsafe.Sizeof(h))
	var heads [count]elf.Section64
	for i := 1; i < count; i++ {
		file = append(file, make([]byte, alignUp(uint64(len(file)), 64)-uint64(len(file)))...)
		heads[i] = parts[i].head
		heads[i].Off, heads[i].Size = uint64(len(file)), uint64(len(parts[i].data))
		file = append(file, parts[i].data...)
	}
	file = append(file, make([]byte, alignUp(uint64(len(file)), 64)-uint64(len(file)))...)
	h.Shoff = uint64(len(file))
	copy(file, bytesOf([]elf.Header64{h}))
	return append(file, bytesOf(heads[:])...)
}
