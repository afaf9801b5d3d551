package isel

import (
	"math"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// A Location is a place that is no guest's: Disp bytes from the start of an area.
type Location struct {
	Area Area
	Base regalloc.VReg // Based
	Disp int32
}

// Area is where a location is.
type Area uint8

const (
	Outgoing Area = iota // parameters and results of a call that the function makes
	Incoming             // of the function itself
	Context              // the instance context
	Based                // what Location.Base points at
)

// A field is a place in the instance context. If it is indirect the address of what is wanted stands there.
type field struct {
	disp     int32
	indirect bool
}

func fieldOf(i, imported int, pointers, own, size uint32) field {
	if i < imported {
		return field{int32(pointers + 8*uint32(i)), true}
	}
	return field{int32(own + size*uint32(i-imported)), false}
}

// global is where global i's cell is.
func (l *Lowerer) global(i uint32) field {
	lay := &l.F.Module.Layout
	return fieldOf(int(i), lay.Shape.ImportedGlobals, lay.GlobalPtrs, lay.Globals, abi.GlobalCellSize)
}

// table is where table i's TableRec is.
func (l *Lowerer) table(i uint32) field {
	lay := &l.F.Module.Layout
	return fieldOf(int(i), lay.Shape.ImportedTables, lay.TablePtrs, lay.Tables, abi.TableRecSize)
}

// memory is where a memory's MemoryRec is.
func (l *Lowerer) memory(i uint32) field {
	if i == 0 {
		return field{abi.CtxMemRec, true}
	}
	lay := &l.F.Module.Layout
	return fieldOf(int(i), lay.Shape.ImportedMemories, lay.MemoryPtrs, lay.Memories, abi.MemoryRecSize)
}

// funcDesc is where function i's FuncDesc is.
func (l *Lowerer) funcDesc(i uint32) field {
	lay := &l.F.Module.Layout
	return fieldOf(int(i), lay.Shape.ImportedFuncs, lay.Imports, lay.Funcs, abi.FuncDescSize)
}

// at is disp bytes into what a field is or points at.
func (l *Lowerer) at(f field, disp int32) Location {
	if !f.indirect {
		return Location{Area: Context, Disp: f.disp + disp}
	}
	return Location{Area: Based, Base: l.address(f), Disp: disp}
}

// address gives the address of what a field is or points at.
func (l *Lowerer) address(f field) regalloc.VReg {
	d := l.NewVReg(regalloc.ClassInt)
	l.addressTo(d, f)
	return d
}

func (l *Lowerer) addressTo(d regalloc.VReg, f field) {
	at := Location{Area: Context, Disp: f.disp}
	if f.indirect {
		l.machine.Load(d, abi.I64, 8, at)
	} else {
		l.machine.Address(d, at.Disp)
	}
}

// GlobalCell is where global i is.
func (l *Lowerer) GlobalCell(i uint32) Location { return l.at(l.global(i), 0) }

// tableField is a field of table i's TableRec.
func (l *Lowerer) tableField(i uint32, field int32) Location { return l.at(l.table(i), field) }

// MemoryRecord gives the address of a memory's MemoryRec.
func (l *Lowerer) MemoryRecord(i uint32) regalloc.VReg { return l.address(l.memory(i)) }

// MemoryBase gives the base of a memory other than memory 0, whose base is pinned: there it is 0.
func (l *Lowerer) MemoryBase(i uint32) regalloc.VReg {
	if i == 0 {
		return 0
	}
	d := l.NewVReg(regalloc.ClassInt)
	l.machine.Load(d, abi.I64, 8, l.at(l.memory(i), abi.MemoryRecBase))
	return d
}

// maskedIndex gives an index below the length of a table, or traps; it is 0 if the processor only guesses that it is below.
func (l *Lowerer) maskedIndex(index ssa.Value, table uint32) regalloc.VReg {
	d, x := l.NewVReg(regalloc.ClassInt), l.Use(index)
	n, fixed := l.fixedLength(table)
	var at Location
	if !fixed {
		at = l.tableField(table, abi.TableRecLen)
	}
	inst := l.Put(backend.TIndexMask, 8)
	inst.Cond = uint8(abi.TrapTableOutOfBounds)
	l.Operand(d, regalloc.DefEarly, regalloc.AnyReg, 0)
	l.Arg(x)
	if fixed {
		inst.Aux, inst.Imm = backend.AuxFixed, n
	} else {
		l.machine.Attach(inst, at)
	}
	if l.F.Insts[index].Type == abi.I64 {
		inst.Aux |= backend.AuxIndex64
	}
	return d
}

// fixedLength is table i's length, if it never changes and is an immediate of 31 bits.
func (l *Lowerer) fixedLength(i uint32) (int64, bool) {
	mod := l.F.Module
	if int(i) < len(mod.TableFixed) && mod.TableFixed[i] && mod.TableMin[i] <= math.MaxInt32 {
		return int64(mod.TableMin[i]), true
	}
	return 0, false
}

// element gives where a table's elements are and a checked index.
func (l *Lowerer) element(in *ssa.Inst) (base, index regalloc.VReg) {
	index = l.maskedIndex(ssa.Value(in.B), in.A)
	base = l.NewVReg(regalloc.ClassInt)
	l.machine.Load(base, abi.I64, 8, l.tableField(in.A, abi.TableRecBase))
	return base, index
}
