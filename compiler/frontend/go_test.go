package frontend

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// benchModule names a module for the benchmarks to take instead of a Go hello.
const benchModule = "WASMAOT_BENCH_MODULE"

// goModule builds a Go program for wasip1.
func goModule(t testing.TB) *Module {
	t.Helper()
	path := ""
	if _, ok := t.(*testing.B); ok {
		path = os.Getenv(benchModule)
	}
	if path == "" {
		dir := t.TempDir()
		path = filepath.Join(dir, "hello.wasm")
		program := filepath.Join(dir, "hello.go")
		if err := os.WriteFile(program, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "build", "-o", path, program)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("the go tool cannot build for wasip1: %v\n%s", err, out)
		}
	}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := wasm.Decode(src, wasm.Features20NoSIMD)
	if err != nil {
		t.Fatal(err)
	}
	mod, err := NewModule(m)
	if err != nil {
		t.Fatal(err)
	}
	return mod
}

// TestGoModule builds a whole Go program. In what the Go compiler makes, every jump to
// a dispatch loop has a constant target, so that after threading nothing leads back to one.
func TestGoModule(t *testing.T) {
	m := goModule(t)
	var b Builder
	var f ssa.Func
	var threaded, plain jumps
	for i := m.Wasm.ImportedFuncs; i < len(m.Wasm.Funcs); i++ {
		for _, opts := range allOptions[:2] {
			if err := b.Build(m, uint32(i), opts, &f); err != nil {
				t.Fatal(err)
			}
			if err := check(&f); err != nil {
				t.Fatal(err)
			}
			if opts.Threading {
				threaded.count(&f)
			} else {
				plain.count(&f)
			}
		}
	}
	t.Logf("%d dispatch loops, %d of %d jumps to them threaded", plain.dispatches, plain.back-threaded.back, plain.back)
	t.Logf("%d block parameters after threading, %d without", threaded.params, plain.params)
	if plain.back < 1000 || threaded.back != 0 {
		t.Errorf("%d jumps to dispatch loops, %d after threading; expected thousands and none", plain.back, threaded.back)
	}
	for i := range m.Wasm.Tables {
		t.Logf("table %d: %+v", i, m.tables[i])
	}
}

// jumps counts what threading is about.
type jumps struct {
	dispatches int // blocks without instructions that end with a switch on an I32 that comes in
	back       int // edges to them from blocks they dominate
	params     int // of all blocks but entries
}

func (j *jumps) count(f *ssa.Func) {
	for i := range f.Blocks {
		bd := &f.Blocks[i]
		if i > 0 {
			j.params += int(bd.ParamEnd - bd.ParamStart)
		}
		if bd.Kind != ssa.BlockSwitch || bd.InstStart != bd.InstEnd {
			continue
		}
		j.dispatches++
		for _, e := range f.PredsOf(bd) {
			if f.Dominates(ssa.Block(i), f.Edges[e].From) {
				j.back++
			}
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	m := goModule(b)
	var bd Builder
	var f ssa.Func
	operators := countOperators(b, m.Wasm)
	b.ReportAllocs()
	for b.Loop() {
		for i := m.Wasm.ImportedFuncs; i < len(m.Wasm.Funcs); i++ {
			if err := bd.Build(m, uint32(i), Options{Threading: true, Split: true}, &f); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(operators), "ns/operator")
}

func BenchmarkNewModule(b *testing.B) {
	m := goModule(b)
	for b.Loop() {
		if _, err := NewModule(m.Wasm); err != nil {
			b.Fatal(err)
		}
	}
	runtime.KeepAlive(m)
}

func countOperators(t testing.TB, m *wasm.Module) (n int) {
	var v wasm.Validator
	var in wasm.Instr
	for i := m.ImportedFuncs; i < len(m.Funcs); i++ {
		if err := v.Begin(m, uint32(i)); err != nil {
			t.Fatal(err)
		}
		for more := true; more; n++ {
			var err error
			if more, err = v.Next(&in); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}
