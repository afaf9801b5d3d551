package arm64

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/backendtest"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

var accessLayout = backendtest.CheckerLayout

const (
	accessFrame  = 48
	accessParams = 9 // after the first; two of them are on the stack
)

// accessCode is what the code of a case is made with: shorthands for what real code does.
type accessCode struct{ *Asm }

// guest loads 8 bytes at the address with a trap site.
func (a *accessCode) guest(m Mem) {
	a.Trap(abi.TrapMemoryOutOfBounds, 0)
	a.Mem(LDR, 8, X9, m)
}

func (a *accessCode) extended(index Reg) { a.guest(AtIndex(X26, index, ExtUXTW, 0)) }

func (a *accessCode) trapIf(c Cond) {
	ok := a.NewLabel()
	a.BCond(c^1, ok)
	a.Trap(abi.TrapUnreachable, 0)
	a.UDF(0)
	a.Bind(ok)
}

func (a *accessCode) compare(n, m Reg) { a.RRR(SUBS, 8, ZR, n, m) }

// enter and leave make and remove the frame, saving the context.
func (a *accessCode) enter() {
	a.Mem(STR, 8, X30, Pre(SP, -16))
	a.RRI(SUB, 8, SP, SP, accessFrame)
	a.Mem(STR, 8, X27, At(SP, 40))
}

func (a *accessCode) leave() {
	a.RRI(ADD, 8, SP, SP, accessFrame)
	a.Mem(LDR, 8, X30, Post(SP, 16))
}

// element makes x8 the element of a table with the index in w0, as calls through tables do.
func (a *accessCode) element(table int32, masked bool) {
	record := int32(accessLayout.Tables) + (table-1)*abi.TableRecSize
	a.Mem(LDR, 8, X25, At(X27, record+abi.TableRecLen))
	a.RRRExt(SUBS, 8, ZR, X25, X0, ExtUXTW, 0)
	a.trapIf(CondLS)
	if masked {
		a.Sel(CSEL, 4, X8, X0, ZR, CondHI)
	} else {
		a.Mov(4, X8, X0)
	}
	a.Mem(LDR, 8, X25, At(X27, record+abi.TableRecBase))
	a.Mem(LDR, 8, X8, AtIndex(X25, X8, ExtUXTX, 3))
}

func (a *accessCode) notNull() {
	ok := a.NewLabel()
	a.CBNZ(8, X8, ok)
	a.Trap(abi.TrapUninitializedElement, 0)
	a.UDF(0)
	a.Bind(ok)
}

func (a *accessCode) checkType(id int32) {
	a.Mem(LDR, 4, X25, At(X27, int32(accessLayout.TypeIDs)+4*id))
	a.Mem(LDR, 4, X30, At(X8, abi.FuncDescTypeID))
	a.RRR(SUBS, 4, ZR, X25, X30)
	a.trapIf(CondNE)
}

// callLocal calls the function at x8 in the own context, call in its own one.
func (a *accessCode) callLocal() {
	a.Mem(LDR, 8, X25, At(X8, abi.FuncDescCode))
	a.BLR(X25)
}

func (a *accessCode) call() {
	a.Mem(LDR, 8, X27, At(X8, abi.FuncDescCtx))
	a.Mem(LDR, 8, X26, At(X27, abi.CtxMemBase))
	a.callLocal()
	a.restore()
}

func (a *accessCode) restore() {
	a.Mem(LDR, 8, X27, At(SP, 40))
	a.Mem(LDR, 8, X26, At(X27, abi.CtxMemBase))
}

func (a *accessCode) imported(i int32) { a.Mem(LDR, 8, X8, At(X27, int32(accessLayout.Imports)+8*i)) }

// checked makes x3 the address of size bytes at index w0 plus 8 in memory 0, but the last step.
func (a *accessCode) checked(c Cond, size int64) {
	a.Mem(LDR, 8, X4, At(X27, abi.CtxMemRec))
	a.MovImm(8, X3, 8+size)
	a.RRRExt(ADD, 8, X3, X3, X0, ExtUXTW, 0)
	a.Mem(LDR, 8, X25, At(X4, abi.MemoryRecBytes))
	a.compare(X25, X3)
	a.trapIf(c)
	a.RRI(SUB, 8, X3, X3, size)
	a.RRR(ADD, 8, X3, X3, X26)
}

func (a *accessCode) settled(size int64) {
	a.checked(CondLO, size)
	a.Sel(CSEL, 8, X3, X3, ZR, CondHS)
}

// bulk checks that x2 bytes from the index in x0 are in memory 0, and makes x0 their address.
func (a *accessCode) bulk() {
	a.Mov(4, X0, X0)
	a.Mov(4, X2, X2)
	a.Mem(LDR, 8, X5, At(X27, abi.CtxMemRec))
	a.Mem(LDR, 8, X5, At(X5, abi.MemoryRecBytes))
	a.RRR(ADD, 8, X3, X0, X2)
	a.compare(X3, X5)
	a.trapIf(CondHI)
	a.Sel(CSEL, 8, X2, X2, ZR, CondLS)
	a.RRR(ADD, 8, X0, X0, X26)
}

