package spectest

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// childEnv makes the test binary a child that answers requests.
const childEnv = "WASMAOT_DIFFERENTIAL_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		debug.SetGCPercent(400)
		if err := answer(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// answer is what a child does until its input ends.
func answer(in io.Reader, out io.Writer) error {
	requests, verdicts := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		var r request
		if err := requests.Decode(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := verdicts.Encode(judge(r)); err != nil {
			return err
		}
	}
}

// child is a process that runs native code. It is started when it is needed; if it dies, that is the verdict on
// the module it was busy with.
type child struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	requests *gob.Encoder
	verdicts *gob.Decoder
	stderr   bytes.Buffer
	served   int
}

// childServes is how many modules a child sees before it is replaced, so that it has to release what it takes, but a leak
// is no failure of a module.
const childServes = 2000

// childTimeout ends a child that hangs where no call can be cancelled.
const childTimeout = 10 * time.Minute

func (c *child) start() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	*c = child{cmd: nativetest.Command(exe)}
	c.cmd.Env = append(os.Environ(), childEnv+"=1")
	c.cmd.Stderr = &c.stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	c.requests, c.verdicts = gob.NewEncoder(c.in), gob.NewDecoder(out)
	return c.cmd.Start()
}

// stop waits for the child's end.
func (c *child) stop() error {
	if c.cmd == nil {
		return nil
	}
	c.in.Close()
	err := c.cmd.Wait()
	c.cmd = nil
	return err
}

func (c *child) try(r request) (verdict, error) {
	if c.served++; c.cmd == nil || c.served > childServes {
		if err := errors.Join(c.stop(), c.start()); err != nil {
			return verdict{}, err
		}
	}
	timer := time.AfterFunc(childTimeout, func() { c.cmd.Process.Kill() })
	defer timer.Stop()
	var v verdict
	if errors.Join(c.requests.Encode(r), c.verdicts.Decode(&v)) == nil {
		return v, nil
	}
	timer.Stop()
	err := c.stop()
	text := c.stderr.Bytes()
	return verdict{Problem: fmt.Sprintf("the process died: %v\n%s", err, text[:min(len(text), 4000)])}, nil
}
