package wasm_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

func TestErrors(t *testing.T) {
	const header = "\x00asm\x01\x00\x00\x00"
	voidType := section(1, vec(funcType("", "")))
	i32Const := []byte{0x41, 0, 0x0b}
	for _, test := range []struct {
		name string
		src  []byte
		want string
	}{
		{"empty file", nil, "at 0x0: unexpected end: the file is empty"},
		{"cut in magic", []byte("\x00as"), "at 0x3: unexpected end: the file is cut off after 3 bytes, a module's header has 8"},
		{"cut in version", []byte("\x00asm\x01"), "at 0x5: unexpected end: the file is cut off after 5 bytes, a module's header has 8"},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), "at 0x4: unknown binary version: a WebAssembly component, expected a core module (version 1)"},
		{"version", []byte("\x00asm\x02\x00\x00\x00"), "at 0x4: unknown binary version: expected 1, found 2"},
		{"ELF", []byte("\x7fELF\x02\x01\x01"), "at 0x0: magic header not detected: not a WebAssembly module but an ELF file, native code"},
		{"text format", []byte("\n (module)"), "at 0x0: magic header not detected: not a WebAssembly module but WebAssembly text, which has to be converted to the binary format first"},
		{"text", []byte("package main // größer\n"), "at 0x0: magic header not detected: not a WebAssembly module but a text file"},
		{"bytes", []byte("\x01\x02\x03\x04\xff"), "at 0x0: magic header not detected: not a WebAssembly module but something else: expected the bytes 00 61 73 6d, found 01 02 03 04"},
		{"truncated section", []byte(header + "\x01\x05\x01"), "at 0xa: unexpected end: length of the type section out of bounds: 5 bytes declared, 1 left in the file"},
		{"section id", module(section(14, nil)), "at 0x8: malformed section id 14"},
		{"section order", module(section(5, vec()), section(4, vec())), "at 0xb: unexpected content after last section: table section after memory section"},
		{"section twice", module(voidType, voidType), "at 0xe: unexpected content after last section: a second type section"},
		{"section too long", module(section(1, []byte{0, 0})), "at 0xb: section size mismatch: the type section has 1 more bytes than its content"},
		{"section too short", module(section(1, []byte{1})), "at 0xb: unexpected end"},
		{"LEB too long", module(section(1, []byte("\x80\x80\x80\x80\x80\x00"))), "at 0xa: integer representation too long: more than 32 bits"},
		{"LEB too large", module(section(1, []byte("\x80\x80\x80\x80\x10"))), "at 0xa: integer too large: more than 32 bits"},
		{"too many types", module(section(1, leb(1_000_001))), "at 0xa: too many types: 1000001, the limit is 1000000"},
		{"too many parameters", module(section(1, cat(leb(1), []byte{0x60}, leb(1001)))), "at 0xc: too many parameters: 1001, the limit is 1000"},
		{"type form", module(section(1, vec([]byte{0x61, 0, 0}))), "at 0xb: malformed type: expected 0x60 for a function type, found 0x61"},
		{"value type", module(section(1, vec(funcType("\x60", "")))), "at 0xd: malformed value type 0x60"},
		{"recursive type", module(section(1, vec([]byte{0x4e, 0}))), "at 0xb: unsupported: a type definition other than of a function needs garbage collection"},
		{"vector type", module(section(1, vec(funcType("\x7b", "")))), "at 0xd: unsupported: v128 needs SIMD"},
		{"import kind", module(section(2, vec(cat(str("a"), str("b"), []byte{5})))), "at 0xf: malformed import kind 5"},
		{"import type", module(section(2, vec(cat(str("a"), str("b"), []byte{0, 0})))), "at 0x10: unknown type 0: there is none"},
		{"name", module(section(2, vec(cat(str("\xff"), str("b"), []byte{0, 0})))), "at 0xc: malformed UTF-8 encoding"},
		{"function type", module(voidType, section(3, vec(leb(1)))), "at 0x11: unknown type 1: the last is 0"},
		{"no code", module(voidType, section(3, vec(leb(0)))), "at 0x12: function and code section have inconsistent lengths: 1 functions declared, 0 bodies"},
		{"more code", module(section(10, vec(body(noLocals, 0x0b)))), "at 0xa: function and code section have inconsistent lengths: 0 functions declared, 1 bodies"},
		{"table limits", module(section(4, vec([]byte{0x70, 1, 5, 4}))), "at 0xc: size minimum must not be greater than maximum: minimum 5, maximum 4"},
		{"table type", module(section(4, vec([]byte{0x7f, 0, 1}))), "at 0xb: malformed reference type 0x7f"},
		{"memory limits", module(section(5, vec(cat([]byte{0}, leb(65537))))), "at 0xb: memory size must be at most 65536 pages, found 65537"},
		{"shared memory", module(section(5, vec([]byte{3, 1, 1}))), "at 0xb: unsupported: a shared memory needs threads"},
		{"64-bit memory", module(section(5, vec([]byte{4, 1}))), "at 0xb: unsupported: a memory with 64-bit addresses needs memory64"},
		{"limits flags", module(section(5, vec([]byte{8, 1}))), "at 0xb: malformed limits flags 0x08 of a memory"},
		{"two memories", module(section(5, vec([]byte{0, 1}, []byte{0, 1}))), "at 0xd: unsupported: multiple memories: a second memory needs multi-memory"},
		{"mutability", module(section(6, vec(cat([]byte{0x7f, 2}, i32Const)))), "at 0xc: malformed mutability 0x02"},
		{"constant type", module(section(6, vec(cat([]byte{0x7e, 0}, i32Const)))), "at 0xd: type mismatch: expected i64, found i32"},
		{"constant missing", module(section(6, vec([]byte{0x7f, 0, 0x0b}))), "at 0xd: type mismatch: expected i32, found an empty expression"},
		{"constants", module(section(6, vec([]byte{0x7f, 0, 0x41, 0, 0x41, 0, 0x0b}))), "at 0xd: type mismatch: expected one i32, found an expression with 2 values"},
		{"not constant", module(section(6, vec([]byte{0x7f, 0, 0x41, 0, 0x45, 0x0b}))), "at 0xf: constant expression required: it has i32.eqz"},
		{"constant of a later global", module(section(6, vec([]byte{0x7f, 0, 0x23, 0, 0x0b}))), "at 0xe: unknown global 0: there is none"},
		{"export twice", module(section(5, vec([]byte{0, 1})), section(7, vec(cat(str("m"), []byte{2, 0}), cat(str("m"), []byte{2, 0})))), "at 0x14: duplicate export name \"m\""},
		{"export index", module(section(7, vec(cat(str("m"), []byte{2, 0})))), "at 0xe: unknown memory 0: there is none"},
		{"export kind", module(section(7, vec(cat(str("m"), []byte{9, 0})))), "at 0xd: malformed export kind 9"},
		{"start", module(section(1, vec(funcType(i32, ""))), section(3, vec(leb(0))), section(8, leb(0))), "at 0x15: start function: expected (func), found (func (param i32))"},
		{"segment kind", module(section(9, vec(leb(8)))), "at 0xb: malformed elements segment kind 8"},
		{"segment table", module(section(9, vec(cat(leb(0), i32Const, vec())))), "at 0xc: unknown table 0: there is none"},
		{"segment type", module(section(4, vec([]byte{0x70, 0, 1})), section(9, vec(cat(leb(6), leb(0), i32Const, []byte{0x6f}, vec())))), "at 0x11: type mismatch: expected elements of table 0's type funcref, found externref"},
		{"data memory", module(section(11, vec(cat(leb(0), i32Const, str(""))))), "at 0xc: unknown memory 0: there is none"},
		{"data kind", module(section(11, vec(leb(3)))), "at 0xb: malformed data segment kind 3"},
		{"data count", module(section(12, leb(1))), "at 0xb: data count and data section have inconsistent lengths: 1 segments announced, 0 found"},
		{"too much data", module(section(11, leb(100_001))), "at 0xa: too many data segments: 100001, the limit is 100000"},
		{"body too long", module(voidType, section(3, vec(leb(0))), section(10, cat(leb(1), leb(7_654_322)))), "function 0 at 0x15: function body of 7654322 bytes, the limit is 7654321"},
		{"tag section", module(section(13, vec())), "at 0x8: unsupported: the tag section needs exception handling"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := wasm.Decode(test.src, wasm.Features20NoSIMD)
			if err == nil {
				t.Fatalf("accepted, expected %q", test.want)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("-expected +found:\n%s", diff)
			}
			var e *wasm.Error
			if errors.As(err, &e); (e.Feature != 0) != strings.Contains(test.want, "unsupported") {
				t.Errorf("Feature is %q", e.Feature)
			}
		})
	}
}

