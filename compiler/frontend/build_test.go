package frontend

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// check verifies what Build promises beyond what ssa.Check does.
func check(f *ssa.Func) error {
	if err := ssa.Check(f); err != nil {
		return fmt.Errorf("%w\n%s", err, f)
	}
	if len(f.RPO) != len(f.Blocks) {
		return fmt.Errorf("%d of %d blocks are reachable\n%s", len(f.RPO), len(f.Blocks), f)
	}
	return nil
}
