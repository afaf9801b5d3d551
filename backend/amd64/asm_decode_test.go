package amd64

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/arch/x86/x86asm"
)

// TestDecode assembles every instruction of the table in every shape and compares
// what a decoder says with what was asked for.
func TestDecode(t *testing.T) {
	total := 0
	for _, op := range allOps() {
		for _, shape := range shapes {
			bad := 0
			for _, in := range instances(op, shape) {
				code, _ := encodeOne(in)
				total++
				if diff := compareDecoded(in, code); diff != "" {
					if bad++; bad < 3 {
						t.Errorf("%v: % x: %s", in, code, diff)
					}
				}
			}
		}
	}
	if total < 20000 {
		t.Errorf("only %d instructions were accepted", total)
	}
	t.Logf("%d instructions", total)
}

// TestEveryForm makes sure that no form of any row is left untested because no
// method reaches it.
func TestEveryForm(t *testing.T) {
	for op := NoOp + 1; op < opCount; op++ {
		e := encodings[op]
		reached := map[string]bool{}
		for _, shape := range shapes {
			if len(instances(op, shape)) > 0 {
				reached[shape] = true
			}
		}
		want := map[string]bool{}
		need := func(c code, reg, mem string) {
			if c != 0 && c&memOnly == 0 && reg != "" {
				want[reg] = true
			}
			if c != 0 && c&regOnly == 0 && mem != "" {
				want[mem] = true
			}
		}
		if e.bare != 0 {
			want[""] = true
		}
		if e.vex&vexOnly == 0 {
			need(e.rm, "RR", "RM")
			need(e.mr, "RR", "MR")
			need(e.i, "RI", "MI")
			need(e.u, "R", "M")
			need(e.rmi, "RRI", "RMI")
			need(e.mri, "RRI", "MRI")
			if op == MOVF {
				want["RR"] = true
			}
		}
		switch e.vex &^ vexOnly {
		case vex2:
			need(e.rm, "VRR", "VRM")
			need(e.mr, "VRR", "VMR")
			need(e.rmi, "VRRI", "VRMI")
			need(e.mri, "VRRI", "VMRI")
			if op == MOVF {
				want["VRR"] = true
			}
		case vex3:
			need(e.rm, "VRRR", "VRRM")
			need(e.mr, "", "VMR")
			need(e.rmi, "VRRRI", "VRRMI")
			need(e.i, "VRRI", "")
		case vexSwap:
			need(e.rm, "VRRR", "VRMR")
		case vexDst:
			need(e.rm, "VRR", "VRM")
		case vexMask:
			need(e.rm, "VRRRR", "VRRMR")
		}
		if diff := cmp.Diff(want, reached); diff != "" {
			t.Errorf("%s: shapes (-want +got):\n%s", e.name, diff)
		}
	}
}

// TestAddresses tries all combinations of bases, indices, scales and
// displacements, in the legacy and in the VEX encoding.
func TestAddresses(t *testing.T) {
	bases := []Reg{RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NoReg}
	for _, base := range bases {
		for _, index := range bases {
			for _, scale := range []uint8{0, 1, 2, 4, 8} {
				for _, disp := range []int32{0, 1, -1, 127, 128, -128, -129, 0x7FFFFFFF, -0x80000000} {
					m := AtIndex(base, index, scale, disp)
					impossible := scale != 0 && (index == NoReg || index == RSP && !(base == NoReg && scale == 1))
					for _, in := range []inst{
						{MOV, 4, false, []any{R9, m}},
						{MOV, 1, false, []any{m, RSI}},
						{ADD, 8, false, []any{m, int64(-2)}},
						{ADDPS, 32, true, []any{X9, X1, m}},
						{PSHUFB, 16, true, []any{X9, X1, m}},
					} {
						code, ok := encodeOne(in)
						if ok == impossible {
							t.Errorf("%v: accepted %v, expected %v", in, ok, !impossible)
						}
						if !ok {
							continue
						}
						if diff := compareDecoded(in, code); diff != "" {
							t.Fatalf("%v: % x: %s", in, code, diff)
						}
					}
				}
			}
		}
	}
}

