// Goroutines runs a pipeline of goroutines beside timers: workers find primes, a ticker reports, a deadline ends it.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()

	numbers := make(chan int)
	primes := make(chan int)
	go func() {
		defer close(numbers)
		for n := 0; ; n++ {
			select {
			case numbers <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	var workers sync.WaitGroup
	for range 8 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range numbers {
				if isPrime(n) {
					primes <- n
				}
			}
		}()
	}
	go func() {
		workers.Wait()
		close(primes)
	}()

	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	count, largest := 0, 0
	for {
		select {
		case p, ok := <-primes:
			if !ok {
				fmt.Println("done:", count > 0, largest >= count)
				return
			}
			count++
			largest = max(largest, p)
		case <-tick.C:
			fmt.Printf("%d primes so far, the largest is %d\n", count, largest)
		}
	}
}
