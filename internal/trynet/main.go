// Command trynet tries the packages that give Go guests the network, github.com/stealthrocket/net and github.com/dispatchrun/net, on
// wasmaot: in checkouts of them it runs their tests as guests, and their examples. The checkouts are not changed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// modulePath is what both call themselves.
const modulePath = "github.com/stealthrocket/net"

// servers are what the tests of some modules ask, by directory: they are run if there is one, else only built.
var servers = map[string]string{
	"memcache": "localhost:11211",
	"mysql":    "localhost:3306",
	"postgres": "localhost:5432",
	"redis":    "localhost:6379",
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: trynet DIR...    (checkouts of "+modulePath+")")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "trynet:", err)
		os.Exit(1)
	}
}

func run(dirs []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	tmp, err := os.MkdirTemp("", "trynet-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	wasmaot := filepath.Join(tmp, "bin", "wasmaot")
	build := exec.CommandContext(ctx, "go", "build", "-o", wasmaot, "github.com/wasmaot/wasmaot/cmd/wasmaot")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build wasmaot: %w", err)
	}
	if err := os.Symlink("wasmaot", filepath.Join(tmp, "bin", "go_wasip1_wasm_exec")); err != nil {
		return err
	}
	var failed []error
	for i, dir := range dirs {
		if dir, err = filepath.Abs(dir); err != nil {
			return err
		}
		t := &trial{ctx: ctx, dir: dir, tmp: filepath.Join(tmp, fmt.Sprint(i)), wasmaot: wasmaot}
		if err := t.run(); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", dir, err))
		}
	}
	return errors.Join(failed...)
}

// A trial is of one checkout.
type trial struct {
	ctx      context.Context
	dir, tmp string // the checkout, and what is made for it
	wasmaot  string
	dns      *nameServer
}

func (t *trial) run() (err error) {
	if err := os.MkdirAll(filepath.Join(t.tmp, "etc"), 0o755); err != nil {
		return err
	}
	if t.dns, err = serveNames(filepath.Join(t.dir, "testdata/etc/coredns/Corefile")); err != nil {
		return err
	}
	defer t.dns.close()
	for name, text := range map[string]string{
		"hosts":       "127.0.0.1 localhost\n",
		"resolv.conf": "nameserver 127.0.0.1\n",
	} {
		if err := os.WriteFile(filepath.Join(t.tmp, "etc", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	modules, err := t.modules()
	if err != nil {
		return err
	}
	if len(modules) == 0 {
		return fmt.Errorf("expected a checkout of %s, found no go.mod", modulePath)
	}
	var failed []error
	for _, m := range modules {
		if err := t.module(m); err != nil {
			fmt.Println("FAIL", m, err)
			failed = append(failed, fmt.Errorf("%s: %w", m, err))
		}
	}
	return errors.Join(failed...)
}

// modules are the directories with a go.mod, below the checkout.
func (t *trial) modules() (list []string, err error) {
	err = fs.WalkDir(os.DirFS(t.dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "go.mod" {
			list = append(list, filepath.Dir(path))
		}
		return err
	})
	return list, err
}

// module tries one module. Another go.mod stands in for its own: there, the packages are those of the checkout.
func (t *trial) module(name string) error {
	mod := filepath.Join(t.tmp, strings.ReplaceAll(name, "/", "-")+".mod")
	for _, f := range []struct{ from, to string }{{"go.mod", mod}, {"go.sum", strings.TrimSuffix(mod, ".mod") + ".sum"}} {
		b, err := os.ReadFile(filepath.Join(t.dir, name, f.from))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(f.to, b, 0o644); err != nil {
			return err
		}
	}
	if name != "." {
		if err := t.goTool(name, "native", "mod", "edit", "-replace="+modulePath+"="+t.dir, mod); err != nil {
			return err
		}
	}
	flags := []string{"-modfile=" + mod, "-mod=mod"}
	if strings.HasPrefix(name, "examples") {
		return t.example(name, flags)
	}
	if server, ok := servers[name]; ok && !answers(server) {
		fmt.Printf("     %s: built only: its tests ask a server at %s\n", name, server)
		return t.goTool(name, "guest", append([]string{"test", "-c", "-o", filepath.Join(t.tmp, "unused.wasm")}, flags...)...)
	}
	test := append([]string{"test", "-count=1"}, flags...)
	if name != "." {
		return t.goTool(name, "guest", append(test, "./...")...)
	}
	// Without the tag, lookups for one family give addresses of all, which no host can change.
	fmt.Println("     TestLookupAddr is run with the tag getaddrinfo only: without, it expects what the packages do not do")
	return errors.Join(
		t.goTool(name, "guest", append(test, "-skip=TestLookupAddr", "./...")...),
		t.goTool(name, "guest", append(test, "-tags=getaddrinfo", "./...")...),
		t.fetch(),
	)
}

// goTool runs the go tool in a directory, of the checkout if it is relative, for guests or natively.
func (t *trial) goTool(dir, target string, args ...string) error {
	cmd := exec.CommandContext(t.ctx, "go", args...)
	if cmd.Dir = dir; !filepath.IsAbs(dir) {
		cmd.Dir = filepath.Join(t.dir, dir)
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if target == "guest" {
		cmd.Env = append(cmd.Env, "GOOS=wasip1", "GOARCH=wasm",
			"PATH="+filepath.Dir(t.wasmaot)+string(os.PathListSeparator)+os.Getenv("PATH"),
			"GOWASIRUNTIMEARGS="+strings.Join(t.flags(), " "))
	}
	return cmd.Run()
}

// answers tells whether a server is there.
func answers(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}
