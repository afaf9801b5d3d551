package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/cli"
)

func newObjdump() *command {
	var funcs, pass string
	var noOpt, baseline bool
	cmd := &command{
		use: "objdump [flags] FILE",
		long: `Print the machine code of a module or an artifact: offset in the code, bytes,
instruction, and for calls and instructions that may trap the offset in the wasm file
that they come from.`,
		example: "  wasmaot objdump --func=main.main hello.wasm\n  wasmaot objdump --func='main.*' hello.cwasm\n  wasmaot objdump --func=main.fib --ssa=fold hello.wasm",
		min:     1, max: 1, what: "FILE", mixed: true,
	}
	cmd.flags.String(&funcs, "func", "", "only `FUNCTIONS`: a name, which may have * for any part of it, or an index")
	cmd.flags.String(&pass, "ssa", "", "print the SSA form after `PASS` instead (all: after every pass); needs --func with one function of a module")
	cmd.flags.Bool(&noOpt, "no-opt", "leave out optimisations")
	cmd.flags.Bool(&baseline, "baseline", "use only CPU features that every supported CPU has")
	cmd.run = func(ctx context.Context, args []string) error {
		opts := compiler.Options{NoOpt: noOpt, Baseline: baseline, Progress: progress("compiling " + args[0])}
		src, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		a, err := artifactFrom(ctx, args[0], src, opts)
		if err != nil {
			return err
		}
		chosen, err := chooseFuncs(a, funcs)
		if err != nil {
			return err
		}
		w := bufio.NewWriter(os.Stdout)
		if pass != "" {
			err = dumpSSA(ctx, w, args[0], src, opts, a, chosen, pass)
		} else {
			err = disassemble(w, a, chosen)
		}
		if err != nil {
			return err
		}
		return w.Flush()
	}
	return cmd
}