func (a *accessCode) atLeast(n int64) {
	a.RRI(SUBS, 8, ZR, X2, n)
	a.trapIf(CondLO)
}

// switchOn jumps by a table of n entries with the index in w0, bounded by limit.
func (a *accessCode) switchOn(n int, limit int64) {
	var labels []Label
	for range n {
		labels = append(labels, a.NewLabel())
	}
	t := a.AddTable(labels)
	a.MovImm(4, X3, limit)
	a.RRR(SUBS, 4, ZR, X0, X3)
	a.Sel(CSEL, 4, X3, X0, X3, CondLO)
	a.Adr(X25, t)
	a.Mem(LDRSW, 8, X3, AtIndex(X25, X3, ExtUXTX, 2))
	a.RRR(ADD, 8, X25, X25, X3)
	a.BR(X25)
	for i, l := range labels {
		a.Bind(l)
		a.MovImm(4, X2, int64(i))
	}
}

// accessCases are pieces of code and, if they must be refused, a part of the reason. All end by ret.
var accessCases = []backendtest.CheckerCase[*accessCode]{
	// Guarded memory.
	{"extended index", "", false, func(a *accessCode) { a.extended(X0) }},
	{"index moved", "", false, func(a *accessCode) { a.Mov(4, X3, X1); a.guest(AtIndex(X26, X3, ExtUXTX, 0)) }},
	{"base and index", "", false, func(a *accessCode) { a.RRRExt(ADD, 8, X25, X26, X0, ExtUXTW, 0); a.guest(At(X25, 4088)) }},
	{"largest offset", "", false, func(a *accessCode) {
		a.MovImm(8, X25, 0xFFFFFFFF)
		a.RRRExt(ADD, 8, X25, X25, X0, ExtUXTW, 0)
		a.guest(AtIndex(X26, X25, ExtUXTX, 0))
	}},
	{"two offsets", "guard regions only reach", false, func(a *accessCode) {
		a.MovImm(8, X25, 0xFFFFFFFF)
		a.RRRExt(ADD, 8, X25, X25, X0, ExtUXTW, 0)
		a.RRI(ADD, 8, X25, X25, 64)
		a.guest(AtIndex(X26, X25, ExtUXTX, 0))
	}},
	{"no extension", "number", false, func(a *accessCode) { a.guest(AtIndex(X26, X0, ExtUXTX, 0)) }},
	{"sign-extension", "number", false, func(a *accessCode) { a.guest(AtIndex(X26, X0, ExtSXTW, 0)) }},
	{"sign-extension by itself", "number", false, func(a *accessCode) { a.RR(SXTW, 8, X3, X0); a.guest(AtIndex(X26, X3, ExtUXTX, 0)) }},
	{"sum of all bits", "number", false, func(a *accessCode) { a.RRR(ADD, 8, X25, X26, X1); a.guest(At(X25, 0)) }},
	{"negative offset", "number", false, func(a *accessCode) { a.RRRExt(ADD, 8, X25, X26, X0, ExtUXTW, 0); a.guest(At(X25, -1)) }},
	{"subtraction after extension", "number", false, func(a *accessCode) {
		a.Mov(4, X3, X0)
		a.RRI(SUB, 8, X3, X3, 8)
		a.guest(AtIndex(X26, X3, ExtUXTX, 0))
	}},
	{"scaled index", "guard regions only reach", false, func(a *accessCode) { a.guest(AtIndex(X26, X0, ExtUXTW, 3)) }},
	{"64-bit shift", "number", false, func(a *accessCode) {
		a.RRI(LSL, 8, X3, X1, 3)
		a.guest(AtIndex(X26, X3, ExtUXTX, 0))
	}},
	{"context as base", "number", false, func(a *accessCode) { a.guest(AtIndex(X27, X0, ExtUXTW, 0)) }},
	{"no base", "number", false, func(a *accessCode) { a.Mov(4, X3, X0); a.guest(At(X3, 8)) }},
	{"memory base changed", "number", false, func(a *accessCode) { a.RRR(ADD, 8, X26, X26, X1); a.extended(X0) }},
	{"memory base changed and not used", "not the function's own", false, func(a *accessCode) { a.RRI(ADD, 8, X26, X26, 8) }},
	{"context changed", "not the function's own", false, func(a *accessCode) { a.Mov(8, X27, X1) }},
	{"no trap site", "without a trap site", false, func(a *accessCode) { a.Mem(LDR, 8, X9, AtIndex(X26, X0, ExtUXTW, 0)) }},
	{"store without trap site", "without a trap site", false, func(a *accessCode) { a.Mem(STR, 1, X9, AtIndex(X26, X0, ExtUXTW, 0)) }},
	{"vector lane without trap site", "without a trap site", false, func(a *accessCode) {
		a.RRRExt(ADD, 8, X25, X26, X0, ExtUXTW, 0)
		a.LoadLane(A4S, V1, 2, X25)
	}},
	{"extended on one way only", "number", false, func(a *accessCode) {
		l := a.NewLabel()
		a.Mov(8, X3, X1)
		a.CBZ(8, X2, l)
		a.Mov(4, X3, X1)
		a.Bind(l)
		a.guest(AtIndex(X26, X3, ExtUXTX, 0))
	}},
	{"extended on both ways", "", false, func(a *accessCode) {
		l := a.NewLabel()
		a.MovImm(4, X3, 4)
		a.TBZ(X2, 3, l)
		a.Mov(4, X3, X1)
		a.Bind(l)
		a.guest(AtIndex(X26, X3, ExtUXTX, 0))
	}},
	{"64-bit steps in a loop", "number", false, func(a *accessCode) {
		l := a.NewLabel()
		a.MovImm(4, X3, 0)
		a.Bind(l)
		a.guest(AtIndex(X26, X3, ExtUXTX, 0))
		a.RRI(ADD, 8, X3, X3, 8)
		a.CBNZ(8, X9, l)
	}},
	{"32-bit steps in a loop", "", false, func(a *accessCode) {
		l := a.NewLabel()
		a.MovImm(4, X3, 0)
		a.Bind(l)
		a.guest(AtIndex(X26, X3, ExtUXTX, 0))
		a.RRI(ADD, 4, X3, X3, 8)
		a.CBNZ(8, X9, l)
	}},
	{"select of other", "number", false, func(a *accessCode) {
		a.Mov(4, X3, X0)
		a.RRI(SUBS, 8, ZR, X1, 0)
		a.Sel(CSEL, 8, X3, X3, X1, CondEQ)
		a.guest(AtIndex(X26, X3, ExtUXTX, 0))
	}},
	{"half kept", "number", false, func(a *accessCode) { a.MovWide(MOVK, 8, X1, 1, 0); a.guest(AtIndex(X26, X1, ExtUXTX, 0)) }},
	{"spilled whole", "", false, func(a *accessCode) {
		a.enter()
		a.Mov(4, X3, X0)
		a.Mem(STR, 8, X3, At(SP, 8))
		a.Mem(LDR, 8, X4, At(SP, 8))
		a.guest(AtIndex(X26, X4, ExtUXTX, 0))
		a.leave()
	}},
	{"spilled half", "number", false, func(a *accessCode) {
		a.enter()
		a.Mem(STR, 4, X0, At(SP, 8))
		a.Mem(LDR, 8, X4, At(SP, 8))
		a.guest(AtIndex(X26, X4, ExtUXTX, 0))
		a.leave()
	}},
	{"spilled as a pair", "", false, func(a *accessCode) {
		a.enter()
		a.Mov(4, X3, X0)
		a.Pair(STP, 8, X1, X3, At(SP, 8))
		a.Pair(LDP, 8, X4, X5, At(SP, 8))
		a.guest(AtIndex(X26, X5, ExtUXTX, 0))
		a.leave()
	}},
	{"spilled, then overwritten by a vector", "number", false, func(a *accessCode) {
		a.enter()
		a.Mov(4, X3, X0)
		a.Mem(STR, 8, X3, At(SP, 8))
		a.Mem(STR, 16, V0, At(SP, 0))
		a.Mem(LDR, 8, X4, At(SP, 8))
		a.guest(AtIndex(X26, X4, ExtUXTX, 0))
		a.leave()
	}},
	{"in a register over a call", "number", false, func(a *accessCode) {
		a.enter()
		a.Mov(4, X19, X0)
		a.BL(1)
		a.guest(AtIndex(X26, X19, ExtUXTX, 0))
		a.leave()
	}},

	// Checked memory.
	{"checked", "", true, func(a *accessCode) { a.settled(4); a.Mem(LDR, 4, X0, At(X3, 0)) }},
	{"unchecked", "without a check", true, func(a *accessCode) { a.extended(X0) }},
	{"more than checked", "room for 4", true, func(a *accessCode) { a.settled(4); a.Mem(LDR, 8, X0, At(X3, 0)) }},
	{"pair of more than checked", "room for", true, func(a *accessCode) { a.settled(8); a.Pair(LDP, 8, X0, X1, At(X3, 0)) }},
	{"beyond what was checked", "room for 3", true, func(a *accessCode) { a.settled(4); a.Mem(LDR, 4, X0, At(X3, 1)) }},
	{"before what was checked", "number", true, func(a *accessCode) { a.settled(4); a.Mem(LDR, 4, X0, At(X3, -1)) }},
	{"check without mask", "only guess", true, func(a *accessCode) { a.checked(CondLO, 4); a.Mem(LDR, 4, X0, At(X3, 0)) }},
	{"mask by other flags", "only guess", true, func(a *accessCode) {
		a.checked(CondLO, 4)
		a.compare(X1, X2)
		a.trapIf(CondLO)
		a.Sel(CSEL, 8, X3, X3, ZR, CondHS)
		a.Mem(LDR, 4, X0, At(X3, 0))
	}},
	{"mask with other than 0", "number", true, func(a *accessCode) {
		a.checked(CondLO, 4)
		a.Sel(CSEL, 8, X3, X1, X3, CondHS)
		a.Mem(LDR, 4, X0, At(X3, 0))
	}},
	{"mask of half the address", "number", true, func(a *accessCode) {
		a.checked(CondLO, 4)
		a.Sel(CSEL, 4, X3, X3, ZR, CondHS)
		a.Mem(LDR, 4, X0, At(X3, 0))
	}},
	{"check the wrong way", "without a trap site", true, func(a *accessCode) {
		a.checked(CondHS, 4)
		a.Sel(CSEL, 8, X3, X3, ZR, CondLO)
		a.Mem(LDR, 4, X0, At(X3, 0))
	}},
	{"check signed", "without a trap site", true, func(a *accessCode) {
		a.checked(CondLT, 4)
		a.Sel(CSEL, 8, X3, X3, ZR, CondGE)
		a.Mem(LDR, 4, X0, At(X3, 0))
	}},
	{"check of less", "number", true, func(a *accessCode) {
		a.checked(CondLO, 4)
		a.RRI(SUB, 8, X3, X3, 16)
		a.Sel(CSEL, 8, X3, X3, ZR, CondHS)
		a.Mem(LDR, 4, X0, At(X3, 0))
	}},

	// Bulk operations.
	{"store of what the length has room for", "", true, func(a *accessCode) {
		a.bulk()
		a.atLeast(16)
		a.Mem(STR, 16, V0, At(X0, 0))
		a.RRR(ADD, 8, X25, X0, X2)
		a.Mem(STR, 16, V0, At(X25, -16))
	}},
	{"store without length", "room for", true, func(a *accessCode) { a.bulk(); a.Mem(STR, 8, X9, At(X0, 0)) }},
	{"store before the start", "number", true, func(a *accessCode) { a.bulk(); a.RRR(ADD, 8, X25, X0, X2); a.Mem(STR, 8, X9, At(X25, -8)) }},
	{"store at the end", "room for 0", true, func(a *accessCode) { a.bulk(); a.RRR(ADD, 8, X25, X0, X2); a.Mem(STR, 1, X9, At(X25, 0)) }},
	{"store of more than the length has room for", "room for", true, func(a *accessCode) { a.bulk(); a.atLeast(15); a.Mem(STR, 16, V0, At(X0, 0)) }},
	{"store in a loop", "", true, func(a *accessCode) {
		a.bulk()
		a.atLeast(33)
		loop := a.NewLabel()
		a.Bind(loop)
		a.Pair(STP, 16, V0, V1, At(X0, 0))
		a.RRI(ADD, 8, X0, X0, 32)
		a.RRI(SUB, 8, X2, X2, 32)
		a.RRI(SUBS, 8, ZR, X2, 32)
		a.BCond(CondHI, loop)
	}},
	{"store in a loop that goes on for too long", "number", true, func(a *accessCode) {
		a.bulk()
		a.atLeast(33)
		loop := a.NewLabel()
		a.Bind(loop)
		a.Pair(STP, 16, V0, V1, At(X0, 0))
		a.RRI(ADD, 8, X0, X0, 32)
		a.RRI(SUB, 8, X2, X2, 32)
		a.CBNZ(8, X2, loop)
	}},
	{"count changed", "number", true, func(a *accessCode) {
		a.bulk()
		a.Mov(8, X2, X1)
		a.atLeast(16)
		a.Mem(STR, 16, V0, At(X0, 0))
	}},

	// Tables.
	{"table element", "", false, func(a *accessCode) { a.element(1, true) }},
	{"table element, index not masked", "number", false, func(a *accessCode) { a.element(1, false) }},
	{"table element, index not compared", "number", false, func(a *accessCode) {
		a.Mem(LDR, 8, X25, At(X27, int32(accessLayout.Tables)))
		a.Mem(LDR, 8, X8, AtIndex(X25, X0, ExtUXTW, 3))
	}},
	{"table element, length of another table", "number", false, func(a *accessCode) {
		a.Mem(LDR, 8, X25, At(X27, int32(accessLayout.Tables)+abi.TableRecSize+abi.TableRecLen))
		a.RRRExt(SUBS, 8, ZR, X25, X0, ExtUXTW, 0)
		a.trapIf(CondLS)
		a.Sel(CSEL, 4, X8, X0, ZR, CondHI)
		a.Mem(LDR, 8, X25, At(X27, int32(accessLayout.Tables)))
		a.Mem(LDR, 8, X8, AtIndex(X25, X8, ExtUXTX, 3))
	}},
	{"table element, one too many", "number", false, func(a *accessCode) {
		a.Mem(LDR, 8, X25, At(X27, int32(accessLayout.Tables)+abi.TableRecLen))
		a.RRRExt(SUBS, 8, ZR, X25, X0, ExtUXTW, 0)
		a.trapIf(CondLO)
		a.Sel(CSEL, 4, X8, X0, ZR, CondHS)
		a.Mem(LDR, 8, X25, At(X27, int32(accessLayout.Tables)))
		a.Mem(LDR, 8, X8, AtIndex(X25, X8, ExtUXTX, 3))
	}},
	{"table of constant length", "", false, func(a *accessCode) { a.fixedElement(20) }},
	{"table of constant length, one more", "number", false, func(a *accessCode) { a.fixedElement(21) }},

	// Calls.
	{"direct call", "", false, func(a *accessCode) { a.enter(); a.BL(1); a.leave() }},
	{"direct call without frame", "stack pointer", false, func(a *accessCode) { a.BL(1) }},
	{"call of a function that does not exist", "call of function", false, func(a *accessCode) { a.enter(); a.BL(2); a.leave() }},
	{"import", "", false, func(a *accessCode) { a.enter(); a.imported(0); a.call(); a.leave() }},
	{"import beyond the last", "no rule", false, func(a *accessCode) { a.enter(); a.imported(2); a.call(); a.leave() }},
	{"import in the own context", "may not be the callee's", false, func(a *accessCode) { a.enter(); a.imported(0); a.callLocal(); a.leave() }},
	{"import not in the callee register", "callee register", false, func(a *accessCode) {
		a.enter()
		a.imported(0)
		a.Mem(LDR, 8, X25, At(X8, abi.FuncDescCode))
		a.imported(1)
		a.BLR(X25)
		a.leave()
	}},
	{"import with another's context", "may not be the callee's", false, func(a *accessCode) {
		a.enter()
		a.imported(0)
		a.Mem(LDR, 8, X9, At(X8, abi.FuncDescCtx))
		a.imported(1)
		a.Mov(8, X27, X9)
		a.Mem(LDR, 8, X26, At(X27, abi.CtxMemBase))
		a.callLocal()
		a.restore()
		a.leave()
	}},
	{"context not restored", "not the function's own", false, func(a *accessCode) {
		a.enter()
		a.imported(0)
		a.Mem(LDR, 8, X27, At(X8, abi.FuncDescCtx))
		a.Mem(LDR, 8, X26, At(X27, abi.CtxMemBase))
		a.callLocal()
		a.leave()
	}},
	{"builtin", "", false, func(a *accessCode) {
		a.enter()
		a.Mem(LDR, 8, X8, At(X27, abi.CtxBuiltins))
		a.Mem(LDR, 8, X8, At(X8, 8*int32(abi.BuiltinElemDrop)))
		a.callLocal()
		a.leave()
	}},
	{"call through a table", "", false, func(a *accessCode) {
		a.enter()
		a.element(1, true)
		a.notNull()
		a.checkType(1)
		a.callLocal()
		a.leave()
	}},
	{"call through a table in another context", "", false, func(a *accessCode) {
		a.enter()
		a.element(1, true)
		a.notNull()
		a.checkType(1)
		a.call()
		a.leave()
	}},
	{"call through a table, perhaps null", "may be null", false, func(a *accessCode) { a.enter(); a.element(1, true); a.checkType(1); a.callLocal(); a.leave() }},
	{"call through a table, type not compared", "unknown type", false, func(a *accessCode) { a.enter(); a.element(1, true); a.notNull(); a.callLocal(); a.leave() }},
	{"call through a table, wrong type", "unknown type", false, func(a *accessCode) {
		a.enter()
		a.element(1, true)
		a.notNull()
		a.checkType(2)
		a.callLocal()
		a.leave()
	}},
	{"call through a table, type of another function", "unknown type", false, func(a *accessCode) {
		a.enter()
		a.element(1, true)
		a.notNull()
		a.Mem(LDR, 4, X25, At(X27, int32(accessLayout.TypeIDs)+4))
		a.Mov(8, X9, X8)
		a.imported(0)
		a.Mem(LDR, 4, X30, At(X8, abi.FuncDescTypeID))
		a.Mov(8, X8, X9)
		a.RRR(SUBS, 4, ZR, X25, X30)
		a.trapIf(CondNE)
		a.callLocal()
		a.leave()
	}},
	{"call of a register", "call of number", false, func(a *accessCode) { a.enter(); a.BLR(X0); a.leave() }},
	{"call of another field", "call of type", false, func(a *accessCode) {
		a.enter()
		a.imported(0)
		a.Mem(LDR, 8, X27, At(X8, abi.FuncDescCtx))
		a.Mem(LDR, 8, X26, At(X27, abi.CtxMemBase))
		a.Mem(LDR, 4, X25, At(X8, abi.FuncDescTypeID))
		a.BLR(X25)
		a.restore()
		a.leave()
	}},

	// Jumps.
	{"jump table", "", false, func(a *accessCode) { a.switchOn(6, 5) }},
	{"jump table, index too large", "number", false, func(a *accessCode) { a.switchOn(6, 6) }},
	{"jump to a register", "unknown place", false, func(a *accessCode) { a.BR(X0) }},
	{"jump to another function", "", false, func(a *accessCode) { a.BFunc(0) }},
	{"jump to another function with a frame", "stack pointer", false, func(a *accessCode) { a.enter(); a.BFunc(0) }},

	// Stack.
	{"parameter", "", false, func(a *accessCode) { a.Mem(LDR, 8, X3, At(SP, 0)); a.Mem(STR, 8, X3, At(SP, 8)) }},
	{"parameter above a frame", "", false, func(a *accessCode) { a.enter(); a.Mem(LDR, 8, X3, At(SP, accessFrame+16)); a.leave() }},
	{"beyond the parameters", "stack at", false, func(a *accessCode) { a.Mem(LDR, 8, X3, At(SP, 16)) }},
	{"return address", "stack at", false, func(a *accessCode) { a.enter(); a.Mem(STR, 8, X0, At(SP, accessFrame)); a.leave() }},
	{"across the end of the frame", "stack at", false, func(a *accessCode) { a.enter(); a.Mem(STR, 16, V0, At(SP, accessFrame-8)); a.leave() }},
	{"below the stack pointer", "stack at", false, func(a *accessCode) { a.Mem(STR, 8, X0, At(SP, -8)) }},
	{"index on the stack", "number", false, func(a *accessCode) { a.enter(); a.Mem(STR, 8, X1, AtIndex(SP, X0, ExtUXTW, 3)); a.leave() }},
	{"frame not removed", "stack pointer", false, func(a *accessCode) { a.enter() }},
	{"frame too large", "stack pointer", false, func(a *accessCode) {
		a.Mem(STR, 8, X30, Pre(SP, -16))
		a.RRI(SUB, 8, SP, SP, 2*accessFrame)
		a.RRI(ADD, 8, SP, SP, accessFrame)
		a.leave()
	}},
	{"frame without return address", "stack pointer", false, func(a *accessCode) { a.RRI(SUB, 8, SP, SP, accessFrame); a.RRI(ADD, 8, SP, SP, accessFrame) }},
	{"stack pointer from elsewhere", "stack pointer", false, func(a *accessCode) { a.Mov(8, SP, X0) }},
	{"other register pushed", "moves the stack pointer", false, func(a *accessCode) { a.Mem(STR, 8, X0, Pre(SP, -16)) }},
	{"returns elsewhere", "leaves to", false, func(a *accessCode) { a.Mov(8, X30, X0) }},
	{"return address lost", "leaves to", false, func(a *accessCode) {
		a.enter()
		a.BL(1)
		a.RRI(ADD, 8, SP, SP, accessFrame)
		a.Mem(LDR, 8, X30, Post(SP, 16))
		a.MovImm(8, X30, 5)
	}},

	// Constants and the context.
	{"constant", "", false, func(a *accessCode) {
		a.Mem(LDR, 8, V0, AtConst(a.Const64(1)))
		a.Mem(LDR, 16, V0, AtConst(a.Const128(1, 2)))
	}},
	{"constant written", "read-only", false, func(a *accessCode) { a.Adr(X3, a.Const64(1)); a.Mem(STR, 8, X0, At(X3, 0)) }},
	{"beyond the constants", "read-only", false, func(a *accessCode) { a.Adr(X3, a.Const64(1)); a.Mem(LDR, 16, V0, At(X3, 0)) }},
	{"code as constant", "read-only", false, func(a *accessCode) { l := a.NewLabel(); a.Bind(l); a.Adr(X3, l); a.Mem(LDR, 4, X0, At(X3, 0)) }},
	{"global", "", false, func(a *accessCode) { a.Mem(STR, 16, V0, At(X27, int32(accessLayout.Globals)+16)) }},
	{"across globals", "no rule", false, func(a *accessCode) { a.Mem(STR, 16, V0, At(X27, int32(accessLayout.Globals)+8)) }},
	{"imported global", "", false, func(a *accessCode) {
		a.Mem(LDR, 8, X3, At(X27, int32(accessLayout.GlobalPtrs)))
		a.Mem(STR, 8, X0, At(X3, 8))
	}},
	{"memory base written", "no rule", false, func(a *accessCode) { a.Mem(STR, 8, X0, At(X27, abi.CtxMemBase)) }},
	{"instance handle", "no rule", false, func(a *accessCode) { a.Mem(LDR, 8, X0, At(X27, abi.CtxInstance)) }},
	{"half a pointer", "no rule", false, func(a *accessCode) { a.Mem(LDR, 4, X0, At(X27, abi.CtxMemRec)) }},
	{"other memory", "", false, func(a *accessCode) {
		a.Mem(LDR, 8, X3, At(X27, int32(accessLayout.Memories)+abi.MemoryRecBase))
		a.guest(AtIndex(X3, X0, ExtUXTW, 0))
	}},

	// Registers of others.
	{"x28 read", "uses x28", false, func(a *accessCode) { a.Mov(8, X0, X28) }},
	{"x28 written", "uses x28", false, func(a *accessCode) { a.MovImm(8, X28, 1) }},
	{"x18 stored", "uses x18", false, func(a *accessCode) { a.Mem(STR, 8, X18, At(SP, 0)) }},
	{"x17 of a pair", "uses x17", false, func(a *accessCode) { a.Pair(LDP, 8, X3, X17, At(SP, 0)) }},
	{"x16 loaded", "uses x16", false, func(a *accessCode) { a.Mem(LDR, 8, X16, At(SP, 0)) }},
	{"x16 as index", "uses x16", false, func(a *accessCode) { a.extended(X16) }},
	{"x18 accumulated", "uses x18", false, func(a *accessCode) { a.RRRR(MADD, 8, X0, X1, X2, X18) }},
	{"x16 tested", "uses x16", false, func(a *accessCode) { l := a.NewLabel(); a.TBZ(X16, 1, l); a.NOP(); a.Bind(l) }},
	{"x17 from a float", "uses x17", false, func(a *accessCode) { a.Mov(8, X17, V0) }},
	{"x28 to a vector", "uses x28", false, func(a *accessCode) { a.Dup(A2D, V0, X28) }},
	{"x16 of a lane", "uses x16", false, func(a *accessCode) { a.Umov(A2D, X16, V0, 1) }},

	// Code.
	{"breakpoint", "unexpected", false, func(a *accessCode) { a.BRK(1) }},
	{"trap without site", "trap site", false, func(a *accessCode) { a.UDF(0) }},
}

