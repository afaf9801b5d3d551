// Package leaf speeds up small functions that many modules share: loops over single bytes in the assembly part of Go's
// runtime, byte for byte the same, and the block function of SHA-256, the same but for addresses.
//
// A function is recognised by its type and its whole body, never by its name. Its replacement is the same body behind
// a prefix. That of a loop over bytes takes the first steps many bytes at a time: it moves the function's parameters to where the loop would have
// moved them, and leaves the rest, at least the last step that tells the result, to the loop. That of SHA-256 does the whole
// work or nothing. A prefix accesses memory only if all that the function may access lies inside, so it never traps, and
// what does trap is the original instruction.
package leaf

import (
	"bytes"

	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Body is a function body that does what another one does.
type Body struct {
	Code   []byte // a code entry: declarations of locals and expression
	Skip   uint32 // where in Code the original expression begins
	Decls  uint32 // length of the original's declarations
	Origin uint32 // where in the file the original body begins
}

// Offset tells where in the file the instruction at an offset in Code comes from. The prefix
// counts as the original's first instruction.
func (b *Body) Offset(at uint32) uint32 { return b.Origin + b.Decls + max(at, b.Skip) - b.Skip }

// Find looks for the functions of a module that have a replacement. sha tells whether the target has the operators for
// SHA-256; used tells whether a replacement has them.
func Find(m *wasm.Module, sha bool) (found map[uint32]Body, used bool) {
	if len(m.Mems) == 0 || m.Mems[0].Is64 {
		return nil, false
	}
	replace := func(index int, b Body) {
		if found == nil {
			found = map[uint32]Body{}
		}
		b.Origin = m.Funcs[index].Offset
		found[uint32(index)] = b
	}
	for i := m.ImportedFuncs; i < len(m.Funcs); i++ {
		f := &m.Funcs[i]
		for j := range leaves {
			l := &leaves[j]
			if len(f.Body) != len(l.body) || !bytes.Equal(f.Body, []byte(l.body)) || !l.hasType(m.FuncType(uint32(i))) {
				continue
			}
			replace(i, assembled.Get(assembleAll)[j])
		}
		if !sha || !resumable(m, uint32(i)) {
			continue
		}
		if form, table := matchForm(m, uint32(i)); form != nil {
			replace(i, form.body(f, table))
			used = true
		}
	}
	return found, used
}

func (l *leaf) hasType(t *wasm.FuncType) bool {
	if len(t.Params) != 3 || len(t.Results) != 1 || t.Results[0] != l.typ {
		return false
	}
	for _, p := range t.Params {
		if p != l.typ {
			return false
		}
	}
	return true
}

// assembled are the replacements, in the order of leaves.
var assembled lazy.Value[[]Body]

func assembleAll() []Body {
	all := make([]Body, len(leaves))
	for i := range leaves {
		l := &leaves[i]
		b := append([]byte(l.locals), assemble(l.prefix())...)
		all[i] = Body{
			Code:  append(b, l.body[l.decls:]...),
			Skip:  uint32(len(b)),
			Decls: uint32(l.decls),
		}
	}
	return all
}

// Original is a function that has a replacement.
type Original struct {
	Name string       // in Go's runtime
	Type wasm.ValType // of its three parameters and its result
	Body []byte       // its code entry
}

// Originals lists the functions that Find knows, for tests.
func Originals() []Original {
	var all []Original
	for _, l := range leaves {
		all = append(all, Original{l.name, l.typ, []byte(l.body)})
	}
	return all
}
