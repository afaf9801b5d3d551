// A host with C code in it: guests run on threads that C made known to the process, host functions call C, and C's own threads live beside them. It
// loads the artifact of its argument (engine's test module) and is silent if all is well.
package main

/*
#include <pthread.h>
#include <unistd.h>

static int twice(int x) { return 2 * x; }

static void *spin(void *stop) {
	volatile int *s = stop;
	while (!*s) usleep(100);
	return 0;
}

static volatile int stop;
static pthread_t thread;
static int begin(void) { return pthread_create(&thread, 0, spin, (void *)&stop); }
static int end(void) { stop = 1; return pthread_join(thread, 0); }
*/
import "C"

import (
	"context"
	"errors"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/wasmaot/wasmaot/engine"
)

func main() {
	file, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	m, err := engine.Load("test", file)
	if err != nil {
		log.Fatal(err)
	}
	if e := C.begin(); e != 0 {
		log.Fatal("thread: ", e)
	}
	debug.SetGCPercent(1)
	host := engine.NewHostModule("env").Add("host", engine.Host1("host", func(_ engine.Caller, x int32) (int32, error) {
		return int32(C.twice(C.int(x))), nil
	}))
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() { use(m, host) })
	}
	wg.Wait()
	if e := C.end(); e != 0 {
		log.Fatal("join: ", e)
	}
}

func use(m *engine.Module, host engine.Importer) {
	runtime.LockOSThread() // as hosts that use C libraries often must
	ctx := context.Background()
	i, err := m.Instantiate(ctx, &engine.InstanceConfig{Imports: []engine.Importer{host}})
	if err != nil {
		log.Fatal(err)
	}
	defer i.Close()
	for n := range uint64(20) {
		stack := []uint64{n}
		if err := i.Func("call").Call(ctx, stack); err != nil || stack[0] != 2*n {
			log.Fatal("call: ", stack, err)
		}
		stack[0] = 200_000
		if err := i.Func("work").Call(ctx, stack); err != nil || stack[0] != 0 {
			log.Fatal("work: ", stack, err)
		}
		var trap *engine.Trap
		if err := i.Func("trap").Call(ctx, nil); !errors.As(err, &trap) {
			log.Fatal("trap: ", err)
		}
	}
	soon, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if err := i.Func("spin").Call(soon, nil); !errors.Is(err, context.DeadlineExceeded) {
		log.Fatal("spin: ", err)
	}
}
