package arm64

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/check"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

var accessMachine lazy.Value[check.Machine]

// makeAccessMachine gives what the checker needs to know of the machine.
func makeAccessMachine() check.Machine {
	return check.Machine{
		Name:      "arm64",
		Conv:      &abi.ARM64,
		SP:        SP,
		Context:   regCtx,
		MemBase:   regMemBase,
		Count:     bulkCount,
		Link:      regLink,
		Relations: [16]check.Relation{CondLO: check.Below, CondHS: check.AtLeast, CondLS: check.AtMost, CondHI: check.Above, CondEQ: check.Equal, CondNE: check.NotEqual},
		NoCarry:   check.Cond(CondLO),
		Top:       -linkSize,
		Decode:    decodeAccess,
		Describe: func(k *check.Checker, i int32) string {
			in := &k.Decoded.([]accessInst)[i]
			if in.rule == nil {
				return fmt.Sprintf("%08x", in.word)
			}
			return fmt.Sprintf("%s %08x", in.rule.name, in.word)
		},
		Step: func(s *check.Step) bool {
			return (&accessStep{Step: s, accessInst: &s.Decoded.([]accessInst)[s.I]}).step()
		},
	}
}

// checkAccess verifies what machine code reaches, see [check.Run], and that it leaves alone the registers that belong to the host
// or to who interrupts it.
func checkAccess(cfg *backend.Config, m *backend.Func, c *backend.Code) error {
	machine := accessMachine.Get(makeAccessMachine)
	return check.Run(&machine, cfg, m, c)
}

// accessInst is an instruction with its rule.
type accessInst struct {
	word uint32
	rule *accessRule
}

// decodeAccess decodes all of the code from its start and finds the jump targets.
func decodeAccess(k *check.Checker) error {
	text := k.Code.Text[:k.Code.CodeSize]
	if len(text)%instSize != 0 {
		return fmt.Errorf("code of %#x bytes: expected whole instructions", len(text))
	}
	insts := make([]accessInst, len(text)/instSize)
	for i := range insts {
		at := uint32(i * instSize)
		in := accessInst{word: binary.LittleEndian.Uint32(text[at:])}
		in.rule = findRule(in.word)
		insts[i] = in
		k.Begin(at)
	}
	k.Decoded = insts
	for i := range insts {
		in := &insts[i]
		at := uint32(i * instSize)
		if in.rule == nil || in.rule.distance == 0 {
			continue
		}
		if _, ok := k.Reloc(at); !ok {
			k.JumpsTo(int64(at) + in.distance())
		}
	}
	return nil
}

// bits are n bits of the instruction from bit at on.
func (in *accessInst) bits(at, n uint) uint32 { return in.word >> at & (1<<n - 1) }

// signed are such bits as a signed number.
func (in *accessInst) signed(at, n uint) int64 {
	return int64(in.bits(at, n)<<(32-n)) << 32 >> 32 >> (32 - n)
}

// distance is that of a branch.
func (in *accessInst) distance() int64 {
	switch in.rule.distance {
	case 26:
		return in.signed(0, 26) * instSize
	case 19:
		return in.signed(5, 19) * instSize
	}
	return in.signed(5, 14) * instSize
}

// size is the width of an integer operation in bytes.
func (in *accessInst) size() uint32 { return 4 << in.bits(31, 1) }

// The fields that hold registers.
func (in *accessInst) d() uint32 { return in.bits(0, 5) }
func (in *accessInst) n() uint32 { return in.bits(5, 5) }
func (in *accessInst) m() uint32 { return in.bits(16, 5) }
func (in *accessInst) a() uint32 { return in.bits(10, 5) }

// zero is register 31 where it is not the stack pointer.
const zero = 31
