package wasm_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// check decodes and validates a whole module and returns the number of its instructions. Instruction by instruction or body by body, the
// answer is the same.
func check(v *wasm.Validator, src []byte, features wasm.Features) (int, error) {
	m, err := wasm.Decode(src, features)
	if err != nil {
		return 0, err
	}
	n, err := checkBodies(v, m)
	if whole := checkWhole(v, m); fmt.Sprint(whole) != fmt.Sprint(err) {
		panic(fmt.Sprintf("Next: %v\nCheck: %v\n% x", err, whole, src))
	}
	return n, err
}

func checkWhole(v *wasm.Validator, m *wasm.Module) error {
	for i := m.ImportedFuncs; i < len(m.Funcs); i++ {
		if err := v.Begin(m, uint32(i)); err != nil {
			return err
		}
		if err := v.Check(); err != nil {
			return err
		}
	}
	return nil
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

// allFeatures are those that the validator knows.
const allFeatures = wasm.Features20 | wasm.FeatureExtendedConst | wasm.FeatureTailCall | wasm.FeatureMultiMemory |
	wasm.FeatureMemory64 | wasm.FeatureRelaxedSIMD

// suiteRuns are the parts of the official suite and how many of their valid modules, by script, need
// features that the validator does not know or that the run does not enable.
var suiteRuns = []struct {
	name     string
	features wasm.Features
	groups   []string
	beyond   map[string]int
}{
	{"2.0", wasm.Features20, []string{"core", "simd"}, map[string]int{
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
	}},
	{"3.0", allFeatures, []string{"core", "simd", "tail-call", "multi-memory", "memory64", "relaxed-simd"}, map[string]int{
		"core/br_table":         1,
		"core/data":             2,
		"core/elem":             18,
		"core/global":           3,
		"core/imports":          7,
		"core/instance":         5,
		"core/linking":          28,
		"core/ref_is_null":      2,
		"core/ref_null":         2,
		"core/table":            6,
		"core/table-sub":        1,
		"core/table_init":       1,
		"core/unreached-valid":  2,
		"memory64/table_init64": 1,
	}},
}

func TestSuite(t *testing.T) {
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	for _, run := range suiteRuns {
		t.Run(run.name, func(t *testing.T) {
			r := &suiteRun{T: t, features: run.features, refused: map[string]int{}}
			for _, group := range run.groups {
				r.group(suite, group)
			}
			if diff := cmp.Diff(run.beyond, r.refused); diff != "" {
				t.Errorf("modules refused for a feature (-expected +found):\n%s", diff)
			}
			t.Logf("%d modules accepted, %d rejected as they must be (%d of them for a feature), %d valid ones refused for a feature:",
				r.accepted, r.rejected, r.masked, len(r.reasons))
			for _, name := range slices.Sorted(maps.Keys(r.refused)) {
				t.Logf("%4d in %s", r.refused[name], name)
			}
			for _, reason := range r.reasons {
				t.Log(reason)
			}
		})
	}
}

type suiteRun struct {
	*testing.T
	v        wasm.Validator
	features wasm.Features
	accepted int
	rejected int
	masked   int // rejected, but for a feature: their mistake is not seen
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
		if bad.Feature != 0 {
			r.masked++
		}
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
