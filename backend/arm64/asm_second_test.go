package arm64

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	golangasm "github.com/twitchyliquid64/golang-asm"
	"github.com/twitchyliquid64/golang-asm/obj"
	goarm64 "github.com/twitchyliquid64/golang-asm/obj/arm64"
)

// A goInst is an instruction for both assemblers.
type goInst struct {
	inst
	as    string // the Go assembler's name
	build func(p *obj.Prog)
}

// goReg is a register of the Go assembler for an operand of the given size or arrangement.
func goReg(r Reg, size uint8) int16 {
	arrangements := [...]int16{
		A8B - A8B: goarm64.ARNG_8B, A16B - A8B: goarm64.ARNG_16B, A4H - A8B: goarm64.ARNG_4H, A8H - A8B: goarm64.ARNG_8H,
		A2S - A8B: goarm64.ARNG_2S, A4S - A8B: goarm64.ARNG_4S, A1D - A8B: goarm64.ARNG_1D, A2D - A8B: goarm64.ARNG_2D,
	}
	switch {
	case r == ZR:
		return goarm64.REGZERO
	case r == SP:
		return goarm64.REGSP
	case r < V0:
		return goarm64.REG_R0 + int16(r)
	case size >= A8B:
		return goarm64.REG_ARNG + int16(r-V0) + arrangements[size-A8B]<<5
	}
	return goarm64.REG_F0 + int16(r-V0)
}

func regAddr(r Reg, size uint8) obj.Addr { return obj.Addr{Type: obj.TYPE_REG, Reg: goReg(r, size)} }

func constAddr(v int64) obj.Addr { return obj.Addr{Type: obj.TYPE_CONST, Offset: v} }

// goName is op's name: 32-bit operations of integers end in W, floats in S and D, vector operations begin with V.
func goName(op Op, size uint8) string {
	name := strings.ToUpper(encodings[op].name)
	switch e := &encodings[op]; {
	case op >= VAND:
		return "V" + name
	case e.size == szF:
		return name + map[uint8]string{4: "S", 8: "D"}[size]
	case (e.size == szW || e.size == szRev || e.size == szBits) && size == 4 || e.size == szZX:
		return name + "W"
	}
	return name
}

// goTable makes instructions of each row of the table that the Go assembler has in the same form.
func goTable(rng *rand.Rand, n int) (list []goInst) {
	m := &maker{Rand: rng}
	add := func(name string, build func(p *obj.Prog), emit func(a *Asm)) {
		m.add(emit, "%s", name)
		list = append(list, goInst{m.list[len(m.list)-1], name, build})
	}
	for op := NoOp + 1; op < opCount; op++ {
		e := &encodings[op]
		for _, size := range m.sizes(e) {
			_, sd, sn, sm := operandSizes(op, size)
			for range n {
				c := e.rr | e.rrr | e.rrrr | e.i
				d, a, b := m.reg(c&dVec != 0, false), m.reg(c&nVec != 0, false), m.reg(c&mVec != 0, false)
				x := m.reg(c&aVec != 0, false)
				name := goName(op, size)
				three := func(p *obj.Prog) {
					p.From, p.Reg, p.To = regAddr(b, sm), goReg(a, sn), regAddr(d, sd)
				}
				if e.rrr != 0 && e.rr == 0 {
					add(name, three, func(s *Asm) { s.RRR(op, size, d, a, b) })
				}
				if e.rr != 0 && e.rrr == 0 {
					add(name, func(p *obj.Prog) { p.From, p.To = regAddr(a, sn), regAddr(d, sd) }, func(s *Asm) { s.RR(op, size, d, a) })
				}
				if e.rrrr != 0 {
					add(name, func(p *obj.Prog) {
						p.From, p.Reg, p.To = regAddr(b, sm), goReg(x, sd), regAddr(d, sd)
						p.SetFrom3(regAddr(a, sn))
					}, func(s *Asm) { s.RRRR(op, size, d, a, b, x) })
				}
				if e.i != 0 {
					imm := m.immediate(e, size)
					shown := imm
					if e.imm == immLogic && size == 4 {
						shown = int64(uint64(uint32(imm)) * (1<<32 + 1)) // as it wants it
					}
					if e.imm == immAdd && imm < 0 {
						continue // another instruction
					}
					add(name, func(p *obj.Prog) { p.From, p.Reg, p.To = constAddr(shown), goReg(a, sn), regAddr(d, sd) }, func(s *Asm) { s.RRI(op, size, d, a, imm) })
				}
			}
		}
	}
	return list
}