// fixedElement loads an element of table 2, of constant length, after a comparison of the index with a constant.
func (a *accessCode) fixedElement(length int64) {
	a.MovImm(8, X25, length)
	a.RRRExt(SUBS, 8, ZR, X25, X0, ExtUXTW, 0)
	a.trapIf(CondLS)
	a.Sel(CSEL, 4, X8, X0, ZR, CondHI)
	a.Mem(LDR, 8, X25, At(X27, int32(accessLayout.Tables)+abi.TableRecSize))
	a.Mem(LDR, 8, X8, AtIndex(X25, X8, ExtUXTX, 3))
}

// accessChecker runs the cases.
var accessChecker = backendtest.Checker[*accessCode]{Target: Target, Params: accessParams, Make: func(t *testing.T, code func(a *accessCode)) *backend.Code {
	c := assemble(t, func(a *Asm) {
		code(&accessCode{a})
		a.RET()
	})
	c.FrameSize = accessFrame
	return &c
}}

func TestAccess(t *testing.T) { accessChecker.Cases(t, accessCases) }

// own is the call of a function of the module through its descriptor.
func (a *accessCode) own(disp int64) {
	a.enter()
	a.RRI(ADD, 8, X8, X27, int64(accessLayout.Funcs)+disp)
	a.callLocal()
	a.leave()
}

