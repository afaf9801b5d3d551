package amd64

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/check"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// accessMachine is what the checker needs to know of the machine.
var accessMachine = check.Machine{
	Name:      "amd64",
	Conv:      &abi.AMD64,
	SP:        RSP,
	Context:   regCtx,
	MemBase:   regMemBase,
	Count:     RCX,
	Link:      check.NoReg,
	Relations: [16]check.Relation{CondB: check.Below, CondAE: check.AtLeast, CondBE: check.AtMost, CondA: check.Above, CondE: check.Equal, CondNE: check.NotEqual},
	NoCarry:   check.Cond(CondAE),
	Arguments: 8,
	Decode:    decodeAccess,
	Describe: func(k *check.Checker, i int32) string {
		return k.Decoded.([]accessInst)[i].Inst.String()
	},
	Step: func(s *check.Step) bool {
		return (&accessStep{Step: s, in: &s.Decoded.([]accessInst)[s.I]}).step()
	},
}

// checkAccess verifies what machine code reaches, see [check.Run].
func checkAccess(cfg *backend.Config, m *backend.Func, c *backend.Code) error {
	return check.Run(&accessMachine, cfg, m, c)
}

// accessInst is a decoded instruction.
type accessInst struct {
	x86asm.Inst
	off, end uint32
	relative bool // its memory operand is relative to the instruction pointer
	rule     *accessRule
}

// decodeAccess decodes all of the code from its start and finds the jump targets.
func decodeAccess(k *check.Checker) error {
	text := k.Code.Text[:k.Code.CodeSize]
	var insts []accessInst
	rules := accessRulesByName()
	for off := 0; off < len(text); {
		d, err := decode(text[off:])
		if err != nil {
			return fmt.Errorf("at %#x: % x: %v", off, text[off:min(off+8, len(text))], err)
		}
		k.Begin(uint32(off))
		in := accessInst{Inst: d, off: uint32(off), end: uint32(off + d.Len)}
		in.findRelative(text[off : off+d.Len])
		in.rule = rules[d.Op.String()]
		insts = append(insts, in)
		off += d.Len
	}
	k.Decoded = insts
	for i := range insts {
		in := &insts[i]
		if rel, ok := in.Args[0].(x86asm.Rel); ok {
			if _, ok := relocated(k, in); !ok {
				k.JumpsTo(int64(in.end) + int64(rel))
			}
		}
	}
	return nil
}

// decode is x86asm.Decode, which does not know ADCX and ADOX: it is shown a multiplication with the same operands, whose result and flags are as
// unknown to the checker.
func decode(code []byte) (x86asm.Inst, error) {
	var product [15]byte
	if len(code) < 5 || code[0] != 0x66 && code[0] != 0xF3 {
		return x86asm.Decode(code, 64)
	}
	n := copy(product[:], code[1:])
	at := 0
	if product[0]&0xF0 == 0x40 { // REX
		at = 1
	}
	if product[at] != 0x0F || product[at+1] != 0x38 || product[at+2] != 0xF6 {
		return x86asm.Decode(code, 64)
	}
	product[at+1] = 0xAF
	copy(product[at+2:], product[at+3:n])
	d, err := x86asm.Decode(product[:n-1], 64)
	d.Len += 2
	return d, err
}

// findRelative sets relative. The decoder leaves it open for VEX instructions: there the ModRM byte
// follows prefix and opcode.
func (in *accessInst) findRelative(code []byte) {
	for _, a := range in.Args {
		m, ok := a.(x86asm.Mem)
		if !ok {
			continue
		}
		in.relative = m.Base == x86asm.RIP
		for len(code) > 4 && (code[0] == 0x65 || code[0] == 0x67) {
			code = code[1:]
		}
		switch {
		case code[0] == 0xC5 && len(code) > 3:
			in.relative = code[3]&0xC7 == 5
		case code[0] == 0xC4 && len(code) > 4:
			in.relative = code[4]&0xC7 == 5
		}
	}
}

// relocated reports whether a call's or jump's distance is filled in later, and so
// says nothing yet, and to which function it will lead.
func relocated(k *check.Checker, in *accessInst) (f uint32, ok bool) {
	f, ok = k.Reloc(in.end - 4)
	return f, ok && in.Len == 5
}
