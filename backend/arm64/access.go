package arm64

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/check"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// accessMachine is what the checker needs to know of the machine.
var accessMachine check.Machine

func init() {
	accessMachine = check.Machine{
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

// checkAccess verifies that the machine code c of function m reaches only what it may:
//
//   - its frame and the areas of its parameters and of its callees', nothing below the stack pointer;
//   - the context and the records that it leads to, field by field ([backend.Access]);
//   - constants of its own, for reading;
//   - linear memory through its base, with an index proved to be below 1<<32 plus an offset if guard regions
//     may be relied upon, or else checked against the size, and masked for when the processor guesses;
//   - table elements through an index checked and masked;
//   - code by direct calls and jumps, jump tables with a bounded index, and descriptors that were
//     loaded from where functions are, not null, of the right type, with the right context;
//   - no register that belongs to the host or to who interrupts it.
//
// It decodes the code by a table of its own and follows what registers and stack slots hold, with no knowledge
// of how the code was made: of m it only looks at the SSA form, for the module's layout and the
// signatures of calls.
func checkAccess(cfg *backend.Config, m *backend.Func, c *backend.Code) error {
	k, err := check.New(&accessMachine, cfg, m, c)
	if err == nil {
		err = decodeAccess(k)
	}
	if err == nil {
		err = k.Solve()
	}
	return check.Error("arm64", m, err)
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
