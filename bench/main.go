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
	Tables   []Table
	Compile  []CompileResult
	Start    []StartResult
	HTTP     []HTTPResult
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	rounds := flag.Int("rounds", 5, "rounds; the minimum counts")
	only := flag.String("only", "", `comma-separated programs, and "compile", "start", "http", "versions" (default: all)`)
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

// run measures what only names: programs, and "compile", "start" and "http"; everything if it is empty.
func run(dir string, rounds int, only, chosen []string) (*Report, error) {
	wanted := func(name string) bool { return len(only) == 0 || slices.Contains(only, name) }
	engines, versions, err := findEngines(dir, chosen)
	if err != nil {
		return nil, err
	}
	bench, err := goGuest(dir, "./guest")
	if err != nil {
		return nil, err
	}
	hello, err := goGuest(dir, "../examples/hello")
	if err != nil {
		return nil, err
	}
	r := &Report{Machine: machine(), Versions: versions, Rounds: rounds}
	for _, e := range engines {
		r.Engines = append(r.Engines, e.name)
	}
	if wanted("compile") {
		big := guestIn(dir, "cmd/compile")
		if err := goBuild(big.wasm, big.name, "GOOS=wasip1", "GOARCH=wasm"); err != nil {
			return nil, err
		}
		r.Compile = measureCompile(engines, []guest{hello, bench, big}, rounds)
	}
	if wanted("start") {
		r.Start = measureStart(engines, hello, rounds)
	}
	if wanted("http") {
		if r.HTTP, err = measureHTTP(dir, rounds); err != nil {
			return nil, err
		}
	}
	tables, err := programTables(dir, bench, wanted)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		result := Table{Title: t.title}
		if result.Programs, err = measurePrograms(engines, t.programs, rounds); err != nil {
			return nil, err
		}
		r.Tables = append(r.Tables, result)
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

// programTables gives the wanted programs: Go's, those of older toolchains under the name "versions", and C's.
func programTables(dir string, bench guest, wanted func(string) bool) ([]programTable, error) {
	list, err := exec.Command(bench.native, "-list").Output()
	if err != nil {
		return nil, err
	}
	golang := programTable{title: "Go programs: run time of the hot part, as a ratio to native Go with GOMAXPROCS=1"}
	for _, name := range strings.Fields(string(list)) {
		if wanted(name) {
			golang.programs = append(golang.programs, program{name, name, bench})
		}
	}
	c := programTable{}
	if slices.ContainsFunc(cNames(), wanted) {
		guests, tools := cGuests(dir)
		c.title = "C programs: run time of the hot part, as a ratio to native code, both with -O2 (" + tools + ")"
		for _, g := range guests {
			if wanted(g.name) {
				c.programs = append(c.programs, program{g.name, "", g})
			}
		}
	}
	versions := programTable{title: "Modules built by several versions of Go, as a ratio to native Go of the same version"}
	if wanted("versions") {
		guests := versionGuests(dir)
		for _, name := range versionPrograms {
			for _, g := range guests {
				versions.programs = append(versions.programs, program{name + ", " + g.name, name, g})
			}
		}
	}
	all := []programTable{golang, c, versions}
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
