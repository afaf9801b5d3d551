package ssa_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "github.com/wasmaot/wasmaot/compiler/ssa"
)

func TestTextRoundTrip(t *testing.T) {
	files, err := filepath.Glob("testdata/*.ssa")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fs, err := ParseAll(string(src))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var text strings.Builder
		for i, f := range fs {
			if i > 0 {
				text.WriteString("\n")
			}
			text.WriteString(f.String())
			if err := Check(f); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		if diff := cmp.Diff(string(src), text.String()); diff != "" {
			t.Errorf("%s: file and printed text differ:\n%s", file, diff)
		}
		for _, f := range fs {
			// Reading and analysing lead to the same, in whichever order.
			var s Scratch
			f.Analyze(&s)
			want := f.String()
			g, err := Parse(want)
			if err != nil {
				t.Fatalf("%s: %v\n%s", file, err, want)
			}
			g.Analyze(&s)
			if diff := cmp.Diff(want, g.String()); diff != "" {
				t.Errorf("%s: analysed text differs:\n%s", file, diff)
			}
			if err := Check(f); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"fun 1 () -> ()", `line 1: expected "func ", found "fun 1 () -> ()"`},
		{"func 1 (i33) -> ()", `line 1: expected a type, found "i33) -> ()"`},
		{"func 1 () -> ()\nb0:\n", `line 3: b0 has no end`},
		{"func 1 () -> ()\nb0:\n  v1:i32 = frob v1\n", `line 3: expected an instruction, found "frob"`},
		{"func 1 () -> ()\nb0:\n  v1:i32 = add 1:i32\n", `line 3: expected ",", found ""`},
		{"func 1 () -> ()\nb0:\n  v1:i32 = add 1:i32, x\n", `line 3: expected ":", found ""`},
		{"func 1 () -> ()\nb0:\n  v1:i32 = clz 5000000000:i32\n", `line 3: expected a constant of type i32, found "5000000000"`},
		{"func 1 () -> ()\nb0:\n  v1:i32 = clz 1:i32\n  v1:i32 = clz 1:i32\n", `line 4: v1 is defined twice`},
		{"func 1 () -> ()\nb0:\n  return\nb0:\n  return\n", `line 4: b0 is defined twice`},
		{"func 1 () -> ()\nb0:\n  return x\n", `line 3: expected the end of the line, found "x"`},
		{"func 1 () -> ()\nb0:\n  jump b9999999\n", `line 3: b9999999 is beyond the greatest number 1048576`},
		{"func 1 () -> ()\nb0:\n  v4000000:i32 = clz 1:i32\n", `line 3: v4000000 is beyond the greatest number 1048576`},
		{"func 1 () -> ()\nb0:\n  trap \"nothing\"\n", `line 3: expected a trap, found "nothing"`},
		{"", `expected one function, found 0`},
	} {
		_, err := Parse(c.src)
		if err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.src, err, c.want)
		}
	}
}

