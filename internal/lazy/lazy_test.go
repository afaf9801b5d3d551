package lazy

import (
	"sync"
	"testing"
)

func TestValue(t *testing.T) {
	var v Value[int]
	made := 0
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := v.Get(func() int { made++; return 7 }); got != 7 {
				t.Errorf("%d", got)
			}
		})
	}
	all.Wait()
	if made != 1 {
		t.Errorf("made %d times", made)
	}
}
