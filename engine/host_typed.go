package engine

import "context"

// The functions below differ in the number of parameters only: Go has no generic way to say so.

// Host0 makes a host function of a Go function with no parameters and a result, or None. An error ends the guest's call, which returns it; name is
// for messages.
func Host0[R Result](name string, fn func(Caller) (R, error)) *Func {
	return HostFunc(name, signature(typeOf[R]()), func(ctx context.Context, i *Instance, s []uint64) error {
		r, err := fn(Caller{ctx, i})
		setResult(s, r)
		return err
	})
}

// Host1 is Host0 with one parameter.
func Host1[A Value, R Result](name string, fn func(Caller, A) (R, error)) *Func {
	return HostFunc(name, signature(typeOf[R](), typeOf[A]()), func(ctx context.Context, i *Instance, s []uint64) error {
		p := (*[1]uint64)(s)
		r, err := fn(Caller{ctx, i}, decode[A](p[0]))
		setResult(s, r)
		return err
	})
}

// Host2 is Host0 with 2 parameters.
func Host2[A, B Value, R Result](name string, fn func(Caller, A, B) (R, error)) *Func {
	return HostFunc(name, signature(typeOf[R](), typeOf[A](), typeOf[B]()), func(ctx context.Context, i *Instance, s []uint64) error {
		p := (*[2]uint64)(s)
		r, err := fn(Caller{ctx, i}, decode[A](p[0]), decode[B](p[1]))
		setResult(s, r)
		return err
	})
}

// Host3 is Host0 with 3 parameters.
func Host3[A, B, C Value, R Result](name string, fn func(Caller, A, B, C) (R, error)) *Func {
	return HostFunc(name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C]()), func(ctx context.Context, i *Instance, s []uint64) error {
		p := (*[3]uint64)(s)
		r, err := fn(Caller{ctx, i}, decode[A](p[0]), decode[B](p[1]), decode[C](p[2]))
		setResult(s, r)
		return err
	})
}

// Host4 is Host0 with 4 parameters.
func Host4[A, B, C, D Value, R Result](name string, fn func(Caller, A, B, C, D) (R, error)) *Func {
	return HostFunc(name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C](), typeOf[D]()), func(ctx context.Context, i *Instance, s []uint64) error {
		p := (*[4]uint64)(s)
		r, err := fn(Caller{ctx, i}, decode[A](p[0]), decode[B](p[1]), decode[C](p[2]), decode[D](p[3]))
		setResult(s, r)
		return err
	})
}

// Host5 is Host0 with 5 parameters.
func Host5[A, B, C, D, E Value, R Result](name string, fn func(Caller, A, B, C, D, E) (R, error)) *Func {
	return HostFunc(name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C](), typeOf[D](), typeOf[E]()), func(ctx context.Context, i *Instance, s []uint64) error {
		p := (*[5]uint64)(s)
		r, err := fn(Caller{ctx, i}, decode[A](p[0]), decode[B](p[1]), decode[C](p[2]), decode[D](p[3]), decode[E](p[4]))
		setResult(s, r)
		return err
	})
}

// Host6 is Host0 with 6 parameters.
func Host6[A, B, C, D, E, F Value, R Result](name string, fn func(Caller, A, B, C, D, E, F) (R, error)) *Func {
	return HostFunc(name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C](), typeOf[D](), typeOf[E](), typeOf[F]()), func(ctx context.Context, i *Instance, s []uint64) error {
		p := (*[6]uint64)(s)
		r, err := fn(Caller{ctx, i}, decode[A](p[0]), decode[B](p[1]), decode[C](p[2]), decode[D](p[3]), decode[E](p[4]), decode[F](p[5]))
		setResult(s, r)
		return err
	})
}
