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
	for round := 0; round < 300_000; round++ {
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
	for round := 0; round < 1000; round++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for round := 0; round < 1000; round++ {
				mu.Lock()
				n++
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	return n
}

func manyGoroutines() uint64 {
	var sum uint64
	for round := 0; round < 10; round++ {
		results := make(chan uint64)
		for i := uint64(0); i < 10_000; i++ {
			go func(i uint64) { results <- i }(i)
		}
		for round := 0; round < 10_000; round++ {
			sum += <-results
		}
	}
	return sum
}

func now() uint64 {
	last := time.Now()
	for round := 0; round < 1_000_000; round++ {
		t := time.Now()
		if t.Before(last) {
			panic("time went backwards")
		}
		last = t
	}
	return 1
}

// hostCalls makes cheap calls to the host; native programs make a system call that does as little.
func hostCalls() uint64 {
	var sum uint64
	for i := 0; i < 2_000_000; i++ {
		sum += uint64(hostCall())
	}
	return sum
}
