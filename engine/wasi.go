package engine

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/wasmaot/wasmaot/wasi"
)

// WASI is what a guest is given of the world. The zero value gives nothing: no arguments, no environment, empty input, discarded
// output, no files.
type WASI struct {
	// Config has arguments, environment, host directories, clocks and all that needs no help; its zero value gives nothing.
	wasi.Config
	// Input is the standard input where Config.Stdin is nil.
	Input io.Reader
	// Output and ErrOutput receive the standard output and the standard error where Config has no files for them. They have all of it
	// when the instance is closed.
	Output, ErrOutput io.Writer
	// Files are file systems that the guest sees as directories, read-only, as Config.Dirs with an FS: see there.
	Files []FileSystem
}

// FileSystem is a file system under a name for the guest.
type FileSystem struct {
	FS    fs.FS
	Guest string // "/", say
}

// wasiHost is an instance's WASI host.
type wasiHost struct {
	system *wasi.System
	config wasi.Config
	own    []func() error // undo what open did, last first
	once   sync.Once
}

func (w *WASI) open() (h *wasiHost, err error) {
	h = &wasiHost{}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	h.config = w.Config
	c := &h.config
	if c.Stdin == nil && w.Input != nil {
		if c.Stdin, err = h.input(w.Input); err != nil {
			return h, err
		}
	}
	for _, o := range []struct {
		file **os.File
		to   io.Writer
	}{{&c.Stdout, w.Output}, {&c.Stderr, w.ErrOutput}} {
		if *o.file == nil && o.to != nil {
			if *o.file, err = h.output(o.to); err != nil {
				return h, err
			}
		}
	}
	c.Dirs = c.Dirs[:len(c.Dirs):len(c.Dirs)]
	for _, f := range w.Files {
		c.Dirs = append(c.Dirs, wasi.Dir{FS: f.FS, Guest: f.Guest})
	}
	h.system, err = wasi.New(c)
	return h, err
}

// input is the reading end of a pipe that is filled from r.
func (h *wasiHost) input(r io.Reader) (*os.File, error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// Not waited for: it may be blocked in r. When the guest is gone its next write fails.
	go func() {
		io.Copy(pw, r)
		pw.Close()
	}()
	h.own = append(h.own, pr.Close)
	return pr, nil
}

// output is the writing end of a pipe that is emptied into w.
func (h *wasiHost) output(w io.Writer) (*os.File, error) {
	pr, pw, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(w, pr)
		// A writer that fails closes the pipe: the guest sees EPIPE.
		done <- errors.Join(err, pr.Close())
	}()
	h.own = append(h.own, func() error { return errors.Join(pw.Close(), <-done) })
	return pw, nil
}

// close closes what open opened and waits for the guest's output.
func (h *wasiHost) close() error {
	var err error
	h.once.Do(func() {
		if h.system != nil {
			err = h.system.Close()
		}
		for k := len(h.own) - 1; k >= 0; k-- {
			err = errors.Join(err, h.own[k]())
		}
	})
	return err
}
