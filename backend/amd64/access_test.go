package amd64

import (
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/backendtest"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

var accessLayout = backendtest.CheckerLayout

const (
	accessFrame  = 40
	accessParams = 7 // after the first; two of them are on the stack
)

// accessCode is what the code of a case is made with: shorthands for what real code does.
type accessCode struct{ *Asm }

// guest is [r15+index+disp] with a trap site.
func (a *accessCode) guest(index Reg, disp int32) Mem {
	a.Trap(abi.TrapMemoryOutOfBounds, 0)
	return AtIndex(R15, index, 1, disp)
}

func (a *accessCode) trapIf(c Cond) {
	ok := a.NewLabel()
	a.Jcc(c^1, ok)
	a.Trap(abi.TrapUnreachable, 0)
	a.Bare(UD2)
	a.Bind(ok)
}

// enter and leave make and remove the frame, saving the context.
func (a *accessCode) enter() {
	a.RI(SUB, 8, RSP, accessFrame)
	a.MR(MOV, 8, At(RSP, 32), R14)
}

func (a *accessCode) leave() {
	a.RI(ADD, 8, RSP, accessFrame)
	a.Bare(RET)
}

// element makes rax the element of a table with the index in rdi, as calls through tables do.
func (a *accessCode) element(table int32, masked bool) {
	record := int32(accessLayout.Tables) + (table-1)*abi.TableRecSize
	a.RR(MOV, 4, RAX, RDI)
	a.RM(CMP, 8, RAX, At(R14, record+abi.TableRecLen))
	a.trapIf(CondAE)
	if masked {
		a.RR(SBB, 8, R11, R11)
		a.RR(AND, 8, RAX, R11)
	}
	a.RM(MOV, 8, R11, At(R14, record+abi.TableRecBase))
	a.RM(MOV, 8, RAX, AtIndex(R11, RAX, 8, 0))
}

func (a *accessCode) notNull() {
	a.RR(TEST, 8, RAX, RAX)
	a.trapIf(CondE)
}

func (a *accessCode) checkType(id int32) {
	a.RM(MOV, 4, R11, At(R14, int32(accessLayout.TypeIDs)+4*id))
	a.MR(CMP, 4, At(RAX, abi.FuncDescTypeID), R11)
	a.trapIf(CondNE)
}

// call calls the function at rax with its context, and restores the own one.
func (a *accessCode) call() {
	a.RM(MOV, 8, R14, At(RAX, abi.FuncDescCtx))
	a.RM(MOV, 8, R15, At(R14, abi.CtxMemBase))
	a.CallM(At(RAX, abi.FuncDescCode))
	a.restore()
}

func (a *accessCode) restore() {
	a.RM(MOV, 8, R14, At(RSP, 32))
	a.RM(MOV, 8, R15, At(R14, abi.CtxMemBase))
}

// checked makes rax the address of size bytes at index rdi plus 8 in memory 0, but the last step.
func (a *accessCode) checked(c Cond, size int32) {
	a.RR(MOV, 4, RDX, RDI)
	a.RM(MOV, 8, RCX, At(R14, abi.CtxMemRec))
	a.RM(LEA, 8, RAX, At(RDX, 8+size))
	a.RM(MOV, 8, R11, At(RCX, abi.MemoryRecBytes))
	a.RR(CMP, 8, R11, RAX)
	a.trapIf(c)
	a.RM(LEA, 8, RAX, AtIndex(R15, RAX, 1, -size))
	a.RI(MOV, 4, R11, 0)
}

// bulk checks that rcx bytes from the index in rdi are in memory 0, and makes rdi their address.
func (a *accessCode) bulk() {
	a.RR(MOV, 4, RDI, RDI)
	a.RR(MOV, 4, RCX, RCX)
	a.RM(MOV, 8, R11, At(R14, abi.CtxMemRec))
	a.RM(MOV, 8, R11, At(R11, abi.MemoryRecBytes))
	a.RR(XOR, 4, RDX, RDX)
	a.RM(LEA, 8, RAX, AtIndex(RDI, RCX, 1, 0))
	a.RR(CMP, 8, RAX, R11)
	a.trapIf(CondA)
	a.RR(CMOVcc.If(CondA), 8, RCX, RDX)
	a.RR(ADD, 8, RDI, R15)
}

// switchOn jumps by a table of n entries with the index in rdi, bounded by limit.
func (a *accessCode) switchOn(n int, limit int64) {
	var labels []Label
	for range n {
		labels = append(labels, a.NewLabel())
	}
	t := a.AddTable(labels)
	a.RI(MOV, 4, RAX, limit)
	a.RR(CMP, 4, RDI, RAX)
	a.RR(CMOVcc.If(CondB), 4, RAX, RDI)
	a.RM(LEA, 8, R11, AtConst(t))
	a.RM(MOVSXD, 8, RAX, AtIndex(R11, RAX, 4, 0))
	a.RR(ADD, 8, R11, RAX)
	a.JmpR(R11)
	for i, l := range labels {
		a.Bind(l)
		a.RI(MOV, 4, RCX, int64(i))
	}
	a.Bare(RET)
}

// accessCases are pieces of code and, if they must be refused, a part of the reason. All end by ret.
var accessCases = []backendtest.CheckerCase[*accessCode]{
	// Guarded memory.
	{"zero-extended index", "", false, func(a *accessCode) { a.RR(MOV, 4, RAX, RDI); a.RM(MOV, 8, RAX, a.guest(RAX, 8)) }},
	{"largest offset", "", false, func(a *accessCode) { a.RR(MOV, 4, RAX, RDI); a.RM(MOV, 8, RAX, a.guest(RAX, 0x7FFFFFFF)) }},
	{"constant index", "", false, func(a *accessCode) { a.Trap(abi.TrapMemoryOutOfBounds, 0); a.MI(MOV, 1, At(R15, 16), 1) }},
	{"no zero-extension", "number", false, func(a *accessCode) { a.RR(MOV, 8, RAX, RDI); a.RM(MOV, 8, RAX, a.guest(RAX, 8)) }},
	{"parameter as it comes", "number", false, func(a *accessCode) { a.RM(MOV, 8, RAX, a.guest(RDI, 8)) }},
	{"sign-extension", "number", false, func(a *accessCode) { a.RR(MOVSXD, 8, RAX, RDI); a.RM(MOV, 8, RAX, a.guest(RAX, 8)) }},
	{"negative offset", "number", false, func(a *accessCode) { a.RR(MOV, 4, RAX, RDI); a.RM(MOV, 8, RAX, a.guest(RAX, -1)) }},
	{"addition before extension", "", false, func(a *accessCode) { a.RM(LEA, 4, RAX, At(RDI, 1)); a.RM(MOV, 8, RAX, a.guest(RAX, 0)) }},
	{"addition after extension", "", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RI(MOV, 8, RDX, 0xFFFFFFFF)
		a.RR(ADD, 8, RDX, RAX)
		a.RM(MOV, 8, RAX, a.guest(RDX, 0))
	}},
	{"two offsets", "guard regions only reach", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RI(MOV, 8, RDX, 0xFFFFFFFF)
		a.RR(ADD, 8, RDX, RAX)
		a.RM(MOV, 8, RAX, a.guest(RDX, 64))
	}},
	{"subtraction after extension", "number", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RI(SUB, 8, RAX, 8)
		a.RM(MOV, 8, RAX, a.guest(RAX, 8))
	}},
	{"scaled index", "guard regions only reach", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.Trap(abi.TrapMemoryOutOfBounds, 0)
		a.RM(MOV, 8, RAX, AtIndex(R15, RAX, 8, 0))
	}},
	{"64-bit shift", "number", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RI(SHL, 8, RAX, 3)
		a.RM(MOV, 8, RAX, a.guest(RAX, 0))
	}},
	{"context as base", "number", false, func(a *accessCode) { a.RR(MOV, 4, RAX, RDI); a.RM(MOV, 8, RAX, AtIndex(R14, RAX, 1, 8)) }},
	{"no base", "number", false, func(a *accessCode) { a.RR(MOV, 4, RAX, RDI); a.RM(MOV, 8, RAX, At(RAX, 8)) }},
	{"base changed", "number", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RR(ADD, 8, R15, RSI)
		a.RM(MOV, 8, RAX, a.guest(RAX, 8))
	}},
	{"no trap site", "without a trap site", false, func(a *accessCode) { a.RR(MOV, 4, RAX, RDI); a.RM(MOV, 8, RAX, AtIndex(R15, RAX, 1, 8)) }},
	{"gs segment", "prefix", false, func(a *accessCode) {
		a.RM(MOV, 8, RAX, Mem{MemRegs: MemRegs{Base: R14}, MemPrefix: MemPrefix{GS: true}, Disp: abi.CtxMemRec})
	}},
	{"32-bit address", "prefix", false, func(a *accessCode) {
		a.RM(MOV, 8, RAX, Mem{MemRegs: MemRegs{Base: R14}, MemPrefix: MemPrefix{Addr32: true}, Disp: abi.CtxMemRec})
	}},
	{"16-bit write keeps the rest", "number", false, func(a *accessCode) { a.RI(MOV, 2, RDI, 1); a.RM(MOV, 8, RAX, a.guest(RDI, 0)) }},
	{"extended on one way only", "number", false, func(a *accessCode) {
		l := a.NewLabel()
		a.RR(MOV, 8, RAX, RDI)
		a.RR(TEST, 8, RSI, RSI)
		a.Jcc(CondE, l)
		a.RR(MOV, 4, RAX, RDI)
		a.Bind(l)
		a.RM(MOV, 8, RAX, a.guest(RAX, 8))
	}},
	{"extended on both ways", "", false, func(a *accessCode) {
		l := a.NewLabel()
		a.RI(MOV, 4, RAX, 4)
		a.RR(TEST, 8, RSI, RSI)
		a.Jcc(CondE, l)
		a.RR(MOV, 4, RAX, RDI)
		a.Bind(l)
		a.RM(MOV, 8, RAX, a.guest(RAX, 8))
	}},
	{"64-bit steps in a loop", "number", false, func(a *accessCode) {
		l := a.NewLabel()
		a.RR(XOR, 4, RAX, RAX)
		a.Bind(l)
		a.RM(MOV, 8, RCX, a.guest(RAX, 8))
		a.RI(ADD, 8, RAX, 8)
		a.RR(CMP, 8, RCX, RSI)
		a.Jcc(CondNE, l)
	}},
	{"32-bit steps in a loop", "", false, func(a *accessCode) {
		l := a.NewLabel()
		a.RR(XOR, 4, RAX, RAX)
		a.Bind(l)
		a.RM(MOV, 8, RCX, a.guest(RAX, 8))
		a.RI(ADD, 4, RAX, 8)
		a.RR(CMP, 8, RCX, RSI)
		a.Jcc(CondNE, l)
	}},
	{"conditional move of other", "number", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RR(TEST, 8, RSI, RSI)
		a.RR(CMOVcc.If(CondE), 8, RAX, RSI)
		a.RM(MOV, 8, RAX, a.guest(RAX, 8))
	}},
	{"spilled whole", "", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RAX, RDI)
		a.MR(MOV, 8, At(RSP, 8), RAX)
		a.RM(MOV, 8, RDX, At(RSP, 8))
		a.RM(MOV, 8, RAX, a.guest(RDX, 8))
		a.leave()
	}},
	{"spilled half", "number", false, func(a *accessCode) {
		a.enter()
		a.MR(MOV, 4, At(RSP, 8), RDI)
		a.RM(MOV, 8, RDX, At(RSP, 8))
		a.RM(MOV, 8, RAX, a.guest(RDX, 8))
		a.leave()
	}},
	{"spilled, then overwritten", "number", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RAX, RDI)
		a.MR(MOV, 8, At(RSP, 8), RAX)
		a.MI(MOV, 1, At(RSP, 13), 1)
		a.RM(MOV, 8, RDX, At(RSP, 8))
		a.RM(MOV, 8, RAX, a.guest(RDX, 8))
		a.leave()
	}},
	{"in a register over a call", "number", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RBX, RDI)
		a.Call(1)
		a.RM(MOV, 8, RAX, a.guest(RBX, 8))
		a.leave()
	}},
	{"in the outgoing area over a call", "number", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RBX, RDI)
		a.MR(MOV, 8, At(RSP, 8), RBX)
		a.Call(0)
		a.RM(MOV, 8, RBX, At(RSP, 8))
		a.RM(MOV, 8, RAX, a.guest(RBX, 8))
		a.leave()
	}},
	{"in a slot over a call", "", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RBX, RDI)
		a.MR(MOV, 8, At(RSP, 16), RBX)
		a.Call(0)
		a.RM(MOV, 8, RBX, At(RSP, 16))
		a.RM(MOV, 8, RAX, a.guest(RBX, 8))
		a.leave()
	}},

	// Checked memory.
	{"checked", "", true, func(a *accessCode) {
		a.checked(CondB, 4)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"unchecked", "without a check", true, func(a *accessCode) { a.RR(MOV, 4, RAX, RDI); a.RM(MOV, 8, RAX, a.guest(RAX, 8)) }},
	{"more than checked", "room for 4", true, func(a *accessCode) {
		a.checked(CondB, 4)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 8, RAX, At(RAX, 0))
	}},
	{"beyond what was checked", "room for 3", true, func(a *accessCode) {
		a.checked(CondB, 4)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 1))
	}},
	{"before what was checked", "number", true, func(a *accessCode) {
		a.checked(CondB, 4)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, -1))
	}},
	{"check without mask", "only guess", true, func(a *accessCode) { a.checked(CondB, 4); a.RM(MOV, 4, RAX, At(RAX, 0)) }},
	{"mask by other flags", "", true, func(a *accessCode) {
		a.checked(CondB, 4)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RR(CMP, 8, RSI, RDX)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"mask by flags of something else", "only guess", true, func(a *accessCode) {
		a.checked(CondB, 4)
		a.RR(CMP, 8, RSI, RDX)
		a.trapIf(CondB)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"mask with other than 0", "only guess", true, func(a *accessCode) {
		a.checked(CondB, 4)
		a.RR(CMOVcc.If(CondB), 8, RAX, RSI)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"check the wrong way", "without a trap site", true, func(a *accessCode) {
		a.checked(CondAE, 4)
		a.RR(CMOVcc.If(CondAE), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"check signed", "without a trap site", true, func(a *accessCode) {
		a.checked(CondL, 4)
		a.RR(CMOVcc.If(CondL), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"check against another memory", "number", true, func(a *accessCode) {
		a.RR(MOV, 4, RDX, RDI)
		a.RM(LEA, 8, RAX, At(RDX, 12))
		a.RM(MOV, 8, R11, At(R14, int32(accessLayout.Memories)+abi.MemoryRecBytes))
		a.RR(CMP, 8, R11, RAX)
		a.trapIf(CondB)
		a.RM(LEA, 8, RAX, AtIndex(R15, RAX, 1, -4))
		a.RI(MOV, 4, R11, 0)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"check of a sum that wraps around", "number", true, func(a *accessCode) {
		a.RI(MOV, 8, RAX, 12)
		a.RR(ADD, 8, RAX, RSI) // all 64 bits of an index
		a.RM(MOV, 8, RCX, At(R14, abi.CtxMemRec))
		a.RM(MOV, 8, R11, At(RCX, abi.MemoryRecBytes))
		a.RR(CMP, 8, R11, RAX)
		a.trapIf(CondB)
		a.RM(LEA, 8, RAX, AtIndex(R15, RAX, 1, -4))
		a.RI(MOV, 4, R11, 0)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},
	{"check of a sum that traps if it wraps around", "", true, func(a *accessCode) {
		a.RI(MOV, 8, RAX, 12)
		a.RR(ADD, 8, RAX, RSI)
		a.trapIf(CondB)
		a.RM(MOV, 8, RCX, At(R14, abi.CtxMemRec))
		a.RM(MOV, 8, R11, At(RCX, abi.MemoryRecBytes))
		a.RR(CMP, 8, R11, RAX)
		a.trapIf(CondB)
		a.RM(LEA, 8, RAX, AtIndex(R15, RAX, 1, -4))
		a.RI(MOV, 4, R11, 0)
		a.RR(CMOVcc.If(CondB), 8, RAX, R11)
		a.RM(MOV, 4, RAX, At(RAX, 0))
	}},

	// Bulk operations.
	{"fill", "", true, func(a *accessCode) { a.bulk(); a.Bare(REPSTOSB) }},
	{"fill unchecked", "no room", false, func(a *accessCode) {
		a.RR(MOV, 4, RDI, RDI)
		a.RR(ADD, 8, RDI, R15)
		a.Bare(REPSTOSB)
	}},
	{"fill more than checked", "no room", true, func(a *accessCode) { a.bulk(); a.RI(ADD, 8, RCX, 1); a.Bare(REPSTOSB) }},
	{"fill from further on", "no room", true, func(a *accessCode) { a.bulk(); a.RI(ADD, 8, RDI, 1); a.Bare(REPSTOSB) }},
	{"fill from further on and less", "", true, func(a *accessCode) {
		a.bulk()
		a.RR(TEST, 8, RCX, RCX)
		a.trapIf(CondE)
		a.RI(ADD, 8, RDI, 1)
		a.RI(SUB, 8, RCX, 1)
		a.Bare(REPSTOSB)
	}},
	{"fill from further on and less than nothing", "no room", true, func(a *accessCode) {
		a.bulk()
		a.RI(ADD, 8, RDI, 1)
		a.RI(SUB, 8, RCX, 1)
		a.Bare(REPSTOSB)
	}},
	{"copy from unchecked", "no room", true, func(a *accessCode) { a.bulk(); a.Bare(REPMOVSB) }},
	{"store at the end without length", "room for", true, func(a *accessCode) { a.bulk(); a.MI(MOV, 8, At(RDI, 0), 1) }},
	{"store before the start", "number", true, func(a *accessCode) { a.bulk(); a.MI(MOV, 8, AtIndex(RDI, RCX, 1, -8), 1) }},
	{"store of what the length has room for", "", true, func(a *accessCode) {
		a.bulk()
		a.RI(CMP, 8, RCX, 8)
		a.trapIf(CondB)
		a.MI(MOV, 8, At(RDI, 0), 1)
		a.MI(MOV, 8, AtIndex(RDI, RCX, 1, -8), 1)
	}},

	// Tables.
	{"table element", "", false, func(a *accessCode) { a.element(1, true) }},
	{"table element, index not masked", "number", false, func(a *accessCode) { a.element(1, false) }},
	{"table element, index not compared", "number", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RM(MOV, 8, R11, At(R14, int32(accessLayout.Tables)))
		a.RM(MOV, 8, RAX, AtIndex(R11, RAX, 8, 0))
	}},
	{"table element, length of another table", "number", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RM(CMP, 8, RAX, At(R14, int32(accessLayout.Tables)+abi.TableRecSize+abi.TableRecLen))
		a.trapIf(CondAE)
		a.RR(SBB, 8, R11, R11)
		a.RR(AND, 8, RAX, R11)
		a.RM(MOV, 8, R11, At(R14, int32(accessLayout.Tables)))
		a.RM(MOV, 8, RAX, AtIndex(R11, RAX, 8, 0))
	}},
	{"table element, one too many", "number", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RM(CMP, 8, RAX, At(R14, int32(accessLayout.Tables)+abi.TableRecLen))
		a.trapIf(CondA)
		a.RR(SBB, 8, R11, R11)
		a.RR(AND, 8, RAX, R11)
		a.RM(MOV, 8, R11, At(R14, int32(accessLayout.Tables)))
		a.RM(MOV, 8, RAX, AtIndex(R11, RAX, 8, 0))
	}},
	{"table element of constant length", "", false, func(a *accessCode) { a.fixedElement(20, 8) }},
	{"table element beyond constant length", "number", false, func(a *accessCode) { a.fixedElement(21, 8) }},
	{"table element, wrong scale", "number", false, func(a *accessCode) { a.fixedElement(20, 4) }},
	{"table moved by a call", "number", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Tables)))
		a.MR(MOV, 8, At(RSP, 16), RAX)
		a.MR(MOV, 8, At(RSP, 24), RDI)
		a.Call(1)
		a.RM(MOV, 4, RAX, At(RSP, 24))
		a.RM(CMP, 8, RAX, At(R14, int32(accessLayout.Tables)+abi.TableRecLen))
		a.trapIf(CondAE)
		a.RR(SBB, 8, R11, R11)
		a.RR(AND, 8, RAX, R11)
		a.RM(MOV, 8, R11, At(RSP, 16))
		a.RM(MOV, 8, RAX, AtIndex(R11, RAX, 8, 0))
		a.leave()
	}},
	{"imported table", "", false, func(a *accessCode) {
		a.RR(MOV, 4, RAX, RDI)
		a.RM(MOV, 8, RDX, At(R14, int32(accessLayout.TablePtrs)))
		a.RM(CMP, 8, RAX, At(RDX, abi.TableRecLen))
		a.trapIf(CondAE)
		a.RR(SBB, 8, R11, R11)
		a.RR(AND, 8, RAX, R11)
		a.RM(MOV, 8, R11, At(RDX, abi.TableRecBase))
		a.RM(MOV, 8, RAX, AtIndex(R11, RAX, 8, 0))
	}},

	// Calls.
	{"direct call", "", false, func(a *accessCode) { a.enter(); a.Call(0); a.leave() }},
	{"direct call without frame", "stack pointer", false, func(a *accessCode) { a.Call(0) }},
	{"direct call of no function", "call of function", false, func(a *accessCode) { a.enter(); a.Call(2); a.leave() }},
	{"direct call in another context", "not the function's own", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)))
		a.RM(MOV, 8, R14, At(RAX, abi.FuncDescCtx))
		a.Call(0)
		a.restore()
		a.leave()
	}},
	{"import", "", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)))
		a.call()
		a.leave()
	}},
	{"import beyond the last", "no rule", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)+16))
		a.call()
		a.leave()
	}},
	{"import in the own context", "may not be the callee's", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)))
		a.CallM(At(RAX, 0))
		a.leave()
	}},
	{"import with the own memory", "may not be the callee's", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)))
		a.RM(MOV, 8, R14, At(RAX, abi.FuncDescCtx))
		a.CallM(At(RAX, 0))
		a.restore()
		a.leave()
	}},
	{"import with another's context", "may not be the callee's", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RBX, At(R14, int32(accessLayout.Imports)))
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)+8))
		a.RM(MOV, 8, R14, At(RBX, abi.FuncDescCtx))
		a.RM(MOV, 8, R15, At(R14, abi.CtxMemBase))
		a.CallM(At(RAX, 0))
		a.restore()
		a.leave()
	}},
	{"context not restored", "not the function's own", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)))
		a.RM(MOV, 8, R14, At(RAX, abi.FuncDescCtx))
		a.RM(MOV, 8, R15, At(R14, abi.CtxMemBase))
		a.CallM(At(RAX, 0))
		a.leave()
	}},
	{"memory base not restored", "number", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RBX, RDI)
		a.MR(MOV, 8, At(RSP, 24), RBX)
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)))
		a.RM(MOV, 8, R14, At(RAX, abi.FuncDescCtx))
		a.RM(MOV, 8, R15, At(R14, abi.CtxMemBase))
		a.CallM(At(RAX, 0))
		a.RM(MOV, 8, R14, At(RSP, 32))
		a.RM(MOV, 8, RBX, At(RSP, 24))
		a.RM(MOV, 8, RAX, a.guest(RBX, 0))
		a.RM(MOV, 8, R15, At(R14, abi.CtxMemBase))
		a.leave()
	}},
	{"builtin", "", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, abi.CtxBuiltins))
		a.RM(MOV, 8, RAX, At(RAX, 8*int32(abi.BuiltinElemDrop)))
		a.CallM(At(RAX, 0))
		a.leave()
	}},
	{"builtin beyond the last", "no rule", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, abi.CtxBuiltins))
		a.RM(MOV, 8, RAX, At(RAX, 8*int32(abi.BuiltinCount)))
		a.CallM(At(RAX, 0))
		a.leave()
	}},
	{"call through a table", "", false, func(a *accessCode) {
		a.enter()
		a.element(1, true)
		a.notNull()
		a.checkType(1)
		a.CallM(At(RAX, 0))
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
	{"call through a table that others may fill, in the own context", "may not be the callee's", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RAX, RDI)
		a.RM(MOV, 8, RDX, At(R14, int32(accessLayout.TablePtrs)))
		a.RM(CMP, 8, RAX, At(RDX, abi.TableRecLen))
		a.trapIf(CondAE)
		a.RR(SBB, 8, R11, R11)
		a.RR(AND, 8, RAX, R11)
		a.RM(MOV, 8, R11, At(RDX, abi.TableRecBase))
		a.RM(MOV, 8, RAX, AtIndex(R11, RAX, 8, 0))
		a.notNull()
		a.checkType(1)
		a.CallM(At(RAX, 0))
		a.leave()
	}},
	{"call through a table, perhaps null", "may be null", false, func(a *accessCode) { a.enter(); a.element(1, true); a.checkType(1); a.CallM(At(RAX, 0)); a.leave() }},
	{"call through a table, type not compared", "unknown type", false, func(a *accessCode) { a.enter(); a.element(1, true); a.notNull(); a.CallM(At(RAX, 0)); a.leave() }},
	{"call through a table, wrong type", "unknown type", false, func(a *accessCode) {
		a.enter()
		a.element(1, true)
		a.notNull()
		a.checkType(2)
		a.CallM(At(RAX, 0))
		a.leave()
	}},
	{"call through a table, wrong way", "unknown type", false, func(a *accessCode) {
		a.enter()
		a.element(1, true)
		a.notNull()
		a.RM(MOV, 4, R11, At(R14, int32(accessLayout.TypeIDs)+4))
		a.MR(CMP, 4, At(RAX, abi.FuncDescTypeID), R11)
		a.trapIf(CondE)
		a.CallM(At(RAX, 0))
		a.leave()
	}},
	{"call of a register", "unknown place", false, func(a *accessCode) { a.enter(); a.CallR(RAX); a.leave() }},
	{"call through a number", "call of number", false, func(a *accessCode) { a.enter(); a.CallM(At(RDI, 0)); a.leave() }},
	{"call through linear memory", "call of", false, func(a *accessCode) { a.enter(); a.RR(MOV, 4, RAX, RDI); a.CallM(a.guest(RAX, 0)); a.leave() }},
	{"call of another field", "call of", false, func(a *accessCode) {
		a.enter()
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.Imports)))
		a.CallM(At(RAX, abi.FuncDescHost))
		a.leave()
	}},

	// Jumps.
	{"jump table", "", false, func(a *accessCode) { a.switchOn(6, 5) }},
	{"jump table, index too large", "number", false, func(a *accessCode) { a.switchOn(6, 6) }},
	{"jump to a register", "unknown place", false, func(a *accessCode) { a.JmpR(RAX) }},
	{"jump through memory", "unknown place", false, func(a *accessCode) { a.JmpM(At(R14, int32(accessLayout.Imports))) }},
	{"jump to another function", "", false, func(a *accessCode) { a.JmpFunc(0) }},
	{"jump to another function with a frame", "stack pointer", false, func(a *accessCode) { a.enter(); a.JmpFunc(0) }},

	// Stack.
	{"parameter", "", false, func(a *accessCode) { a.RM(MOV, 8, RAX, At(RSP, 8)); a.MR(MOV, 8, At(RSP, 16), RAX) }},
	{"beyond the parameters", "stack at", false, func(a *accessCode) { a.RM(MOV, 8, RAX, At(RSP, 24)) }},
	{"return address", "stack at", false, func(a *accessCode) { a.RM(MOV, 8, RAX, At(RSP, 0)) }},
	{"return address below a frame", "stack at", false, func(a *accessCode) { a.enter(); a.MR(MOV, 8, At(RSP, accessFrame), RDI); a.leave() }},
	{"across the end of the frame", "stack at", false, func(a *accessCode) { a.enter(); a.MR(MOVUPS, 16, At(RSP, accessFrame-8), X0); a.leave() }},
	{"below the stack pointer", "stack at", false, func(a *accessCode) { a.MR(MOV, 8, At(RSP, -8), RDI) }},
	{"index on the stack", "number", false, func(a *accessCode) {
		a.enter()
		a.RR(MOV, 4, RAX, RDI)
		a.MR(MOV, 8, AtIndex(RSP, RAX, 8, 0), RDI)
		a.leave()
	}},
	{"frame not removed", "stack pointer", false, func(a *accessCode) { a.enter() }},
	{"frame of another size", "stack pointer", false, func(a *accessCode) { a.RI(SUB, 8, RSP, 48); a.RI(ADD, 8, RSP, 48) }},
	{"stack pointer from elsewhere", "writes", false, func(a *accessCode) { a.RR(MOV, 8, RSP, RDI) }},
	{"push", "unexpected", false, func(a *accessCode) { a.R(PUSH, 8, RDI); a.R(POP, 8, RDI) }},

	// Constants and the context.
	{"constant", "", false, func(a *accessCode) {
		a.RM(MOVF, 8, X0, AtConst(a.Const64(1)))
		a.RM(ANDPS, 16, X0, AtConst(a.Const128(1, 2)))
	}},
	{"constant with VEX", "", false, func(a *accessCode) { a.VRRM(ADDF, 8, X0, X0, AtConst(a.Const64(1))) }},
	{"constant written", "read-only", false, func(a *accessCode) { a.MR(MOVF, 8, AtConst(a.Const64(1)), X0) }},
	{"beyond the constants", "read-only", false, func(a *accessCode) { a.RM(MOVUPS, 16, X0, AtConst(a.Const64(1))) }},
	{"beyond the constants with VEX", "read-only", false, func(a *accessCode) { a.VRRM(ADDPS, 16, X0, X0, AtConst(a.Const64(1))) }},
	{"code as constant", "read-only", false, func(a *accessCode) { l := a.NewLabel(); a.Bind(l); a.RM(MOV, 8, RAX, AtConst(l)) }},
	{"16 bytes at any place", "multiple of 16", false, func(a *accessCode) { a.RM(ANDPS, 16, X0, Mem{Const: a.Const128(1, 2), Disp: 8}); a.Const128(3, 4) }},
	{"global", "", false, func(a *accessCode) { a.MR(MOVUPS, 16, At(R14, int32(accessLayout.Globals)+16), X0) }},
	{"across globals", "no rule", false, func(a *accessCode) { a.MR(MOVUPS, 16, At(R14, int32(accessLayout.Globals)+8), X0) }},
	{"beyond the globals", "no rule", false, func(a *accessCode) { a.MI(MOV, 8, At(R14, int32(accessLayout.Globals)+32), 1) }},
	{"imported global", "", false, func(a *accessCode) {
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.GlobalPtrs)))
		a.MI(ADD, 8, At(RAX, 8), 1)
	}},
	{"beyond an imported global", "no rule", false, func(a *accessCode) {
		a.RM(MOV, 8, RAX, At(R14, int32(accessLayout.GlobalPtrs)))
		a.MI(ADD, 8, At(RAX, 16), 1)
	}},
	{"memory base written", "no rule", false, func(a *accessCode) { a.MR(MOV, 8, At(R14, abi.CtxMemBase), RDI) }},
	{"instance handle", "no rule", false, func(a *accessCode) { a.RM(MOV, 8, RAX, At(R14, abi.CtxInstance)) }},
	{"table length written", "no rule", false, func(a *accessCode) { a.MI(MOV, 8, At(R14, int32(accessLayout.Tables)+abi.TableRecLen), 1000) }},
	{"half a pointer", "no rule", false, func(a *accessCode) { a.RM(MOV, 4, RAX, At(R14, abi.CtxMemRec)) }},
	{"own function's descriptor", "", false, func(a *accessCode) { a.RM(LEA, 8, RAX, At(R14, int32(accessLayout.Funcs)+abi.FuncDescSize)) }},
	{"descriptor written", "no rule", false, func(a *accessCode) {
		a.RM(LEA, 8, RAX, At(R14, int32(accessLayout.Funcs)))
		a.MR(MOV, 8, At(RAX, 0), RDI)
	}},
	{"other memory", "", false, func(a *accessCode) {
		a.RM(MOV, 8, RDX, At(R14, int32(accessLayout.Memories)+abi.MemoryRecBase))
		a.RR(MOV, 4, RAX, RDI)
		a.Trap(abi.TrapMemoryOutOfBounds, 0)
		a.RM(MOV, 8, RAX, AtIndex(RDX, RAX, 1, 8))
	}},

	// Code.
	{"fence", "unexpected", false, func(a *accessCode) { a.Bare(LFENCE) }},
	{"trap without site", "trap site", false, func(a *accessCode) { a.Bare(UD2) }},
}