// TestAccessThroughDesc is of code in which functions call each other through their descriptors.
func TestAccessThroughDesc(t *testing.T) {
	accessChecker.ThroughDesc(t, []backendtest.CheckerCase[*accessCode]{
		{"call", "", false, func(a *accessCode) { a.own(abi.FuncDescSize) }},
		{"call, distance in a register", "", false, func(a *accessCode) {
			a.enter()
			a.MovImm(8, X25, int64(accessLayout.Funcs))
			a.RRR(ADD, 8, X8, X27, X25)
			a.callLocal()
			a.leave()
		}},
		{"call of itself", "", false, func(a *accessCode) { a.enter(); a.BL(0); a.leave() }},
		{"call of itself through the descriptor", "", false, func(a *accessCode) { a.own(0) }},
		{"direct call of another", "through its descriptor", false, func(a *accessCode) { a.enter(); a.BL(1); a.leave() }},
		{"before the first descriptor", "call of function", false, func(a *accessCode) { a.own(-abi.FuncDescSize) }},
		{"beyond the last", "no rule", false, func(a *accessCode) { a.own(2 * abi.FuncDescSize) }},
		{"between two", "no rule", false, func(a *accessCode) { a.own(8) }},
		{"another field", "call of other context", false, func(a *accessCode) {
			a.enter()
			a.RRI(ADD, 8, X8, X27, int64(accessLayout.Funcs))
			a.Mem(LDR, 8, X25, At(X8, abi.FuncDescCtx))
			a.BLR(X25)
			a.leave()
		}},
		{"not in the callee register", "callee register", false, func(a *accessCode) {
			a.enter()
			a.RRI(ADD, 8, X9, X27, int64(accessLayout.Funcs))
			a.Mem(LDR, 8, X25, At(X9, abi.FuncDescCode))
			a.BLR(X25)
			a.leave()
		}},
		{"another one in the callee register", "callee register", false, func(a *accessCode) {
			a.enter()
			a.RRI(ADD, 8, X8, X27, int64(accessLayout.Funcs))
			a.Mem(LDR, 8, X25, At(X8, abi.FuncDescCode))
			a.RRI(ADD, 8, X8, X27, int64(accessLayout.Funcs)+abi.FuncDescSize)
			a.BLR(X25)
			a.leave()
		}},
		{"straight from the context", "no rule", false, func(a *accessCode) {
			a.enter()
			a.Mem(LDR, 8, X25, At(X27, int32(accessLayout.Funcs)))
			a.BLR(X25)
			a.leave()
		}},
		{"in another context", "may not be the callee's", false, func(a *accessCode) {
			a.enter()
			a.imported(0)
			a.Mem(LDR, 8, X9, At(X8, abi.FuncDescCtx))
			a.RRI(ADD, 8, X8, X27, int64(accessLayout.Funcs))
			a.Mov(8, X27, X9)
			a.Mem(LDR, 8, X26, At(X27, abi.CtxMemBase))
			a.callLocal()
			a.restore()
			a.leave()
		}},
		{"of another context", "no rule", false, func(a *accessCode) {
			a.enter()
			a.imported(0)
			a.Mem(LDR, 8, X9, At(X8, abi.FuncDescCtx))
			a.RRI(ADD, 8, X8, X9, int64(accessLayout.Funcs))
			a.callLocal()
			a.leave()
		}},
		{"variable place", "number", false, func(a *accessCode) {
			a.enter()
			a.RRI(AND, 8, X0, X0, 32)
			a.RRR(ADD, 8, X8, X27, X0)
			a.callLocal()
			a.leave()
		}},
		{"without frame", "stack pointer", false, func(a *accessCode) {
			a.RRI(ADD, 8, X8, X27, int64(accessLayout.Funcs))
			a.callLocal()
		}},
		{"a descriptor written", "no rule", false, func(a *accessCode) {
			a.RRI(ADD, 8, X8, X27, int64(accessLayout.Funcs))
			a.Mem(STR, 8, X0, At(X8, abi.FuncDescCode))
		}},
	})
	accessChecker.Cases(t, []backendtest.CheckerCase[*accessCode]{
		{"otherwise", "through its descriptor", false, func(a *accessCode) { a.own(abi.FuncDescSize) }},
	})
}

