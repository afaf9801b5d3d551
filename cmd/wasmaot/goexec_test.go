package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// TestGoExecLink: a symbolic link on PATH is all that go run and go test need.
func TestGoExecLink(t *testing.T) {
	nativetest.Require(t)
	dir := t.TempDir()
	mustBuild(t, filepath.Join(dir, "wasmaot"), ".", ".")
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../wasmaot", filepath.Join(bin, goExecName)); err != nil {
		t.Fatal(err)
	}
	guest, err := filepath.Abs("testdata/goexec")
	if err != nil {
		t.Fatal(err)
	}
	path := bin + string(os.PathListSeparator) + os.Getenv("PATH")
	var env []string
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); !strings.HasPrefix(name, "GOWASI") && name != "PWD" {
			env = append(env, e)
		}
	}
	env = append(env, "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "PATH="+path, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"))
	if os.Getenv("GOCACHE") == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, "GOCACHE="+filepath.Join(cache, "go-build"))
	}
	for _, c := range []struct {
		tool []string
		args string // that the guest sees
	}{
		{[]string{"run", ".", "a", "b"}, "[a b]"},
		{[]string{"test", "-v", "-count=1", "."}, "[-test."},
	} {
		cmd := exec.Command("go", c.tool...)
		cmd.Dir, cmd.Env = guest, env
		out, err := cmd.CombinedOutput()
		given := fmt.Sprintf(" %s true true true\n", guest)
		if err != nil || !strings.Contains(string(out), "wasip1 "+c.args) || !strings.Contains(string(out), given) || !strings.Contains(string(out), path) {
			t.Errorf("go %s: %v\n%s", strings.Join(c.tool, " "), err, out)
		}
	}
}