// fixedElement loads an element of table 2 after a comparison of the index with a constant.
func (a *accessCode) fixedElement(length int64, scale uint8) {
	a.RR(MOV, 4, RAX, RDI)
	a.RI(CMP, 8, RAX, length)
	a.trapIf(CondAE)
	a.RR(SBB, 8, R11, R11)
	a.RR(AND, 8, RAX, R11)
	a.RM(MOV, 8, R11, At(R14, int32(accessLayout.Tables)+abi.TableRecSize))
	a.RM(MOV, 8, RAX, AtIndex(R11, RAX, scale, 0))
}

// accessChecker runs the cases.
var accessChecker = backendtest.Checker[*accessCode]{Target: Target, Params: accessParams, Make: func(t *testing.T, code func(a *accessCode)) *backend.Code {
	c := assemble(t, func(a *Asm) {
		code(&accessCode{a})
		a.Bare(RET)
	})
	c.FrameSize = accessFrame
	return &c
}}

func TestAccess(t *testing.T) { accessChecker.Cases(t, accessCases) }

// own is the call of a function of the module through its descriptor, with its address in a register.
func (a *accessCode) own(r Reg, disp int32) {
	a.enter()
	a.RM(LEA, 8, r, At(R14, int32(accessLayout.Funcs)+disp))
	a.CallM(At(r, abi.FuncDescCode))
	a.leave()
}

