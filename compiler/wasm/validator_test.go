package wasm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

func TestValidatorErrors(t *testing.T) {
	const at = "function 0 (main.f) at "
	end := byte(0x0b)
	for _, test := range []struct {
		name            string
		params, results string
		code            []byte
		want            string
	}{
		{"empty", "", "", nil, "unexpected end"},
		{"no end", "", "", []byte{0x01}, "unexpected end"},
		{"code after end", "", "", []byte{end, end}, "unexpected content after the end of the function: 1 bytes"},
		{"illegal opcode", "", "", []byte{0x06, end}, "illegal opcode 0x06"},
		{"operator of our own", "", "", []byte{0xfc, 0xf0, 0x01, end}, "illegal opcode 0xfc 0xf0"},
		{"illegal prefixed", "", "", []byte{0xfc, 0x12, end}, "illegal opcode 0xfc 0x12"},
		{"illegal prefix", "", "", []byte{0xff, 0, end}, "illegal opcode 0xff 0x00"},
		{"vector", "", "", []byte{0xfd, 0x0c, end}, "unsupported: v128.const needs SIMD"},
		{"tail call", "", "", []byte{0x12, 0, end}, "unsupported: return_call needs tail calls"},
		{"operand type", "", i32, []byte{0x42, 0, 0x45, end}, "type mismatch: expected i32, found i64"},
		{"no operand", "", i32, []byte{0x45, end}, "type mismatch: expected i32, found nothing: the block has no more operands"},
		{"operand of outer block", i32, i32, []byte{0x20, 0, 0x02, 0x40, 0x45, 0x1a, end, end}, "type mismatch: expected i32, found nothing: the block has no more operands"},
		{"result type", "", i32, []byte{0x42, 0, end}, "type mismatch: expected i32, found i64"},
		{"too many results", "", i32, []byte{0x41, 0, 0x41, 0, end}, "type mismatch: the block leaves 1 more operands than its 1 results"},
		{"local", i32, "", []byte{0x20, 1, 0x1a, end}, "unknown local 1: the last is 0"},
		{"global", "", "", []byte{0x23, 2, 0x1a, end}, "unknown global 2: the last is 1"},
		{"immutable", "", "", []byte{0x41, 0, 0x24, 0, end}, "immutable global 0"},
		{"function", "", "", []byte{0x10, 1, end}, "unknown function 1: the last is 0"},
		{"type of call", "", "", []byte{0x11, 2, 0, end}, "unknown type 2: the last is 1"},
		{"table of call", "", "", []byte{0x11, 0, 1, end}, "unknown table 1: the last is 0"},
		{"label", "", "", []byte{0x0c, 1, end}, "unknown label 1: blocks are nested 1 deep"},
		{"block type", "", "", []byte{0x02, 0x02, end, end}, "unknown type 2 of a block"},
		{"else", "", "", []byte{0x02, 0x40, 0x05, end, end}, "else without if"},
		{"if without else", "", i32, []byte{0x41, 1, 0x04, 0x7f, 0x41, 1, end, end}, "type mismatch: an if without else has to leave what it takes"},
		{"br_table arity", "", "", []byte{0x02, 0x7f, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, end, 0x1a, end}, "type mismatch: label 0 takes 1 operands, the default label 1 takes 0"},
		{"br_table huge", "", "", []byte{0x41, 0, 0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, end}, "unknown label 11: blocks are nested 1 deep"},
		{"alignment", "", "", []byte{0x41, 0, 0x28, 3, 0, 0x1a, end}, "alignment must not be larger than natural: i32.load accesses 4 bytes, found 2^3"},
		{"memop flags", "", "", []byte{0x41, 0, 0x28, 0x40, 0, 0, 0x1a, end}, "malformed memop flags 0x40"},
		{"memory index", "", "", []byte{0x3f, 1, 0x1a, end}, "zero byte expected: memory index, found 0x01"},
		{"data count", "", "", []byte{0xfc, 9, 0, end}, "data count section required"},
		{"elem segment", "", "", []byte{0xfc, 13, 0, end}, "unknown elem segment 0: there is none"},
		{"select of references", "", "", []byte{0xd0, 0x70, 0xd0, 0x70, 0x41, 0, 0x1b, 0x1a, end}, "type mismatch: a select without type takes numbers, found funcref"},
		{"select of two types", "", "", []byte{0x41, 0, 0x42, 0, 0x41, 0, 0x1b, 0x1a, end}, "type mismatch: expected i32, found i64"},
		{"select arity", "", "", []byte{0x1c, 2, 0x7f, 0x7f, end}, "invalid result arity: select has 2 types, expected 1"},
		{"is_null of a number", "", "", []byte{0x41, 0, 0xd1, 0x1a, end}, "type mismatch: expected a reference, found i32"},
		{"heap type", "", "", []byte{0xd0, 0x7f, 0x1a, end}, "malformed reference type 0x7f"},
		{"typed reference", "", "", []byte{0xd0, 0x00, 0x1a, end}, "unsupported: ref.null of a type index needs typed function references"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var v wasm.Validator
			_, err := check(&v, oneFunc(test.params, test.results, test.code...), wasm.Features20NoSIMD)
			if err == nil {
				t.Fatalf("accepted, expected %q", test.want)
			}
			if !strings.HasPrefix(err.Error(), at) || !strings.HasSuffix(err.Error(), ": "+test.want) {
				t.Errorf("expected %q, found %q", test.want, err)
			}
		})
	}
}