// artifactFrom decodes an artifact or compiles a module.
func artifactFrom(ctx context.Context, name string, file []byte, opts compiler.Options) (a *artifact.Artifact, err error) {
	if artifact.IsArtifact(file) {
		a, err = artifact.Decode(file)
	} else {
		a, err = compiler.Compile(ctx, file, opts)
		clearProgress()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// funcName is what a defined function is called.
func funcName(a *artifact.Artifact, i int) string {
	if s := a.FuncName(i); s != "" {
		return s
	}
	return fmt.Sprintf("wasm-function[%d]", len(a.Module.ImportedFuncTypes)+i)
}

// chooseFuncs gives the defined functions that are meant by a name, an index in the module, or a regular expression; all if it is empty.
func chooseFuncs(a *artifact.Artifact, what string) ([]int, error) {
	imported := len(a.Module.ImportedFuncTypes)
	pick := func(match func(i int) bool) (list []int) {
		for i := range a.Funcs {
			if match(i) {
				list = append(list, i)
			}
		}
		return list
	}
	if what == "" {
		return pick(func(int) bool { return true }), nil
	}
	if list := pick(func(i int) bool { return funcName(a, i) == what }); len(list) > 0 {
		return list, nil
	}
	if n, err := strconv.ParseUint(strings.TrimPrefix(what, "#"), 10, 32); err == nil {
		if int(n) < imported || int(n) >= imported+len(a.Funcs) {
			return nil, fmt.Errorf("--func=%s: expected an index from %d to %d: those below are imported", what, imported, imported+len(a.Funcs)-1)
		}
		return []int{int(n) - imported}, nil
	}
	list := pick(func(i int) bool { return matches(what, funcName(a, i)) })
	if len(list) == 0 {
		return nil, fmt.Errorf("--func=%s: no function has such a name", what)
	}
	return list, nil
}

// matches tells whether a name is what a pattern says, in which * stands for any characters. Package regexp would make its tables at every start.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 || len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return pattern == name
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return true
}

// dumpSSA compiles again and prints the SSA form of one function.
func dumpSSA(ctx context.Context, w io.Writer, name string, src []byte, opts compiler.Options, a *artifact.Artifact, chosen []int, pass string) error {
	if artifact.IsArtifact(src) {
		return fmt.Errorf("%s: --ssa: expected a module: an artifact holds no SSA form", name)
	}
	if len(chosen) != 1 {
		return cli.UsageError{Err: fmt.Errorf("--ssa: expected --func with one function, found %d", len(chosen))}
	}
	var dump bytes.Buffer
	opts.Debug.Dump, opts.Debug.DumpFunc = &dump, fmt.Sprintf("#%d", len(a.Module.ImportedFuncTypes)+chosen[0])
	if _, err := compiler.Compile(ctx, src, opts); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var passes []string
	found := false
	for _, part := range strings.SplitAfter(dump.String(), "\n\n") {
		if after, ok := strings.CutPrefix(part, "; after "); ok {
			p, _, _ := strings.Cut(after, "\n")
			if !slices.Contains(passes, p) {
				passes = append(passes, p)
			}
			if pass == "all" || p == pass {
				found = true
				fmt.Fprint(w, part)
			}
		}
	}
	if !found {
		return fmt.Errorf("--ssa=%s: expected all or one of the passes that have run: %s", pass, strings.Join(passes, ", "))
	}
	return nil
}

// disassemble prints functions.
func disassemble(w io.Writer, a *artifact.Artifact, chosen []int) error {
	decode := decoderOf(a.Header.Target)
	if decode == nil {
		return fmt.Errorf("disassembling %s is not supported (supported: amd64, arm64)", a.Header.Target)
	}
	sites := siteTable(a)
	symbol := func(addr uint64) (string, uint64) {
		k := sort.Search(len(a.Funcs), func(i int) bool { return uint64(a.Funcs[i].Off) > addr }) - 1
		if k < 0 || addr-uint64(a.Funcs[k].Off) >= uint64(a.Funcs[k].Size) {
			return "", 0
		}
		return funcName(a, k), uint64(a.Funcs[k].Off)
	}
	for n, i := range chosen {
		f := &a.Funcs[i]
		if n > 0 {
			fmt.Fprintln(w)
		}
		frame := fmt.Sprintf("frame %d", f.FrameSize)
		if f.FrameSize == abi.FrameLeaf {
			frame = "no frame"
		}
		fmt.Fprintf(w, "%08x <%s>: function %d, wasm 0x%x, %d bytes, %s\n", f.Off, funcName(a, i), len(a.Module.ImportedFuncTypes)+i, f.WasmOff, f.Size, frame)
		for at := f.Off; at < f.Off+f.Size; {
			code := a.Text[at : f.Off+f.Size]
			text, size := decode(code, uint64(at), symbol)
			line := fmt.Sprintf("%8x:\t%-24x\t%s", at, code[:min(size, len(code))], text)
			if note := sites(at, at+uint32(size)); note != "" {
				line = fmt.Sprintf("%-72s ; %s", line, note)
			}
			fmt.Fprintln(w, line)
			at += uint32(size)
		}
	}
	return nil
}

// decoder gives an instruction's text and length.
type decoder func(code []byte, pc uint64, symbol func(uint64) (string, uint64)) (string, int)

// decoderOf is a target's, nil if there is none.
func decoderOf(target string) decoder {
	switch target {
	case "amd64":
		return decodeAMD64
	case "arm64":
		return decodeARM64
	}
	return nil
}

func decodeAMD64(code []byte, pc uint64, symbol func(uint64) (string, uint64)) (string, int) {
	inst, err := x86asm.Decode(code, 64)
	if err != nil {
		return "(bad)", 1
	}
	return x86asm.IntelSyntax(inst, pc, symbol), inst.Len
}

func decodeARM64(code []byte, pc uint64, symbol func(uint64) (string, uint64)) (string, int) {
	inst, err := arm64asm.Decode(code)
	if err != nil { // a constant, or what the decoder does not know
		word := append(slices.Clone(code[:min(4, len(code))]), 0, 0, 0)
		return fmt.Sprintf(".inst 0x%08x", binary.LittleEndian.Uint32(word)), min(4, len(code))
	}
	text := arm64asm.GNUSyntax(inst)
	for _, arg := range inst.Args {
		if rel, ok := arg.(arm64asm.PCRel); ok {
			to := pc + uint64(rel)
			place := fmt.Sprintf("0x%x", to)
			if name, base := symbol(to); name != "" && base == to {
				place = name
			}
			text = strings.Replace(text, rel.String(), place, 1)
		}
	}
	return text, 4
}

// siteTable gives a function that says what is known of the instruction [at, end): a trap is noted where it may happen, a
// call where it returns to.
func siteTable(a *artifact.Artifact) func(at, end uint32) string {
	traps, calls := slices.Collect(a.Traps.All()), slices.Collect(a.Calls.All())
	find := func(list []artifact.Site, off uint32) *artifact.Site {
		k := sort.Search(len(list), func(i int) bool { return list[i].Off >= off })
		if k < len(list) && list[k].Off == off {
			return &list[k]
		}
		return nil
	}
	place := func(s *artifact.Site) string {
		if s.Call != 0 {
			return fmt.Sprintf("wasm 0x%x called at 0x%x", s.Pos, s.Call)
		}
		return fmt.Sprintf("wasm 0x%x", s.Pos)
	}
	return func(at, end uint32) string {
		if s := find(traps, at); s != nil && s.Code != abi.TrapNone {
			return fmt.Sprintf("%s, may trap: %v", place(s), s.Code)
		}
		if s := find(calls, end); s != nil {
			return place(s)
		}
		return ""
	}
}
