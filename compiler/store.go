package compiler

import "sync"

// A store keeps what the workers finish until it is linked, in few large blocks: the collector would look at each of thousands of
// copies again and again.
type store[T any] struct {
	size   int // of a block: longer lists have blocks of their own
	mu     sync.Mutex
	blocks [][]T
}

// A stored list is items[off:off+n] of a block.
type stored struct{ block, off, n uint32 }

// get gives what put has stored.
func (s *store[T]) get(at stored) []T {
	if at.n == 0 {
		return nil
	}
	return s.blocks[at.block][at.off:][:at.n]
}

// shelf is a worker's part of a store: the block that it fills.
type shelf[T any] struct {
	block []T
	index uint32
}

// put copies a list to the store.
func (w *shelf[T]) put(s *store[T], list []T) stored {
	if len(list) > cap(w.block)-len(w.block) {
		w.block = make([]T, 0, max(s.size, len(list)))
		s.mu.Lock()
		w.index = uint32(len(s.blocks))
		s.blocks = append(s.blocks, w.block[:cap(w.block)])
		s.mu.Unlock()
	}
	off := len(w.block)
	w.block = append(w.block, list...)
	return stored{w.index, uint32(off), uint32(len(list))}
}
