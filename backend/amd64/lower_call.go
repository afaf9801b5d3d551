package amd64

import (
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// sigPlaces remembers where a signature's values travel.
type sigPlaces struct {
	sig             *abi.Signature
	params, results []abi.Place
	paramArea, area uint32 // bytes of the outgoing area for parameters, and in all
}

// placesOf gives the places of a signature: the last few are remembered, for most
// functions of a module are alike.
func (l *lowerer) placesOf(sig *abi.Signature) *sigPlaces {
	for i := range l.sigs {
		if l.sigs[i].sig == sig {
			return &l.sigs[i]
		}
	}
	p := &l.sigs[l.nextSig]
	l.nextSig = (l.nextSig + 1) % len(l.sigs)
	results := uint32(0)
	p.sig = sig
	p.params, p.paramArea = abi.AMD64.Params(sig.Params)
	p.results, results = abi.AMD64.Results(sig.Results)
	p.area = max(p.paramArea, results)
	return p
}

// placeReg is the allocator's name of a place's register.
func placeReg(p *abi.Place) regalloc.Reg {
	if p.Type.IsFloat() {
		return regalloc.FirstFloat + regalloc.Reg(p.Reg)
	}
	return regalloc.Reg(p.Reg)
}

// slotOp is how a value travels through a slot of the outgoing area: whole, since the
// other side may read all of it.
func slotOp(t abi.Type) (Op, uint8) {
	if t == abi.V128 {
		return MOVUPS, 16
	}
	return moveOp(t), 8
}

// storeSlot stores a parameter or result in its slot.
func (l *lowerer) storeSlot(x ssa.Value, p *abi.Place, f form) {
	op, size := slotOp(p.Type)
	s := source{form: f, disp: int32(p.Slot)}
	if imm, ok := l.storeImmediate(x, size); ok && size == 8 {
		inst := l.put(tStoreI, size)
		l.attach(inst, MOV, &s)
		inst.Imm = imm
		return
	}
	r := l.use(x)
	inst := l.put(tStore, size)
	l.arg(r)
	l.attach(inst, op, &s)
}

// loadSlot loads one.
func (l *lowerer) loadSlot(d regalloc.VReg, p *abi.Place, f form) {
	op, size := slotOp(p.Type)
	s := source{form: f, disp: int32(p.Slot)}
	l.loadFrom(tLoad, op, size, d, &s)
}

// call makes a call with its arguments and results.
func (l *lowerer) call(v ssa.Value, in *ssa.Inst, _ Op) {
	f := l.f
	c := &f.Calls[in.A]
	p := l.placesOf(c.Sig)
	l.m.OutArg = max(l.m.OutArg, p.area)
	args := f.CallArgs(c)
	for i := range p.params {
		if p.params[i].Reg < 0 {
			l.storeSlot(args[i], &p.params[i], formOut)
		}
	}
	switch c.Kind {
	case ssa.CallDirect:
		l.put(tCall, 0).Imm = int64(c.Callee) - int64(f.Module.Layout.Shape.ImportedFuncs)
	case ssa.CallImport:
		inst := l.put(tCallDesc, 0)
		inst.Disp = int32(f.Module.Layout.Imports + 8*c.Callee)
		l.m.SavesContext = true
	case ssa.CallBuiltin:
		inst := l.put(tCallDesc, 0)
		inst.Disp = int32(8 * c.Callee)
		inst.Aux = auxLocal
	case ssa.CallIndirect:
		l.callTable(c, args[len(args)-1])
	default:
		l.fail("call of unknown kind %d", c.Kind)
	}
	for i := range p.params {
		if p.params[i].Reg >= 0 {
			l.fixedArg(l.use(args[i]), placeReg(&p.params[i]))
		}
	}
	l.clobber(clobberAll)
	l.callResults(v, p)
}

// callTable makes the call through table element index, without the arguments.
func (l *lowerer) callTable(c *ssa.Call, index ssa.Value) {
	x := l.use(index)
	length := l.tableLength(c.Table)
	record := l.tableField(c.Table, abi.TableRecLen)
	inst := l.put(tCallTable, 0)
	l.fixedArg(x, RAX)
	l.attach(inst, NoOp, &record)
	if length.form == formImm {
		inst.Aux |= auxImm
		inst.Imm = length.imm
	}
	inst.Imm |= int64(l.f.Module.Layout.TypeIDs+4*c.TypeIndex) << 32
	if c.SameSig {
		inst.Aux |= auxSameSig
	}
	if c.Local {
		inst.Aux |= auxLocal
	} else {
		l.m.SavesContext = true
	}
}

// arrival is a value that comes into the function's hands from outside: a parameter or a
// call's result. If it is an I32 to be zero-extended, raw is the register before that.
type arrival struct {
	v     ssa.Value
	raw   regalloc.VReg
	place *abi.Place
}

// arrive adds v to the arrivals unless no one uses it.
func (l *lowerer) arrive(v ssa.Value, p *abi.Place) {
	info := &l.info[v]
	if info.vreg == 0 {
		return
	}
	raw := info.vreg
	if info.flags&infoZext != 0 {
		raw = l.newVReg(regalloc.ClassInt)
	}
	l.arrivals = append(l.arrivals, arrival{v, raw, p})
}

// extendArrivals zero-extends those that need it.
func (l *lowerer) extendArrivals() {
	for i := range l.arrivals {
		a := &l.arrivals[i]
		if d := l.info[a.v].vreg; a.raw != d {
			s := source{form: formReg, slot: true, a: a.raw}
			l.loadFrom(tMove32, MOV, 4, d, &s)
		}
	}
}

// callResults defines those results of call v that someone uses.
func (l *lowerer) callResults(v ssa.Value, p *sigPlaces) {
	if len(p.results) == 0 {
		return
	}
	l.arrivals = l.arrivals[:0]
	l.arrive(v, &p.results[0])
	for _, r := range l.after {
		in := &l.f.Insts[r]
		if in.Op == ssa.OpResult && in.A == uint32(v) {
			l.arrive(r, &p.results[in.B])
		} else if in.Op != ssa.OpNop {
			break
		}
	}
	for i := range l.arrivals {
		if a := &l.arrivals[i]; a.place.Reg >= 0 {
			l.fixedDef(a.raw, placeReg(a.place))
		}
	}
	for i := range l.arrivals {
		if a := &l.arrivals[i]; a.place.Reg < 0 {
			l.loadSlot(a.raw, a.place, formOut)
		}
	}
	l.extendArrivals()
}

// entry defines the function's parameters. Those on the stack stay there until they are needed, unless
// the results will overwrite them.
func (l *lowerer) entry(params []ssa.Value) {
	p := l.placesOf(l.f.Sig)
	onStack := false
	for i := range p.results {
		onStack = onStack || p.results[i].Reg < 0
	}
	l.arrivals = l.arrivals[:0]
	for i, v := range params {
		l.arrive(v, &p.params[i])
	}
	l.put(tEntry, 0)
	for i := range l.arrivals {
		if a := &l.arrivals[i]; a.place.Reg >= 0 {
			l.fixedDef(a.raw, placeReg(a.place))
		}
	}
	for i := range l.arrivals {
		a := &l.arrivals[i]
		if a.place.Reg >= 0 {
			continue
		}
		if onStack {
			l.loadSlot(a.raw, a.place, formIn)
			continue
		}
		r := &l.m.RA.VRegs[a.raw]
		r.Home, r.Slot = regalloc.HomeIncoming, a.place.Slot
	}
	l.extendArrivals()
}

// returns ends the function with its results.
func (l *lowerer) returns(values []ssa.Value) {
	p := l.placesOf(l.f.Sig)
	for i, v := range values {
		if p.results[i].Reg < 0 {
			l.storeSlot(v, &p.results[i], formIn)
		}
	}
	l.put(tReturn, 0)
	for i, v := range values {
		if p.results[i].Reg >= 0 {
			l.fixedArg(l.use(v), placeReg(&p.results[i]))
		}
	}
}
