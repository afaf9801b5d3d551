package backend

import "slices"

// Clone copies the code out of memory that is used again for the next function.
func (c *Code) Clone() Code {
	d := *c
	d.Text, d.Relocs = slices.Clone(c.Text), slices.Clone(c.Relocs)
	d.Traps, d.Calls = slices.Clone(c.Traps), slices.Clone(c.Calls)
	return d
}

// Grow makes s n long; what was in it is undefined.
func Grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
