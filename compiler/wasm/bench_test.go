package wasm_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// goModule builds a Go program for wasip1; $WASMAOT_BENCH_MODULE names a module to take instead.
func goModule(b *testing.B) []byte {
	b.Helper()
	path := os.Getenv("WASMAOT_BENCH_MODULE")
	if path == "" {
		dir := b.TempDir()
		path = filepath.Join(dir, "hello.wasm")
		program := filepath.Join(dir, "hello.go")
		if err := os.WriteFile(program, []byte("package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"), 0o666); err != nil {
			b.Fatal(err)
		}
		cmd := exec.Command("go", "build", "-o", path, program)
		cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Skipf("the go tool cannot build for wasip1: %v\n%s", err, out)
		}
	}
	src, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return src
}

func BenchmarkDecode(b *testing.B) {
	src := goModule(b)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wasm.Decode(src, wasm.Features20NoSIMD); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	src := goModule(b)
	m, err := wasm.Decode(src, wasm.Features20NoSIMD)
	if err != nil {
		b.Fatal(err)
	}
	var v wasm.Validator
	operators := 0
	b.ReportAllocs()
	for b.Loop() {
		if operators, err = checkBodies(&v, m); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(operators), "ns/operator")
	b.ReportMetric(float64(operators), "operators")
}

// BenchmarkCheck validates bodies as a whole.
func BenchmarkCheck(b *testing.B) {
	m, err := wasm.Decode(goModule(b), wasm.Features20NoSIMD)
	if err != nil {
		b.Fatal(err)
	}
	var v wasm.Validator
	b.ReportAllocs()
	for b.Loop() {
		if err := checkWhole(&v, m); err != nil {
			b.Fatal(err)
		}
	}
}
