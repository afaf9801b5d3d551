package frontend

import (
	"errors"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// allOptions are all ways to build a function.
var allOptions = []Options{
	{Threading: true, Split: true},
	{Threading: false},
	{Threading: true, Split: true, Explicit: true},
	{Threading: false, Explicit: true},
}

// TestSuite builds every function of the official suite's valid modules in all ways and checks the result.
func TestSuite(t *testing.T) {
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	names, err := suite.Names("core")
	if err != nil {
		t.Fatal(err)
	}
	var b Builder
	var f ssa.Func
	funcs, refused := 0, 0
	for _, name := range names {
		s, err := suite.Open("core", name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Commands {
			c := &s.Commands[i]
			if c.Binary() == "" {
				continue
			}
			src, err := s.File(c.Binary())
			if err != nil {
				t.Fatal(err)
			}
			n, err := buildAll(&b, &f, src)
			var bad *wasm.Error
			switch {
			case c.Type == script.AssertInvalid || c.Type == script.AssertMalformed:
				if !errors.As(err, &bad) {
					t.Errorf("%s:%d: expected %q, found %v", s.Source, c.Line, c.Text, err)
				}
			case errors.As(err, &bad) && bad.Feature != 0:
				refused++
			case err != nil:
				t.Errorf("%s:%d: %v", s.Source, c.Line, err)
			}
			funcs += n
		}
	}
	t.Logf("%d functions built; %d modules need features that are not there", funcs, refused)
	if funcs < 1000 {
		t.Errorf("%d functions built, expected thousands", funcs)
	}
}

// buildAll builds and checks every function of a module in all ways and returns their number.
func buildAll(b *Builder, f *ssa.Func, src []byte) (int, error) {
	w, err := wasm.Decode(src, wasm.Features20NoSIMD)
	if err != nil {
		return 0, err
	}
	m, err := NewModule(w)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := w.ImportedFuncs; i < len(w.Funcs); i++ {
		for _, opts := range allOptions {
			if err := b.Build(m, uint32(i), opts, f); err != nil {
				return n, err
			}
			if err := check(f); err != nil {
				return n, err
			}
		}
		n++
	}
	return n, nil
}
