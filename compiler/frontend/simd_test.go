package frontend

import (
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// TestVectorLowerings sees that every operator of Wasm 2.0 on vectors has a lowering, with a shape that its op
// can have.
func TestVectorLowerings(t *testing.T) {
	known, lowerings, vectorShapes := 0, lowerings.Get(makeLowerings), vectorShapes.Get(makeVectorShapes)
	for op := wasm.OpV128Load; wasm.Info(op).Feature != wasm.FeatureRelaxedSIMD; op++ {
		if wasm.Info(op).Name == "" {
			continue
		}
		known++
		l := &lowerings[op]
		if l.emit == nil {
			t.Errorf("%s has no lowering", op)
			continue
		}
		fits := vectorShapes[op] == 0
		for _, s := range l.op.Shapes() {
			fits = fits || s == vectorShapes[op]
		}
		if !fits || l.op.Is(ssa.PropShape) != (vectorShapes[op] != 0) {
			t.Errorf("%s: no %s on %s", op, l.op, vectorShapes[op])
		}
	}
	if known != 236 {
		t.Errorf("expected 236 operators, found %d", known)
	}
}