func TestUnknownFeature(t *testing.T) {
	if _, err := wasm.Decode(module(), wasm.Features20|wasm.FeatureGC); err == nil || err.Error() != "at 0x0: unsupported: garbage collection" {
		t.Errorf("found %v", err)
	}
}

func TestModule(t *testing.T) {
	src := module(
		section(1, vec(funcType("", ""), funcType(i32, f32+f64))),
		section(2, vec(
			cat(str("env"), str("f"), []byte{0, 1}),
			cat(str("env"), str("g"), []byte{3, 0x7e, 0}),
		)),
		section(3, vec(leb(0))),
		section(4, vec([]byte{0x70, 1, 1, 9})),
		section(5, vec([]byte{0, 1})),
		section(6, vec(cat([]byte{0x7e, 1, 0x23, 0, 0x0b}), cat([]byte{0x70, 0, 0xd2, 0, 0x0b}))),
		section(7, vec(cat(str("run"), []byte{0, 1}))),
		section(8, leb(1)),
		section(9, vec(
			cat(leb(0), []byte{0x41, 7, 0x0b}, vec(leb(0), leb(1))),
			cat(leb(5), []byte{0x6f}, vec([]byte{0xd0, 0x6f, 0x0b})),
			cat(leb(3), []byte{0}, vec(leb(1))),
		)),
		section(12, leb(2)),
		section(10, vec(body(noLocals, 0x0b))),
		section(11, vec(cat(leb(0), []byte{0x41, 0x7f, 0x0b}, str("abc")), cat(leb(1), str("de")))),
		section(0, cat(str("name"), section(0, str("main")), section(1, vec(cat(leb(0), str("env.f")), cat(leb(1), str("main.run")))))),
		section(0, cat(str("producers"), vec())),
	)
	m, err := wasm.Decode(src, wasm.Features20NoSIMD)
	if err != nil {
		t.Fatal(err)
	}
	constant := func(offset uint32, in wasm.ConstInstr) *wasm.ConstExpr {
		return &wasm.ConstExpr{Instrs: []wasm.ConstInstr{in}, Offset: offset}
	}
	want := &wasm.Module{
		Source: src,
		Types: []wasm.FuncType{
			{},
			{Params: []wasm.ValType{wasm.I32}, Results: []wasm.ValType{wasm.F32, wasm.F64}},
		},
		Imports: []wasm.Import{
			{Module: "env", Name: "f", Kind: wasm.ExternFunc, Offset: 0x17},
			{Module: "env", Name: "g", Kind: wasm.ExternGlobal, Offset: 0x1f},
		},
		Exports: []wasm.Export{{Name: "run", Kind: wasm.ExternFunc, Index: 1, Offset: 0x48}},
		Funcs:   []wasm.Func{{Type: 1, Offset: 0x17}, {Type: 0, Body: []byte{0, 0x0b}, Offset: 0x6c}},
		Tables:  []wasm.TableType{{Elem: wasm.FuncRef, Limits: wasm.Limits{Min: 1, Max: 9, HasMax: true}}},
		Mems:    []wasm.MemoryType{{Limits: wasm.Limits{Min: 1}}},
		Globals: []wasm.Global{
			{Type: wasm.I64},
			{Type: wasm.I64, Mutable: true, Init: constant(0x3d, wasm.ConstInstr{Op: wasm.OpGlobalGet})},
			{Type: wasm.FuncRef, Init: constant(0x42, wasm.ConstInstr{Op: wasm.OpRefFunc})},
		},
		Elems: []wasm.ElemSegment{
			{Type: wasm.FuncRef, Start: constant(0x55, wasm.ConstInstr{Op: wasm.OpI32Const, Bits: 7}), Funcs: []uint32{0, 1}, Offset: 0x54},
			{Mode: wasm.SegmentPassive, Type: wasm.ExternRef, Exprs: []wasm.ConstExpr{*constant(0x5e, wasm.ConstInstr{Op: wasm.OpRefNull})}, Offset: 0x5b},
			{Mode: wasm.SegmentDeclarative, Type: wasm.FuncRef, Funcs: []uint32{1}, Offset: 0x61},
		},
		Start:           1,
		ImportedFuncs:   1,
		ImportedGlobals: 1,
		DataCount:       2,
		DataLen:         2,
		Names:           wasm.NameSection{Module: "main", Funcs: map[uint32]string{0: "env.f", 1: "main.run"}},
		Producers:       []byte{0},
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool {
		name := p.Last().String()
		return name == ".features" || name == ".declared" || name == ".Customs" || name == ".dataAt"
	}, cmp.Ignore())
	if diff := cmp.Diff(want, m, ignore); diff != "" {
		t.Errorf("-expected +found:\n%s", diff)
	}
	var datas []wasm.DataSegment
	for i, d := range m.Datas() {
		if i == 0 {
			if diff := cmp.Diff(constant(0, wasm.ConstInstr{Op: wasm.OpI32Const, Bits: 1<<64 - 1}), m.DataStart(d)); diff != "" {
				t.Errorf("start of the first data segment: -expected +found:\n%s", diff)
			}
			if at, ok := m.DataPlace(d); at != 1<<32-1 || !ok {
				t.Errorf("place of the first data segment: %#x %v", at, ok)
			}
		}
		datas = append(datas, *d)
	}
	wantDatas := []wasm.DataSegment{{Offset: 0x71, Init: []byte("abc")}, {Mode: wasm.SegmentPassive, Offset: 0x79, Init: []byte("de")}}
	if diff := cmp.Diff(wantDatas, datas, cmpopts.IgnoreUnexported(wasm.DataSegment{})); diff != "" {
		t.Errorf("data segments: -expected +found:\n%s", diff)
	}
	if len(m.Customs) != 2 || m.Customs[0].Name != "name" || m.Customs[1].Name != "producers" {
		t.Errorf("custom sections: %+v", m.Customs)
	}
}

