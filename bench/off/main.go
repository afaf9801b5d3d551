// Off measures what each optimisation brings: it compiles the guest once with all of them and once without each, and runs every program
// on all of these in turn. The figures are the least CPU times as ratios to the time with all optimisations.
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wasmaot/wasmaot/compiler"
)

// programs are those whose time is spent in generated code.
const programs = "bigint,fannkuch,fib,flate,json,mandelbrot,matmul,nbody,regexp,sortmap,spectral,strings,trees"

// variant is the guest compiled in one way.
type variant struct {
	name     string
	artifact string
	compile  time.Duration
	size     int64
	least    []time.Duration // by program
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("off: ")
	rounds := flag.Int("rounds", 5, "rounds; the minimum counts")
	only := flag.String("only", programs, "comma-separated programs")
	off := flag.String("off", strings.Join(compiler.Optional(), ","), "comma-separated optimisations")
	out := flag.String("md", "", "write the table to this file")
	flag.Parse()
	table, err := run(*rounds, strings.Split(*only, ","), strings.Split(*off, ","))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(table)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(table), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func run(rounds int, names, off []string) (string, error) {
	dir, err := os.MkdirTemp("", "wasmaot-off-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	bin, guest := filepath.Join(dir, "wasmaot"), filepath.Join(dir, "guest.wasm")
	for _, build := range []*exec.Cmd{
		exec.Command("go", "build", "-C", "..", "-o", bin, "./cmd/wasmaot"),
		exec.Command("go", "build", "-o", guest, "./guest"),
	} {
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if build.Args[len(build.Args)-1] == "./guest" {
			build.Env = append(build.Env, "GOOS=wasip1", "GOARCH=wasm")
		}
		if text, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %v\n%s", build.Args, err, text)
		}
	}
	variants := []*variant{{name: ""}}
	for _, o := range off {
		variants = append(variants, &variant{name: o})
	}
	for _, v := range variants {
		if err := v.prepare(dir, bin, guest, rounds); err != nil {
			return "", err
		}
	}
	for _, name := range names {
		if err := measure(variants, bin, name, rounds); err != nil {
			return "", err
		}
	}
	return markdown(variants, names, rounds), nil
}

// cpu runs a command and gives the CPU time that it took, and its output.
func cpu(name string, args ...string) (time.Duration, string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	out, err := cmd.Output()
	if err != nil {
		return 0, "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), string(out), nil
}

func (v *variant) prepare(dir, bin, guest string, rounds int) error {
	v.artifact = filepath.Join(dir, "guest-"+v.name+".cwasm")
	args := []string{"compile", "--workers=1", guest, "-o", v.artifact}
	if v.name != "" {
		args = append(args, "--off="+v.name)
	}
	for range min(rounds, 3) {
		t, _, err := cpu(bin, args...)
		if err != nil {
			return err
		}
		if v.compile == 0 || t < v.compile {
			v.compile = t
		}
	}
	info, err := os.Stat(v.artifact)
	if err != nil {
		return err
	}
	v.size = info.Size()
	return nil
}

// measure runs a program on all variants in turn. Their checksums must agree.
func measure(variants []*variant, bin, name string, rounds int) error {
	sum := ""
	for r := range rounds {
		for _, v := range variants {
			t, out, err := cpu(bin, "run", v.artifact, name)
			if err != nil {
				return err
			}
			fields := strings.Fields(out)
			if len(fields) != 2 || sum != "" && fields[1] != sum {
				return fmt.Errorf("%s without %q: output %q, expected a time and checksum %s", name, v.name, out, sum)
			}
			sum = fields[1]
			if r == 0 {
				v.least = append(v.least, t)
			}
			last := len(v.least) - 1
			v.least[last] = min(v.least[last], t)
		}
	}
	return nil
}

// markdown has a row for each optimisation, those that bring most first.
func markdown(variants []*variant, names []string, rounds int) string {
	var b strings.Builder
	all := variants[0]
	mean := func(v *variant) float64 {
		sum := 0.0
		for i := range names {
			sum += math.Log(float64(v.least[i]) / float64(all.least[i]))
		}
		return math.Exp(sum / float64(len(names)))
	}
	rest := slices.Clone(variants[1:])
	slices.SortStableFunc(rest, func(x, y *variant) int {
		switch d := mean(y) - mean(x); {
		case d > 0:
			return 1
		case d < 0:
			return -1
		}
		return 0
	})
	fmt.Fprintf(&b, "CPU time without an optimisation as a ratio to that with all; least of %d interleaved rounds.\n\n", rounds)
	fmt.Fprintf(&b, "| without | mean | %s | compiling | artifact |\n|---|---|%s---|---|\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, v := range rest {
		fmt.Fprintf(&b, "| %s | **%.2f** |", v.name, mean(v))
		for i := range names {
			fmt.Fprintf(&b, " %.2f |", float64(v.least[i])/float64(all.least[i]))
		}
		fmt.Fprintf(&b, " %.2f | %.2f |\n", float64(v.compile)/float64(all.compile), float64(v.size)/float64(all.size))
	}
	return b.String()
}
