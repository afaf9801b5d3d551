package engine

import "context"

// The functions below differ in the number of parameters only: Go has no generic way to say so.

// Func0 is an exported function with no parameters and a result, or None.
type Func0[R Result] struct{ f *Func }

// Get0 finds an exported function and compares its type.
func Get0[R Result](i *Instance, name string) (Func0[R], error) {
	f, err := exportedFunc(i, name, signature(typeOf[R]()))
	return Func0[R]{f}, err
}

// Call calls the function. Errors are those of Func.Call.
func (fn Func0[R]) Call(ctx context.Context) (R, error) {
	s := [1]uint64{}
	if err := fn.f.Call(ctx, s[:]); err != nil {
		return *new(R), err
	}
	return getResult[R](s[0]), nil
}

// Func1 is an exported function with one parameter and a result, or None.
type Func1[A Value, R Result] struct{ f *Func }

// Get1 finds an exported function and compares its type.
func Get1[A Value, R Result](i *Instance, name string) (Func1[A, R], error) {
	f, err := exportedFunc(i, name, signature(typeOf[R](), typeOf[A]()))
	return Func1[A, R]{f}, err
}

// Call calls the function. Errors are those of Func.Call.
func (fn Func1[A, R]) Call(ctx context.Context, a A) (R, error) {
	s := [1]uint64{encode(a)}
	if err := fn.f.Call(ctx, s[:]); err != nil {
		return *new(R), err
	}
	return getResult[R](s[0]), nil
}

// Func2 is an exported function with 2 parameters and a result, or None.
type Func2[A, B Value, R Result] struct{ f *Func }

// Get2 finds an exported function and compares its type.
func Get2[A, B Value, R Result](i *Instance, name string) (Func2[A, B, R], error) {
	f, err := exportedFunc(i, name, signature(typeOf[R](), typeOf[A](), typeOf[B]()))
	return Func2[A, B, R]{f}, err
}

// Call calls the function. Errors are those of Func.Call.
func (fn Func2[A, B, R]) Call(ctx context.Context, a A, b B) (R, error) {
	s := [2]uint64{encode(a), encode(b)}
	if err := fn.f.Call(ctx, s[:]); err != nil {
		return *new(R), err
	}
	return getResult[R](s[0]), nil
}

// Func3 is an exported function with 3 parameters and a result, or None.
type Func3[A, B, C Value, R Result] struct{ f *Func }

// Get3 finds an exported function and compares its type.
func Get3[A, B, C Value, R Result](i *Instance, name string) (Func3[A, B, C, R], error) {
	f, err := exportedFunc(i, name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C]()))
	return Func3[A, B, C, R]{f}, err
}

// Call calls the function. Errors are those of Func.Call.
func (fn Func3[A, B, C, R]) Call(ctx context.Context, a A, b B, c C) (R, error) {
	s := [3]uint64{encode(a), encode(b), encode(c)}
	if err := fn.f.Call(ctx, s[:]); err != nil {
		return *new(R), err
	}
	return getResult[R](s[0]), nil
}

// Func4 is an exported function with 4 parameters and a result, or None.
type Func4[A, B, C, D Value, R Result] struct{ f *Func }

// Get4 finds an exported function and compares its type.
func Get4[A, B, C, D Value, R Result](i *Instance, name string) (Func4[A, B, C, D, R], error) {
	f, err := exportedFunc(i, name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C](), typeOf[D]()))
	return Func4[A, B, C, D, R]{f}, err
}

// Call calls the function. Errors are those of Func.Call.
func (fn Func4[A, B, C, D, R]) Call(ctx context.Context, a A, b B, c C, d D) (R, error) {
	s := [4]uint64{encode(a), encode(b), encode(c), encode(d)}
	if err := fn.f.Call(ctx, s[:]); err != nil {
		return *new(R), err
	}
	return getResult[R](s[0]), nil
}

// Func5 is an exported function with 5 parameters and a result, or None.
type Func5[A, B, C, D, E Value, R Result] struct{ f *Func }

// Get5 finds an exported function and compares its type.
func Get5[A, B, C, D, E Value, R Result](i *Instance, name string) (Func5[A, B, C, D, E, R], error) {
	f, err := exportedFunc(i, name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C](), typeOf[D](), typeOf[E]()))
	return Func5[A, B, C, D, E, R]{f}, err
}

// Call calls the function. Errors are those of Func.Call.
func (fn Func5[A, B, C, D, E, R]) Call(ctx context.Context, a A, b B, c C, d D, e E) (R, error) {
	s := [5]uint64{encode(a), encode(b), encode(c), encode(d), encode(e)}
	if err := fn.f.Call(ctx, s[:]); err != nil {
		return *new(R), err
	}
	return getResult[R](s[0]), nil
}

// Func6 is an exported function with 6 parameters and a result, or None.
type Func6[A, B, C, D, E, F Value, R Result] struct{ f *Func }

// Get6 finds an exported function and compares its type.
func Get6[A, B, C, D, E, F Value, R Result](i *Instance, name string) (Func6[A, B, C, D, E, F, R], error) {
	f, err := exportedFunc(i, name, signature(typeOf[R](), typeOf[A](), typeOf[B](), typeOf[C](), typeOf[D](), typeOf[E](), typeOf[F]()))
	return Func6[A, B, C, D, E, F, R]{f}, err
}

// Call calls the function. Errors are those of Func.Call.
func (fn Func6[A, B, C, D, E, F, R]) Call(ctx context.Context, a A, b B, c C, d D, e E, f F) (R, error) {
	s := [6]uint64{encode(a), encode(b), encode(c), encode(d), encode(e), encode(f)}
	if err := fn.f.Call(ctx, s[:]); err != nil {
		return *new(R), err
	}
	return getResult[R](s[0]), nil
}
