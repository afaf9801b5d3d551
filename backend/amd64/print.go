package amd64

import (
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

var templateNames = [templateEnd]string{
	tOffset: "offset",
	tSet:    "set", tSelect: "select", tSelectF: "select", tAddBit: "addbit", tAddWide: "addwide", tBranch: "branch",
	tDiv: "div", tDivS: "divs", tRemS: "rems", tBitScan: "bitscan",
	tFloatMask: "mask", tCopysign: "copysign", tMinMax: "minmax", tConvU64: "convu64",
	tTrunc: "trunc", tTruncU: "truncu", tTruncSat: "truncsat", tTruncSatU: "truncsatu", tBitcast: "bitcast",
	tVector: "vector", tRounds: "rounds", tCheckAddr: "checkaddr", tIndexMask: "indexmask", tMemCopy: "memcopy", tMemFill: "memfill", tCopyShort: "copyshort", tFillShort: "fillshort",
	tEntry: "entry", tCall: "call", tCallDesc: "calldesc", tCallTable: "calltable", tReturn: "return", tJump: "jump", tSwitch: "switch", tTrap: "trap", tPoison: "poison",
}

// lowered gives the selected instructions as text, for debugging and tests: definitions, what makes them,
// uses. Virtual registers are numbered in the order of their appearance.
func lowered(m *backend.Func) string {
	p := &printer{m: m, names: make(map[regalloc.VReg]int)}
	for i := range m.RA.Blocks {
		b := &m.RA.Blocks[i]
		fmt.Fprintf(p, "b%d%s:\n", i, p.list("(", m.RA.Params[b.ParamStart:b.ParamEnd], ")"))
		for at := b.Start; at < b.End; at++ {
			p.inst(&m.Insts[at], m.RA.Ops[m.RA.Insts[at].OpStart:m.RA.Insts[at].OpEnd])
		}
		for _, e := range m.RA.Edges[b.SuccStart:b.SuccEnd] {
			fmt.Fprintf(p, "\t-> b%d%s\n", e.To, p.list("(", m.RA.EdgeArgs[e.ArgStart:e.ArgEnd], ")"))
		}
	}
	return p.String()
}

type printer struct {
	strings.Builder
	m     *backend.Func
	names map[regalloc.VReg]int
}

func (p *printer) list(open string, vs []regalloc.VReg, end string) string {
	if len(vs) == 0 {
		return ""
	}
	var names []string
	for _, v := range vs {
		names = append(names, p.vreg(v))
	}
	return open + strings.Join(names, " ") + end
}

func (p *printer) vreg(v regalloc.VReg) string {
	if p.m.RA.VRegs[v].Home == regalloc.HomeRemat {
		return fmt.Sprintf("$%#x", uint64(p.m.Remat[v]))
	}
	n, ok := p.names[v]
	if !ok {
		n = len(p.names) + 1
		p.names[v] = n
	}
	return fmt.Sprintf("v%d", n)
}

func (p *printer) operand(o *regalloc.Operand) string {
	s := p.vreg(o.V)
	switch o.Con {
	case regalloc.Fixed:
		s += ":" + registers.Names[o.Reg]
	case regalloc.RegOrSlot:
		s += "?"
	case regalloc.Tied:
		s += "="
	}
	if o.Kind == regalloc.DefEarly || o.Kind == regalloc.UseLate {
		s += "!"
	}
	return s
}

func (p *printer) inst(in *backend.Inst, ops []regalloc.Operand) {
	t := template(in.Op)
	f := formOf(in)
	memory := 0 // registers of the memory operand, at the end
	switch f {
	case formGuest, formAddr, formBase, formIndex:
		memory = 1
	case formBaseIndex:
		memory = 2
	}
	rest := ops[:len(ops)-memory]
	if t == tCallTable {
		rest = append(append([]regalloc.Operand(nil), ops[:1]...), ops[1+memory:]...)
	}
	p.WriteByte('\t')
	defs := 0
	for i := range rest {
		if k := rest[i].Kind; k == regalloc.Def || k == regalloc.DefEarly {
			p.WriteString(p.operand(&rest[i]) + " ")
			defs++
		}
	}
	if defs > 0 {
		p.WriteString("= ")
	}
	words := []string{}
	if name := templateNames[t]; name != "" {
		words = append(words, name)
	}
	if op := opOf(in); op != NoOp && t != tSwitch && t != tCheckAddr {
		words = append(words, fmt.Sprintf("%s.%d", op.mnemonic(in.Size), in.Size))
	}
	if t >= tSet && t <= tAddBit || t == tBranch {
		words = append(words, condName(Cond(in.Cond)))
	}
	for i := range rest {
		if k := rest[i].Kind; k == regalloc.Use || k == regalloc.UseLate {
			words = append(words, p.operand(&rest[i]))
		}
	}
	if f != formNone && f != formReg {
		mem := ops[len(rest):]
		if t == tCallTable {
			mem = ops[1 : 1+memory]
		}
		words = append(words, p.form(in, f, mem))
	}
	if f != formImm && f != formConst && in.Imm != 0 {
		words = append(words, fmt.Sprintf("%#x", in.Imm))
	}
	p.WriteString(strings.Join(words, " ") + "\n")
}

func condName(c Cond) string {
	switch c {
	case condFEq:
		return "feq"
	case condFNe:
		return "fne"
	}
	return c.String()
}

func (p *printer) form(in *backend.Inst, f form, ops []regalloc.Operand) string {
	parts := []string{}
	switch f {
	case formImm:
		return fmt.Sprintf("%#x", in.Imm)
	case formConst:
		return fmt.Sprintf("const %#x", uint64(in.Imm))
	case formGuest, formGuestAbs:
		parts = append(parts, "memory")
	case formCtx:
		parts = append(parts, "ctx")
	case formOut:
		parts = append(parts, "out")
	case formIn:
		parts = append(parts, "in")
	}
	for i := range ops {
		s := p.vreg(ops[i].V)
		if i == len(ops)-1 && scaleOf(in) > 1 {
			s += fmt.Sprintf("*%d", scaleOf(in))
		}
		parts = append(parts, s)
	}
	if in.Disp != 0 {
		parts = append(parts, fmt.Sprintf("%#x", in.Disp))
	}
	return "[" + strings.Join(parts, "+") + "]"
}
