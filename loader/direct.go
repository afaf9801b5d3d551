package loader

import (
	"context"
	"errors"
)

// directCalls reports whether assembly may call Go functions by the convention that it knows, which Go may change: whether parameters and results arrive.
var directCalls = func() bool {
	ctx, caller, stack, called := context.WithoutCancel(background), &Instance{}, make([]uint64, 2, 3), &Func{}
	arrived, result := false, errors.New("result")
	err := callDirect(func(c context.Context, i *Instance, s []uint64, f *Func) error {
		arrived = identity(c) == identity(ctx) && i == caller && len(s) == 2 && cap(s) == 3 && hide(s) == hide(stack) && f == called
		return result
	}, ctx, caller, stack, called)
	return arrived && err == result
}()
