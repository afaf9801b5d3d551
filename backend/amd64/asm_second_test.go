package amd64

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	golangasm "github.com/twitchyliquid64/golang-asm"
	"github.com/twitchyliquid64/golang-asm/obj"
	"github.com/twitchyliquid64/golang-asm/obj/x86"
	"golang.org/x/arch/x86/x86asm"
)

// TestSecondEncoder compares the bytes of all instructions with those of the Go
// assembler. Where it chooses another encoding, both must decode alike.
func TestSecondEncoder(t *testing.T) {
	var unknown []string
	total, otherwise := 0, 0
	for _, op := range allOps() {
		var list []inst
		for _, shape := range shapes {
			list = append(list, instances(op, shape)...)
		}
		results := goAssemble(t, list)
		expressed := 0
		for i, want := range results {
			if want == nil {
				continue
			}
			expressed++
			got, _ := encodeOne(list[i])
			if bytes.Equal(got, want) {
				continue
			}
			otherwise++
			a, errA := x86asm.Decode(got, 64)
			b, errB := x86asm.Decode(want, 64)
			if op == XCHG && (a.Args[0] == x86asm.Reg(x86asm.RAX) || b.Op == x86asm.NOP) {
				continue // has a form without a ModRM byte, which is a NOP for rax itself
			}
			if errA != nil || errB != nil || decoded(a) != decoded(b) || len(got) > len(want) {
				t.Errorf("%v: % x %v, expected % x %v", list[i], got, a, want, b)
			}
		}
		total += expressed
		if expressed == 0 {
			unknown = append(unknown, op.mnemonic(4))
		}
	}
	t.Logf("%d instructions, %d of them encoded otherwise", total, otherwise)
	// The decoder test is all there is for these.
	want := []string{"call", "jmp", "rep movsb", "rep movsq", "rep stosb", "rep stosq", "int3", "nop", "ret", "sha256rnds2"}
	if diff := cmp.Diff(want, unknown); diff != "" {
		t.Errorf("not known to the second encoder (-want +got):\n%s", diff)
	}
}

// decoded is an instruction in words. Encodings of different length give the
// immediate in different width.
func decoded(d x86asm.Inst) string {
	s := d.Op.String()
	if d.Op == x86asm.TEST || d.Op == x86asm.XCHG { // the same either way
		if r, ok := d.Args[1].(x86asm.Reg); ok {
			if q, ok := d.Args[0].(x86asm.Reg); ok && q > r {
				d.Args[0], d.Args[1] = r, q
			}
		}
	}
	for _, a := range d.Args {
		if m, ok := a.(x86asm.Mem); ok {
			if m.Index == 0 {
				m.Scale = 0
			}
			m.Disp = int64(int32(m.Disp))
			a = m
		}
		s += fmt.Sprint(" ", a)
	}
	return s
}

