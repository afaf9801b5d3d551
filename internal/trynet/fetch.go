package main

import (
	_ "embed"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed testdata/guest/main.go
var guestSource []byte

// serverName is what the guest asks a resolver for.
const serverName = "server.test"

// fetch builds the guest and has it fetch from a server here: once with names resolved in the guest, once by its host.
func (t *trial) fetch() error {
	dir := filepath.Join(t.tmp, "guest")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	mod := fmt.Sprintf("module guest\n\ngo 1.21\n\nrequire %s v0.0.0\n\nreplace %[1]s => %s\n", modulePath, t.dir)
	for name, text := range map[string][]byte{"main.go": guestSource, "go.mod": []byte(mod)} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	const text = "from the server"
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }))
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, c := range []struct{ who, tags string }{{"in the guest", ""}, {"by its host", "getaddrinfo"}} {
		if c.tags == "" && !t.dns.standardPort {
			fmt.Println("     names are not resolved in the guest: it asks port 53, where this user cannot listen")
			continue
		}
		if err := t.goTool(dir, "guest", "build", "-mod=mod", "-tags="+c.tags, "-o", "guest.wasm"); err != nil {
			return err
		}
		cmd := exec.CommandContext(t.ctx, t.wasmaot, append(append([]string{"run"}, t.flags()...), "guest.wasm", "http://"+serverName+":"+port)...)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		out, err := cmd.Output()
		if err == nil && string(out) != text {
			err = fmt.Errorf("got %q, expected %q", out, text)
		}
		if err != nil {
			return fmt.Errorf("fetch by name, resolved %s: %w", c.who, err)
		}
		fmt.Printf("ok   net/http fetches http://%s, resolved %s\n", serverName, c.who)
	}
	return nil
}

// flags are those with which guests run.
func (t *trial) flags() []string {
	return strings.Fields("--dir=/ --net=all,listen:unix:/,dial:unix:/,dns:" + t.dns.address + " --mount=" + t.tmp + "/etc:/etc:ro")
}