// encodeOne is the instruction's code, if there is one.
func encodeOne(in inst) ([]byte, bool) {
	var a Asm
	a.Reset()
	in.emit(&a)
	return a.Buf[:a.N], a.Err() == nil
}

// compareDecoded decodes code and says what is other than in in.
func compareDecoded(in inst, code []byte) string {
	got, err := decode(code)
	if err != nil {
		return err.Error()
	}
	if got.Len != len(code) {
		return fmt.Sprintf("decoded %d of %d bytes: %v", got.Len, len(code), got)
	}
	return cmp.Diff(expected(in), normal(got, in))
}

// plain is an instruction in words.
type plain struct {
	Name string
	Args []string
}

// decoderNames are instructions that the decoder calls otherwise.
var decoderNames = map[string]string{
	"MOVZX8": "MOVZX", "MOVZX16": "MOVZX", "MOVSX8": "MOVSX", "MOVSX16": "MOVSX",
	"REP MOVSB": "MOVSB", "REP MOVSQ": "MOVSQ", "REP STOSB": "STOSB", "REP STOSQ": "STOSQ",
	"INT3": "INT",
	"ADCX": "IMUL", "ADOX": "IMUL", // see decode
}

// expected is how the decoder should see in.
func expected(in inst) plain {
	if in.op == MOVF && !strings.Contains(in.shape(), "M") {
		in.op, in.size = MOVAPS, 16
	}
	name := strings.ToUpper(in.op.mnemonic(in.size))
	if in.op == PINSR || in.op == PEXTR || in.op == MOVD {
		name = strings.TrimSuffix(name, "D") + map[uint8]string{4: "D", 8: "Q"}[in.size]
	}
	if in.vex && in.op >= MOVF && name[0] != 'V' {
		name = "V" + name
	}
	if n, ok := decoderNames[name]; ok {
		name = n
	}
	p := plain{Name: name}
	for i, x := range in.args {
		switch x := x.(type) {
		case Reg:
			p.Args = append(p.Args, regText(in, i, x))
		case Mem:
			p.Args = append(p.Args, memText(x))
		case int64:
			p.Args = append(p.Args, immText(in, x))
		}
	}
	switch {
	case (in.op == TEST || in.op == XCHG) && (in.shape() == "RR" || in.shape() == "RM"): // the same either way
		p.Args[0], p.Args[1] = p.Args[1], p.Args[0]
	case row(in.op).imm == immShift && len(in.args) == 1:
		p.Args = append(p.Args, "CL")
	case in.op == PBLENDVB || in.op == BLENDVPS || in.op == BLENDVPD || in.op == SHA256RNDS2:
		p.Args = append(p.Args, "X0")
	}
	return p
}

// regWidth is the width of integer register operand i.
func regWidth(in inst, i int) uint8 {
	switch in.op & opMask {
	case MOVZX8, MOVSX8:
		if i == 1 {
			return 1
		}
	case MOVZX16, MOVSX16:
		if i == 1 {
			return 2
		}
	case MOVSXD:
		if i == 1 {
			return 4
		}
	case PINSRB, PINSRW, PEXTRB, PEXTRW, EXTRACTPS, MOVMSKPS, MOVMSKPD, PMOVMSKB:
		return 4
	case MOV:
		if imm, ok := in.args[1].(int64); ok && uint64(imm) <= 0xFFFFFFFF && in.size == 8 {
			return 4
		}
	}
	if e := row(in.op); e.size == szZX {
		return 4
	}
	return in.size
}

