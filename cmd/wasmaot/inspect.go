package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/cpu"
)

func newInspect() *command {
	var asJSON bool
	cmd := &command{
		use: "inspect [flags] FILE", long: `Print what a module or an artifact holds and what it needs from its host: imports,
exports, memories, tables, sections with their sizes and, for artifacts, target and CPU features.`,
		min: 1, max: 1, what: "FILE", mixed: true,
	}
	cmd.flags.Bool(&asJSON, "json", "print JSON")
	cmd.run = func(_ context.Context, args []string) error {
		file, err := os.ReadFile(args[0])
		if err != nil {
			return err
		}
		r, err := inspect(file)
		if err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		text := r.text()
		if asJSON {
			text = r.json() + "\n"
		}
		_, err = fmt.Print(text)
		return err
	}
	return cmd
}

// A report is lists of facts, each a list of cells under the list's columns.
type report []reportPart

type reportPart struct {
	name    string
	columns []string
	rows    [][]any
	upright bool // one row, printed as a column
}

func (r *report) part(name string, columns ...string) *reportPart {
	*r = append(*r, reportPart{name: name, columns: columns})
	return &(*r)[len(*r)-1]
}

func (p *reportPart) row(cells ...any) { p.rows = append(p.rows, cells) }

func inspect(file []byte) (report, error) {
	var r report
	var m *artifact.Module
	var funcs int
	if artifact.IsArtifact(file) {
		a, err := artifact.Decode(file)
		if err != nil {
			return nil, err
		}
		m, funcs = &a.Module, len(a.Funcs)
		h := &a.Header
		p := r.part("artifact", "target", "CPU features", "memory checks", "format", "ABI", "build", "options", "wasm SHA-256", "bytes")
		p.upright = true
		p.row(h.Target, strings.Join(cpu.Names(h.Target, h.Features), " "), [...]string{"guard pages", "explicit"}[min(h.Tier, 1)],
			h.Format, h.ABI, h.Build, h.Options, hex.EncodeToString(h.WasmHash[:]), len(file))
		p = r.part("sections", "name", "offset", "bytes")
		for _, s := range a.Sections(file) {
			p.row(s.Name, s.Off, s.Size)
		}
	} else {
		d, n, err := compiler.Declarations(file)
		if err != nil {
			return nil, err
		}
		m, funcs = d, n
		p := r.part("sections", "name", "offset", "bytes")
		for _, s := range wasmSections(file) {
			p.row(s.Name, s.Off, s.Size)
		}
	}
	p := r.part("module", "name", "functions", "imported functions", "start function")
	start := "none"
	if m.Start >= 0 {
		start = fmt.Sprint(m.Start)
	}
	p.upright = true
	p.row(m.Name, funcs, len(m.ImportedFuncTypes), start)
	inspectDeclarations(&r, m)
	inspectNeeds(&r, m)
	return r, nil
}

func inspectDeclarations(r *report, m *artifact.Module) {
	p := r.part("imports", "module", "name", "kind", "type")
	for i := range m.Imports {
		im := &m.Imports[i]
		typ := ""
		if im.Kind == artifact.KindFunc {
			typ = signatureText(&m.Types[m.ImportedFuncTypes[im.Index]])
		}
		p.row(im.Module, im.Name, im.Kind.String(), typ)
	}
	p = r.part("exports", "name", "kind", "index")
	for _, e := range m.Exports {
		p.row(e.Name, e.Kind.String(), e.Index)
	}
	p = r.part("memories", "index", "pages", "at most", "64-bit")
	for i, mem := range m.Mems {
		p.row(i, mem.Min, limitText(mem.Max), mem.Is64)
	}
	p = r.part("tables", "index", "elements", "at most", "type")
	for i, t := range m.Tables {
		p.row(i, t.Min, limitText(t.Max), t.Elem.String())
	}
}

// inspectNeeds says what a host must give.
func inspectNeeds(r *report, m *artifact.Module) {
	const wasi = "wasi_snapshot_preview1"
	p := r.part("needs", "what", "detail")
	var functions, others []string
	for _, im := range m.Imports {
		switch {
		case im.Module == wasi && im.Kind == artifact.KindFunc:
			functions = append(functions, im.Name)
		default:
			others = append(others, im.Module+"."+im.Name)
		}
	}
	if len(functions) > 0 {
		slices.Sort(functions)
		functions = slices.Compact(functions)
		p.row("WASI preview 1", strings.Join(functions, " "))
		if slices.ContainsFunc(functions, func(s string) bool { return strings.HasPrefix(s, "path_") }) {
			p.row("directories", "it opens files if it is given directories (--dir)")
		}
		if slices.ContainsFunc(functions, func(s string) bool { return strings.HasPrefix(s, "sock_") }) {
			p.row("sockets", "it uses sockets if it is given any")
		}
	}
	if len(others) > 0 {
		p.row("a host module for", strings.Join(others, " "))
	}
	for i, mem := range m.Mems {
		p.row("memory", fmt.Sprintf("%d: %d KiB at the start", i, mem.Min*64))
	}
}

func signatureText(s *abi.Signature) string {
	list := func(types []abi.Type) string {
		var names []string
		for _, t := range types {
			names = append(names, t.String())
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	return list(s.Params) + " -> " + list(s.Results)
}

func limitText(n uint64) string {
	if n == ^uint64(0) {
		return "no limit"
	}
	return fmt.Sprint(n)
}

// sectionNames are those of the binary format, by id (core specification, 5.5.2).
var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data", "data count", "tag"}

// wasmSections lists the sections of a module that was decoded without an error.
func wasmSections(file []byte) []artifact.Section {
	var list []artifact.Section
	for at := 8; at < len(file); {
		id := file[at]
		size, n := binary.Uvarint(file[at+1:])
		body := at + 1 + n
		if n <= 0 || size > uint64(len(file)-body) {
			return list
		}
		name := fmt.Sprintf("section %d", id)
		if int(id) < len(sectionNames) {
			name = sectionNames[id]
		}
		if length, n := binary.Uvarint(file[body : body+int(size)]); id == 0 && n > 0 && length <= size-uint64(n) {
			name += " " + string(file[body+n:body+n+int(length)])
		}
		list = append(list, artifact.Section{Name: name, Off: uint64(body), Size: size})
		at = body + int(size)
	}
	return list
}
