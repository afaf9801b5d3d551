package amd64

import (
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/ssa/ssatest"
)

// TestBranchBack assembles a loop behind whose last block neither of its successors follows: its header being too long to be copied there: the branch must lead back, not a jump
// behind a branch that leaves the loop.
func TestBranchBack(t *testing.T) {
	f, err := ssa.Parse(`func 3 (i32, i64) -> (i64)
b0(v1:i32, v2:i64):
  jump b1
b1:
  v4:addr = addr v1, 8, 8
  v5:i64 = load v4
  v6:addr = addr v1, 40, 8
  store v6, v5
  v12:addr = addr v1, 48, 8
  store v12, v2
  v7:i32 = ltu v5, 100:i64
  if v7, b2, b3
b2:
  v8:addr = addr v1, 16, 8
  store v8, v5
  v9:i32 = lts v5, v2
  if v9, b4, b1
b3:
  v10:addr = addr v1, 24, 8
  store v10, v5
  jump b4
b4:
  return (v2)`)
	if err != nil {
		t.Fatal(err)
	}
	f.Module = ssatest.Module
	f.Analyze(new(ssa.Scratch))
	cfg := &backend.Config{Features: FeatureV2}
	var (
		m     backend.Func
		alloc regalloc.Allocator
		found regalloc.Result
		code  backend.Code
	)
	if err := lower(cfg, f, &m); err != nil {
		t.Fatal(err)
	}
	if err := alloc.Run(&m.RA, &registers, &found); err != nil {
		t.Fatal(err)
	}
	if err := emitCode(cfg, &m, &found, &code); err != nil {
		t.Fatal(err)
	}
	branches := 0
	for at := uint32(0); at < code.CodeSize; {
		d, err := x86asm.Decode(code.Text[at:], 64)
		if err != nil {
			t.Fatal(err)
		}
		if to, ok := d.Args[0].(x86asm.Rel); ok && int32(to) < 0 {
			if d.Op == x86asm.JMP {
				t.Errorf("at %#x: %v leads back", at, d)
			} else {
				branches++
			}
		}
		at += uint32(d.Len)
	}
	if branches == 0 {
		t.Error("no branch leads back")
	}
}
