package arm64

import (
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/isel"
	"github.com/wasmaot/wasmaot/backend/regalloc"
)

// lowered gives the selected instructions as text.
func lowered(m *backend.Func) string { return isel.Text(m, &registers, printInst) }

var templateNames = [templateEnd]string{
	tMove32: "move32", tCopy: "copy", tField: "field", tInsert: "insert", tExtract: "extract", tPopcnt: "popcnt", tAddr: "address",
	tSet: "set", tSelect: "select", tConv: "convert", tTrunc: "trunc", tTruncSat: "truncsat",
	tDiv: "div", tRem: "rem",
}

// operations says which templates have an operation of the assembler's, and which one of its loads and stores.
var operations = [templateEnd]struct{ plain, memory, compare bool }{
	tOne: {plain: true}, tTwo: {plain: true}, tThree: {plain: true}, tLoad: {memory: true}, tStore: {memory: true},
	tSet: {compare: true}, tSelect: {compare: true}, tBranch: {compare: true},
}

func compareName(op Op) string {
	switch op {
	case SUBS:
		return "cmp"
	case ANDS:
		return "tst"
	case cmpFloat:
		return "fcmp"
	case cmpFloatZero:
		return "fcmp0"
	case cmpZero:
		return "cmp0"
	case cmpBit:
		return "bit"
	}
	return ""
}

func printInst(p *isel.Printer, in *backend.Inst, ops []regalloc.Operand) {
	t, f := template(in.Op), formOf(in)
	if t < backend.TMachine && t != tBranch && t != tCallTable {
		f = formNone
	}
	last := 0 // registers of the form, at the end
	switch f {
	case formReg, formShift, formExt, formGuest, formAddr, formBase:
		last = 1
	case formBaseIndex:
		last = 2
	}
	rest := ops[:len(ops)-last]
	if t == tCallTable {
		rest, last = ops, 0
	}
	p.Defs(rest)
	var words []string
	if t < backend.TMachine {
		words = append(words, isel.TemplateNames[t])
	} else if name := templateNames[t]; name != "" {
		words = append(words, name)
	}
	o := operations[t]
	switch {
	case o.plain:
		words = append(words, fmt.Sprintf("%s.%d", row(opOf(in)).name, in.Size))
	case o.memory:
		words = append(words, fmt.Sprintf("%s.%d", memNames[opOf(in)], in.Size))
	case o.compare:
		words = append(words, Cond(in.Cond).String(), fmt.Sprintf("%s.%d", compareName(opOf(in)), in.Size))
	}
	words = append(words, p.Uses(rest)...)
	if f != formNone && t != tCallTable {
		words = append(words, printForm(p, in, f, ops[len(rest):]))
	} else if in.Imm != 0 {
		words = append(words, fmt.Sprintf("%#x", in.Imm))
	}
	first := "inc" // auxInc and auxProbe are one bit
	if t == tStore {
		first = "probed"
	}
	for _, a := range [...]struct {
		bit  uint32
		name string
	}{{auxInc, first}, {auxInv, "inv"}, {auxNeg, "neg"}, {auxZeroA, "0 first"}, {auxZeroB, "0 last"}, {auxWide, "wide"}} {
		if (o.plain || o.memory || o.compare) && in.Aux&a.bit != 0 {
			words = append(words, a.name)
		}
	}
	p.WriteString(strings.Join(words, " "))
}

var extensionNames = [...]string{"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"}

func printForm(p *isel.Printer, in *backend.Inst, f form, ops []regalloc.Operand) string {
	var parts []string
	switch f {
	case formReg:
		return p.Operand(&ops[0])
	case formImm:
		return fmt.Sprintf("%#x", in.Imm)
	case formShift:
		return fmt.Sprintf("%s %s %d", p.Operand(&ops[0]), [...]string{"lsl", "lsr", "asr", "ror"}[extOf(in)], in.Disp)
	case formExt:
		return fmt.Sprintf("%s %s %d", p.Operand(&ops[0]), extensionNames[extOf(in)], in.Disp)
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
		if i == len(ops)-1 && (f == formGuest || f == formBaseIndex) {
			s += " " + extensionNames[extOf(in)]
		}
		parts = append(parts, s)
	}
	if in.Disp != 0 {
		parts = append(parts, fmt.Sprintf("%#x", uint32(in.Disp)))
	}
	return "[" + strings.Join(parts, "+") + "]"
}
