package spectest

import (
	"context"
	"fmt"
	"maps"
	"sort"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// groups are the suite's groups that the compiler is expected to pass.
var groups = []string{"core", "simd"}

// beyond is the number of modules in a script that need more than Wasm 2.0, from the suite's own README. They are refused.
var beyond = map[string]int{
	"core/br_table": 1, "core/data": 6, "core/elem": 22, "core/global": 4, "core/imports": 7, "core/instance": 5, "core/linking": 28,
	"core/ref_is_null": 2, "core/ref_null": 2, "core/table-sub": 1, "core/table": 6, "core/table_init": 1, "core/unreached-valid": 2,
	"simd/simd_memory-multi": 1,
}

// setting is a way to compile that the suite is run with.
type setting struct {
	name   string
	opts   compiler.Options
	demand bool // functions are compiled when they are first called
}

var settings = []setting{
	{name: "guard"},
	{name: "explicit", opts: compiler.Options{Tier: artifact.TierExplicit}},
	{name: "guard-O0", opts: compiler.Options{NoOpt: true}},
	{name: "poll", opts: compiler.Options{Poll: true}},
	{name: "explicit-O0", opts: compiler.Options{Tier: artifact.TierExplicit, NoOpt: true}},
	{name: "baseline", opts: compiler.Options{Baseline: true}},
	{name: "poison", opts: compiler.Options{Debug: compiler.Debug{Poison: true}}},
	{name: "demand", demand: true},
	{name: "demand-poison", opts: compiler.Options{Debug: compiler.Debug{Poison: true}}, demand: true},
}

// compile compiles a module with the checkers on, unless check is false.
func (s setting) compile(src []byte, check bool) (*artifact.Artifact, error) {
	opts := s.opts
	opts.Debug.Check, opts.Workers = check, 1
	if s.demand {
		return compiler.NewOnDemand(context.Background(), src, nil, opts)
	}
	return compiler.Compile(context.Background(), src, opts)
}

// TestSuite runs the official test suite and prints what became of its commands: group, kind, passed, failed, skipped.
func TestSuite(t *testing.T) {
	nativetest.Require(t)
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	all := settings
	for _, p := range compiler.Optional() { // each optimisation off in turn
		all = append(all, setting{name: "off-" + p, opts: compiler.Options{Debug: compiler.Debug{Off: []string{p}}}})
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			for _, group := range groups {
				names, err := suite.Names(group)
				if err != nil {
					t.Fatal(err)
				}
				total, ran := map[script.CommandType]*outcome{}, 0
				for _, name := range names {
					t.Run(group+"/"+name, func(t *testing.T) {
						ran++
						runScript(t, suite, group, name, s, total)
					})
				}
				t.Logf("%s\n%s", group, table(total))
				if ran == len(names) { // not when -run picks some of them
					compareCounts(t, suite, group, total)
				}
			}
		})
	}
}

func runScript(t *testing.T, suite script.Suite, group, name string, s setting, total map[script.CommandType]*outcome) {
	sc, err := suite.Open(group, name)
	if err != nil {
		t.Fatal(err)
	}
	r := newRunner(sc, s)
	want := beyond[group+"/"+name]
	r.run(want)
	if r.beyond != want {
		t.Errorf("%d modules were refused as beyond Wasm 2.0, expected %d", r.beyond, want)
	}
	for i, reason := range r.reasons {
		if i == 10 {
			t.Errorf("… and %d more", len(r.reasons)-i)
			break
		}
		t.Error(reason)
	}
	if r.texts > 0 {
		t.Logf("skipped: %d commands: %v", r.texts, errText)
	}
	for _, reason := range r.skips {
		t.Log("skipped: ", reason)
	}
	for kind, n := range r.counts {
		if total[kind] == nil {
			total[kind] = &outcome{}
		}
		total[kind].passed += n.passed
		total[kind].failed += n.failed
		total[kind].skipped += n.skipped
	}
}

// compareCounts makes sure that no command was forgotten: their numbers are those of the suite's own index.
func compareCounts(t *testing.T, suite script.Suite, group string, total map[script.CommandType]*outcome) {
	want, err := suite.Counts(group)
	if err != nil {
		t.Fatal(err)
	}
	found := map[script.CommandType]int{}
	for kind, n := range total {
		found[kind] = n.passed + n.failed + n.skipped
	}
	if !maps.Equal(found, want) {
		t.Errorf("%s: the suite's index counts %v, found %v", group, want, found)
	}
}

func table(total map[script.CommandType]*outcome) string {
	var kinds []string
	for kind := range total {
		kinds = append(kinds, string(kind))
	}
	sort.Strings(kinds)
	var b strings.Builder
	fmt.Fprintf(&b, "%-22s %8s %8s %8s\n", "kind", "passed", "failed", "skipped")
	for _, kind := range kinds {
		n := total[script.CommandType(kind)]
		fmt.Fprintf(&b, "%-22s %8d %8d %8d\n", kind, n.passed, n.failed, n.skipped)
	}
	return b.String()
}
