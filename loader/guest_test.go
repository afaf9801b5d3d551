//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// guest assembles an artifact by hand. Functions use the stubs' emitter and bytes for what it lacks.
type guest struct {
	emitter
	a            artifact.Artifact
	traps, calls []artifact.Site
}

var (
	i32, i64, f32, f64, v128, funcref = abi.I32, abi.I64, abi.F32, abi.F64, abi.V128, abi.FuncRef
)

func sig(params, results []abi.Type) abi.Signature {
	return abi.Signature{Params: params, Results: results}
}
func types(t ...abi.Type) []abi.Type { return t }

func newGuest() *guest {
	g := &guest{}
	g.a.Header = artifact.Header{ABI: abi.Version, Target: runtime.GOARCH}
	g.a.Module.Start = -1
	return g
}

func (g *guest) typ(s abi.Signature) uint32 {
	g.a.Module.Types = append(g.a.Module.Types, s)
	return uint32(len(g.a.Module.Types) - 1)
}

func (g *guest) importFunc(name string, s abi.Signature) uint32 {
	m := &g.a.Module
	index := uint32(len(m.ImportedFuncTypes))
	m.Imports = append(m.Imports, artifact.Import{Module: "env", Name: name, Kind: artifact.KindFunc, Index: index})
	m.ImportedFuncTypes = append(m.ImportedFuncTypes, g.typ(s))
	return index
}

// layout must be asked for when all declarations are there but functions, which come last in it.
func (g *guest) layout() abi.Layout { return g.a.Layout() }

// fn adds a function with a frame and exports it by its name.
func (g *guest) fn(name string, s abi.Signature, frame uint32, body func()) uint32 {
	for len(g.code)%16 != 0 {
		g.raw([]byte{0xcc})
	}
	m := &g.a.Module
	f := artifact.Func{Off: uint32(len(g.code)), FrameSize: frame, Type: g.typ(s), WasmOff: 0x1000 * uint32(len(g.a.Funcs)+1),
		NameOff: uint32(len(g.a.Names)), NameLen: uint32(len(name))}
	g.a.Names += name
	index := uint32(len(m.ImportedFuncTypes) + len(g.a.Funcs))
	g.a.Funcs = append(g.a.Funcs, f)
	if frame != 0 {
		g.imm(subImm, rsp, int64(frame))
	}
	body()
	if frame != 0 {
		g.imm(addImm, rsp, int64(frame))
	}
	g.raw(ret)
	last := &g.a.Funcs[len(g.a.Funcs)-1]
	last.Size = uint32(len(g.code)) - last.Off
	m.Exports = append(m.Exports, artifact.Export{Name: name, Kind: artifact.KindFunc, Index: index})
	return index
}

// here is the wasm offset that stands for the next instruction in tests: its text offset + 0x10000.
func (g *guest) here() uint32 { return uint32(len(g.code)) + 0x10000 }

// trap says what a fault of the next instruction means.
func (g *guest) trap(code abi.Trap) {
	g.traps = append(g.traps, artifact.Site{Off: uint32(len(g.code)), Pos: g.here(), Code: code})
}

func (g *guest) called() {
	g.calls = append(g.calls, artifact.Site{Off: uint32(len(g.code)), Pos: g.here()})
}

// callDesc calls the descriptor in rax; the own context is kept at [rsp+at].
func (g *guest) callDesc(at int64) {
	g.mem(movStore, r14, rsp, at)
	g.mem(movLoad, r14, rax, abi.FuncDescCtx)
	g.mem(movLoad, r15, r14, abi.CtxMemBase)
	g.one(callMem, rax, abi.FuncDescCode)
	g.called()
	g.mem(movLoad, r14, rsp, at)
	g.mem(movLoad, r15, r14, abi.CtxMemBase)
}

func (g *guest) callImport(index uint32, at int64) {
	g.mem(movLoad, rax, r14, int64(g.layout().Imports)+8*int64(index))
	g.callDesc(at)
}

func (g *guest) callBuiltin(b abi.Builtin, at int64) {
	g.mem(movLoad, rax, r14, abi.CtxBuiltins)
	g.mem(movLoad, rax, rax, 8*int64(b))
	g.callDesc(at)
}

// callFunc calls a function of the same module by its place in the text.
func (g *guest) callFunc(index uint32) {
	f := g.a.Funcs[int(index)-len(g.a.Module.ImportedFuncTypes)]
	g.raw([]byte{0xe8}) // call rel32
	g.imm32(int64(f.Off) - int64(len(g.code)+4))
	g.called()
}

// spin is an endless loop: jmp $.
func (g *guest) spin() { g.raw([]byte{0xeb, 0xfe}) }

// ud2 traps.
func (g *guest) ud2(code abi.Trap) {
	g.trap(code)
	g.raw([]byte{0x0f, 0x0b})
}

func (g *guest) memory(minimum, maximum uint64) {
	g.a.Module.Mems = append(g.a.Module.Mems, artifact.Memory{Min: minimum, Max: maximum})
}

// artifact is what was assembled.
func (g *guest) artifact() *artifact.Artifact {
	g.a.Text, g.a.Traps, g.a.Calls = g.code, artifact.SitesOf(g.traps...), artifact.SitesOf(g.calls...)
	return &g.a
}

func (g *guest) load(t testing.TB) *Code {
	t.Helper()
	c, err := Load(g.artifact())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

type env map[string]Extern

func (e env) resolve(module, name string) (Extern, bool) {
	x, ok := e[name]
	return x, ok && module == "env"
}

func (g *guest) instance(t testing.TB, e env) *Instance {
	t.Helper()
	i, err := g.load(t).Instantiate(context.Background(), &Config{Name: t.Name(), Resolve: e.resolve})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	})
	return i
}

// call calls an export and gives the first result.
func call(t testing.TB, i *Instance, name string, args ...uint64) (uint64, error) {
	t.Helper()
	f := i.Func(name)
	if f == nil {
		t.Fatalf("no function %q", name)
	}
	stack := make([]uint64, max(f.Signature().SlotCount(), 1))
	copy(stack, args)
	err := f.Call(context.Background(), stack)
	return stack[0], err
}

func wantTrap(t *testing.T, err error, code abi.Trap) *Trap {
	t.Helper()
	var trap *Trap
	if !errors.As(err, &trap) || trap.Code != code {
		t.Fatalf("expected the trap %q, found %v", code, err)
	}
	return trap
}