// goNames are instructions that the Go assembler calls otherwise; %s is the letter
// of the operand size, B, W, L or Q.
var goNames = map[string]string{
	"MOVZX8": "MOVB%sZX", "MOVZX16": "MOVW%sZX", "MOVSX8": "MOVB%sSX", "MOVSX16": "MOVW%sSX", "MOVSXD": "MOVLQSX",
	"MOVD": "MOV%s", "PINSR": "PINSR%s", "PEXTR": "PEXTR%s",
	"CVTSI2SS": "CVTS%s2SS", "CVTSI2SD": "CVTS%s2SD",
	"CVTTSS2SI": "CVTTSS2S%s", "CVTTSD2SI": "CVTTSD2S%s", "CVTSS2SI": "CVTSS2S%s", "CVTSD2SI": "CVTSD2S%s",
	"MOVDQA": "MOVO", "MOVDQU": "MOVOU", "PADDD": "PADDL", "PSUBD": "PSUBL", "PMULUDQ": "PMULULQ", "PMADDWD": "PMADDWL",
	"PUNPCKLWD": "PUNPCKLWL", "PUNPCKLDQ": "PUNPCKLLQ", "PUNPCKHWD": "PUNPCKHWL", "PUNPCKHDQ": "PUNPCKHLQ",
	"PACKSSDW": "PACKSSLW", "PCMPEQD": "PCMPEQL", "PCMPGTD": "PCMPGTL",
	"PSLLD": "PSLLL", "PSRLD": "PSRLL", "PSRAD": "PSRAL", "PSLLDQ": "PSLLO", "PSRLDQ": "PSRLO",
	"CVTDQ2PS": "CVTPL2PS", "CVTPS2DQ": "CVTPS2PL", "CVTTPS2DQ": "CVTTPS2PL", "CVTDQ2PD": "CVTPL2PD", "CVTPD2DQ": "CVTPD2PL", "CVTTPD2DQ": "CVTTPD2PL",
	"SETO": "SETOS", "SETNO": "SETOC", "SETB": "SETCS", "SETAE": "SETCC", "SETE": "SETEQ", "SETBE": "SETLS", "SETA": "SETHI",
	"SETS": "SETMI", "SETNS": "SETPL", "SETP": "SETPS", "SETNP": "SETPC", "SETL": "SETLT", "SETG": "SETGT",
	"CMOVO": "CMOV%sOS", "CMOVNO": "CMOV%sOC", "CMOVB": "CMOV%sCS", "CMOVAE": "CMOV%sCC", "CMOVE": "CMOV%sEQ", "CMOVNE": "CMOV%sNE",
	"CMOVBE": "CMOV%sLS", "CMOVA": "CMOV%sHI", "CMOVS": "CMOV%sMI", "CMOVNS": "CMOV%sPL", "CMOVP": "CMOV%sPS", "CMOVNP": "CMOV%sPC",
	"CMOVL": "CMOV%sLT", "CMOVGE": "CMOV%sGE", "CMOVLE": "CMOV%sLE", "CMOVG": "CMOV%sGT",
	"VMOVD": "VMOV%s", "VPINSR": "VPINSR%s", "VPEXTR": "VPEXTR%s",
	"VCVTSI2SS": "VCVTSI2SS%s", "VCVTSI2SD": "VCVTSI2SD%s",
	"VCVTTSS2SI": "VCVTTSS2SI%s", "VCVTTSD2SI": "VCVTTSD2SI%s", "VCVTSS2SI": "VCVTSS2SI%s", "VCVTSD2SI": "VCVTSD2SI%s",
	"VCVTPD2PS": "VCVTPD2PS%s", "VCVTPD2DQ": "VCVTPD2DQ%s", "VCVTTPD2DQ": "VCVTTPD2DQ%s",
}

var goOps = func() map[string]obj.As {
	m := map[string]obj.As{}
	for i, name := range x86.Anames {
		as := obj.As(i)
		if i >= int(obj.A_ARCHSPECIFIC) {
			as += obj.ABaseAMD64
		}
		m[name] = as
	}
	return m
}()

// goOp is in's instruction in the Go assembler.
func goOp(in inst) (obj.As, bool) {
	name := strings.ToUpper(in.op.mnemonic(in.size))
	if in.vex && in.op >= MOVF && name[0] != 'V' {
		name = "V" + name
	}
	letter := map[uint8]string{1: "B", 2: "W", 4: "L", 8: "Q"}[in.size]
	if strings.HasPrefix(name, "VCVT") && strings.HasPrefix(name[strings.Index(name, "PD")+1:], "D2") {
		letter = map[uint8]string{16: "X", 32: "Y"}[in.size]
	}
	switch {
	case name == "VMOVD", in.op == PINSR, in.op == PEXTR:
		letter = map[uint8]string{4: "D", 8: "Q"}[in.size]
	case in.op == MOVF && !strings.Contains(in.shape(), "M"):
		name = strings.Replace(name[:len(name)-1], "MOVS", "MOVAP", 1) + "S"
	case in.op == IMUL && len(in.args) == 3:
		name = "IMUL3" + letter
	}
	if row(in.op).bare != 0 && (in.op == INT3 || strings.HasPrefix(name, "REP")) {
		return 0, false // two instructions, and a trap of another kind
	}
	if n, ok := goNames[name]; ok {
		if strings.Contains(n, "%s") {
			n = fmt.Sprintf(n, letter)
		}
		as, ok := goOps[n]
		return as, ok
	}
	if as, ok := goOps[name+letter]; ok && in.op < MOVF {
		return as, true
	}
	as, ok := goOps[name]
	return as, ok
}

