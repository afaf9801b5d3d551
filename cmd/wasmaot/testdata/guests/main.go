// Guests does what its first argument says. It is built natively and for wasip1 by several releases of Go, and must
// behave the same: output, exit code.
package main

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"
)

var commands = map[string]func(args []string){
	"hello":     func([]string) { fmt.Println("hello") },
	"args":      func(args []string) { fmt.Printf("%q %q %q\n", args, os.Getenv("GREETING"), os.Getenv("EMPTY")) },
	"filter":    filter,
	"files":     files,
	"scheduler": scheduler,
	"heap":      heap,
	"exit":      func([]string) { defer fmt.Println("never printed"); os.Exit(7) },
	"panic":     func([]string) { fmt.Println("before"); panicker(3) },
	"nil":       nilDereference,
	"recursion": func([]string) { fmt.Println(recursion(1_000_000, []int{1, 2, 3})) },
	"deadlock":  func([]string) { fmt.Println("waiting"); <-make(chan int) },
	"overflow":  func([]string) { overflow(0) },
	"spin": func([]string) {
		for {
			spin++
		}
	},
	"sleep": func([]string) { time.Sleep(time.Hour) },
	"stdin": func([]string) { b, err := io.ReadAll(os.Stdin); fmt.Println(len(b), err) },
	"ticks": ticks,
	"clock": clock,
	"arith": arith,
}

var spin int

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: guests COMMAND")
		os.Exit(64)
	}
	commands[os.Args[1]](os.Args[2:])
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "guests:", err)
		os.Exit(1)
	}
}

// filter turns the lines of standard input around and writes them to standard output.
func filter([]string) {
	in := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	sum := sha256.New()
	for in.Scan() {
		b := in.Bytes()
		sum.Write(b)
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		out.Write(append(b, '\n'))
	}
	check(in.Err())
	check(out.Flush())
	fmt.Printf("%x\n", sum.Sum(nil))
}

// files writes, reads, renames, lists and removes many files below a directory.
func files(args []string) {
	dir, n := args[0], 10_000
	check(os.MkdirAll(filepath.Join(dir, "sub", "deep"), 0o755))
	name := func(i int) string { return filepath.Join(dir, "sub", fmt.Sprintf("file-%05d", i)) }
	for i := 0; i < n; i++ {
		check(os.WriteFile(name(i), []byte(strings.Repeat("x", i%1000)), 0o644))
	}
	for i := 0; i < n; i += 2 {
		check(os.Rename(name(i), name(i)+".renamed"))
	}
	entries, err := os.ReadDir(filepath.Join(dir, "sub"))
	check(err)
	sum := sha256.New()
	var size int64
	for _, e := range entries {
		info, err := e.Info()
		check(err)
		if !e.IsDir() {
			size += info.Size()
		}
		fmt.Fprintln(sum, e.Name(), e.IsDir(), info.Mode().IsRegular())
	}
	b, err := os.ReadFile(name(999))
	check(err)
	fmt.Println(len(entries), size, len(b))
	fmt.Printf("%x\n", sum.Sum(nil))

	_, err = os.Stat(name(0))
	fmt.Println("renamed away:", errors.Is(err, fs.ErrNotExist))
	_, err = os.OpenFile(name(1), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	fmt.Println("exclusive:", errors.Is(err, fs.ErrExist))
	f, err := os.OpenFile(name(1), os.O_RDWR|os.O_APPEND, 0)
	check(err)
	_, err = f.WriteString("appended")
	check(err)
	_, err = f.Seek(-3, io.SeekEnd)
	check(err)
	rest, err := io.ReadAll(f)
	check(err)
	check(f.Close())
	fmt.Printf("%s\n", rest)
	check(os.Truncate(name(1), 2))
	info, err := os.Stat(name(1))
	check(err)
	fmt.Println(info.Size(), info.ModTime().After(time.Unix(1_600_000_000, 0)))
	check(os.Chtimes(name(1), time.Unix(1000, 0), time.Unix(2000, 5)))
	info, err = os.Stat(name(1))
	check(err)
	fmt.Println(info.ModTime().UnixNano())
	check(os.Symlink("file-00003", filepath.Join(dir, "sub", "link")))
	target, err := os.Readlink(filepath.Join(dir, "sub", "link"))
	check(err)
	fmt.Println(target)
	check(os.RemoveAll(filepath.Join(dir, "sub")))
	entries, err = os.ReadDir(dir)
	check(err)
	fmt.Println(len(entries))
}

// scheduler has ten thousand goroutines meet over channels, timers and a mutex.
func scheduler([]string) {
	const n = 10_000
	var mu sync.Mutex
	var wg sync.WaitGroup
	total := 0
	in, out := make(chan int), make(chan int, 10)
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			time.Sleep(time.Duration(i%50) * time.Millisecond)
			mu.Lock()
			total += <-in
			mu.Unlock()
			out <- i
		}(i)
	}
	go func() {
		for i := 0; i < n; i++ {
			in <- i
		}
	}()
	go func() { wg.Wait(); close(out) }()
	seen := make([]bool, n)
	for i := range out {
		seen[i] = true
	}
	for i, s := range seen {
		if !s {
			fmt.Println("missing", i)
		}
	}
	fmt.Println(total)
	timeout := time.After(50 * time.Millisecond)
	tick := time.NewTicker(10 * time.Millisecond)
	for i := 0; i < 3; i++ {
		<-tick.C
	}
	<-timeout
	fmt.Println("ticked")
}