// A malformed name section does not matter; what comes before its mistake is used.
func TestNamesTolerant(t *testing.T) {
	for _, test := range []struct {
		name    string
		content []byte
		want    map[uint32]string
	}{
		{"nothing", nil, nil},
		{"cut subsection", []byte{1, 9, 1}, nil},
		{"huge count", section(1, cat(leb(1<<32-1), leb(0), str("a"))), map[uint32]string{0: "a"}},
		{"bad UTF-8", section(1, vec(cat(leb(0), str("\xff")), cat(leb(1), str("b")))), map[uint32]string{1: "b"}},
		{"cut name", section(1, vec(cat(leb(0), str("a")), cat(leb(1), leb(7), []byte("b")))), map[uint32]string{0: "a"}},
		{"unknown subsection", cat(section(77, []byte("x")), section(1, vec(cat(leb(0), str("a"))))), map[uint32]string{0: "a"}},
	} {
		m, err := wasm.Decode(module(section(0, cat(str("name"), test.content))), wasm.Features20NoSIMD)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if len(test.want)+len(m.Names.Funcs) > 0 && !cmp.Equal(test.want, m.Names.Funcs) {
			t.Errorf("%s: expected %v, found %v", test.name, test.want, m.Names.Funcs)
		}
	}
}

// A hostile name must not reach a terminal as it is.
func TestErrorQuotesNames(t *testing.T) {
	e := &wasm.Error{Offset: 0x1a2f, Func: 17, FuncName: "main.fib", Msg: "type mismatch: expected i32, found i64"}
	if got, want := e.Error(), "function 17 (main.fib) at 0x1a2f: type mismatch: expected i32, found i64"; got != want {
		t.Errorf("expected %q, found %q", want, got)
	}
	e.FuncName = "\x1b[2J" + strings.Repeat("x", 1000)
	if got := e.Error(); strings.Contains(got, "\x1b") || len(got) > 400 {
		t.Errorf("found %q", got)
	}
}

