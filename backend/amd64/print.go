package amd64

import (
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

func templateName(t template) string {
	if t < backend.TMachine {
		return isel.TemplateNames[t]
	}
	return templateNames[t]
}

var templateNames = [templateEnd]string{
	tOffset: "offset",
	tSet:    "set", tSelect: "select", tSelectF: "select", tAddBit: "addbit", tAddWide: "addwide",
	tDiv: "div", tDivS: "divs", tRemS: "rems", tBitScan: "bitscan",
	tFloatMask: "mask", tMinMax: "minmax", tConvU64: "convu64",
	tTrunc: "trunc", tTruncU: "truncu", tTruncSat: "truncsat", tTruncSatU: "truncsatu",
	tRounds: "rounds",
}

// lowered gives the selected instructions as text.
func lowered(m *backend.Func) string { return isel.Text(m, &registers, printInst) }

func printInst(p *isel.Printer, in *backend.Inst, ops []regalloc.Operand) {
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
	p.Defs(rest)
	words := []string{}
	if name := templateName(t); name != "" {
		words = append(words, name)
	}
	if op := opOf(in); op != NoOp && t != tSwitch && t != tCheckAddr {
		words = append(words, fmt.Sprintf("%s.%d", op.mnemonic(in.Size), in.Size))
	}
	if t >= tSet && t <= tAddBit || t == tBranch {
		words = append(words, condName(Cond(in.Cond)))
	}
	words = append(words, p.Uses(rest)...)
	if f != formNone && f != formReg {
		mem := ops[len(rest):]
		if t == tCallTable {
			mem = ops[1 : 1+memory]
		}
		words = append(words, printForm(p, in, f, mem))
	}
	if f != formImm && f != formConst && in.Imm != 0 {
		words = append(words, fmt.Sprintf("%#x", in.Imm))
	}
	p.WriteString(strings.Join(words, " "))
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

func printForm(p *isel.Printer, in *backend.Inst, f form, ops []regalloc.Operand) string {
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
		s := p.VReg(ops[i].V)
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
