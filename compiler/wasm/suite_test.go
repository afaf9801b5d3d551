package wasm_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// check decodes and validates a whole module and returns the number of its instructions.
func check(v *wasm.Validator, src []byte, features wasm.Features) (int, error) {
	m, err := wasm.Decode(src, features)
	if err != nil {
		return 0, err
	}
	return checkBodies(v, m)
}

func checkBodies(v *wasm.Validator, m *wasm.Module) (n int, err error) {
	var in wasm.Instr
	for i := m.ImportedFuncs; i < len(m.Funcs); i++ {
		if err := v.Begin(m, uint32(i)); err != nil {
			return n, err
		}
		for more := true; more; n++ {
			if more, err = v.Next(&in); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// beyond20 counts the valid modules of the official suite that need features beyond Wasm 2.0, by script.
var beyond20 = map[string]int{
	"core/br_table":          1,
	"core/data":              6,
	"core/elem":              22,
	"core/global":            4,
	"core/imports":           7,
	"core/instance":          5,
	"core/linking":           28,
	"core/ref_is_null":       2,
	"core/ref_null":          2,
	"core/table":             6,
	"core/table-sub":         1,
	"core/table_init":        1,
	"core/unreached-valid":   2,
	"simd/simd_memory-multi": 1,
}

func TestSuite(t *testing.T) {
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	r := &suiteRun{T: t, features: wasm.Features20, refused: map[string]int{}}
	for _, group := range []string{"core", "simd"} {
		r.group(suite, group)
	}
	if diff := cmp.Diff(beyond20, r.refused); diff != "" {
		t.Errorf("modules refused for a feature (-expected +found):\n%s", diff)
	}
	t.Logf("%d modules accepted, %d rejected as they must be, %d refused for a feature:", r.accepted, r.rejected, len(r.reasons))
	for _, reason := range slices.Sorted(maps.Keys(r.refused)) {
		t.Logf("%4d in %s", r.refused[reason], reason)
	}
	for _, reason := range r.reasons {
		t.Log(reason)
	}
}

type suiteRun struct {
	*testing.T
	v        wasm.Validator
	features wasm.Features
	accepted int
	rejected int
	refused  map[string]int
	reasons  []string
}

func (r *suiteRun) group(suite script.Suite, group string) {
	names, err := suite.Names(group)
	if err != nil {
		r.Fatal(err)
	}
	for _, name := range names {
		s, err := suite.Open(group, name)
		if err != nil {
			r.Error(err)
			continue
		}
		for i := range s.Commands {
			r.command(s, &s.Commands[i])
		}
	}
}

func (r *suiteRun) command(s *script.Script, c *script.Command) {
	file := c.Binary()
	if file == "" {
		return
	}
	src, err := s.File(file)
	if err != nil {
		r.Error(err)
		return
	}
	_, err = check(&r.v, src, r.features)
	at := s.Group + "/" + s.Name
	var bad *wasm.Error
	if err != nil && !errors.As(err, &bad) {
		r.Errorf("%s:%d: error of another type: %v", at, c.Line, err)
		return
	}
	switch c.Type {
	case script.AssertInvalid, script.AssertMalformed:
		if err == nil {
			r.Errorf("%s:%d: %s: accepted, expected %q", at, c.Line, file, c.Text)
			return
		}
		r.rejected++
	default:
		switch {
		case err == nil:
			r.accepted++
		case bad.Feature != 0:
			r.refused[at]++
			r.reasons = append(r.reasons, at+": "+err.Error())
		default:
			r.Errorf("%s:%d: %s: %v", at, c.Line, file, err)
		}
	}
}