// TestAccessThroughDesc is of code in which functions call each other through their descriptors.
func TestAccessThroughDesc(t *testing.T) {
	accessChecker.ThroughDesc(t, []backendtest.CheckerCase[*accessCode]{
		{"call", "", false, func(a *accessCode) { a.own(RAX, abi.FuncDescSize) }},
		{"call of itself", "", false, func(a *accessCode) { a.enter(); a.Call(0); a.leave() }},
		{"call of itself through the descriptor", "", false, func(a *accessCode) { a.own(RAX, 0) }},
		{"direct call of another", "through its descriptor", false, func(a *accessCode) { a.enter(); a.Call(1); a.leave() }},
		{"direct jump to another", "through its descriptor", false, func(a *accessCode) { a.JmpFunc(1) }},
		{"before the first descriptor", "call of context", false, func(a *accessCode) { a.own(RAX, -abi.FuncDescSize) }},
		{"beyond the last", "call of context", false, func(a *accessCode) { a.own(RAX, 2*abi.FuncDescSize) }},
		{"between two", "call of context", false, func(a *accessCode) { a.own(RAX, 8) }},
		{"another field", "callee register", false, func(a *accessCode) {
			a.enter()
			a.RM(LEA, 8, RAX, At(R14, int32(accessLayout.Funcs)))
			a.CallM(At(RAX, abi.FuncDescCtx))
			a.leave()
		}},
		{"not in the callee register", "callee register", false, func(a *accessCode) { a.own(RBX, 0) }},
		{"straight from the context", "call of context", false, func(a *accessCode) {
			a.enter()
			a.CallM(At(R14, int32(accessLayout.Funcs)))
			a.leave()
		}},
		{"in another context", "may not be the callee's", false, func(a *accessCode) {
			a.enter()
			a.RM(MOV, 8, RBX, At(R14, int32(accessLayout.Imports)))
			a.RM(LEA, 8, RAX, At(R14, int32(accessLayout.Funcs)))
			a.RM(MOV, 8, R14, At(RBX, abi.FuncDescCtx))
			a.RM(MOV, 8, R15, At(R14, abi.CtxMemBase))
			a.CallM(At(RAX, abi.FuncDescCode))
			a.restore()
			a.leave()
		}},
		{"of another context", "call of other context", false, func(a *accessCode) {
			a.enter()
			a.RM(MOV, 8, RBX, At(R14, int32(accessLayout.Imports)))
			a.RM(MOV, 8, RAX, At(RBX, abi.FuncDescCtx))
			a.RM(LEA, 8, RAX, At(RAX, int32(accessLayout.Funcs)))
			a.CallM(At(RAX, abi.FuncDescCode))
			a.leave()
		}},
		{"variable place", "call of number", false, func(a *accessCode) {
			a.enter()
			a.RI(AND, 4, RDI, 1)
			a.RI(SHL, 4, RDI, 5)
			a.RM(LEA, 8, RAX, AtIndex(R14, RDI, 1, int32(accessLayout.Funcs)))
			a.CallM(At(RAX, abi.FuncDescCode))
			a.leave()
		}},
		{"without frame", "stack pointer", false, func(a *accessCode) {
			a.RM(LEA, 8, RAX, At(R14, int32(accessLayout.Funcs)))
			a.CallM(At(RAX, abi.FuncDescCode))
		}},
		{"in the outgoing area over a call", "number", false, func(a *accessCode) {
			a.enter()
			a.RR(MOV, 4, RBX, RDI)
			a.MR(MOV, 8, At(RSP, 8), RBX)
			a.RM(LEA, 8, RAX, At(R14, int32(accessLayout.Funcs)))
			a.CallM(At(RAX, abi.FuncDescCode))
			a.RM(MOV, 8, RBX, At(RSP, 8))
			a.RM(MOV, 8, RAX, a.guest(RBX, 8))
			a.leave()
		}},
		{"a descriptor written", "no rule", false, func(a *accessCode) {
			a.RM(LEA, 8, RAX, At(R14, int32(accessLayout.Funcs)))
			a.MR(MOV, 8, At(RAX, abi.FuncDescCode), RDI)
		}},
	})
	accessChecker.Cases(t, []backendtest.CheckerCase[*accessCode]{
		{"otherwise", "through its descriptor", false, func(a *accessCode) { a.own(RAX, abi.FuncDescSize) }},
	})
}

