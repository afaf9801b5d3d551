package frontend

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestPlain damages functions of a Go program: Build, which takes most instructions without asking the validator, refuses what it
// refuses, with the same message.
func TestPlain(t *testing.T) {
	m := goModule(t)
	rnd := rand.New(rand.NewPCG(ssatest.Seed(t), 0))
	w := m.Wasm
	source := slices.Clone(w.Source)
	w.Source = source
	var b Builder
	var f ssa.Func
	var v wasm.Validator
	refused := 0
	for range 4000 {
		index := w.ImportedFuncs + rnd.IntN(len(w.Funcs)-w.ImportedFuncs)
		fn := &w.Funcs[index]
		if len(fn.Body) > 4000 {
			continue
		}
		body := source[fn.Offset:][:len(fn.Body)]
		old := slices.Clone(body)
		for range 1 + rnd.IntN(2) {
			at := rnd.IntN(len(body))
			switch rnd.IntN(3) {
			case 0:
				body[at] = byte(rnd.Uint32())
			case 1:
				body[at] ^= 1 << rnd.IntN(8)
			default:
				body[at] = body[rnd.IntN(len(body))]
			}
		}
		want := validate(&v, w, uint32(index))
		got := b.Build(m, uint32(index), Options{Threading: true, Split: true}, &f)
		var unsupported *Unsupported
		if !errors.As(got, &unsupported) && message(got) != message(want) {
			t.Fatalf("function %d, body %x:\nthe validator says %v\nBuild says %v", index, body, want, got)
		}
		if want != nil {
			refused++
		}
		copy(body, old)
	}
	if refused < 1000 {
		t.Errorf("only %d bodies were not valid", refused)
	}
}

func validate(v *wasm.Validator, m *wasm.Module, index uint32) error {
	if err := v.Begin(m, index); err != nil {
		return err
	}
	var in wasm.Instr
	for {
		if more, err := v.Next(&in); !more || err != nil {
			return err
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
