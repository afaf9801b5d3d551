// Command kernels counts the instructions of hot loops on arm64: those of wasmaot, and those of clang for the same
// module through wasm2c. It reads them from the code, so that it needs no such machine: clang with the WebAssembly and AArch64
// targets, wasm-ld, wasm2c (wabt) and C headers for AArch64 (Debian: clang lld wabt libc6-dev-arm64-cross).
package main

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// once keeps loops as they are written: a round of an unrolled or vectorised one is more than a round.
var once = []string{"-O2", "-fno-vectorize", "-fno-slp-vectorize", "-fno-unroll-loops"}

func main() {
	out := flag.String("md", "", "write the table to `FILE`")
	source := flag.String("source", "native/kernels.c", "the kernels")
	header := flag.String("header", "/usr/include/wasm-rt.h", "wasm2c's header")
	include := flag.String("include", "/usr/aarch64-linux-gnu/include", "C headers for AArch64")
	flag.Parse()
	table, err := compare(*source, *header, *include)
	if err != nil {
		log.Fatal(err)
	}
	if *out == "" {
		fmt.Print(table)
	} else if err := os.WriteFile(*out, []byte(table), 0o666); err != nil {
		log.Fatal(err)
	}
}

func compare(source, header, include string) (string, error) {
	dir, err := os.MkdirTemp("", "kernels")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	rt, err := os.ReadFile(header)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "wasm-rt.h"), rt, 0o666); err != nil {
		return "", err
	}
	wasm, c, object := filepath.Join(dir, "k.wasm"), filepath.Join(dir, "k.c"), filepath.Join(dir, "k.o")
	steps := [][]string{
		append([]string{"clang", "--target=wasm32", "-nostdlib", "-Wl,--no-entry", "-o", wasm, source}, once...),
		{"wasm2c", wasm, "-o", c},
		append([]string{"clang", "--target=aarch64-linux-gnu", "-DWASM_RT_USE_MMAP=1", "-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=1",
			"-DWASM_RT_MEMCHECK_SIGNAL_HANDLER_POSIX=1", "-nostdlibinc", "-isystem", include, "-c", c, "-o", object}, once...),
	}
	for _, s := range steps {
		cmd := exec.Command(s[0], s[1:]...)
		if text, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w\n%s", strings.Join(s, " "), err, text)
		}
	}
	module, err := os.ReadFile(wasm)
	if err != nil {
		return "", err
	}
	ours, err := compiled(module)
	if err != nil {
		return "", err
	}
	theirs, err := symbols(object)
	if err != nil {
		return "", err
	}
	return markdown(ours, theirs), nil
}

// compiled gives wasmaot's code of each function.
func compiled(module []byte) (map[string][]uint32, error) {
	options := compiler.Options{Target: "arm64", Debug: compiler.Debug{Off: []string{"unroll"}}} // as clang's, see once
	a, err := compiler.Compile(context.Background(), module, options)
	if err != nil {
		return nil, err
	}
	funcs := map[string][]uint32{}
	for i := range a.Funcs {
		f := &a.Funcs[i]
		funcs[name(a, f)] = words(a.Text[f.Off : f.Off+f.Size])
	}
	return funcs, nil
}

func name(a *artifact.Artifact, f *artifact.Func) string {
	return a.Names[f.NameOff : f.NameOff+f.NameLen]
}

// symbols gives clang's, by the names that wasm2c gives exports: Z_modZ_name.
func symbols(object string) (map[string][]uint32, error) {
	f, err := elf.Open(object)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	funcs := map[string][]uint32{}
	for _, s := range list {
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC || int(s.Section) >= len(f.Sections) {
			continue
		}
		text, err := f.Sections[s.Section].Data()
		if err != nil {
			return nil, err
		}
		_, short, _ := strings.Cut(strings.TrimPrefix(s.Name, "Z_"), "Z_")
		funcs[short] = words(text[s.Value : s.Value+s.Size])
	}
	return funcs, nil
}

func words(text []byte) (list []uint32) {
	for ; len(text) >= 4; text = text[4:] {
		list = append(list, binary.LittleEndian.Uint32(text))
	}
	return list
}

// branch is the distance in instructions of a branch (Arm ARM, C4.1.86).
func branch(w uint32) (distance int, ok bool) {
	switch {
	case w>>26 == 0b000101: // B
		return int(int32(w<<6) >> 6), true
	case w>>24 == 0x54, w>>25&0x3f == 0b011010: // B.cond, CBZ, CBNZ
		return int(int32(w<<8) >> 13), true
	case w>>25&0x3f == 0b011011: // TBZ, TBNZ
		return int(int32(w<<13) >> 18), true
	}
	return 0, false
}

// isBase reports whether w loads 8 bytes from the second word of an object, as wasm2c does for the base of the memory before each
// access, since a store might change it.
func isBase(w uint32) bool { return w>>10 == 0xF9400400>>10 }

const (
	nop = 0xd503201f
	ret = 0xd65f03c0
)

// innermost counts the instructions of the innermost loop: the shortest way back. A way back over the function's end is none: it leads
// to that from behind. bases are loads of the memory's base among them.
func innermost(code []uint32) (count, bases int) {
	best := math.MaxInt
	for at, w := range code {
		d, ok := branch(w)
		if !ok || d >= 0 || -d+1 >= best || at+d < 0 || slices.Contains(code[at+d:at], ret) {
			continue
		}
		best, count, bases = -d+1, 0, 0
		for _, w := range code[at+d : at+1] {
			switch {
			case w == nop:
				continue
			case isBase(w):
				bases++
			}
			count++
		}
	}
	return count, bases
}

func markdown(ours, theirs map[string][]uint32) string {
	var b bytes.Buffer
	b.WriteString(`Instructions of the innermost loop on arm64, read from the code. clang compiles what wasm2c makes of the same module; both compile
without unrolling and vectorising. wasm2c's code loads the base of the memory before each access: the last columns leave those loads out.

| kernel | wasmaot | clang | ratio | clang, base kept | ratio |
|---|---|---|---|---|---|
`)
	n, sum, strict := 0, 0.0, 0.0
	for _, k := range []string{"fnv", "mix", "dot", "sieve", "collatz", "crc", "list", "search", "insertion", "matvec", "decimal", "particles"} {
		a, _ := innermost(ours[k])
		c, bases := innermost(theirs[k])
		if a == 0 || c == 0 {
			fmt.Fprintf(&b, "| %s | no loop found | | | | |\n", k)
			continue
		}
		r, s := float64(a)/float64(c), float64(a)/float64(c-bases)
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f | %d | %.2f |\n", k, a, c, r, c-bases, s)
		n, sum, strict = n+1, sum+math.Log(r), strict+math.Log(s)
	}
	fmt.Fprintf(&b, "| **geometric mean** | | | **%.2f** | | **%.2f** |\n", math.Exp(sum/float64(n)), math.Exp(strict/float64(n)))
	return b.String()
}
