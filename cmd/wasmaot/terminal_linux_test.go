package main

import (
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testTicksTerminal: while a guest waits for a terminal a goroutine ticks, and the terminal blocks for everybody else as before.
func (g *networkGuest) testTicksTerminal(t *testing.T) {
	master, slave := pseudoterminal(t)
	before := statusFlags(t, slave)
	line, out, process := start(t, slave, g.with(nil, "ticks", "stdin")...)
	if during := statusFlags(t, slave); during != before {
		t.Errorf("flags of the terminal were %#x, are %#x", before, during)
	}
	io.WriteString(master, "done\x04\x04") // termios(3): the first EOF character passes the line on, the second ends the input
	wantTicks(t, line, out)
	process.Wait()
	if after := statusFlags(t, slave); after != before {
		t.Errorf("flags of the terminal were %#x, are %#x afterwards", before, after)
	}
}

// TestProgress: on a terminal it is told how far long work is, in one line that goes away; elsewhere, and when the work is short, nothing is.
func TestProgress(t *testing.T) {
	master, slave := pseudoterminal(t)
	tell := progressOn(slave, "compiling m.wasm", 0)
	if tell == nil {
		t.Fatal("no progress on a terminal")
	}
	progressOn(slave, "short work", time.Hour)(1, 2)
	tell(64, 100)
	tell(100, 100)
	clearProgressOn(slave)
	const want = "\r\x1b[Kcompiling m.wasm: 64 of 100 functions\r\x1b[Kcompiling m.wasm: 100 of 100 functions\r\x1b[K"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(master, got); err != nil || string(got) != want {
		t.Errorf("%q, expected %q: %v", got, want, err)
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if progressOn(w, "compiling m.wasm", 0) != nil {
		t.Error("progress in a pipe")
	}
	clearProgressOn(w)
	w.Close()
	if all, err := io.ReadAll(r); err != nil || len(all) > 0 {
		t.Errorf("a pipe was given %q: %v", all, err)
	}
}

// pseudoterminal gives both sides of one (pts(4)).
func pseudoterminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudoterminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	var n int
	control(t, master, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudoterminals here: ", err)
	}
	t.Cleanup(func() { slave.Close() })
	control(t, slave, func(fd int) error { // as a shell leaves it
		return unix.SetNonblock(fd, false)
	})
	return master, slave
}

func statusFlags(t *testing.T, f *os.File) (flags int) {
	t.Helper()
	control(t, f, func(fd int) (err error) {
		flags, err = unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		return err
	})
	return flags
}

// control does something with a file's descriptor.
func control(t *testing.T, f *os.File, do func(fd int) error) {
	t.Helper()
	conn, err := f.SyscallConn()
	if err == nil {
		controlErr := conn.Control(func(fd uintptr) { err = do(int(fd)) })
		if err == nil {
			err = controlErr
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
