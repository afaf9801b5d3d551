package wasm_test

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// FuzzValidate looks for panics, endless loops and memory out of proportion to the file.
func FuzzValidate(f *testing.F) {
	for _, src := range seeds() {
		f.Add(src)
	}
	addSuite(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		n := allocated(func() {
			var v wasm.Validator
			check(&v, src, allFeatures)
		})
		// A byte of code can nest a block or push an operand for half a frame or a thousand operands, both limited.
		if limit := uint64(1<<16 + 200*len(src) + 8*1<<20*3); n > limit {
			t.Errorf("%d bytes allocated for a file of %d", n, len(src))
		}
	})
}

// addSuite adds the small binary modules of the official suite, if it is there.
func addSuite(f *testing.F) {
	suite, err := script.Find()
	if err != nil {
		return
	}
	for _, name := range []string{"binary", "binary-leb128", "custom", "elem", "data", "br_table", "if", "select", "table_init", "unreached-valid"} {
		s, err := suite.Open("core", name)
		if err != nil {
			f.Fatal(err)
		}
		for i := range s.Commands {
			if file := s.Commands[i].Binary(); file != "" {
				if src, err := s.File(file); err == nil && len(src) < 4096 {
					f.Add(src)
				}
			}
		}
	}
}
