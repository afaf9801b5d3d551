package backend

import "slices"

// Clone copies the code out of memory that is used again for the next function.
func (c *Code) Clone() Code {
	d := *c
	d.Text, d.Relocs = slices.Clone(c.Text), slices.Clone(c.Relocs)
	d.Traps, d.Calls = slices.Clone(c.Traps), slices.Clone(c.Calls)
	return d
}
