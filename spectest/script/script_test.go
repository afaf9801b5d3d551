package script

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValues(t *testing.T) {
	for _, test := range []struct {
		json string
		want Value
	}{
		{`{"type":"i32","value":"-1"}`, Value{Type: "i32", Lo: 1<<32 - 1}},
		{`{"type":"i32","value":"4294967295"}`, Value{Type: "i32", Lo: 1<<32 - 1}},
		{`{"type":"i64","value":"-9223372036854775808"}`, Value{Type: "i64", Lo: 1 << 63}},
		{`{"type":"i32"}`, Value{Type: "i32"}},
		{`{"type":"f32","value":"2143289344"}`, Value{Type: "f32", Lo: 0x7fc00000}},
		{`{"type":"f64","value":"nan:canonical"}`, Value{Type: "f64", NaNs: []NaN{NaNCanonical}}},
		{`{"type":"v128","lane_type":"i16","value":["-1","2","3","4","5","6","7","-8"]}`,
			Value{Type: "v128", Lane: "i16", Lo: 0x0004_0003_0002_ffff, Hi: 0xfff8_0007_0006_0005}},
		{`{"type":"v128","lane_type":"f32","value":["1","nan:arithmetic","3","4"]}`,
			Value{Type: "v128", Lane: "f32", Lo: 1, Hi: 0x4_0000_0003, NaNs: []NaN{NotNaN, NaNArithmetic, NotNaN, NotNaN}}},
		{`{"type":"externref","value":"7"}`, Value{Type: "externref", Ref: RefHost, Lo: 7}},
		{`{"type":"funcref","value":"null"}`, Value{Type: "funcref", Ref: RefNull}},
		{`{"type":"refnull"}`, Value{Type: "refnull", Ref: RefNull}},
		{`{"type":"funcref"}`, Value{Type: "funcref", Ref: RefSome}},
		{`{"type":"either","values":[{"type":"i32","value":"1"},{"type":"i32","value":"2"}]}`,
			Value{Type: "either", Either: []Value{{Type: "i32", Lo: 1}, {Type: "i32", Lo: 2}}}},
	} {
		var got Value
		if err := json.Unmarshal([]byte(test.json), &got); err != nil {
			t.Errorf("%s: %v", test.json, err)
		} else if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -expected +found:\n%s", test.json, diff)
		}
	}
}

func TestBadValues(t *testing.T) {
	for _, text := range []string{
		`{"type":"i32","value":"4294967296"}`,
		`{"type":"i32","value":"nan"}`,
		`{"type":"i32","value":1}`,
		`{"type":"v128","lane_type":"i64","value":["1"]}`,
		`{"type":"v128","lane_type":"i7","value":["1"]}`,
		`{"type":"externref","value":"x"}`,
		`{"type":"other","value":"1"}`,
	} {
		var v Value
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%s: read as %s", text, v)
		}
	}
}

// Every script of the suite can be read, and every module that it names is there.
func TestSuite(t *testing.T) {
	suite, err := Find()
	if err != nil {
		t.Skip(err)
	}
	groups, err := suite.Groups()
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, group := range groups {
		names, err := suite.Names(group)
		if err != nil {
			t.Error(err)
		}
		for _, name := range names {
			s, err := suite.Open(group, name)
			if err != nil {
				t.Error(err)
				continue
			}
			commands += len(s.Commands)
			for i := range s.Commands {
				if file := s.Commands[i].Binary(); file != "" {
					if _, err := s.File(file); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	t.Logf("%d groups, %d commands", len(groups), commands)
	if commands == 0 {
		t.Error("no commands")
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(EnvDir, dir)
	if _, err := Find(); err == nil || !strings.Contains(err.Error(), EnvDir) {
		t.Errorf("found %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "spec", "core"), 0o777); err != nil {
		t.Fatal(err)
	}
	suite, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := suite.Names("core"); err == nil {
		t.Error("an empty group is accepted")
	}
	if _, err := suite.Open("core", "none"); err == nil {
		t.Error("a missing script is accepted")
	}
	if _, err := (&Script{}).File("none"); err == nil {
		t.Error("a missing module is accepted")
	}
}