// goLoads makes loads and stores.
func goLoads(rng *rand.Rand, n int) (list []goInst) {
	m := &maker{Rand: rng}
	for range n {
		for _, x := range []struct {
			name string
			op   MemOp
			size uint8
			vec  bool
		}{
			{"MOVBU", LDR, 1, false}, {"MOVHU", LDR, 2, false}, {"MOVWU", LDR, 4, false}, {"MOVD", LDR, 8, false},
			{"MOVB", LDRSB, 8, false}, {"MOVH", LDRSH, 8, false}, {"MOVW", LDRSW, 8, false},
			{"MOVB", STR, 1, false}, {"MOVH", STR, 2, false}, {"MOVW", STR, 4, false}, {"MOVD", STR, 8, false},
			{"FMOVS", LDR, 4, true}, {"FMOVD", LDR, 8, true}, {"FMOVS", STR, 4, true}, {"FMOVD", STR, 8, true},
		} {
			t, base := m.reg(x.vec, false), m.reg(false, false)
			disp := int32(m.IntN(512) - 256)
			if bytes := x.op.find(x.size, t).bytes; m.IntN(2) == 0 {
				disp = int32(m.IntN(1<<12)) * int32(bytes)
			}
			emit := func(s *Asm) { s.Mem(x.op, x.size, t, At(base, disp)) }
			m.add(emit, "%s %d", x.name, disp)
			list = append(list, goInst{m.list[len(m.list)-1], x.name, func(p *obj.Prog) {
				at := obj.Addr{Type: obj.TYPE_MEM, Reg: goReg(base, 8), Offset: int64(disp)}
				if p.From, p.To = at, regAddr(t, x.size); x.op == STR {
					p.From, p.To = p.To, p.From
				}
			}})
		}
	}
	return list
}

var goOps = func() map[string]obj.As {
	m := map[string]obj.As{}
	for i, name := range goarm64.Anames {
		if i >= int(obj.A_ARCHSPECIFIC) {
			m[name] = obj.As(i) + obj.ABaseARM64
		}
	}
	return m
}()

// goAssemble is in's code by the Go assembler, nil if it does not know it.
func goAssemble(t *testing.T, in *goInst) []byte {
	as, ok := goOps[in.as]
	if !ok {
		return nil
	}
	b, err := golangasm.NewBuilder("arm64", 8)
	if err != nil {
		t.Fatal(err)
	}
	start, p, end := b.NewProg(), b.NewProg(), b.NewProg()
	failed := false
	p.Ctxt.DiagFunc = func(string, ...any) { failed = true }
	p.As = as
	in.build(p)
	start.As = obj.ATEXT
	b.AddInstruction(start)
	b.AddInstruction(p)
	end.As = obj.ANOP
	b.AddInstruction(end)
	code := b.Assemble()
	if failed || len(code) < instSize {
		return nil
	}
	return code[:instSize]
}

// TestSecondEncoder compares the code of instructions with that of the Go assembler, as far as it knows them.
func TestSecondEncoder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	list := append(goTable(rng, 3), goLoads(rng, 20)...)
	total, bad := 0, 0
	names := map[string]bool{}
	for i := range list {
		in := &list[i]
		want := goAssemble(t, in)
		if want == nil {
			continue
		}
		total++
		names[in.as] = true
		if got, ok := encodeOne(in.emit); !ok || !bytes.Equal(got, want) {
			t.Errorf("%s: % x, expected % x", in.text, got, want)
			if bad++; bad == 20 {
				t.FailNow()
			}
		}
	}
	if len(names) < 130 {
		t.Errorf("only %d operations were compared", len(names))
	}
	t.Logf("%d instructions, %d operations", total, len(names))
}
