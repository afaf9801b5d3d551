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
	"path/filepath"
	"runtime"
	"strings"
)

// Report is the result of a run, as written to the JSON file.
type Report struct {
	Machine  string
	Versions map[string]string
	Rounds   int
	Engines  []string
	Programs []ProgramResult
	Compile  []CompileResult
	Start    []StartResult
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	rounds := flag.Int("rounds", 5, "rounds; the minimum counts")
	only := flag.String("only", "", "comma-separated programs (default: all)")
	engines := flag.String("engines", "", "comma-separated engines (default: all that are there)")
	jsonOut := flag.String("json", "", "write the results to this file")
	mdOut := flag.String("md", "", "write the tables to this file")
	flag.Parse()
	dir, err := os.MkdirTemp("", "wasmaot-bench-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	report, err := run(dir, *rounds, fields(*only), fields(*engines))
	if err != nil {
		log.Fatal(err)
	}
	table := report.Markdown()
	fmt.Print(table)
	if *mdOut != "" {
		if err := os.WriteFile(*mdOut, []byte(table), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	if *jsonOut != "" {
		b, _ := json.MarshalIndent(report, "", "\t")
		if err := os.WriteFile(*jsonOut, append(b, '\n'), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

// A guest is a program built for this machine and for wasip1.
type guest struct {
	name, native, wasm string
}

func buildGuest(dir, pkg string) (guest, error) {
	g := guest{name: filepath.Base(pkg)}
	g.native, g.wasm = filepath.Join(dir, g.name), filepath.Join(dir, g.name+".wasm")
	if err := goBuild(g.native, pkg); err != nil {
		return g, err
	}
	return g, goBuild(g.wasm, pkg, "GOOS=wasip1", "GOARCH=wasm")
}

func goBuild(out, pkg string, env ...string) error {
	args := []string{"build", "-o", out, pkg}
	if strings.HasPrefix(pkg, "../") { // of the main module
		args = []string{"build", "-C", "..", "-o", out, "./" + strings.TrimPrefix(pkg, "../")}
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %v\n%s", pkg, err, b)
	}
	return nil
}

func run(dir string, rounds int, only, chosen []string) (*Report, error) {
	bench, err := buildGuest(dir, "./guest")
	if err != nil {
		return nil, err
	}
	hello, err := buildGuest(dir, "../examples/hello")
	if err != nil {
		return nil, err
	}
	engines, versions, err := findEngines(dir, chosen)
	if err != nil {
		return nil, err
	}
	r := &Report{Machine: machine(), Versions: versions, Rounds: rounds}
	for _, e := range engines {
		r.Engines = append(r.Engines, e.name)
	}
	if r.Compile, err = measureCompile(dir, engines, []guest{hello, bench}, rounds); err != nil {
		return nil, err
	}
	for _, e := range engines {
		for _, g := range []guest{bench, hello} {
			if err := e.prepare(g); err != nil {
				return nil, fmt.Errorf("%s: %w", e.name, err)
			}
		}
	}
	if r.Start, err = measureStart(engines, hello, rounds); err != nil {
		return nil, err
	}
	if len(only) == 0 {
		list, err := exec.Command(bench.native, "-list").Output()
		if err != nil {
			return nil, err
		}
		only = strings.Fields(string(list))
	}
	r.Programs, err = measurePrograms(engines, bench, only, rounds)
	return r, err
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
