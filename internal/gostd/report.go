package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// An event is a line of go test -json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Elapsed float64
	Output  string
}

// A report gathers events and prints a line for each package that is done.
type report struct {
	out, progress io.Writer // progress is nil if nobody looks
	start         time.Time
	open          map[string]*result // by package
	packages      []*result          // finished, in that order
}

// A result is what is known of a package.
type result struct {
	name                    string
	action                  string // pass, fail, skip (no tests)
	seconds                 float64
	passed, skipped, failed int
	failures                []string            // names of tests, "" for the package's own
	output                  map[string][]string // by test, until it has passed
}

func newReport(out, progress io.Writer) *report {
	return &report{out: out, progress: progress, start: time.Now(), open: map[string]*result{}}
}

// read takes events until the end.
func (r *report) read(events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && line[0] == '{' {
			var e event
			if err := json.Unmarshal(line, &e); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
			r.add(&e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *report) add(e *event) {
	if e.Package == "" { // the output of a build has an import path instead
		return
	}
	p := r.open[e.Package]
	if p == nil {
		p = &result{name: e.Package, output: map[string][]string{}}
		r.open[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.output[e.Test] = append(p.output[e.Test], e.Output)
		return
	case "pass", "skip", "fail":
	default:
		return
	}
	if e.Action == "fail" && (e.Test != "" || p.failed == 0) {
		p.failures = append(p.failures, e.Test)
	}
	if e.Test != "" {
		*map[string]*int{"pass": &p.passed, "skip": &p.skipped, "fail": &p.failed}[e.Action]++
		if e.Action != "fail" {
			delete(p.output, e.Test)
		}
		return
	}
	p.action, p.seconds = e.Action, e.Elapsed
	delete(r.open, e.Package)
	r.packages = append(r.packages, p)
	r.print(p)
}

// print tells of a package, with the output of what failed.
func (r *report) print(p *result) {
	if r.progress != nil {
		defer func() {
			fmt.Fprintf(r.progress, "%d packages, %s\r", len(r.packages), time.Since(r.start).Round(time.Second))
		}()
	}
	if p.action == "skip" && p.passed+p.skipped == 0 {
		return // no tests
	}
	fmt.Fprintf(r.out, "%-4s %-50s %7.1fs %5d passed %4d skipped", p.action, p.name, p.seconds, p.passed, p.skipped)
	if p.failed > 0 {
		fmt.Fprintf(r.out, " %4d failed", p.failed)
	}
	fmt.Fprintln(r.out)
	for _, test := range p.failures {
		if why := reason(p.name, test); why != "" {
			fmt.Fprintf(r.out, "     %s %s fails with other hosts too: %s\n", p.name, test, why)
			continue
		}
		for _, line := range strings.SplitAfter(strings.Join(p.output[test], ""), "\n") {
			if line != "" {
				fmt.Fprint(r.out, "     ", line)
			}
		}
	}
	p.output = nil
}

// finish prints the sum. Failures without a known reason are an error.
func (r *report) finish() error {
	var failures []string
	passed, skipped, packages := 0, 0, 0
	for _, p := range r.packages {
		if p.action != "skip" {
			packages++
		}
		passed += p.passed
		skipped += p.skipped
		for _, test := range p.failures {
			if reason(p.name, test) == "" {
				failures = append(failures, strings.TrimSpace(p.name+" "+test))
			}
		}
	}
	for name := range r.open {
		failures = append(failures, name+" (did not end)")
	}
	fmt.Fprintf(r.out, "\n%d packages, %d tests passed, %d skipped by themselves, %d failed, in %s\n",
		packages, passed, skipped, len(failures), time.Since(r.start).Round(time.Second))
	if len(failures) > 0 {
		slices.Sort(failures)
		return fmt.Errorf("failed:\n  %s", strings.Join(failures, "\n  "))
	}
	return nil
}
