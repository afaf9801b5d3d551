package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const events = `{"Action":"start","Package":"a"}
{"ImportPath":"b","Action":"build-output","Output":"x.go:1: undefined"}
{"Action":"output","Package":"a","Test":"TestOne","Output":"fine\n"}
{"Action":"pass","Package":"a","Test":"TestOne","Elapsed":0.1}
{"Action":"skip","Package":"a","Test":"TestTwo","Elapsed":0}
{"Action":"pass","Package":"a","Elapsed":1.25}
{"Action":"skip","Package":"none","Elapsed":0}
not an event
{"Action":"output","Package":"b","Test":"TestBad/sub","Output":"what\n"}
{"Action":"fail","Package":"b","Test":"TestBad/sub","Elapsed":0.1}
{"Action":"output","Package":"b","Output":"FAIL\n"}
{"Action":"fail","Package":"b","Elapsed":2}
{"Action":"output","Package":"c","Output":"killed\n"}
{"Action":"fail","Package":"c","Elapsed":3}
{"Action":"start","Package":"d"}
`

func TestReport(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, nil)
	if err := r.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	err := r.finish()
	if err == nil {
		t.Fatal("failures are no error")
	}
	if diff := cmp.Diff("failed:\n  b TestBad/sub\n  c\n  d (did not end)", err.Error()); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"pass a 1.2s 1 passed 1 skipped",
		"fail b 2.0s 0 passed 0 skipped 1 failed",
		"what",
		"fail c 3.0s 0 passed 0 skipped",
		"killed",
		"",
		"3 packages, 1 tests passed, 1 skipped by themselves, 3 failed, in",
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	last := &got[len(got)-1]
	*last = (*last)[:strings.LastIndexByte(*last, ' ')] // the time
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestKnownFailures(t *testing.T) {
	old := knownFailures
	defer func() { knownFailures = old }()
	knownFailures = []knownFailure{{"b", "TestBad", "because"}}
	for _, c := range []struct{ pkg, test, want string }{
		{"b", "TestBad", "because"}, {"b", "TestBad/sub", "because"}, {"b", "TestBadder", ""}, {"a", "TestBad", ""}, {"b", "", ""},
	} {
		if got := reason(c.pkg, c.test); got != c.want {
			t.Errorf("%s %s: %q, expected %q", c.pkg, c.test, got, c.want)
		}
	}
}