// TestAccessDamaged damages what belongs to the code.
func TestAccessDamaged(t *testing.T) {
	accessChecker.Damaged(t, []backendtest.DamagedCase[*accessCode]{
		{"jump into an instruction", "no instruction begins", func(a *accessCode) {
			l := a.NewLabel()
			a.Jcc(CondE, l)
			a.RI(MOV, 4, RAX, 7)
			a.Bind(l)
		}, func(c *backend.Code) { c.Text[1]-- }},
		{"jump out of the function", "no instruction begins", func(a *accessCode) {
			l := a.NewLabel()
			a.Jcc(CondE, l)
			a.RI(MOV, 4, RAX, 7)
			a.Bind(l)
		}, func(c *backend.Code) { c.Text[1] = 0x80 }},
		{"jump table entry into an instruction", "no instruction begins", func(a *accessCode) { a.switchOn(6, 5) }, func(c *backend.Code) { c.Text[len(c.Text)-4]++ }},
		{"no relocation", "without relocation", func(a *accessCode) { a.enter(); a.Call(0); a.leave() }, func(c *backend.Code) { c.Relocs = nil }},
		{"no return", "into the constants", func(a *accessCode) { a.Const64(1) }, func(c *backend.Code) { c.Text[0] = 0x90 }},
		{"unknown instruction", "at 0x0", func(a *accessCode) {}, func(c *backend.Code) { c.Text[0] = 0x06 }},
		{"system call", "unexpected", func(a *accessCode) { a.Bare(CQO) }, func(c *backend.Code) { c.Text[0], c.Text[1] = 0x0F, 0x05 }},
		{"code beyond the text", "in a text of", func(a *accessCode) {}, func(c *backend.Code) { c.CodeSize = 100 }},
		{"no code", "no code", func(a *accessCode) {}, func(c *backend.Code) { c.CodeSize = 0 }},
	})
}