func TestErrorOffset(t *testing.T) {
	src := oneFunc("", i32, 0x01, 0x42, 0, 0x45, 0x0b)
	var v wasm.Validator
	_, err := check(&v, src, wasm.Features20NoSIMD)
	bad := err.(*wasm.Error)
	if bad.Func != 0 || bad.FuncName != "main.f" || src[bad.Offset] != 0x45 {
		t.Errorf("found %+v, byte 0x%02x", bad, src[bad.Offset])
	}
}

func TestLocalLimits(t *testing.T) {
	for _, test := range []struct {
		groups []byte
		want   string
	}{
		{vec(cat(leb(50_000), []byte{0x7e})), ""},
		{vec(cat(leb(49_999), []byte{0x7e}), cat(leb(2), []byte{0x7f})), "too many locals: the limit is 50000"},
		{vec(cat(leb(1<<32-1), []byte{0x7e}), cat(leb(1<<32-1), []byte{0x7e})), "too many locals: the limit is 50000"},
		{leb(1<<32 - 1), "malformed value type 0x00"},
	} {
		src := module(section(1, vec(funcType("", ""))), section(3, vec(leb(0))), section(10, vec(body(test.groups, 0x0b, 0, 0))))
		if test.want == "" {
			src = module(section(1, vec(funcType("", ""))), section(3, vec(leb(0))), section(10, vec(body(test.groups, 0x0b))))
		}
		var v wasm.Validator
		_, err := check(&v, src, wasm.Features20NoSIMD)
		if (err == nil) != (test.want == "") || err != nil && !strings.HasSuffix(err.Error(), ": "+test.want) {
			t.Errorf("expected %q, found %v", test.want, err)
		}
	}
}

// A few bytes cannot make the stacks grow without bound.
func TestStackLimits(t *testing.T) {
	wide := strings.Repeat(i32, 1000)
	deep := func(n int, open ...byte) []byte {
		return append([]byte(strings.Repeat(string(open), n)), []byte(strings.Repeat("\x0b", n+1))...)
	}
	for _, test := range []struct {
		name, results string
		code          []byte
		want          string
	}{
		{"operands", wide, []byte(strings.Repeat("\x10\x00", 1100)), "more than 1048576 operands on the stack"},
		{"blocks", "", deep(1<<18-1, 0x02, 0x40), ""},
		{"too many blocks", "", deep(1<<18, 0x02, 0x40), "blocks nested deeper than 262144"},
	} {
		var v wasm.Validator
		_, err := check(&v, oneFunc("", test.results, test.code...), wasm.Features20NoSIMD)
		if (err == nil) != (test.want == "") || err != nil && !strings.HasSuffix(err.Error(), ": "+test.want) {
			t.Errorf("%s: expected %q, found %v", test.name, test.want, err)
		}
	}
}

