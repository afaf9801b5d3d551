package isel

import (
	"github.com/wasmaot/wasmaot/backend"
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
func (l *Lowerer) placesOf(sig *abi.Signature) *sigPlaces {
	for i := range l.sigs {
		if l.sigs[i].sig == sig {
			return &l.sigs[i]
		}
	}
	p := &l.sigs[l.nextSig]
	l.nextSig = (l.nextSig + 1) % len(l.sigs)
	results := uint32(0)
	p.sig = sig
	p.params, p.paramArea = l.traits.Conv.Params(sig.Params)
	p.results, results = l.traits.Conv.Results(sig.Results)
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

// slotSize is the size in which a value travels through a slot: whole, since the other side may read all of it.
func slotSize(t abi.Type) uint8 {
	if t == abi.V128 {
		return 16
	}
	return 8
}

func (l *Lowerer) storeSlot(x ssa.Value, p *abi.Place, area Area) {
	l.machine.Store(x, slotSize(p.Type), Location{Area: area, Disp: int32(p.Slot)})
}

func (l *Lowerer) loadSlot(d regalloc.VReg, p *abi.Place, area Area) {
	l.machine.Load(d, p.Type, slotSize(p.Type), Location{Area: area, Disp: int32(p.Slot)})
}

// call makes a call with its arguments and results.
func (l *Lowerer) call(v ssa.Value, in *ssa.Inst) {
	f := l.F
	c := &f.Calls[in.A]
	p := l.placesOf(c.Sig)
	l.M.Calls = true
	l.M.OutArg = max(l.M.OutArg, p.area)
	args := f.CallArgs(c)
	for i := range p.params {
		if p.params[i].Reg < 0 {
			l.storeSlot(args[i], &p.params[i], Outgoing)
		}
	}
	switch c.Kind {
	case ssa.CallDirect:
		if l.Cfg.ThroughDesc && c.Callee != f.Index {
			l.Put(backend.TCallOwn, 0).Disp = l.funcDesc(c.Callee).disp
		} else {
			l.Put(backend.TCall, 0).Imm = int64(c.Callee) - int64(f.Module.Layout.Shape.ImportedFuncs)
		}
	case ssa.CallImport:
		inst := l.Put(backend.TCallDesc, 0)
		inst.Disp = int32(f.Module.Layout.Imports + 8*c.Callee)
		l.M.SavesContext = true
	case ssa.CallBuiltin:
		inst := l.Put(backend.TCallDesc, 0)
		inst.Disp = int32(8 * c.Callee)
		inst.Aux = backend.AuxLocal
	case ssa.CallIndirect:
		l.callTable(c, args[len(args)-1])
	default:
		l.Fail("call of unknown kind %d", c.Kind)
	}
	for i := range p.params {
		if p.params[i].Reg >= 0 {
			l.FixedArg(l.Use(args[i]), placeReg(&p.params[i]))
		}
	}
	l.Clobber(ClobberAll)
	l.callResults(v, p)
}

// callTable puts the call through table element index, without its arguments.
func (l *Lowerer) callTable(c *ssa.Call, index ssa.Value) {
	x := l.Use(index)
	at := l.tableField(c.Table, abi.TableRecLen)
	inst := l.Put(backend.TCallTable, 0)
	l.FixedArg(x, regalloc.Reg(l.traits.Conv.Callee))
	l.machine.Attach(inst, at)
	inst.Imm = int64(l.F.Module.Layout.TypeIDs+4*c.TypeIndex) << 32
	if n, ok := l.fixedLength(c.Table); ok {
		inst.Aux |= backend.AuxFixed
		inst.Imm |= n
	}
	if l.F.Insts[index].Type == abi.I64 {
		inst.Aux |= backend.AuxIndex64
	}
	if c.SameSig {
		inst.Aux |= backend.AuxSameSig
	}
	if c.Local {
		inst.Aux |= backend.AuxLocal
	} else {
		l.M.SavesContext = true
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
func (l *Lowerer) arrive(v ssa.Value, p *abi.Place) {
	info := &l.Info[v]
	if info.VReg == 0 {
		return
	}
	raw := info.VReg
	if info.Flags&Zext != 0 {
		raw = l.NewVReg(regalloc.ClassInt)
	}
	l.arrivals = append(l.arrivals, arrival{v, raw, p})
}

// extendArrivals zero-extends those that need it.
func (l *Lowerer) extendArrivals() {
	for i := range l.arrivals {
		a := &l.arrivals[i]
		if d := l.Info[a.v].VReg; a.raw != d {
			l.machine.Extend(d, a.raw)
		}
	}
}

// callResults defines those results of call v that someone uses.
func (l *Lowerer) callResults(v ssa.Value, p *sigPlaces) {
	if len(p.results) == 0 {
		return
	}
	l.arrivals = l.arrivals[:0]
	l.arrive(v, &p.results[0])
	for _, r := range l.order[l.place+1:] {
		in := &l.F.Insts[r]
		if in.Op == ssa.OpResult && in.A == uint32(v) {
			l.arrive(r, &p.results[in.B])
		} else if in.Op != ssa.OpNop {
			break
		}
	}
	for i := range l.arrivals {
		if a := &l.arrivals[i]; a.place.Reg >= 0 {
			l.FixedDef(a.raw, placeReg(a.place))
		}
	}
	for i := range l.arrivals {
		if a := &l.arrivals[i]; a.place.Reg < 0 {
			l.loadSlot(a.raw, a.place, Outgoing)
		}
	}
	l.extendArrivals()
}

// entry defines the function's parameters. Those on the stack stay there until they are needed, unless
// the results will overwrite them.
func (l *Lowerer) entry(params []ssa.Value) {
	p := l.placesOf(l.F.Sig)
	onStack := false
	for i := range p.results {
		onStack = onStack || p.results[i].Reg < 0
	}
	l.arrivals = l.arrivals[:0]
	for i, v := range params {
		l.arrive(v, &p.params[i])
	}
	l.Put(backend.TEntry, 0)
	for i := range l.arrivals {
		if a := &l.arrivals[i]; a.place.Reg >= 0 {
			l.FixedDef(a.raw, placeReg(a.place))
		}
	}
	for i := range l.arrivals {
		a := &l.arrivals[i]
		if a.place.Reg >= 0 {
			continue
		}
		if onStack {
			l.loadSlot(a.raw, a.place, Incoming)
			continue
		}
		r := &l.M.RA.VRegs[a.raw]
		r.Home, r.Slot = regalloc.HomeIncoming, a.place.Slot
	}
	l.extendArrivals()
}

// returns ends the function with its results.
func (l *Lowerer) returns(values []ssa.Value) {
	p := l.placesOf(l.F.Sig)
	for i, v := range values {
		if p.results[i].Reg < 0 {
			l.storeSlot(v, &p.results[i], Incoming)
		}
	}
	l.Put(backend.TReturn, 0)
	for i, v := range values {
		if p.results[i].Reg >= 0 {
			l.FixedArg(l.Use(v), placeReg(&p.results[i]))
		}
	}
}
