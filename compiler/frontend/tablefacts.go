package frontend

import (
	"bytes"
	"encoding/binary"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// tableFact is what call_indirect may rely on.
type tableFact struct {
	local bool   // every element is null or a function that this module defines
	known bool   // all elements are known, and
	class uint32 // their types are of this class; noClass if there are none, mixedClass if there are several
}

const (
	noClass    = ^uint32(0)
	mixedClass = noClass - 1
)

// only reports whether every element that is not null has a type of class c.
func (t *tableFact) only(c uint32) bool { return t.known && (t.class == c || t.class == noClass) }

// add takes note of a possible element.
func (t *tableFact) add(class uint32, defined bool) {
	t.local = t.local && defined
	if t.class == noClass {
		t.class = class
	} else if t.class != class {
		t.class = mixedClass
	}
}

// forget gives up what was known.
func (t *tableFact) forget() { t.local, t.known = false, false }

// findTableFacts computes what is known of the tables' elements and lengths. A table that nobody
// outside can reach holds what the element segments and the module's own code put there.
func (mod *Module) findTableFacts() {
	m := mod.Wasm
	mod.classify()
	mod.tables = make([]tableFact, len(m.Tables))
	mod.SSA.TableMin = make([]uint64, len(m.Tables))
	mod.SSA.TableFixed = make([]bool, len(m.Tables))
	private := false
	for i := range m.Tables {
		t := &m.Tables[i]
		inside := i >= m.ImportedTables
		mod.tables[i] = tableFact{local: inside, known: inside, class: noClass}
		mod.SSA.TableMin[i] = t.Min
		mod.SSA.TableFixed[i] = inside
		if t.Init != nil {
			mod.addExpr(&mod.tables[i], t.Init)
		}
		private = private || inside
	}
	for _, ex := range m.Exports {
		if ex.Kind == wasm.ExternTable {
			mod.tables[ex.Index].forget()
			mod.SSA.TableFixed[ex.Index] = false
		}
	}
	for i := range m.Elems {
		if e := &m.Elems[i]; e.Mode == wasm.SegmentActive {
			mod.addSegment(e.Table, e)
		}
	}
	if private {
		for i := range m.Funcs[m.ImportedFuncs:] {
			mod.scanTableWrites(uint32(m.ImportedFuncs + i))
		}
	}
	for i := range m.Tables {
		if t := &m.Tables[i]; t.HasMax && t.Max == t.Min {
			mod.SSA.TableFixed[i] = true
		}
	}
}

// classify numbers the types so that equal ones have the same number.
func (mod *Module) classify() {
	m := mod.Wasm
	mod.classes = make([]uint32, len(m.Types))
	if len(m.Tables) == 0 {
		return
	}
	first := make(map[string]uint32, len(m.Types))
	var key []byte
	for i := range m.Types {
		t := &m.Types[i]
		key = binary.LittleEndian.AppendUint32(key[:0], uint32(len(t.Params)))
		for _, ts := range [2][]wasm.ValType{t.Params, t.Results} {
			for _, v := range ts {
				key = binary.LittleEndian.AppendUint32(key, uint32(v))
			}
		}
		c, ok := first[string(key)]
		if !ok {
			c = uint32(i)
			first[string(key)] = c
		}
		mod.classes[i] = c
	}
}

func (mod *Module) addFunc(t *tableFact, index uint32) {
	t.add(mod.classes[mod.Wasm.Funcs[index].Type], int(index) >= mod.Wasm.ImportedFuncs)
}

func (mod *Module) addExpr(t *tableFact, e *wasm.ConstExpr) {
	for i := range e.Instrs {
		switch in := &e.Instrs[i]; in.Op {
		case wasm.OpRefFunc:
			mod.addFunc(t, in.Index)
		case wasm.OpRefNull:
		default:
			t.forget()
		}
	}
}

func (mod *Module) addSegment(table uint32, e *wasm.ElemSegment) {
	t := &mod.tables[table]
	for _, f := range e.Funcs {
		mod.addFunc(t, f)
	}
	for i := range e.Exprs {
		mod.addExpr(t, &e.Exprs[i])
	}
}

// scanTableWrites looks for instructions that change tables. Looking for their first bytes
// among those of the body is cheap; only if something looks like one is the body decoded.
func (mod *Module) scanTableWrites(index uint32) {
	m := mod.Wasm
	body := m.Funcs[index].Body
	if !mod.mayWrite(body, byte(wasm.OpTableSet), nil) && !mod.mayWrite(body, 0xfc, tableWrites[:]) {
		return
	}
	var v wasm.Validator
	if v.Begin(m, index) != nil {
		return // an invalid function is never run
	}
	var in wasm.Instr
	for {
		more, err := v.Next(&in)
		if err != nil || !more {
			return
		}
		switch in.Op {
		case wasm.OpTableSet, wasm.OpTableFill, wasm.OpTableCopy:
			mod.tables[in.Index].forget()
		case wasm.OpTableGrow:
			mod.tables[in.Index].forget()
			mod.SSA.TableFixed[in.Index] = false
		case wasm.OpTableInit:
			mod.addSegment(in.Index, &m.Elems[in.Index2])
		}
	}
}

// tableWrites are the opcodes behind the prefix 0xfc that change tables.
var tableWrites = [...]wasm.Opcode{wasm.OpTableInit, wasm.OpTableCopy, wasm.OpTableGrow, wasm.OpTableFill}

// mayWrite reports whether the byte first, then one of ops if there are any, then the index of
// a table or segment occur one after the other in body.
func (mod *Module) mayWrite(body []byte, first byte, ops []wasm.Opcode) bool {
	indices := uint64(max(len(mod.Wasm.Tables), len(mod.Wasm.Elems)))
	for {
		i := bytes.IndexByte(body, first)
		if i < 0 {
			return false
		}
		body = body[i+1:]
		rest := body
		if ops != nil {
			sub, n := binary.Uvarint(rest)
			if n <= 0 || !isSub(sub, ops) {
				continue
			}
			rest = rest[n:]
		}
		if x, n := binary.Uvarint(rest); n > 0 && x < indices {
			return true
		}
	}
}

func isSub(sub uint64, ops []wasm.Opcode) bool {
	for _, op := range ops {
		if sub == uint64(op&0xff) {
			return true
		}
	}
	return false
}