// halfVector lists the operands that are half as wide as the instruction.
var halfVector = map[Op][]int{
	PMOVSXBW: {1}, PMOVSXBD: {1}, PMOVSXBQ: {1}, PMOVSXWD: {1}, PMOVSXWQ: {1}, PMOVSXDQ: {1},
	PMOVZXBW: {1}, PMOVZXBD: {1}, PMOVZXBQ: {1}, PMOVZXWD: {1}, PMOVZXWQ: {1}, PMOVZXDQ: {1},
	VBROADCASTSS: {1}, VBROADCASTSD: {1}, VPBROADCASTB: {1}, VPBROADCASTW: {1}, VPBROADCASTD: {1}, VPBROADCASTQ: {1},
	VINSERTF128: {2}, VINSERTI128: {2}, VEXTRACTF128: {0}, VEXTRACTI128: {0},
	CVTDQ2PD: {1}, CVTPS2PD: {1}, CVTPD2DQ: {0}, CVTTPD2DQ: {0}, CVTPD2PS: {0},
	PSLLW: {2}, PSLLD: {2}, PSLLQ: {2}, PSRLW: {2}, PSRLD: {2}, PSRLQ: {2}, PSRAW: {2}, PSRAD: {2},
}

// isHalf reports whether operand i of a 32-byte instruction is a 16-byte register.
func isHalf(in inst, i int) bool {
	for _, h := range halfVector[in.op] {
		if h == i {
			return true
		}
	}
	return false
}

func regText(in inst, i int, r Reg) string {
	switch {
	case r >= X0 && in.size == 32 && !isHalf(in, i):
		return fmt.Sprint("Y", r-X0)
	case r >= X0:
		return fmt.Sprint("X", r-X0)
	}
	first := map[uint8]x86asm.Reg{2: x86asm.AX, 4: x86asm.EAX, 8: x86asm.RAX}[regWidth(in, i)]
	if regWidth(in, i) == 1 {
		if first = x86asm.AL; r >= RSP {
			return (x86asm.SPB + x86asm.Reg(r-RSP)).String()
		}
	}
	return (first + x86asm.Reg(r)).String()
}

func memText(m Mem) string {
	base, index, scale := "", "", m.Scale
	if m.Base != NoReg {
		base = (x86asm.RAX + x86asm.Reg(m.Base)).String()
	}
	if scale != 0 {
		index = (x86asm.RAX + x86asm.Reg(m.Index)).String()
	}
	if base == "" && scale == 1 {
		base, index, scale = index, "", 0
	}
	return fmt.Sprintf("[%s + %s*%d + %#x]", base, index, scale, m.Disp)
}

// immText is an immediate cut to the width at which it counts.
func immText(in inst, v int64) string {
	if e := row(in.op); e.imm == imm8 || e.imm == immShift {
		return fmt.Sprint(uint8(v))
	}
	width := in.size
	if _, ok := in.args[0].(Reg); ok {
		width = regWidth(in, 0)
	}
	unused := 64 - 8*min(8, int(width))
	return fmt.Sprintf("%#x", uint64(v)<<unused>>unused)
}

// normal is what the decoder says, in the same words.
func normal(d x86asm.Inst, in inst) plain {
	p := plain{Name: strings.TrimSuffix(d.Op.String(), "_XMM")}
	if row(in.op).bare != 0 {
		return p // its operands are understood
	}
	for _, x := range d.Args {
		switch x := x.(type) {
		case x86asm.Reg:
			p.Args = append(p.Args, x.String())
		case x86asm.Mem:
			base, index, scale := "", "", uint8(0)
			if x.Base != 0 {
				base = x.Base.String()
			}
			if x.Index != 0 {
				index, scale = x.Index.String(), x.Scale
			}
			p.Args = append(p.Args, fmt.Sprintf("[%s + %s*%d + %#x]", base, index, scale, int32(x.Disp)))
		case x86asm.Imm:
			p.Args = append(p.Args, immText(in, int64(x)))
		}
	}
	return p
}
