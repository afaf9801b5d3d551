package regalloc

import (
	"fmt"
	"math/rand/v2"
)

// word is a value of 128 bits; 64-bit ones have a zero second half.
type word [2]uint64

// simulator runs an allocated function along a random path, with real contents in registers and
// slots, and beside it the function as it was: every operand must have the same value.
type simulator struct {
	f    *Func
	file *File
	r    *Result
	rng  *rand.Rand

	want   []word // by virtual register
	regs   [64]word
	frame  []uint64
	before map[uint32]MoveList
	onEdge map[uint32]MoveList
}

func simulate(f *Func, file *File, r *Result, seed uint64) error {
	s := &simulator{f: f, file: file, r: r, rng: rand.New(rand.NewPCG(seed, 2))}
	s.before, s.onEdge = map[uint32]MoveList{}, map[uint32]MoveList{}
	for _, l := range r.Before {
		s.before[l.At] = l
	}
	for _, l := range r.OnEdge {
		s.onEdge[l.At] = l
	}
	for range 5 {
		if err := s.run(); err != nil {
			return fmt.Errorf("simulation: %w", err)
		}
	}
	return nil
}

func (s *simulator) random(c Class) word {
	if c == ClassVec {
		return word{s.rng.Uint64(), s.rng.Uint64()}
	}
	return word{s.rng.Uint64()}
}

func (s *simulator) run() error {
	f := s.f
	s.want = make([]word, len(f.VRegs))
	s.frame = make([]uint64, s.r.FrameSize/8)
	for i := range s.regs {
		s.regs[i] = s.random(ClassVec)
	}
	for i := range s.frame {
		s.frame[i] = s.rng.Uint64()
	}
	for v := range f.VRegs {
		if f.VRegs[v].Home != HomeSpill {
			s.want[v] = s.random(f.VRegs[v].Class)
		}
	}
	b := uint32(0)
	for range 60 {
		blk := &f.Blocks[b]
		for i := blk.Start; i < blk.End; i++ {
			if l, ok := s.before[i]; ok {
				s.moves(l)
			}
			if err := s.inst(i); err != nil {
				return fmt.Errorf("block %d: instruction %d: %w", b, i, err)
			}
		}
		if blk.SuccStart == blk.SuccEnd {
			return nil
		}
		e := blk.SuccStart + uint32(s.rng.IntN(int(blk.SuccEnd-blk.SuccStart)))
		if l, ok := s.onEdge[e]; ok {
			s.moves(l)
		}
		ed := &f.Edges[e]
		to := &f.Blocks[ed.To]
		var args []word
		for _, v := range f.EdgeArgs[ed.ArgStart:ed.ArgEnd] {
			args = append(args, s.want[v])
		}
		for k, p := range f.Params[to.ParamStart:to.ParamEnd] {
			s.want[p] = args[k]
		}
		b = ed.To
	}
	return nil
}

func (s *simulator) moves(l MoveList) {
	for _, m := range s.r.Moves[l.Start:l.End] {
		if m.Swap {
			s.regs[m.Src.N], s.regs[m.Dst.N] = s.regs[m.Dst.N], s.regs[m.Src.N]
			continue
		}
		if m.Src.Kind != LocReg && m.Dst.Kind != LocReg {
			s.dirty()
		}
		w := s.read(m.Src, m.Class)
		if m.Dst.Kind == LocSlot {
			s.frame[m.Dst.N/8] = w[0]
			if m.Class == ClassVec {
				s.frame[m.Dst.N/8+1] = w[1]
			}
		} else {
			s.regs[m.Dst.N] = w
		}
	}
}

func (s *simulator) dirty() {
	for _, r := range s.file.Scratch {
		s.regs[r] = s.random(ClassVec)
	}
}

func (s *simulator) read(l Loc, c Class) word {
	var w word
	switch l.Kind {
	case LocReg:
		w = s.regs[l.N]
	case LocSlot:
		w[0] = s.frame[l.N/8]
		if c == ClassVec {
			w[1] = s.frame[l.N/8+1]
		}
	case LocRemat:
		w = s.want[l.N]
	case LocIncoming:
		for v := range s.f.VRegs {
			if info := &s.f.VRegs[v]; info.Home == HomeIncoming && info.Slot == l.N {
				w = s.want[v]
			}
		}
	}
	if c != ClassVec {
		w[1] = 0
	}
	return w
}

// inst writes early definitions, reads uses, dirties clobbers and the scratch
// registers, reads late uses and writes the other definitions.
func (s *simulator) inst(i uint32) error {
	in := &s.f.Insts[i]
	var early RegSet
	s.define(in, DefEarly, &early)
	if err := s.compare(in, false); err != nil {
		return err
	}
	for r := range s.regs {
		if set := s.f.ClobberSets[in.Clobbers] &^ early; set>>r&1 != 0 {
			s.regs[r] = s.random(ClassVec)
		}
	}
	s.dirty()
	if err := s.compare(in, true); err != nil {
		return err
	}
	if in.Move {
		return s.copy(in)
	}
	s.define(in, Def, &early)
	return nil
}

func (s *simulator) define(in *Inst, kind OperandKind, set *RegSet) {
	for o := in.OpStart; o < in.OpEnd; o++ {
		if op := &s.f.Ops[o]; op.Kind == kind {
			w := s.random(s.f.VRegs[op.V].Class)
			s.want[op.V] = w
			s.regs[s.r.Locs[o].N] = w
			*set |= 1 << s.r.Locs[o].N
		}
	}
}

func (s *simulator) compare(in *Inst, late bool) error {
	for o := in.OpStart; o < in.OpEnd; o++ {
		if op := &s.f.Ops[o]; op.Kind == Use && !late || op.Kind == UseLate {
			if got := s.read(s.r.Locs[o], s.f.VRegs[op.V].Class); got != s.want[op.V] {
				return fmt.Errorf("operand %d: %v has %x, v%d is %x", o-in.OpStart, s.r.Locs[o], got, op.V, s.want[op.V])
			}
		}
	}
	return nil
}

func (s *simulator) copy(in *Inst) error {
	var from Loc
	var v VReg
	for o := in.OpStart; o < in.OpEnd; o++ {
		if op := &s.f.Ops[o]; op.Kind < Def {
			from, v = s.r.Locs[o], op.V
		}
	}
	for o := in.OpStart; o < in.OpEnd; o++ {
		if op := &s.f.Ops[o]; op.Kind >= Def {
			s.want[op.V] = s.want[v]
			s.regs[s.r.Locs[o].N] = s.read(from, s.f.VRegs[op.V].Class)
		}
	}
	return nil
}