type node struct {
	next *node
	data [1000]byte
}

// heap grows to about a gigabyte while the collector works.
func heap([]string) {
	var head *node
	sum := 0
	for i := 0; i < 1_000_000; i++ {
		n := &node{next: head}
		n.data[i%1000] = byte(i)
		head = n
		sum += len(fmt.Sprint(i)) // garbage
	}
	for n := head; n != nil; n = n.next {
		for _, b := range n.data[:8] {
			sum += int(b)
		}
	}
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	fmt.Println(sum, ms.HeapAlloc > 900<<20, ms.NumGC > 0)
}

//go:noinline
func panicker(n int) {
	if n == 0 {
		panic(fmt.Sprintf("boom %d", n))
	}
	panicker(n - 1)
}

type thing struct{ values [100]int }

//go:noinline
func (t *thing) sum() (s int) { return t.values[3] + t.values[50] }

func nilDereference([]string) {
	defer func() {
		r := recover()
		err, ok := r.(runtime.Error)
		fmt.Println(ok, err)
		var m map[string]int
		defer func() { fmt.Println(recover()) }()
		m["x"] = 1
	}()
	var t *thing
	fmt.Println(t.sum())
}

//go:noinline
func recursion(n int, p []int) int {
	if n == 0 {
		return p[1]
	}
	return recursion(n-1, p) + 1
}

//go:noinline
func overflow(n int) int { return overflow(n+1) + 1 }

func ticks([]string) {
	for i := 0; i < 5; i++ {
		time.Sleep(20 * time.Millisecond)
		fmt.Println("tick", i)
	}
	b, err := io.ReadAll(os.Stdin)
	fmt.Println(len(b), err)
}

func clock([]string) {
	start := time.Now()
	time.Sleep(30 * time.Millisecond)
	d := time.Since(start)
	fmt.Println(d >= 30*time.Millisecond, d < 5*time.Second, time.Now().Year() >= 2023)
}

// arith exercises arithmetic whose lowering differs most between machines.
func arith([]string) {
	ints := []int64{0, 1, -1, 7, -7, 1 << 31, -1 << 31, 1<<63 - 1, -1 << 63, 1234567890123}
	floats := []float64{0, -1 / inf(), 0.5, -0.5, 1.5, 2.5, -2.5, 1e10, -1e19, 1e300, inf(), -inf()}
	sum := sha256.New()
	for _, a := range ints {
		for _, b := range ints {
			fmt.Fprintln(sum, a+b, a-b, a*b, a&b, a|b, a^b, a&^b, a < b, uint64(a) < uint64(b), int32(a)*int32(b), int8(a), uint16(b))
			if b != 0 {
				fmt.Fprintln(sum, a/b, a%b, uint64(a)/uint64(b), uint64(a)%uint64(b))
			}
			if int32(b) != 0 {
				fmt.Fprintln(sum, int32(a)/int32(b), uint32(a)%uint32(b))
			}
			s := uint(b) & 127
			fmt.Fprintln(sum, a<<s, a>>s, uint64(a)>>s, int32(a)<<s, int32(a)>>s, uint32(a)>>s)
		}
		fmt.Fprintln(sum, float64(a), float32(a), float64(uint64(a)), float32(uint32(a)))
	}
	for _, a := range floats {
		for _, b := range floats {
			fmt.Fprintln(sum, a+b, a-b, a*b, a/b, a < b, a <= b, a == b, a != b, min(a, b), max(a, b), float32(a)*float32(b))
		}
		if a > -9e18 && a < 9e18 {
			fmt.Fprintln(sum, int64(a), int32(int64(a)))
		}
	}
	keys := make([]string, 0)
	m := map[string]int{}
	for i := 0; i < 1000; i++ {
		m[fmt.Sprint(i*i)] += i
	}
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	fmt.Fprintln(sum, keys)
	fmt.Printf("%x\n", sum.Sum(nil))
}

func inf() float64 {
	var zero float64
	return 1 / zero
}
