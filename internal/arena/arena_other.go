//go:build !linux

package arena

func (a *Arena) reserve(int) bool { return false }

// Free gives the memory back: nothing may refer to it any more.
func (a *Arena) Free() {}
