package loader

import (
	"context"
	"errors"
)

// directCalls reports whether assembly may call Go functions by the convention that it knows, which Go may change: whether parameters and results arrive.
var directCalls = func() bool {
	ctx, caller, stack := context.WithoutCancel(background), &Instance{}, make([]uint64, 2, 3)
	arrived, result := false, errors.New("result")
	err := callDirect(func(c context.Context, i *Instance, s []uint64) error {
		arrived = identity(c) == identity(ctx) && i == caller && len(s) == 2 && cap(s) == 3 && hide(s) == hide(stack)
		return result
	}, ctx, caller, stack)
	return arrived && err == result
}()
