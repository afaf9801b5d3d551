package arm64

import "github.com/wasmaot/wasmaot/internal/lazy"

// accessRule is what the checker knows about a group of instructions (Arm ARM, C4.1): those that have
// these bits where the mask has ones.
type accessRule struct {
	name        string
	mask, value uint32
	props       accessProps
	distance    uint8 // bits of a branch's distance
	// effect follows the facts through the instruction and reports whether the code goes on behind it.
	// Without one it writes any number to its destination, if that is an integer register.
	effect func(s *accessStep) bool
}

// accessProps says which fields are integer registers, and what becomes of the flags.
type accessProps uint16

const (
	intD accessProps = 1 << iota // the destination
	intN                         // sources
	intM
	intA
	setsFlags

	int2 = intD | intN
	int3 = intD | intN | intM
)

var accessRules lazy.Value[[]accessRule]

// makeAccessRules gives the rules in the order in which they are tried. What no rule has is refused.
func makeAccessRules() []accessRule {
	return []accessRule{
		// Data processing with immediates.
		{"adr", 0x9F000000, 0x10000000, intD, 0, effectAdr},
		{"add", 0x1F800000, 0x11000000, int2, 0, effectAddImm},
		{"logical", 0x1F800000, 0x12000000, int2, 0, effectLogicImm},
		{"mov", 0x1F800000, 0x12800000, intD, 0, effectMoveWide},
		{"bitfield", 0x1F800000, 0x13000000, int2, 0, effectBits},
		{"extr", 0x1F800000, 0x13800000, int3, 0, nil},

		// Branches.
		{"b", 0xFC000000, 0x14000000, 0, 26, effectJump},
		{"bl", 0xFC000000, 0x94000000, 0, 26, effectCall},
		{"b.cond", 0xFF000010, 0x54000000, 0, 19, effectBranch},
		{"cbz", 0x7E000000, 0x34000000, 0, 19, effectZeroBranch},
		{"tbz", 0x7E000000, 0x36000000, 0, 14, effectBitBranch},
		{"br", 0xFFFFFC1F, 0xD61F0000, intN, 0, effectIndirectJump},
		{"blr", 0xFFFFFC1F, 0xD63F0000, intN, 0, effectIndirectCall},
		{"ret", 0xFFFFFFFF, 0xD65F03C0, intN, 0, effectReturn},
		{"nop", 0xFFFFFFFF, 0xD503201F, 0, 0, effectNone},
		{"udf", 0xFFFF0000, 0x00000000, 0, 0, effectTrap},

		// Data processing of registers.
		{"logical", 0x1F000000, 0x0A000000, int3, 0, effectLogic},
		{"add", 0x1F200000, 0x0B000000, int3, 0, effectAdd},
		{"add", 0x1FE00000, 0x0B200000, int3, 0, effectAddExt},
		{"adc", 0x1FE0FC00, 0x1A000000, int3 | setsFlags, 0, nil},
		{"ccmp", 0x3FE00C10, 0x3A400000, intN | intM | setsFlags, 0, effectNone},
		{"ccmp", 0x3FE00C10, 0x3A400800, intN | setsFlags, 0, effectNone},
		{"csel", 0x3FE00800, 0x1A800000, int3, 0, effectSelect},
		{"div", 0x7FE0F800, 0x1AC00800, int3, 0, nil},
		{"shift", 0x7FE0F000, 0x1AC02000, int3, 0, nil},
		{"clz", 0x7FFFF800, 0x5AC01000, int2, 0, effectCountBits},
		{"rev", 0x7FFFF000, 0x5AC00000, int2, 0, nil},
		{"umulh", 0xFFE08000, 0x9BC00000, int3, 0, effectHigh},
		{"madd", 0x7F000000, 0x1B000000, int3 | intA, 0, nil},

		// Loads and stores.
		{"ldr", 0x3B000000, 0x18000000, 0, 0, effectLiteral},
		{"ldp", 0x3A000000, 0x28000000, intN, 0, effectPair},
		{"ldr", 0x3B200000, 0x38000000, intN, 0, effectUnscaled},
		{"ldr", 0x3B200C00, 0x38200800, intN | intM, 0, effectIndexed},
		{"ldr", 0x3B000000, 0x39000000, intN, 0, effectScaled},
		{"ld1", 0xBFBF0000, 0x0D000000, intN, 0, effectLane},

		// Floats and vectors.
		{"fcvt", 0x7F20FC00, 0x1E200000, 0, 0, effectConvert},
		{"fcmp", 0xFF20FC07, 0x1E202000, setsFlags, 0, effectNone},
		{"fcsel", 0xFF200C00, 0x1E200C00, 0, 0, effectNone},
		{"float", 0xFF207C00, 0x1E204000, 0, 0, effectNone},
		{"float", 0xFF200C00, 0x1E200800, 0, 0, effectNone},
		{"fmov", 0xFF201FE0, 0x1E201000, 0, 0, effectNone},
		{"fmadd", 0xFF000000, 0x1F000000, 0, 0, effectNone},
		{"dup", 0xBFE0FC00, 0x0E000C00, intN, 0, effectNone},
		{"ins", 0xFFE0FC00, 0x4E001C00, intN, 0, effectNone},
		{"smov", 0xBFE0FC00, 0x0E002C00, intD, 0, effectLaneOut},
		{"umov", 0xBFE0FC00, 0x0E003C00, intD, 0, effectLaneOut},
		{"copy", 0xBFE0FC00, 0x0E000400, 0, 0, effectNone},
		{"copy", 0xFFE08400, 0x6E000400, 0, 0, effectNone},
		{"table", 0xBFE08C00, 0x0E000000, 0, 0, effectNone},
		{"permute", 0xBF208C00, 0x0E000800, 0, 0, effectNone},
		{"ext", 0xBFE08400, 0x2E000000, 0, 0, effectNone},
		{"vector", 0x9F200400, 0x0E200400, 0, 0, effectNone}, // three the same
		{"vector", 0x9F200C00, 0x0E200000, 0, 0, effectNone}, // three different
		{"vector", 0x9F3E0C00, 0x0E200800, 0, 0, effectNone}, // two registers
		{"vector", 0x9F3E0C00, 0x0E300800, 0, 0, effectNone}, // across lanes
		{"vector", 0x9F800400, 0x0F000400, 0, 0, effectNone}, // immediates
		{"vector", 0xFFE0FC00, 0x5E000400, 0, 0, effectNone}, // one lane
		{"addp", 0xFFFFFC00, 0x5EF1B800, 0, 0, effectNone},
	}
}

// findRule is the rule for an instruction, nil if there is none.
func findRule(w uint32) *accessRule {
	rules := accessRules.Get(makeAccessRules)
	for i := range rules {
		if r := &rules[i]; w&r.mask == r.value {
			return r
		}
	}
	return nil
}
