// Bench compares wasmaot with native Go, wazero, Wasmtime and V8, side by side in one run: every round runs every program on every
// engine in turn, and the figures are the minima of the rounds as ratios. Engines that are not there are left out with a line that
// says how to get them.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// Table is a group of programs.
type Table struct {
	Title    string
	Programs []ProgramResult
}

// Report is the result of a run, as written to the JSON file.
type Report struct {
	Machine  string
	Versions map[string]string
	Rounds   int
	Engines  []string
	Missing  []string // what could not be measured, and why
	Tables   []Table
	Compile  []CompileResult
	Cold     []ColdResult
	Start    []StartResult
	HTTP     []HTTPResult

	dir string // for what is built
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	rounds := flag.Int("rounds", 3, "rounds; the minimum counts")
	only := flag.String("only", "", `comma-separated programs, and "compile", "cold", "start", "http", "versions" (default: all)`)
	engines := flag.String("engines", "", "comma-separated engines (default: all that are there)")
	jsonOut := flag.String("json", "", "write the results to this file")
	mdOut := flag.String("md", "", "write the tables to this file")
	svgOut := flag.String("svg", "", "write the plot to this file")
	from := flag.String("from", "", "take the results from this JSON file instead of measuring")
	flag.Parse()
	report, err := obtain(*from, *rounds, fields(*only), fields(*engines))
	if err != nil {
		log.Fatal(err)
	}
	table := report.Markdown()
	fmt.Print(table)
	b, err := json.MarshalIndent(report, "", "\t")
	if err != nil {
		log.Fatal(err)
	}
	for _, out := range []struct{ name, text string }{{*mdOut, table}, {*jsonOut, string(b) + "\n"}, {*svgOut, report.SVG()}} {
		if out.name == "" {
			continue
		}
		if err := os.WriteFile(out.name, []byte(out.text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// obtain gives the results in a file, or measures.
func obtain(from string, rounds int, only, engines []string) (*Report, error) {
	if from != "" {
		b, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		r := &Report{}
		return r, json.Unmarshal(b, r)
	}
	dir, err := os.MkdirTemp("", "wasmaot-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return run(dir, rounds, only, engines)
}

func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// miss notes what cannot be measured: the run goes on without it.
func (r *Report) miss(err error) {
	log.Print("left out: ", err)
	line, _, _ := strings.Cut(strings.ReplaceAll(err.Error(), r.dir+"/", ""), "\n")
	if !slices.Contains(r.Missing, line) {
		r.Missing = append(r.Missing, line)
	}
}

// run measures what only names: programs, and "compile", "cold", "start" and "http"; everything if it is empty.
func run(dir string, rounds int, only, chosen []string) (*Report, error) {
	wanted := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	r := &Report{dir: dir, Machine: machine(), Versions: map[string]string{}, Rounds: rounds}
	engines, err := findEngines(dir, chosen, r)
	if err != nil {
		return nil, err
	}
	for _, e := range engines {
		r.Engines = append(r.Engines, e.name)
	}
	bench, err := goGuest(dir, "./guest")
	if err != nil {
		return nil, err
	}
	bench.quick = []string{"-list"}
	hello, err := goGuest(dir, "../examples/hello")
	if err != nil {
		return nil, err
	}
	if wanted("compile") || wanted("cold") {
		guests := []guest{hello, bench}
		for _, tool := range largeTools {
			g := guestIn(dir, tool.pkg)
			g.name, g.quick = tool.name, []string{tool.quick}
			if err := goBuild(g.wasm, tool.pkg, "GOOS=wasip1", "GOARCH=wasm"); err != nil {
				r.miss(err)
				continue
			}
			guests = append(guests, g)
		}
		if wanted("compile") {
			r.measureCompile(engines, guests)
		}
		if wanted("cold") {
			r.measureCold(engines, guests)
		}
	}
	if wanted("start") {
		r.measureStart(engines, dir, hello)
	}
	if wanted("http") {
		if r.HTTP, err = measureHTTP(dir, rounds); err != nil {
			r.miss(err)
		}
	}
	tables, err := r.programTables(dir, bench, wanted)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		r.Tables = append(r.Tables, Table{t.title, r.measurePrograms(engines, t.programs)})
	}
	return r, nil
}

// A program is one of a guest's.
type program struct {
	name, arg string
	guest     guest
}

type programTable struct {
	title    string
	programs []program
}

// programTables gives the wanted programs: Go's, those of other languages, and those of older toolchains under the name "versions".
func (r *Report) programTables(dir string, bench guest, wanted func(string) bool) ([]programTable, error) {
	list, err := exec.Command(bench.native, "-list").Output()
	if err != nil {
		return nil, err
	}
	golang := programTable{title: "Go programs: run time of the hot part, as a ratio to native Go with GOMAXPROCS=1"}
	host := programTable{title: "Calls of a host function that does next to nothing, as a ratio to a system call of native Go"}
	for _, name := range strings.Fields(string(list)) {
		switch {
		case !wanted(name):
		case name == "hostcall": // no part of the mean: native code has nothing of the kind
			host.programs = append(host.programs, program{name, name, bench})
		default:
			golang.programs = append(golang.programs, program{name, name, bench})
		}
	}
	all := []programTable{golang, host}
	for i := range languages {
		l := &languages[i]
		if !slices.ContainsFunc(l.programs(), wanted) {
			continue
		}
		guests, tools, err := l.guests(dir)
		if err != nil {
			r.miss(err)
			continue
		}
		table := programTable{title: l.name + " programs: run time of the hot part, as a ratio to native code, both optimised (" + tools + ")"}
		for _, g := range guests {
			if wanted(g.name) {
				table.programs = append(table.programs, program{g.name, "", g})
			}
		}
		all = append(all, table)
	}
	versions := programTable{title: "Modules built by several versions of Go, as a ratio to native Go of the same version"}
	if wanted("versions") {
		guests, failures := versionGuests(dir)
		for _, err := range failures {
			r.miss(err)
		}
		for _, name := range versionPrograms {
			for _, g := range guests {
				versions.programs = append(versions.programs, program{name + ", " + g.name, name, g})
			}
		}
	}
	all = append(all, versions)
	return slices.DeleteFunc(all, func(t programTable) bool { return len(t.programs) == 0 }), nil
}

// machine describes where this runs.
func machine() string {
	model := "unknown CPU"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for _, line := range bytes.Split(b, []byte("\n")) {
			if k, v, ok := strings.Cut(string(line), ":"); ok && strings.TrimSpace(k) == "model name" {
				model = strings.TrimSpace(v)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d CPUs, %s/%s", model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
}
