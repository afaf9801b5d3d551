//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// guest assembles an artifact by hand. Functions use the stubs' emitter and what guest_ARCH_test.go adds to it.
type guest struct {
	emitter
	a            artifact.Artifact
	traps, calls []artifact.Site
	demand       bool // functions are compiled when they are first called
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
	for i, t := range g.a.Module.Types {
		if g.demand && slices.Equal(t.Params, s.Params) && slices.Equal(t.Results, s.Results) {
			return uint32(i)
		}
	}
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

// fn adds a function with a frame of at least so many bytes, if any, and exports it by its name.
func (g *guest) fn(name string, s abi.Signature, frame uint32, body func()) uint32 {
	g.align()
	m := &g.a.Module
	if frame != 0 {
		frame = uint32(frameFor(int64(frame)))
	}
	f := artifact.Func{Off: uint32(len(g.code)), FrameSize: frameSize(frame), Type: g.typ(s), WasmOff: 0x1000 * uint32(len(g.a.Funcs)+1),
		NameOff: uint32(len(g.a.Names)), NameLen: uint32(len(name))}
	g.a.Names += name
	index := uint32(len(m.ImportedFuncTypes) + len(g.a.Funcs))
	g.a.Funcs = append(g.a.Funcs, f)
	g.enterFunc(int64(frame))
	body()
	g.leaveFunc(int64(frame))
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

// callDesc calls the descriptor in the convention's register; the own context is kept at [sp+at].
func (g *guest) callDesc(at int64) {
	g.storeWord(conv.Context, regSP, at)
	g.loadWord(conv.Context, conv.Callee, abi.FuncDescCtx)
	g.loadWord(conv.MemBase, conv.Context, abi.CtxMemBase)
	g.callAt(conv.Callee, abi.FuncDescCode)
	g.called()
	g.loadWord(conv.Context, regSP, at)
	g.loadWord(conv.MemBase, conv.Context, abi.CtxMemBase)
}

func (g *guest) callImport(index uint32, at int64) {
	g.loadWord(conv.Callee, conv.Context, int64(g.layout().Imports)+8*int64(index))
	g.callDesc(at)
}

func (g *guest) callBuiltin(b abi.Builtin, at int64) {
	g.loadWord(conv.Callee, conv.Context, abi.CtxBuiltins)
	g.loadWord(conv.Callee, conv.Callee, 8*int64(b))
	g.callDesc(at)
}

// callFunc calls a function of the same module, by its place in the text if that is known. If it is not, all types must be there.
func (g *guest) callFunc(index uint32) {
	if g.demand {
		own := int64(index) - int64(len(g.a.Module.ImportedFuncTypes))
		g.addTo(conv.Callee, conv.Context, int64(g.layout().Funcs)+own*abi.FuncDescSize)
		g.callAt(conv.Callee, abi.FuncDescCode)
		g.called()
		return
	}
	g.callText(g.a.Funcs[int(index)-len(g.a.Module.ImportedFuncTypes)].Off)
	g.called()
}

// spin is an endless loop.
func (g *guest) spin() { g.jump(len(g.code)) }

// raise traps.
func (g *guest) raise(code abi.Trap) {
	g.trap(code)
	g.undefined()
}

// The registers of the first parameter and the first result.
var (
	param0  = gpr(conv.ParamInt[0])
	param1  = gpr(conv.ParamInt[1])
	result0 = gpr(conv.ResultInt[0])
)

func (g *guest) memory(minimum, maximum uint64) {
	g.a.Module.Mems = append(g.a.Module.Mems, artifact.Memory{Min: minimum, Max: maximum})
}

// inBothModes tests code that is all there and code that is compiled on demand.
func inBothModes(t *testing.T, test func(t *testing.T, newGuest func() *guest)) {
	t.Run("ahead", func(t *testing.T) { test(t, newGuest) })
	t.Run("on demand", func(t *testing.T) { test(t, newDemandGuest) })
}

func newDemandGuest() *guest {
	g := newGuest()
	g.demand = true
	return g
}

// piece is the code of a defined function.
func (g *guest) piece(i int) *artifact.Piece {
	f := g.a.Funcs[i]
	end := f.Off + f.Size
	own := func(sites []artifact.Site, first, last uint32) artifact.Sites {
		var list []artifact.Site
		for _, s := range sites {
			if s.Off >= first && s.Off <= last {
				s.Off -= f.Off
				list = append(list, s)
			}
		}
		return artifact.SitesOf(list...)
	}
	return &artifact.Piece{Text: g.code[f.Off:end], Align: 16, FrameSize: f.FrameSize, Traps: own(g.traps, f.Off, end-1), Calls: own(g.calls, f.Off+1, end)}
}

// artifact is what was assembled.
func (g *guest) artifact() *artifact.Artifact {
	if g.demand {
		a := g.a
		a.Funcs = slices.Clone(a.Funcs)
		for i := range a.Funcs {
			f := &a.Funcs[i]
			f.Off, f.Size, f.FrameSize = 0, 0, 0
		}
		a.Compile = func(i int) (*artifact.Piece, error) { return g.piece(i), nil }
		return &a
	}
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
