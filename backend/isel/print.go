package isel

import (
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// Printer gives selected instructions as text, for debugging and tests: definitions, what makes them, uses. Virtual registers
// are numbered in the order of their appearance.
type Printer struct {
	strings.Builder
	M     *backend.Func
	Regs  *regalloc.File
	names map[regalloc.VReg]int
}

// Text is the text of a function. inst gives that of an instruction, a line.
func Text(m *backend.Func, regs *regalloc.File, inst func(p *Printer, in *backend.Inst, ops []regalloc.Operand)) string {
	p := &Printer{M: m, Regs: regs, names: make(map[regalloc.VReg]int)}
	for i := range m.RA.Blocks {
		b := &m.RA.Blocks[i]
		fmt.Fprintf(p, "b%d%s:\n", i, p.list("(", m.RA.Params[b.ParamStart:b.ParamEnd], ")"))
		for at := b.Start; at < b.End; at++ {
			p.WriteByte('\t')
			inst(p, &m.Insts[at], m.RA.Ops[m.RA.Insts[at].OpStart:m.RA.Insts[at].OpEnd])
			p.WriteByte('\n')
		}
		for _, e := range m.RA.Edges[b.SuccStart:b.SuccEnd] {
			fmt.Fprintf(p, "\t-> b%d%s\n", e.To, p.list("(", m.RA.EdgeArgs[e.ArgStart:e.ArgEnd], ")"))
		}
	}
	return p.String()
}

func (p *Printer) list(open string, vs []regalloc.VReg, end string) string {
	if len(vs) == 0 {
		return ""
	}
	var names []string
	for _, v := range vs {
		names = append(names, p.VReg(v))
	}
	return open + strings.Join(names, " ") + end
}

// VReg is the name of a virtual register.
func (p *Printer) VReg(v regalloc.VReg) string {
	if p.M.RA.VRegs[v].Home == regalloc.HomeRemat {
		return fmt.Sprintf("$%#x", uint64(p.M.Remat[v]))
	}
	n, ok := p.names[v]
	if !ok {
		n = len(p.names) + 1
		p.names[v] = n
	}
	return fmt.Sprintf("v%d", n)
}

// Operand is an operand with its constraint.
func (p *Printer) Operand(o *regalloc.Operand) string {
	s := p.VReg(o.V)
	switch o.Con {
	case regalloc.Fixed:
		s += ":" + p.Regs.Names[o.Reg]
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

// Defs writes the definitions among operands, if any, and an equals sign.
func (p *Printer) Defs(ops []regalloc.Operand) {
	defs := 0
	for i := range ops {
		if k := ops[i].Kind; k == regalloc.Def || k == regalloc.DefEarly {
			p.WriteString(p.Operand(&ops[i]) + " ")
			defs++
		}
	}
	if defs > 0 {
		p.WriteString("= ")
	}
}

// Uses lists the others.
func (p *Printer) Uses(ops []regalloc.Operand) (words []string) {
	for i := range ops {
		if k := ops[i].Kind; k == regalloc.Use || k == regalloc.UseLate {
			words = append(words, p.Operand(&ops[i]))
		}
	}
	return words
}

// TemplateNames are those of the templates that all instruction sets have.
var TemplateNames = [backend.TMachine]string{
	backend.TBranch: "branch", backend.TEntry: "entry", backend.TCall: "call", backend.TCallOwn: "callown", backend.TCallDesc: "calldesc", backend.TCallTable: "calltable",
	backend.TReturn: "return", backend.TJump: "jump", backend.TSwitch: "switch", backend.TTrap: "trap", backend.TPoison: "poison", backend.TPinned: "pinned", backend.TPin: "pin",
	backend.TCheckAddr: "checkaddr", backend.TMemCopy: "memcopy", backend.TMemFill: "memfill", backend.TCopyShort: "copyshort", backend.TFillShort: "fillshort",
	backend.TIndexMask: "indexmask", backend.TCopysign: "copysign", backend.TBitcast: "bitcast", backend.TVector: "vector",
}