// allocated is the number of bytes allocated while f runs.
func allocated(f func()) uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	before := sample[0].Value.Uint64()
	f()
	metrics.Read(sample)
	return sample[0].Value.Uint64() - before
}

// Declared counts allocate nothing: these files declare the most that limits allow.
func TestDeclaredCounts(t *testing.T) {
	million := leb(1_000_000)
	voidType := section(1, vec(funcType("", "")))
	for name, src := range map[string][]byte{
		"types":    module(section(1, million)),
		"imports":  module(section(2, million)),
		"funcs":    module(voidType, section(3, million)),
		"tables":   module(section(4, leb(100_000))),
		"globals":  module(section(6, million)),
		"exports":  module(section(7, million)),
		"elements": module(section(9, cat(leb(1), leb(1), []byte{0}, leb(10_000_000)))),
		"segments": module(section(11, leb(100_000))),
		"names":    module(section(0, cat(str("name"), section(1, leb(1<<32-1))))),
		"targets":  oneFunc("", "", 0x41, 0, 0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00),
	} {
		var v wasm.Validator
		if n := allocated(func() { check(&v, src, wasm.Features20NoSIMD) }); n > 1<<17 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, n, len(src))
		}
	}
}

// Every truncation and many mutations of modules are answered, with bounded memory.
// WASMAOT_SEED repeats a run.
func TestMutations(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("WASMAOT_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var v wasm.Validator
	try := func(what string, src []byte) {
		defer func() {
			if p := recover(); p != nil {
				t.Fatalf("WASMAOT_SEED=%d: %s: panic %v\n% x", seed, what, p, src)
			}
		}()
		check(&v, src, allFeatures)
	}
	for _, src := range seeds() {
		for n := range src {
			try("truncated", src[:n])
		}
		for range 3000 {
			try("mutated", mutate(rng, src))
		}
	}
}

// mutate changes a few bytes behind the header.
func mutate(rng *rand.Rand, src []byte) []byte {
	m := append([]byte(nil), src...)
	for range 1 + rng.IntN(4) {
		at := 8 + rng.IntN(len(m)-8)
		switch rng.IntN(3) {
		case 0:
			m[at] = byte(rng.Uint32())
		case 1:
			m[at]++
		case 2:
			m[at] = []byte{0x0b, 0x0c, 0x0d, 0x0e, 0x20, 0x40, 0x7f, 0x80, 0xfc, 0xfd}[rng.IntN(10)]
		}
	}
	return m
}

// seeds are small valid modules.
func seeds() [][]byte {
	return [][]byte{
		oneFunc("", "", 0x0b),
		oneFunc(i32, i32, 0x02, 0x40, 0x20, 0, 0x0d, 0, 0x41, 3, 0x0f, 0x0b, 0x20, 0, 0x0b),
		oneFunc(i32+i64, i64+i32, 0x20, 0, 0x20, 1, 0x03, 1, 0x1a, 0x1a, 0x42, 5, 0x20, 0, 0x0b, 0x0b),
		oneFunc(i32, i32, 0x20, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 2, 0x0b, 0x0b),
		oneFunc(i32, "", 0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x0e, 2, 0, 1, 2, 0x0b, 0x0b, 0x0b),
		oneFunc(i32+f64, f64, 0x20, 1, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x20, 0, 0x1b, 0xa0, 0x20, 0, 0x2b, 3, 8, 0xa0, 0x0b),
		oneFunc(i32, i32, 0x20, 0, 0x41, 0, 0x11, 1, 0, 0x1a, 0xa7, 0x0b),
		oneFunc(i32, i32, 0x20, 0, 0x20, 0, 0x20, 0, 0xfc, 0x0a, 0, 0, 0x20, 0, 0x26, 0, 0x20, 0, 0x0b),
	}
}