func TestCheckErrors(t *testing.T) {
	const head = "func 7 \"main.f\" (i32, i64) -> (i32)\nb0(v1:i32, v2:i64):\n"
	for _, c := range []struct{ name, body, want string }{
		{"type of an operand", "v3:i64 = add v2, v1\nreturn (v1)", `function 7 (main.f), b0, v3 (v3:i64 = add v2, v1): operand B: expected i64, found v1 of type i32`},
		{"type of the result", "v3:i32 = add v2, v2\nreturn (v1)", `function 7 (main.f), b0, v3 (v3:i32 = add v2, v2): result: expected i64, found i32`},
		{"class", "v3:f32 = fadd v1, v1\nreturn (v1)", `function 7 (main.f), b0, v3 (v3:f32 = fadd v1, v1): operand A: expected one of [f32 f64], found v1 of type i32`},
		{"width", "v3:i64 = zext v2\nreturn (v1)", `function 7 (main.f), b0, v3 (v3:i64 = zext v2): operand A: expected one of [i32], found v2 of type i64`},
		{"bitcast", "v3:f32 = bitcast v2\nreturn (v1)", `function 7 (main.f), b0, v3 (v3:f32 = bitcast v2): result: expected the counterpart of i64, found f32`},
		{"use before definition", "v3:i32 = clz v4\nv4:i32 = clz v1\nreturn (v1)", `function 7 (main.f), b0, v3 (v3:i32 = clz v4): operand A: v4, defined in b0, does not dominate its use`},
		{"no dominance", "if v1, b1, b2\nb1:\nv3:i32 = clz v1\njump b2\nb2:\nreturn (v3)", `function 7 (main.f), b2: result 0: v3, defined in b1, does not dominate its use`},
		{"undefined", "return (v9)", `function 7 (main.f), b0: result 0: v9 (nop) is defined nowhere`},
		{"results", "return", `function 7 (main.f), b0: result: expected 1, found 0`},
		{"edge arguments", "jump b1(v1, v1)\nb1(v3:i32):\nreturn (v3)", `function 7 (main.f), b0: successor 0, argument: expected 1, found 2`},
		{"type of an edge argument", "jump b1(v2)\nb1(v3:i32):\nreturn (v3)", `function 7 (main.f), b0: successor 0, argument 0: expected i32, found v2 of type i64`},
		{"condition", "if v2, b1, b2\nb1:\nreturn (v1)\nb2:\nreturn (v1)", `function 7 (main.f), b0: condition: expected i32, found v2 of type i64`},
		{"address as a number", "v3:addr = addr v1, 0, 4\nv4:i64 = zext v3\nreturn (v1)", `function 7 (main.f), b0, v4 (v4:i64 = zext v3): operand A: expected one of [i32], found v3 of type addr`},
		{"address as a parameter", "v3:addr = addr v1, 0, 4\njump b1(v3)\nb1(v4:addr):\nreturn (v1)", `function 7 (main.f), b1, v4 (v4:addr = param 0): expected parameter 0`},
		{"address stored", "v3:addr = addr v1, 0, 8\nstore v3, v3\nreturn (v1)", `function 7 (main.f), b0, v4 (store v3, v3): operand B: expected one of [i32 i64 f32 f64 v128 funcref externref], found v3 of type addr`},
		{"number as an address", "v3:i32 = load v1\nreturn (v3)", `function 7 (main.f), b0, v3 (v3:i32 = load v1): operand A: expected one of [addr], found v1 of type i32`},
		{"access too wide", "v3:addr = addr v1, 0, 4\nv4:i64 = load v3\nreturn (v1)", `function 7 (main.f), b0, v4 (v4:i64 = load v3): access of 8 bytes at v3, an address for 4`},
		{"switch with two edges", "switch v1, b1, b1 [0 1]\nb1:\nreturn (v1)", `function 7 (main.f), b0: switch has two edges to one block`},
		{"switch entry", "switch v1, b1 [0 1]\nb1:\nreturn (v1)", `function 7 (main.f), b0: switch entry 1 is edge 1, which is not one of [0:1]`},
		{"switch edge unused", "switch v1, b1, b2 [0]\nb1:\nreturn (v1)\nb2:\nreturn (v1)", `function 7 (main.f), b0: successor 1 is in no entry of the switch`},
		{"edge to the entry", "jump b0(v1, v2)", `function 7 (main.f), b0: successor 0 leads from b0 to b0 of 1`},
		{"arguments", "call direct 3 (i64) -> () [v1]\nreturn (v1)", `function 7 (main.f), b0, v3 (call direct 3 (i64) -> () [v1]): argument 0: expected i64, found v1 of type i32`},
		{"result apart from its call", "v3:i32 = call direct 3 () -> (i32, i32) []\nv4:i32 = clz v1\nv5:i32 = result v3, 1\nreturn (v1)", `function 7 (main.f), b0, v5 (v5:i32 = result v3, 1): does not follow its call`},
		{"builtin's signature", "call builtin 4 (i64) -> () [v2]\nreturn (v1)", `function 7 (main.f), b0, v3 (call builtin 4 (i64) -> () [v2]): expected the callee's signature (i32) -> (), found (i64) -> ()`},
		{"no end", "jump b1", `function 7 (main.f), b1: has no end`},
	} {
		f, err := Parse(head + c.body)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := Check(f); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestCheckStaleAnalysis(t *testing.T) {
	f, err := Parse("func 0 () -> ()\nb0:\njump b1\nb1:\njump b2\nb2:\nreturn")
	if err != nil {
		t.Fatal(err)
	}
	f.Analyze(new(Scratch))
	if err := Check(f); err != nil {
		t.Error(err)
	}
	f.Edges[0].To = 2
	if Check(f) == nil {
		t.Error("changed edge not found")
	}
}