// goAssemble assembles the instructions with the Go assembler; nil stands for those
// that it cannot express.
func goAssemble(t *testing.T, list []inst) [][]byte {
	b, err := golangasm.NewBuilder("amd64", 2*len(list)+16)
	if err != nil {
		t.Fatal(err)
	}
	progs := make([]*obj.Prog, len(list))
	failed := map[*obj.Prog]bool{}
	end := b.NewProg()
	var all []*obj.Prog
	for i, in := range list {
		if len(in.args) > 0 && in.op < MOVF {
			if _, ok := in.args[0].(Reg); ok {
				in.size = regWidth(in, 0) // 32 bits if the upper half is zero anyway
			}
		}
		as, ok := goOp(in)
		if !ok {
			continue
		}
		p := b.NewProg()
		p.As = as
		p.Ctxt.DiagFunc = func(_ string, args ...any) {
			for _, x := range args {
				if p, ok := x.(*obj.Prog); ok {
					failed[p] = true
				}
			}
		}
		goOperands(p, in)
		progs[i] = p
		all = append(all, p)
		b.AddInstruction(p)
	}
	if len(all) == 0 {
		return make([][]byte, len(list))
	}
	end.As = obj.ANOP
	b.AddInstruction(end)
	text := b.Assemble()
	results := make([][]byte, len(list))
	for i, p := range progs {
		if p == nil || failed[p] {
			continue
		}
		next := int(p.Link.Pc)
		if code := text[p.Pc:min(next, len(text))]; len(code) > 0 {
			results[i] = code
		}
	}
	return results
}

// goOperands puts the operands of in into p: in reverse order but for compares.
func goOperands(p *obj.Prog, in inst) {
	var addrs []obj.Addr
	for i, x := range in.args {
		addrs = append(addrs, goAddr(in, i, x))
	}
	if in.op == XCHG && in.shape() == "RM" || in.op == TEST && in.shape() == "RM" {
		addrs[0], addrs[1] = addrs[1], addrs[0]
	}
	if row(in.op).imm == immShift && len(addrs) == 1 {
		addrs = append(addrs, obj.Addr{Type: obj.TYPE_REG, Reg: x86.REG_CL})
	}
	slices.Reverse(addrs)
	switch {
	case in.op == CMP: // in Intel's order
		slices.Reverse(addrs)
	case (in.op == CMPPS || in.op == CMPPD || in.op == CMPF) && !in.vex: // the immediate last
		addrs = append(addrs[1:], addrs[0])
	case in.op == PBLENDVB || in.op == BLENDVPS || in.op == BLENDVPD:
		addrs = append([]obj.Addr{{Type: obj.TYPE_REG, Reg: x86.REG_X0}}, addrs...)
	}
	switch n := len(addrs); n {
	case 0:
	case 1:
		switch in.op {
		case MUL, IMUL1, DIV, IDIV, PUSH:
			p.From = addrs[0]
		default:
			p.To = addrs[0]
		}
	default:
		p.From, p.To = addrs[0], addrs[n-1]
		if n > 2 {
			p.RestArgs = addrs[1 : n-1]
		}
	}
}

func goAddr(in inst, i int, x any) obj.Addr {
	switch x := x.(type) {
	case Reg:
		switch {
		case x >= X0 && in.size == 32 && !isHalf(in, i):
			return obj.Addr{Type: obj.TYPE_REG, Reg: x86.REG_Y0 + int16(x-X0)}
		case x >= X0:
			return obj.Addr{Type: obj.TYPE_REG, Reg: x86.REG_X0 + int16(x-X0)}
		case regWidth(in, i) == 1 && x < RSP:
			return obj.Addr{Type: obj.TYPE_REG, Reg: x86.REG_AL + int16(x)}
		case regWidth(in, i) == 1 && x < R8:
			return obj.Addr{Type: obj.TYPE_REG, Reg: x86.REG_SPB + int16(x-RSP)}
		case regWidth(in, i) == 1:
			return obj.Addr{Type: obj.TYPE_REG, Reg: x86.REG_R8B + int16(x-R8)}
		}
		return obj.Addr{Type: obj.TYPE_REG, Reg: x86.REG_AX + int16(x)}
	case Mem:
		m := obj.Addr{Type: obj.TYPE_MEM, Offset: int64(x.Disp)}
		if x.Base != NoReg {
			m.Reg = x86.REG_AX + int16(x.Base)
		}
		if x.Scale != 0 {
			m.Index, m.Scale = x86.REG_AX+int16(x.Index), int16(x.Scale)
		}
		return m
	}
	v := x.(int64)
	if row(in.op).imm == imm8 && v < 0 {
		v = int64(uint8(v))
	}
	return obj.Addr{Type: obj.TYPE_CONST, Offset: v}
}
