package amd64

import (
	"strings"

	"github.com/wasmaot/wasmaot/internal/lazy"
)

// accessRule is what the checker knows about instructions.
type accessRule struct {
	names string // the decoder's
	props accessProps
	// effect follows the facts through the instruction and reports whether the code goes on behind it.
	// Without one it writes any number to its first operand.
	effect func(s *accessStep) bool
}

type accessProps uint8

const (
	keepsFlags accessProps = 1 << iota
	onlyReads              // does not write its first operand
	unaligned              // takes 16 bytes of memory at any place
)

// accessRules has the instructions whose results matter for addresses, and those that say what
// runs next. The others that the assembler knows have no effect.
var accessRules = []accessRule{
	{"MOV MOVZX", keepsFlags, effectMove},
	{"MOVSXD", keepsFlags, effectExtend},
	{"LEA", keepsFlags, effectLea},
	{"XCHG", keepsFlags, effectExchange},
	{"CMOVcc", keepsFlags, effectCmov},
	{"ADD", 0, effectAdd},
	{"SUB", 0, effectSub},
	{"AND", 0, effectAnd},
	{"OR XOR", 0, effectOr},
	{"SBB", 0, effectBorrow},
	{"ADC", 0, nil},
	{"SHR", 0, effectShift},
	{"BSF BSR", 0, effectScan},
	{"LZCNT TZCNT POPCNT", 0, effectCountBits},
	{"CMP", 0, effectCompare},
	{"TEST", 0, effectTest},
	{"MUL DIV IDIV", 0, effectWide},
	{"IMUL", 0, effectMultiply},
	{"MULX", keepsFlags, effectTwoHalves},
	{"CDQ CQO", keepsFlags, effectSign},
	{"MOVSB STOSB", keepsFlags, effectString},
	{"NOP", keepsFlags, effectNone},

	{"Jcc", keepsFlags, effectBranch},
	{"JMP", keepsFlags, effectJump},
	{"CALL", 0, effectCall},
	{"RET", 0, effectReturn},
	{"UD2", 0, effectTrap},

	{"MOVSX NOT BSWAP SETcc SHLX SHRX SARX RORX PDEP PEXT", keepsFlags, nil},
	{"BT UCOMISS UCOMISD PTEST VUCOMISS VUCOMISD VPTEST", onlyReads, nil},
	{"MOVUPS MOVUPD MOVDQU LDDQU", keepsFlags | unaligned, nil},
}

// neverUsed are instructions of the assembler that have no place in functions.
var neverUsed = [...]string{"PUSH", "POP", "INT", "CLD", "MOVSQ", "STOSQ", "LFENCE", "MFENCE", "PAUSE"}

// accessRulesByName gives all rules by the decoder's names.
func accessRulesByName() map[string]*accessRule { return accessRulesMade.Get(makeAccessRules) }

var accessRulesMade lazy.Value[map[string]*accessRule]

func makeAccessRules() map[string]*accessRule {
	m := map[string]*accessRule{}
	plain, vector := &accessRule{}, &accessRule{props: keepsFlags}
	for op := NoOp + 1; op < opCount; op++ {
		r := plain
		if op >= MOVF {
			r = vector
		}
		for _, size := range []uint8{4, 8} {
			name := strings.ToUpper(op.mnemonic(size))
			switch op {
			case PINSR, PEXTR:
				name += map[uint8]string{4: "D", 8: "Q"}[size]
			}
			m[name], m["V"+strings.TrimPrefix(name, "V")] = r, r
		}
	}
	for _, name := range []string{"MOVSD_XMM", "CMPSD_XMM"} {
		m[name] = vector
	}
	for i := range accessRules {
		r := &accessRules[i]
		for _, name := range strings.Fields(r.names) {
			prefix, conditional := strings.CutSuffix(name, "cc")
			if !conditional {
				m[name] = r
				continue
			}
			for _, c := range condNames {
				m[prefix+strings.ToUpper(c)] = r
			}
		}
	}
	for _, name := range neverUsed {
		delete(m, name)
	}
	return m
}