// trace runs the validator the way a compiler does: each result gets the next number as its Ref. A line an
// instruction: name, numbers popped, numbers and types pushed, and ! if the code cannot be reached.
func trace(t *testing.T, src []byte) (lines []string) {
	t.Helper()
	m, err := wasm.Decode(src, wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	var v wasm.Validator
	if err := v.Begin(m, 0); err != nil {
		t.Fatal(err)
	}
	next := uint32(1)
	var in wasm.Instr
	for more := true; more; {
		if more, err = v.Next(&in); err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
		}
		var pushed []string
		for i := range v.Results() {
			r := &v.Results()[i]
			if r.Ref != 0 {
				t.Errorf("%s pushes Ref %d", in.Op, r.Ref)
			}
			r.Ref = next
			next++
			pushed = append(pushed, fmt.Sprintf("%d:%s", r.Ref, r.Type))
		}
		mark := ""
		if v.Unreachable() {
			mark = " !"
		}
		lines = append(lines, fmt.Sprintf("%s %v → %v%s", in.Op, v.Args(), pushed, mark))
	}
	return lines
}

func TestRefs(t *testing.T) {
	for _, test := range []struct {
		name            string
		params, results string
		code            []byte
		want            string
	}{
		{"straight", i32 + i64, i64, []byte{0x20, 1, 0x20, 0, 0xad, 0x7d, 0x0b}, `
local.get [] → [1:i64]
local.get [] → [2:i32]
i64.extend_i32_u [2] → [3:i64]
i64.sub [1 3] → [4:i64]
end [4] → [5:i64]`},
		{"if with parameters", i32 + i64, i64 + i32, []byte{0x20, 0, 0x20, 1, 0x41, 1, 0x04, 1, 0x1a, 0x1a, 0x42, 0, 0x41, 0, 0x05, 0x1a, 0x1a, 0x42, 1, 0x41, 2, 0x0b, 0x0b}, `
local.get [] → [1:i32]
local.get [] → [2:i64]
i32.const [] → [3:i32]
if [1 2 3] → [4:i32 5:i64]
drop [5] → []
drop [4] → []
i64.const [] → [6:i64]
i32.const [] → [7:i32]
else [6 7] → [8:i32 9:i64]
drop [9] → []
drop [8] → []
i64.const [] → [10:i64]
i32.const [] → [11:i32]
end [10 11] → [12:i64 13:i32]
end [12 13] → [14:i64 15:i32]`},
		{"loop", i32 + i64, i64 + i32, []byte{0x20, 0, 0x20, 1, 0x03, 1, 0x20, 0, 0x0d, 0, 0x1a, 0x1a, 0x42, 1, 0x41, 2, 0x0b, 0x0b}, `
local.get [] → [1:i32]
local.get [] → [2:i64]
loop [1 2] → [3:i32 4:i64]
local.get [] → [5:i32]
br_if [3 4 5] → [6:i32 7:i64]
drop [7] → []
drop [6] → []
i64.const [] → [8:i64]
i32.const [] → [9:i32]
end [8 9] → [10:i64 11:i32]
end [10 11] → [12:i64 13:i32]`},
		{"br_table", i32, i32, []byte{0x02, 0x7f, 0x20, 0, 0x20, 0, 0x0e, 1, 0, 1, 0x0b, 0x0b}, `
block [] → []
local.get [] → [1:i32]
local.get [] → [2:i32]
br_table [1 2] → [] !
end [0] → [3:i32]
end [3] → [4:i32]`},
		{"unreachable", i32, i32, []byte{0x20, 0, 0x0f, 0x6a, 0x02, 0x40, 0x0b, 0x20, 0, 0x1b, 0x1a, 0x00, 0x0b}, `
local.get [] → [1:i32]
return [1] → [] !
i32.add [0 0] → [2:i32] !
block [] → []
end [] → [] !
local.get [] → [3:i32] !
select [0 2 3] → [4:i32] !
drop [4] → [] !
unreachable [] → [] !
end [0] → [5:i32]`},
		{"calls", i32, i32, []byte{0x20, 0, 0x10, 0, 0x42, 1, 0x41, 0, 0x11, 1, 0, 0x24, 1, 0xa7, 0x0b}, `
local.get [] → [1:i32]
call [1] → [2:i32]
i64.const [] → [3:i64]
i32.const [] → [4:i32]
call_indirect [2 3 4] → [5:i64 6:i32]
global.set [6] → []
i32.wrap_i64 [5] → [7:i32]
end [7] → [8:i32]`},
		{"tables and select", i32, i32, []byte{0x20, 0, 0xd2, 0, 0x26, 0, 0xd0, 0x70, 0x20, 0, 0x25, 0, 0x20, 0, 0x1c, 1, 0x70, 0x20, 0, 0xfc, 15, 0, 0x0b}, `
local.get [] → [1:i32]
ref.func [] → [2:funcref]
table.set [1 2] → []
ref.null [] → [3:funcref]
local.get [] → [4:i32]
table.get [4] → [5:funcref]
local.get [] → [6:i32]
select [3 5 6] → [7:funcref]
local.get [] → [8:i32]
table.grow [7 8] → [9:i32]
end [9] → [10:i32]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := trace(t, oneFunc(test.params, test.results, test.code...))
			if diff := cmp.Diff(strings.Split(strings.TrimSpace(test.want), "\n"), got); diff != "" {
				t.Errorf("-expected +found:\n%s", diff)
			}
		})
	}
}

// Immediates arrive in the fields that Imm tells.
func TestImmediates(t *testing.T) {
	m, err := wasm.Decode(oneFunc("", "",
		0x41, 0x7f, // i32.const -1
		0x28, 1, 0x90, 1, // i32.load align=1 offset=144
		0x1a,
		0x43, 0, 0, 0xc0, 0x7f, // f32.const nan
		0x1a,
		0x02, 0x40, 0x41, 5, 0x0e, 3, 0, 1, 1, 0, 0x0b, // br_table 0 1 1 0
		0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 0x0e, 0, 0, // table.copy 0 0
		0x0b), wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	var v wasm.Validator
	if err := v.Begin(m, 0); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		var in wasm.Instr
		if more, err = v.Next(&in); err != nil {
			t.Fatal(err)
		}
		ok := true
		switch in.Op {
		case wasm.OpI32Load:
			ok = in.Align == 1 && in.Bits == 144 && in.Index == 0
		case wasm.OpF32Const:
			ok = in.Bits == 0x7fc00000
		case wasm.OpBrTable:
			ok = cmp.Equal(in.Targets, []uint32{0, 1, 1, 0})
		}
		if !ok || wasm.Info(in.Op).Name == "" || m.Source[in.Offset] != byte(in.Op) && in.Op < 0x100 {
			t.Errorf("found %+v", in)
		}
	}
}

// Frames tell their types, heights and what a branch takes.
func TestFrames(t *testing.T) {
	m, err := wasm.Decode(oneFunc(i32+i64, i64+i32, 0x20, 0, 0x20, 0, 0x20, 1, 0x03, 1, 0x0c, 1, 0x0b, 0x0b), wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	var v wasm.Validator
	if err := v.Begin(m, 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]wasm.ValType{wasm.I32, wasm.I64}, v.Locals()); diff != "" {
		t.Error(diff)
	}
	var in wasm.Instr
	for range 4 {
		if _, err := v.Next(&in); err != nil {
			t.Fatal(err)
		}
	}
	f := v.Frame(0)
	if v.Depth() != 2 || f.Op != wasm.OpLoop || f.Height != 1 || !cmp.Equal(f.LabelTypes(), f.Params) || len(v.Stack()) != 3 {
		t.Errorf("depth %d, frame %+v, stack %v", v.Depth(), f, v.Stack())
	}
	f.Ref = 7
	if outer := v.Frame(1); outer.Op != wasm.OpBlock || outer.Params != nil || !cmp.Equal(outer.LabelTypes(), m.Types[1].Results) {
		t.Errorf("outer frame %+v", outer)
	}
	if _, err := v.Next(&in); err == nil {
		t.Error("a branch without the function's results is accepted")
	}
}

// Validation allocates nothing once the stacks have grown.
func TestNoAllocation(t *testing.T) {
	m, err := wasm.Decode(seeds()[2], wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	var v wasm.Validator
	if n := testing.AllocsPerRun(100, func() {
		if _, err := checkBodies(&v, m); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a body", n)
	}
}
