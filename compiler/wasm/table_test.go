package wasm

import (
	"testing"
)

// The table is consistent: no operator shares its name with another, memory operators have a size, those that
// have one have memory immediates.
func TestTable(t *testing.T) {
	names := map[string]Opcode{}
	count := 0
	for op := range Opcode(opcodeCount) {
		info := Info(op)
		if info.Name == "" {
			if *info != (OpInfo{}) {
				t.Errorf("%s: no name but %+v", op, *info)
			}
			continue
		}
		if info.Feature != featureOwn {
			count++
		}
		if other, twice := names[info.Name]; twice && op != OpSelectT {
			t.Errorf("opcodes 0x%x and 0x%x are both named %s", uint16(other), uint16(op), info.Name)
		}
		names[info.Name] = op
		accesses := info.Imm == ImmMemArg || info.Imm == ImmMemLane
		if size := info.Size; accesses != (size != 0) || size&(size-1) != 0 || size > 16 {
			t.Errorf("%s: size %d", op, size)
		}
		if accesses && info.Sig&addrP0 == 0 {
			t.Errorf("%s: its first operand is not an address", op)
		}
		if (info.Imm == ImmLane) != (info.Lanes != 0) {
			t.Errorf("%s: %d lanes", op, info.Lanes)
		}
		if info.Feature >= featureEnd && info.Feature != featureOwn {
			t.Errorf("%s: feature 0x%x", op, uint32(info.Feature))
		}
		checkSig(t, op, info.Sig)
	}
	// Spec 3.0, Appendix, "Index of Instructions": 172 of Wasm 1.0, 5 of sign extension, 8 of saturating truncation, 7 of
	// bulk memory, 9 of reference types, 236 vector and 20 relaxed ones, 2 tail calls, 3 of exceptions, 5 of function references.
	if want := 172 + 5 + 8 + 7 + 9 + 236 + 20 + 2 + 3 + 5; count != want {
		t.Errorf("%d operators, expected %d", count, want)
	}
	if len(featureNames) == 0 || 1<<len(featureNames) != featureEnd {
		t.Errorf("%d names of features, features end at 0x%x", len(featureNames), uint32(featureEnd))
	}
}

func checkSig(t *testing.T, op Opcode, sig Sig) {
	if !sig.Fixed() {
		return
	}
	if sig.Operands() > 3 {
		t.Errorf("%s: %d operands", op, sig.Operands())
	}
	for i := range 3 {
		if is := sig.Operand(i); (is != Bottom) != (i < sig.Operands()) || is > V128 {
			t.Errorf("%s: operand %d of %d has type %s", op, i, sig.Operands(), is)
		}
		if sig&(addrP0<<i) != 0 && sig.Operand(i) != I32 {
			t.Errorf("%s: operand %d is an address of type %s", op, i, sig.Operand(i))
		}
	}
	if sig&addrRes != 0 && sig.Result() != I32 || sig.Result() > V128 {
		t.Errorf("%s: result %s", op, sig.Result())
	}
}

