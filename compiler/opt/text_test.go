package opt

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

var update = flag.Bool("update", false, "write what the passes make into testdata")

// textCase is a case of a file in testdata: a line "-- name: passes --", a function,
// a line "-- want --", and what the passes make of it.
type textCase struct {
	name        string
	passes      []Pass
	input, want string
}

func parseCases(t *testing.T, src string) (cases []textCase) {
	for _, part := range strings.Split("\n"+src, "\n-- ")[1:] {
		head, body, ok := strings.Cut(part, " --\n")
		if !ok {
			t.Fatalf("a case begins with a line \"-- name: passes --\", found %q", part)
		}
		if head == "want" {
			cases[len(cases)-1].want = body
			continue
		}
		name, passes, _ := strings.Cut(head, ": ")
		c := textCase{name: name, input: body}
		for _, p := range strings.Fields(passes) {
			known := append(slices.Clone(All), Forward, Fold, Clear, Poll, sweep)
			i := slices.IndexFunc(known, func(q Pass) bool { return q.Name == p })
			if i < 0 {
				t.Fatalf("%s: no pass %q", name, p)
			}
			c.passes = append(c.passes, known[i])
		}
		cases = append(cases, c)
	}
	return cases
}

func TestText(t *testing.T) {
	files, err := filepath.Glob("testdata/*.ssa")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	var s Scratch
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, c := range parseCases(t, string(src)) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".ssa")+"/"+c.name, func(t *testing.T) {
				f, err := ssa.Parse(c.input)
				if err != nil {
					t.Fatal(err)
				}
				f.Module = ssatest.Module
				f.Analyze(&s.Scratch)
				if err := ssa.Check(f); err != nil {
					t.Fatal(err)
				}
				out.WriteString("-- " + c.name + ":")
				for _, p := range c.passes {
					out.WriteString(" " + p.Name)
					p.Run(f, &s)
					if err := ssa.Check(f); err != nil {
						t.Fatalf("after %s: %v", p.Name, err)
					}
				}
				got := f.String()
				out.WriteString(" --\n" + c.input + "\n-- want --\n" + got)
				if diff := cmp.Diff(strings.TrimSpace(c.want), strings.TrimSpace(got)); diff != "" && !*update {
					t.Errorf("expected (-) and found (+) differ:\n%s", diff)
				}
			})
		}
		if *update && !t.Failed() {
			if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
