package main

import (
	"debug/buildinfo"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"main.main", "main.main", true}, {"main.main", "main.mainly", false}, {"main.*", "main.main", true}, {"*main", "main.main", true},
		{"m*n.m*n", "main.main", true}, {"*", "", true}, {"a*a", "a", false}, {"a*b*c", "a-c-b", false}, {"a**c", "abc", true}, {"", "x", false}, {"*b*", "abc", true},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q and %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestIsIdentifier(t *testing.T) {
	for name, want := range map[string]bool{"a": true, "_": true, "aZ_09": true, "": false, "9a": false, "a-b": false, "ä": false, "@": false, "[": false} {
		if got := isIdentifier(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// TestReadBuildInfo compares with package debug/buildinfo on this test's own program, and cuts that.
func TestReadBuildInfo(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want, err := buildinfo.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readBuildInfo(program)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-debug/buildinfo +readBuildInfo\n%s", d)
	}
	for n := 0; n < len(program); n += len(program)/97 + 1 {
		readBuildInfo(program[:n]) // does not panic
	}
	if info, err := readBuildInfo([]byte("\x7fELF")); err == nil {
		t.Errorf("no program: %+v", info)
	}
}
