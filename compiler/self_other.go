//go:build !linux

package compiler

func selfNotes() [][]byte { return nil }
