package leaf

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// assemble encodes instructions in the text format, flat, with labels, locals and globals as numbers; accesses are to
// memory 0 without alignment, blocks without type. It panics on what it does not know: its input is part of the program.
func assemble(text string) []byte {
	ops := operators()
	var out []byte
	words := strings.Fields(text)
	number := func(word string) int64 {
		n, err := strconv.ParseInt(word, 0, 64)
		if err != nil {
			panic("leaf: " + err.Error())
		}
		return n
	}
	for i := 0; i < len(words); i++ {
		op, ok := ops[words[i]]
		if !ok {
			panic("leaf: unknown instruction " + words[i])
		}
		out = appendOp(out, op)
		switch imm := wasm.Info(op).Imm; imm {
		case wasm.ImmNone:
		case wasm.ImmBlock:
			out = append(out, 0x40)
		case wasm.ImmMem:
			out = append(out, 0)
		case wasm.ImmMemArg:
			out = append(out, 0)
			if at, ok := strings.CutPrefix(append(words, "")[i+1], "offset="); ok {
				i++
				out = binary.AppendUvarint(out, uint64(number(at)))
			} else {
				out = append(out, 0)
			}
		case wasm.ImmShuffle:
			for range 16 {
				i++
				out = append(out, byte(number(words[i])))
			}
		case wasm.ImmLocal, wasm.ImmLabel, wasm.ImmGlobal:
			i++
			out = binary.AppendUvarint(out, uint64(number(words[i])))
		case wasm.ImmI32, wasm.ImmI64:
			i++
			out = appendSigned(out, number(words[i]))
		default:
			panic("leaf: no immediates for " + words[i])
		}
	}
	return out
}

// operators are the opcodes by name.
func operators() map[string]wasm.Opcode {
	return operatorsOnce.Get(func() map[string]wasm.Opcode {
		ops := map[string]wasm.Opcode{}
		for op := wasm.Opcode(0); op <= wasm.OpF64x2ConvertLowI32x4U; op++ {
			if name := wasm.Info(op).Name; name != "" {
				if _, ok := ops[name]; !ok {
					ops[name] = op
				}
			}
		}
		return ops
	})
}

var operatorsOnce lazy.Value[map[string]wasm.Opcode]

// appendOp encodes an operator: those above 0xff are on pages of their own, behind a prefix byte.
func appendOp(out []byte, op wasm.Opcode) []byte {
	switch {
	case op >= 0x200:
		return binary.AppendUvarint(append(out, 0xfd), uint64(op-0x200))
	case op >= 0x100:
		return binary.AppendUvarint(append(out, 0xfc), uint64(op-0x100))
	}
	return append(out, byte(op))
}

// appendSigned encodes a signed LEB128 number.
func appendSigned(out []byte, n int64) []byte {
	for n < -64 || n > 63 {
		out = append(out, byte(n)|0x80)
		n >>= 7
	}
	return append(out, byte(n)&0x7f)
}