// TestAccessDamaged damages what belongs to the code.
func TestAccessDamaged(t *testing.T) {
	word := func(i int, w uint32) func(c *backend.Code) {
		return func(c *backend.Code) { binary.LittleEndian.PutUint32(c.Text[4*i:], w) }
	}
	accessChecker.Damaged(t, []backendtest.DamagedCase[*accessCode]{
		{"jump out of the function", "no instruction begins", func(a *accessCode) { a.NOP() }, word(0, wordBCond|20<<5)},
		{"jump table entry into an instruction", "no instruction begins", func(a *accessCode) { a.switchOn(6, 5) }, func(c *backend.Code) { c.Text[len(c.Text)-4]++ }},
		{"no relocation", "without relocation", func(a *accessCode) { a.enter(); a.BL(0); a.leave() }, func(c *backend.Code) { c.Relocs = nil }},
		{"no return", "into the constants", func(a *accessCode) { a.Const64(1) }, word(0, wordNOP)},
		{"unknown instruction", "unexpected", func(a *accessCode) { a.NOP() }, word(0, 0xFFFFFFFF)},
		{"system call", "unexpected", func(a *accessCode) { a.NOP() }, word(0, 0xD4000001)},
		{"system register", "unexpected", func(a *accessCode) { a.NOP() }, word(0, 0xD53BD040)},
		{"exclusive load", "unexpected", func(a *accessCode) { a.NOP() }, word(0, 0xC85F7C00)},
		{"atomic operation", "unexpected", func(a *accessCode) { a.NOP() }, word(0, 0xF8200000)},
		{"adrp", "unexpected", func(a *accessCode) { a.NOP() }, word(0, 0x90000000)},
		{"return to a register", "unexpected", func(a *accessCode) {}, word(0, wordRET)},
		{"unprivileged load", "unexpected", func(a *accessCode) { a.NOP() }, word(0, 0xF8400800)},
		{"code beyond the text", "in a text of", func(a *accessCode) {}, func(c *backend.Code) { c.CodeSize = 100 }},
		{"half an instruction", "whole instructions", func(a *accessCode) {}, func(c *backend.Code) { c.CodeSize = 2 }},
		{"no code", "no code", func(a *accessCode) {}, func(c *backend.Code) { c.CodeSize = 0 }},
	})
}

// TestAccessRules checks that there is a rule for every instruction of the assembler but those that have
// no place in functions.
func TestAccessRules(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0)), special: true}
	m.table(3)
	m.others(5)
	for _, in := range m.list {
		code, ok := encodeOne(in.emit)
		if !ok {
			t.Fatalf("%s: not accepted", in.text)
		}
		unused := strings.HasPrefix(in.text, "brk")
		if r := findRule(binary.LittleEndian.Uint32(code)); (r == nil) != unused {
			t.Errorf("%s: rule: %v", in.text, r != nil)
		}
	}
}

func TestAllocatable(t *testing.T) { backendtest.Allocatable(t, Target, allocatable) }
