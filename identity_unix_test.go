//go:build unix

package wasmaot

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSettled(t *testing.T) {
	now := time.Unix(1_000_000_000, 0)
	at := func(d time.Duration) int64 { return now.Add(d).UnixNano() }
	for _, c := range []struct {
		mtime, ctime time.Duration
		want         bool
	}{
		{-time.Hour, -time.Hour, true},
		{-time.Hour, -settleTime / 2, false}, // mtime was set back
		{-settleTime / 2, -time.Hour, false},
		{-time.Hour, 0, false},
		{time.Hour, -time.Hour, false}, // from another clock
		{-time.Hour, time.Hour, false},
	} {
		id := identity{mtime: at(c.mtime), ctime: at(c.ctime)}
		if got := id.settled(now); got != c.want {
			t.Errorf("modified %v, changed %v: settled %v", c.mtime, c.ctime, got)
		}
	}
}

// TestTicked: what was written while the clock of files shows the same time may be written again at that time.
func TestTicked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	before := fileClock()
	if err := os.WriteFile(path, []byte("contents"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := identify(path)
	if id.ticked(path, before) || id.ticked(path, id.last()) || id.ticked(path, 0) {
		t.Error("a time that is not after the last change is enough")
	}
	other := *id
	if other.ctime -= other.ctime % 1e9; other.ticked(path, other.last()+1) {
		t.Error("a file system that counts seconds is believed")
	}
	other = *id
	if other.dev++; other.ticked(path, id.last()+1) {
		t.Error("a file on another device is believed")
	}
	if !id.ticked(path, id.last()+1) {
		t.Skip("this file system is not known to take its times from the kernel's clock")
	}
	for clock := fileClock(); ; clock = fileClock() { // what is written after a tick has another identity
		if id.ticked(path, clock) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := os.WriteFile(path, []byte("CONTENTS"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after := identify(path); *after == *id {
		t.Errorf("identity %+v before and after a change", id)
	}
}
