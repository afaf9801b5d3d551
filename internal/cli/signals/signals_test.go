//go:build linux && (amd64 || arm64)

package signals

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestHold: a signal that comes while signals are held is told by Release, one that comes later by the channel.
func TestHold(t *testing.T) {
	if !Hold() {
		t.Fatal("the handlers could not be replaced")
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		if err := self.Signal(sig); err != nil { // delivered before kill(2) returns, to one of the threads
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); syscall.Signal(atomic.LoadUint32(&noted)) != sig; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%v was not noted", sig)
			}
		}
	}
	later := make(chan os.Signal, 1)
	signal.Notify(later, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(later)
	if sig := Release(); sig != syscall.SIGINT {
		t.Errorf("held %v, expected %v", sig, syscall.SIGINT)
	}
	if err := self.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if sig := <-later; sig != syscall.SIGTERM {
		t.Errorf("after Release: %v, expected %v", sig, syscall.SIGTERM)
	}
}
