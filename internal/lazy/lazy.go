// Package lazy has values that are made when they are first asked for. Unlike what sync.OnceValue gives they are nothing before: a package that
// has them at its top level runs no code at the start of the program, and touches no page of it.
package lazy

import "sync"

// Value is a T. Its zero value is ready.
type Value[T any] struct {
	once  sync.Once
	value T
}

// Get is the value. The first caller's function makes it.
func (v *Value[T]) Get(make func() T) T {
	v.once.Do(func() { v.value = make() })
	return v.value
}
