package main

import (
	"sync"
	"time"
)

// pingPong is a switch between two goroutines for each value on an unbuffered channel.
func pingPong() uint64 {
	a, b := make(chan uint64), make(chan uint64)
	go func() {
		for v := range a {
			b <- v + 1
		}
		close(b)
	}()
	var v uint64
	for range 300_000 {
		a <- v
		v = <-b
	}
	close(a)
	return v
}

func mutexes() uint64 {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var n uint64
	for range 1000 {
		wg.Go(func() {
			for range 1000 {
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return n
}

func manyGoroutines() uint64 {
	var sum uint64
	for range 10 {
		results := make(chan uint64)
		for i := range uint64(10_000) {
			go func() { results <- i }()
		}
		for range 10_000 {
			sum += <-results
		}
	}
	return sum
}

func now() uint64 {
	last := time.Now()
	for range 1_000_000 {
		t := time.Now()
		if t.Before(last) {
			panic("time went backwards")
		}
		last = t
	}
	return 1
}
