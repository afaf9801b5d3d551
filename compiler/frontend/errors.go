package frontend

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Unsupported says that a valid function needs something that this compiler does not do.
type Unsupported struct {
	Feature  string
	Offset   uint32 // in the file
	Func     uint32 // index among all functions
	FuncName string // from the name section, may be empty
}

// Error reads "function 17 (main.fib) at 0x1a2f: i32x4.add needs SIMD, which is not supported".
func (u *Unsupported) Error() string {
	at := wasm.Error{Offset: u.Offset, Func: int64(u.Func), FuncName: u.FuncName, Msg: u.Feature + ", which is not supported"}
	return at.Error()
}

// unsupported ends the building of the function.
func (b *Builder) unsupported(format string, args ...any) {
	if b.err == nil {
		b.err = &Unsupported{Feature: fmt.Sprintf(format, args...), Offset: b.in.Offset, Func: b.f.Index, FuncName: b.f.Name}
	}
}

// noLowering refuses an operator that validates but has no lowering.
func (b *Builder) noLowering() {
	need := wasm.Info(b.in.Op).Feature.String()
	if need == "" {
		need = "more than this compiler has"
	}
	b.unsupported("%s needs %s", b.in.Op, need)
}