// Facts from the spec's index of instructions, picked from all corners.
func TestTableFacts(t *testing.T) {
	for _, test := range []struct {
		op       Opcode
		code     Opcode
		name     string
		operands []ValType
		result   ValType
		size     uint8
	}{
		{OpNop, 0x01, "nop", nil, Bottom, 0},
		{OpI32Const, 0x41, "i32.const", nil, I32, 0},
		{OpI64Load32U, 0x35, "i64.load32_u", []ValType{I32}, I64, 4},
		{OpI64Store16, 0x3d, "i64.store16", []ValType{I32, I64}, Bottom, 2},
		{OpMemoryGrow, 0x40, "memory.grow", []ValType{I32}, I32, 0},
		{OpI64Eqz, 0x50, "i64.eqz", []ValType{I64}, I32, 0},
		{OpF64Ge, 0x66, "f64.ge", []ValType{F64, F64}, I32, 0},
		{OpI64Rotr, 0x8a, "i64.rotr", []ValType{I64, I64}, I64, 0},
		{OpF64Copysign, 0xa6, "f64.copysign", []ValType{F64, F64}, F64, 0},
		{OpI32WrapI64, 0xa7, "i32.wrap_i64", []ValType{I64}, I32, 0},
		{OpF64PromoteF32, 0xbb, "f64.promote_f32", []ValType{F32}, F64, 0},
		{OpF64ReinterpretI64, 0xbf, "f64.reinterpret_i64", []ValType{I64}, F64, 0},
		{OpI64Extend32S, 0xc4, "i64.extend32_s", []ValType{I64}, I64, 0},
		{OpI64TruncSatF64U, 0x107, "i64.trunc_sat_f64_u", []ValType{F64}, I64, 0},
		{OpMemoryFill, 0x10b, "memory.fill", []ValType{I32, I32, I32}, Bottom, 0},
		{OpV128Load64Splat, 0x20a, "v128.load64_splat", []ValType{I32}, V128, 8},
		{OpF64x2ReplaceLane, 0x222, "f64x2.replace_lane", []ValType{V128, F64}, V128, 0},
		{OpV128Bitselect, 0x252, "v128.bitselect", []ValType{V128, V128, V128}, V128, 0},
		{OpV128Store64Lane, 0x25b, "v128.store64_lane", []ValType{I32, V128}, Bottom, 8},
		{OpI64x2ExtmulHighI32x4U, 0x2df, "i64x2.extmul_high_i32x4_u", []ValType{V128, V128}, V128, 0},
		{OpF64x2ConvertLowI32x4U, 0x2ff, "f64x2.convert_low_i32x4_u", []ValType{V128}, V128, 0},
	} {
		info := Info(test.op)
		ok := test.op == test.code && info.Name == test.name && info.Sig.Operands() == len(test.operands) &&
			info.Sig.Result() == test.result && info.Size == test.size
		for i, want := range test.operands {
			ok = ok && info.Sig.Operand(i) == want
		}
		if !ok {
			t.Errorf("expected %+v, found 0x%x %+v", test, uint16(test.op), *info)
		}
	}
}

func TestReader(t *testing.T) {
	const tooLong, tooLarge = "integer representation too long", "integer too large"
	for _, test := range []struct {
		src    string
		width  uint
		signed bool
		want   int64
		err    string
	}{
		{"\x00", 32, false, 0, ""},
		{"\x7f", 32, false, 127, ""},
		{"\x80\x00", 32, false, 0, ""},
		{"\xff\xff\xff\xff\x0f", 32, false, 1<<32 - 1, ""},
		{"\xff\xff\xff\xff\x1f", 32, false, 0, tooLarge},
		{"\xff\xff\xff\xff\x8f\x00", 32, false, 0, tooLong},
		{"\x80\x80\x80\x80", 32, false, 0, "unexpected end"},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 64, false, -1, ""},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 64, false, 0, tooLarge},
		{"\x7f", 32, true, -1, ""},
		{"\x3f", 32, true, 63, ""},
		{"\x40", 64, true, -64, ""},
		{"\xc0\x00", 32, true, 64, ""},
		{"\x80\x80\x80\x80\x78", 32, true, -1 << 31, ""},
		{"\xff\xff\xff\xff\x07", 32, true, 1<<31 - 1, ""},
		{"\xff\xff\xff\xff\x0f", 32, true, 0, tooLarge},
		{"\x80\x80\x80\x80\x70", 32, true, 0, tooLarge},
		{"\x80\x80\x80\x80\x70", 33, true, -1 << 32, ""},
		{"\xff\xff\xff\xff\x1f", 33, true, 0, tooLarge},
		{"\xff\xff\xff\xff\x0f", 33, true, 1<<32 - 1, ""},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 64, true, -1 << 63, ""},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 64, true, 1<<63 - 1, ""},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 64, true, 0, tooLarge},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", 64, true, 0, tooLong},
	} {
		r := reader{src: []byte(test.src)}
		var got int64
		switch {
		case !test.signed && test.width == 32:
			got = int64(r.u32())
		case !test.signed:
			got = int64(r.u64())
		case test.width == 32:
			got = int64(r.s32())
		case test.width == 33:
			got = r.s33()
		default:
			got = r.s64()
		}
		msg := ""
		if r.err != nil {
			msg = r.err.Msg
		}
		if test.err == "" && (msg != "" || got != test.want || r.left() != 0) || test.err != "" && (len(msg) < len(test.err) || msg[:len(test.err)] != test.err) {
			t.Errorf("%+v: found %d, %q", test, got, msg)
		}
	}
}
