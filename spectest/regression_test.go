package spectest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// regressions are the modules on which TestDifferential once failed, cut down, and what was wrong.
var regressions = map[string]string{
	"add-global.wasm":    "the offset of an operand that is no sum was taken for a value when an addition became an LEA",
	"copied-header.wasm": "the moves of another edge stood between the copy of a loop's header and the block it falls through to",
	"loop-left.wasm":     "a br_table in a loop's header block, but behind the loop's end, was taken for the loop's dispatch",
	"pair-poisoned.wasm": "poison of a 32-bit sum that is made together with an earlier one",
}

func TestRegressions(t *testing.T) {
	nativetest.Require(t)
	files, err := filepath.Glob("testdata/differential/*.wasm")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(regressions) {
		t.Errorf("%d files, %d reasons", len(files), len(regressions))
	}
	c := &child{}
	defer c.stop()
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.try(request{Seed: 1, Module: src, All: true})
		if err != nil {
			t.Fatal(err)
		}
		if v.Problem != "" {
			t.Errorf("%s (%s): %s", file, regressions[filepath.Base(file)], v.Problem)
		}
	}
}
