package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	httpRequests = 20_000 // a round
	httpClients  = 64     // connections, which stay open
)

// HTTPResult is the least time for httpRequests to a server in which the server answered them, and what CPU time it took, start
// included.
type HTTPResult struct {
	Server    string
	Wall, CPU time.Duration
}

// An httpServer is one way to run the server.
type httpServer struct {
	name string
	// command starts it; address is where, if it cannot tell.
	command func() (cmd *exec.Cmd, address string, err error)
}

// measureHTTP has the same server answer natively, as a guest that opens its socket itself, and as one that is given it.
func measureHTTP(dir string, rounds int) ([]HTTPResult, error) {
	g := guestIn(dir, "network")
	source := "../cmd/wasmaot/testdata/network"
	for _, b := range []struct {
		out string
		env []string
	}{{g.native, nil}, {g.wasm, []string{"GOOS=wasip1", "GOARCH=wasm"}}} {
		if err := command(source, append(b.env, "CGO_ENABLED=0"), "go", "build", "-o", b.out, "."); err != nil {
			return nil, err
		}
	}
	wasmaot, compiled := filepath.Join(dir, "wasmaot"), filepath.Join(dir, "network.cwasm")
	if err := command("", nil, wasmaot, "compile", g.wasm, "-o", compiled); err != nil {
		return nil, err
	}
	const anywhere = "127.0.0.1:0"
	servers := []httpServer{
		{"native", func() (*exec.Cmd, string, error) { return exec.Command(g.native, "serve", "tcp", anywhere), "", nil }},
		{"wasmaot, sockets of its own", func() (*exec.Cmd, string, error) {
			return exec.Command(wasmaot, "run", "--net=listen", compiled, "serve", "tcp", anywhere), "", nil
		}},
		{"wasmaot, --listen", func() (*exec.Cmd, string, error) {
			free, err := net.Listen("tcp", anywhere)
			if err != nil {
				return nil, "", err
			}
			defer free.Close()
			address := free.Addr().String()
			return exec.Command(wasmaot, "run", "--listen="+address, compiled, "preopened"), address, nil
		}},
	}
	results := make([]HTTPResult, len(servers))
	for range rounds {
		for i, s := range servers {
			wall, cpu, err := s.measure()
			if err != nil {
				return nil, fmt.Errorf("http, %s: %w", s.name, err)
			}
			results[i].Server = s.name
			least(&results[i].Wall, wall)
			least(&results[i].CPU, cpu)
		}
	}
	return results, nil
}

// measure starts the server, asks it, and ends it.
func (s *httpServer) measure() (wall, cpu time.Duration, err error) {
	cmd, address, err := s.command()
	if err != nil {
		return 0, 0, err
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	hung := time.AfterFunc(commandLimit, func() { cmd.Process.Kill() })
	defer hung.Stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	if address == "" {
		address = strings.TrimSpace(line)
	}
	if err == nil {
		if err = ask(address, httpRequests/50); err == nil { // connections are made, the heap has its size
			start := time.Now()
			err = ask(address, httpRequests)
			wall = time.Since(start)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	return wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}

// ask makes requests over connections that stay open.
func ask(address string, requests int64) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: httpClients, MaxConnsPerHost: httpClients}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	errs := make([]error, httpClients)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for n := next.Add(1); n <= requests && errs[i] == nil; n = next.Add(1) {
				errs[i] = get(client, fmt.Sprintf("http://%s/%d", address, n), fmt.Sprintf("GET /%d 0", n))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func get(client *http.Client, url, want string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && string(b) != want {
		err = fmt.Errorf("%s: %q, expected %q", url, b, want)
	}
	return err
}