// TestAccessRules checks that there is a rule for every instruction of the assembler but those that
// are not to be used, and that the width of memory operands is known.
func TestAccessRules(t *testing.T) {
	rules := accessRulesByName()
	unused := map[string]bool{}
	for _, name := range neverUsed {
		unused[name] = true
	}
	// Operands of other width than the instruction: of less in the first list, of the width of the float in the second.
	narrower := []string{"MOVZX", "MOVSX", "MOVDDUP", "CVTDQ2PD", "CVTPS2PD", "PMOVSX", "PMOVZX", "PSLL", "PSRL", "PSRA", "BROADCAST", "INSERT", "EXTRACT"}
	floats := map[string]int{"SS2SI": 4, "SD2SI": 8}
	for _, op := range allOps() {
		for _, shape := range shapes {
			for _, in := range instances(op, shape) {
				code, _ := encodeOne(in)
				d, err := decode(code)
				if err != nil {
					t.Fatal(err)
				}
				name := d.Op.String()
				if (rules[name] == nil) != unused[name] {
					t.Fatalf("%v: rule: %v, not to be used: %v", in, rules[name] != nil, unused[name])
				}
				if !strings.Contains(shape, "M") || op == LEA {
					continue
				}
				least, most := int(in.size), int(in.size)
				for _, part := range narrower {
					if strings.Contains(name, part) {
						least = 1
					}
				}
				for part, size := range floats {
					if strings.Contains(name, part) {
						least, most = size, size
					}
				}
				if d.MemBytes < least || d.MemBytes > most {
					t.Fatalf("%v: %v: memory operand of %d bytes, expected %d to %d", in, d, d.MemBytes, least, most)
				}
			}
		}
	}
}

func TestAllocatable(t *testing.T) { backendtest.Allocatable(t, Target, allocatable) }
