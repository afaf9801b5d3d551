package backend

import (
	"fmt"
	"math"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// guestReach is how far beyond a memory's base an unchecked access may go: a 32-bit index, a
// 32-bit offset and the widest access. The guard region covers it.
const guestReach = 2*math.MaxUint32 + 16

// Access knows what the machine code of a function may touch. The memory-access
// checkers of the instruction sets follow Facts through the code, and ask here about each
// access and call. It does not look at what the back end made of the function on the way.
type Access struct {
	Conv        *abi.Convention
	Func        *ssa.Func
	Guarded     bool   // accesses to linear memories may rely on guard regions
	ThroughDesc bool   // calls of the module's other functions go through their descriptors
	Text        []byte // of the function
	Constants   uint32 // where constants begin in Text: all that code may read there

	rules []rule
	calls []*ssa.Call // calls through tables
}

// rule is a field that may be accessed: at Start + k×Stride from the address of its
// kind, for k below Count.
type rule struct {
	name                 string
	base                 FactKind
	start, stride, count uint32
	size                 uint32 // of the access; 0: up to the stride
	write                bool
	result               func(i int32) Fact // of a load; nil: any number
}

// NewAccess says what f may touch whose machine code is c.
func NewAccess(conv *abi.Convention, f *ssa.Func, c *Code, cfg *Config) *Access {
	a := &Access{Conv: conv, Func: f, Guarded: !cfg.Explicit, ThroughDesc: cfg.ThroughDesc, Text: c.Text, Constants: c.CodeSize, rules: rulesFor(f)}
	for _, b := range f.RPO {
		for _, v := range f.OrderOf(&f.Blocks[b]) {
			if in := &f.Insts[v]; in.Op == ssa.OpCall && f.Calls[in.A].Kind == ssa.CallIndirect {
				a.calls = append(a.calls, &f.Calls[in.A])
			}
		}
	}
	return a
}

// rulesFor is the table of what may be accessed beside stack, constants and linear memories.
func rulesFor(f *ssa.Func) []rule {
	l := &f.Module.Layout
	s := &l.Shape
	indexed := func(k FactKind, first int) func(int32) Fact {
		return func(i int32) Fact { return Fact{Kind: k, Index: i + int32(first)} }
	}
	desc := func(k DescKind) func(int32) Fact {
		return func(i int32) Fact { return Fact{Kind: FactDesc, Desc: k, Index: i, NotNil: k != DescTable} }
	}
	n := func(count int) uint32 { return uint32(count) }
	return []rule{
		{"memory base", FactContext, abi.CtxMemBase, 8, 1, 8, false, indexed(FactGuest, 0)},
		{"memory record", FactContext, abi.CtxMemRec, 8, 1, 8, false, indexed(FactMemRec, 0)},
		{"builtins", FactContext, abi.CtxBuiltins, 8, 1, 8, false, indexed(FactBuiltins, 0)},
		{"globals", FactContext, l.Globals, abi.GlobalCellSize, n(s.Globals), 0, true, nil},
		{"global addresses", FactContext, l.GlobalPtrs, 8, n(s.ImportedGlobals), 8, false, indexed(FactCell, 0)},
		{"table bases", FactContext, l.Tables + abi.TableRecBase, abi.TableRecSize, n(s.Tables), 8, false, indexed(FactElements, s.ImportedTables)},
		{"table lengths", FactContext, l.Tables + abi.TableRecLen, abi.TableRecSize, n(s.Tables), 8, false, indexed(FactLength, s.ImportedTables)},
		{"table addresses", FactContext, l.TablePtrs, 8, n(s.ImportedTables), 8, false, indexed(FactTabRec, 0)},
		{"memory bases", FactContext, l.Memories + abi.MemoryRecBase, abi.MemoryRecSize, n(s.Memories), 8, false, indexed(FactGuest, s.ImportedMemories)},
		{"memory sizes", FactContext, l.Memories + abi.MemoryRecBytes, abi.MemoryRecSize, n(s.Memories), 8, false, indexed(FactBytes, s.ImportedMemories)},
		{"memory addresses", FactContext, l.MemoryPtrs, 8, n(s.ImportedMemories), 8, false, indexed(FactMemRec, 0)},
		{"imports", FactContext, l.Imports, 8, n(s.ImportedFuncs), 8, false, desc(DescImport)},
		{"type ids", FactContext, l.TypeIDs, 4, n(s.Types), 4, false, indexed(FactTypeID, 0)},

		{"memory base", FactMemRec, abi.MemoryRecBase, 8, 1, 8, false, indexed(FactGuest, 0)},
		{"memory size", FactMemRec, abi.MemoryRecBytes, 8, 1, 8, false, indexed(FactBytes, 0)},
		{"table base", FactTabRec, abi.TableRecBase, 8, 1, 8, false, indexed(FactElements, 0)},
		{"table length", FactTabRec, abi.TableRecLen, 8, 1, 8, false, indexed(FactLength, 0)},
		{"global", FactCell, 0, abi.GlobalCellSize, 1, 0, true, nil},
		{"builtin", FactBuiltins, 0, 8, uint32(abi.BuiltinCount), 8, false, desc(DescBuiltin)},
		{"table element", FactElement, 0, 8, 1, 8, true, desc(DescTable)},
		{"context of a function", FactDesc, abi.FuncDescCtx, 8, 1, 8, false, indexed(FactOtherContext, 0)},
		{"code of a function", FactDesc, abi.FuncDescCode, 8, 1, 8, false, indexed(FactCode, 0)},
		{"type of a function", FactDesc, abi.FuncDescTypeID, 4, 1, 4, false, nil},
		{"pinned global", FactContext, abi.CtxPinned, 8, 1, 8, false, indexed(FactCell, 0)},
		{"pinned global elsewhere", FactOtherContext, abi.CtxPinned, 8, 1, 8, false, indexed(FactCell, 0)},
		{"memory base elsewhere", FactOtherContext, abi.CtxMemBase, 8, 1, 8, false, indexed(FactOtherBase, 0)},
	}
}

// Touch says what a load of size bytes at address gives, or what is wrong with the access. site
// is where it is. Accesses to the stack are the caller's to judge.
func (a *Access) Touch(address Fact, size uint32, write bool, site uint32) (Fact, error) {
	switch address.Kind {
	case FactGuest:
		switch {
		case !a.Guarded:
			return Unknown, fmt.Errorf("memory %d without a check", address.Index)
		case address.Hi+uint64(size) > guestReach:
			return Unknown, fmt.Errorf("memory %d from %#x to %#x: guard regions only reach to %#x", address.Index, address.Lo, address.Hi+uint64(size), uint64(guestReach))
		}
		return Unknown, nil
	case FactRoom:
		if int64(size) > address.Off {
			return Unknown, fmt.Errorf("%d bytes of memory %d, with room for %d", size, address.Index, address.Off)
		}
		return Unknown, nil
	case FactConstant:
		if write || address.Off < int64(a.Constants) || address.Off+int64(size) > int64(len(a.Text)) {
			return Unknown, fmt.Errorf("%d bytes at %#x of the text: constants are from %#x to %#x and read-only", size, address.Off, a.Constants, len(a.Text))
		}
		return Unknown, nil
	case FactGuess:
		return Unknown, fmt.Errorf("memory %d with a check that the processor may only guess", address.Index)
	case FactDesc:
		if !address.NotNil {
			return Unknown, fmt.Errorf("element of table %d, which may be null", address.Index)
		}
	case FactNumber, FactBelow, FactMasked, FactStart, FactAhead, FactCopy:
		return Unknown, fmt.Errorf("address is a number from %#x to %#x", address.Lo, address.Hi)
	}
	for i := range a.rules {
		r := &a.rules[i]
		if r.base == address.Kind && r.covers(address.Off, size) && (!write || r.write) {
			return r.load(address, site), nil
		}
	}
	return Unknown, fmt.Errorf("no rule for %d bytes at %v+%d, write: %v", size, address.Kind, address.Off, write)
}

// covers reports whether size bytes at off are of the rule.
func (r *rule) covers(off int64, size uint32) bool {
	off -= int64(r.start)
	if off < 0 || off >= int64(r.stride)*int64(r.count) {
		return false
	}
	within := uint32(off) % r.stride
	if r.size != 0 {
		return within == 0 && size == r.size
	}
	return within+size <= r.stride
}

// load is what a load by the rule gives.
func (r *rule) load(address Fact, site uint32) Fact {
	if r.result == nil {
		return Unknown
	}
	i := int32((address.Off - int64(r.start)) / int64(r.stride))
	switch address.Kind {
	case FactMemRec, FactTabRec, FactElement:
		i = address.Index
	}
	f := r.result(i)
	switch f.Kind {
	case FactDesc:
		f.Site = site
	case FactOtherContext, FactOtherBase:
		f.Site = address.Site
	case FactCode:
		f, f.Kind, f.Off = address, FactCode, 0
	}
	return f
}

// AddressOf is what is known of an address into the context that is computed, not loaded from.
func (a *Access) AddressOf(f Fact, site uint32) Fact {
	l := &a.Func.Module.Layout
	if f.Kind != FactContext {
		return f
	}
	if k, ok := element(f.Off, l.Funcs, abi.FuncDescSize, l.Shape.Funcs); ok {
		return Fact{Kind: FactDesc, Desc: DescOwn, Index: k, Site: site, NotNil: true}
	}
	if k, ok := element(f.Off, l.Memories, abi.MemoryRecSize, l.Shape.Memories); ok {
		return Fact{Kind: FactMemRec, Index: k + int32(l.Shape.ImportedMemories)}
	}
	return f
}

// element is the index of the element of an array that begins at off.
func element(off int64, start, size uint32, count int) (int32, bool) {
	off -= int64(start)
	k := off / int64(size)
	return int32(k), off >= 0 && off%int64(size) == 0 && k < int64(count)
}

// CheckType is desc after a comparison of its type id with id.
func (a *Access) CheckType(desc, id Fact) Fact {
	for _, c := range a.calls {
		if desc.Kind == FactDesc && id.Kind == FactTypeID && desc.Desc == DescTable &&
			int32(c.Table) == desc.Index && int32(c.TypeIndex) == id.Index {
			desc.Typed = true
		}
	}
	return desc
}

// Call says how many bytes of the outgoing area the function at desc may use, given the context
// and the memory base on the call, or what is wrong with the call.
func (a *Access) Call(desc, context, base Fact) (area uint32, err error) {
	m := a.Func.Module
	if desc.Kind != FactDesc || !desc.NotNil || desc.Off != 0 {
		return 0, fmt.Errorf("call of %v, which is no function that certainly exists", desc.Kind)
	}
	local := false
	switch desc.Desc {
	case DescBuiltin:
		area, local = a.Area(&abi.Builtins[desc.Index].Sig), true
	case DescImport:
		area = a.Area(m.FuncSigs[desc.Index])
	case DescTable:
		sameSig := false
		for _, c := range a.calls {
			if int32(c.Table) == desc.Index {
				area = max(area, a.Area(c.Sig))
				local = local || c.Local
				sameSig = sameSig || c.SameSig
			}
		}
		if !desc.Typed && !sameSig {
			return 0, fmt.Errorf("call of an element of table %d of unknown type", desc.Index)
		}
	default:
		if !a.ThroughDesc {
			return 0, fmt.Errorf("call of function %d through its descriptor", desc.Index)
		}
		if area, err = a.areaOf(uint32(desc.Index)); err != nil {
			return 0, err
		}
		local = true
	}
	switch {
	case context.Kind == FactOtherContext && context.Site == desc.Site && context.Off == 0 &&
		base.Kind == FactOtherBase && base.Site == desc.Site:
	case local && a.Own(context, base):
	default:
		return 0, fmt.Errorf("call with a context (%v) or memory base (%v) that may not be the callee's", context.Kind, base.Kind)
	}
	return area, nil
}

// Own reports whether context and base are those of the function itself.
func (a *Access) Own(context, base Fact) bool {
	return context == Fact{Kind: FactContext} && base == Fact{Kind: FactGuest}
}

// DirectArea is the outgoing area that a direct call of defined function i may use.
func (a *Access) DirectArea(i uint32) (uint32, error) {
	if k := uint64(i) + uint64(a.Func.Module.Layout.Shape.ImportedFuncs); a.ThroughDesc && k != uint64(a.Func.Index) {
		return 0, fmt.Errorf("direct call of function %d from function %d: expected one through its descriptor", k, a.Func.Index)
	}
	return a.areaOf(i)
}

// areaOf is the outgoing area of defined function i.
func (a *Access) areaOf(i uint32) (uint32, error) {
	m := a.Func.Module
	k := uint64(i) + uint64(m.Layout.Shape.ImportedFuncs)
	if k >= uint64(len(m.FuncSigs)) {
		return 0, fmt.Errorf("call of function %d of %d", k, len(m.FuncSigs))
	}
	return a.Area(m.FuncSigs[k]), nil
}

// Area is the size of the area through which a function's parameters and results travel.
func (a *Access) Area(s *abi.Signature) uint32 {
	_, params := a.Conv.Params(s.Params)
	_, results := a.Conv.Results(s.Results)
	return max(params, results)
}
