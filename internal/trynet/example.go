package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	exampleAddress  = "127.0.0.1:3000" // stands in the example
	exampleRequests = 1000
	exampleClients  = 8
)

// example builds an example, a web server, and asks it.
func (t *trial) example(name string, flags []string) error {
	module := filepath.Join(t.tmp, "example.wasm")
	if err := t.goTool(name, "guest", append([]string{"build", "-o", module}, flags...)...); err != nil {
		return err
	}
	if answers(exampleAddress) {
		return fmt.Errorf("the example listens on %s, which is taken", exampleAddress)
	}
	cmd := exec.CommandContext(t.ctx, t.wasmaot, "run", "--net=listen:"+exampleAddress, module)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for deadline := time.Now().Add(time.Minute); !answers(exampleAddress); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("nobody listens on %s", exampleAddress)
		}
	}
	text, err := ask()
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return fmt.Errorf("%w\n%s", err, said.Bytes())
	}
	fmt.Printf("ok   %s: %d requests over %d connections were answered %q\n", name, exampleRequests, exampleClients, text)
	return nil
}

// ask makes requests, to which the answers must be alike.
func ask() (text string, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: exampleClients, MaxConnsPerHost: exampleClients}}
	defer client.CloseIdleConnections()
	errs := make([]error, exampleClients)
	texts := make([]string, exampleClients)
	var wg sync.WaitGroup
	for i := range exampleClients {
		wg.Go(func() {
			for range exampleRequests / exampleClients {
				got, err := get(client)
				if err == nil && texts[i] != "" && got != texts[i] {
					err = fmt.Errorf("answered %q, expected %q", got, texts[i])
				}
				if err != nil {
					errs[i] = err
					return
				}
				texts[i] = got
			}
		})
	}
	wg.Wait()
	return texts[0], errors.Join(errs...)
}

func get(client *http.Client) (string, error) {
	resp, err := client.Get("http://" + exampleAddress)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || len(b) == 0) {
		err = fmt.Errorf("%s, %d bytes", resp.Status, len(b))
	}
	return string(b), err
}
