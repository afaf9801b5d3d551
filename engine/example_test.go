//go:build linux && (amd64 || arm64)

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"testing/fstest"
	"time"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/wasi"
)

// exampleModule compiles testModule; a program would use wasmaot.Runtime.CompileFile, or engine.Load of an artifact.
func exampleModule() *engine.Module {
	m, err := wasmaot.NewRuntime(nil).Compile(context.Background(), "example.wasm", testModule)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// A function of a guest is called with the types of Go, or with a stack of values.
func Example_call() {
	ctx := context.Background()
	m := exampleModule()
	defer m.Close()
	i, err := m.Instantiate(ctx, env(engine.Host1("host", identity)))
	if err != nil {
		log.Fatal(err)
	}
	defer i.Close()
	add, err := engine.Get2[int32, int32, int32](i, "add")
	if err != nil {
		log.Fatal(err)
	}
	sum, err := add.Call(ctx, 40, 2)
	fmt.Println(sum, err)

	stack := []uint64{1, 2}
	err = i.Func("add").Call(ctx, stack)
	fmt.Println(stack[0], err)
	// Output:
	// 42 <nil>
	// 3 <nil>
}

// A host function has ordinary parameters and sees the memory of its caller.
func ExampleHost1() {
	ctx := context.Background()
	m := exampleModule()
	defer m.Close()
	host := engine.NewHostModule("env").Add("host", engine.Host1("host", func(c engine.Caller, at uint32) (uint32, error) {
		v, ok := c.Memory().Uint32(uint64(at))
		if !ok {
			return 0, errors.New("not an address")
		}
		return v, nil
	}))
	i, err := m.Instantiate(ctx, &engine.InstanceConfig{Imports: []engine.Importer{host}})
	if err != nil {
		log.Fatal(err)
	}
	defer i.Close()
	call, err := engine.Get1[uint32, uint32](i, "call")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(call.Call(ctx, 16))
	fmt.Println(call.Call(ctx, 1<<20))
	// Output:
	// 40 <nil>
	// 0 not an address
}

// Code generators work on the stack: parameters come in slots, results go to slot 0 and on.
func ExampleHostFunc() {
	ctx := context.Background()
	m := exampleModule()
	defer m.Close()
	double := engine.HostFunc("double", engine.FuncType{Params: []engine.ValueType{engine.I32}, Results: []engine.ValueType{engine.I32}},
		func(ctx context.Context, caller *engine.Instance, stack []uint64) error {
			stack[0] *= 2
			return nil
		})
	i, err := m.Instantiate(ctx, env(double))
	if err != nil {
		log.Fatal(err)
	}
	defer i.Close()
	stack := []uint64{21}
	err = i.Func("call").Call(ctx, stack)
	fmt.Println(stack[0], err)
	// Output: 42 <nil>
}

// A call ends with its context, also in a loop without calls.
func Example_cancellation() {
	m := exampleModule()
	defer m.Close()
	i, err := m.Instantiate(context.Background(), env(engine.Host1("host", identity)))
	if err != nil {
		log.Fatal(err)
	}
	defer i.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err = i.Func("spin").Call(ctx, nil)
	var stopped *engine.Interrupted
	fmt.Println(errors.As(err, &stopped), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}

// Traps are errors with a backtrace of the guest.
func ExampleTrap() {
	ctx := context.Background()
	m := exampleModule()
	defer m.Close()
	i, err := m.Instantiate(ctx, env(engine.Host1("host", identity)))
	if err != nil {
		log.Fatal(err)
	}
	defer i.Close()
	err = i.Func("trap").Call(ctx, nil)
	var trap *engine.Trap
	if errors.As(err, &trap) {
		fmt.Println(trap.Code == engine.TrapUnreachable, len(trap.Frames))
	}
	// Output: true 1
}

// A pool gives instances as they were when they were prepared.
func ExamplePool() {
	ctx := context.Background()
	m := exampleModule()
	defer m.Close()
	p := engine.NewPool(m, &engine.PoolConfig{Instance: *env(engine.Host1("host", identity))})
	defer p.Close()
	for range 2 {
		i, err := p.Get(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if err := i.Func("count").Call(ctx, nil); err != nil {
			log.Fatal(err)
		}
		v, _ := i.Memory().Uint32(16)
		fmt.Println(v)
		p.Put(i)
	}
	// Output:
	// 41
	// 41
}

// exitModule is a WASI command: (func (export "_start") (call $proc_exit (i32.const 3))).
const exitModule = "\x00asm\x01\x00\x00\x00" +
	"\x01\x08\x02\x60\x01\x7f\x00\x60\x00\x00" +
	"\x02\x24\x01\x16wasi_snapshot_preview1\x09proc_exit\x00\x00" +
	"\x03\x02\x01\x01\x05\x03\x01\x00\x01" +
	"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x01" +
	"\x0a\x08\x01\x06\x00\x41\x03\x10\x00\x0b"

// A command is given what it may see of the world, a file system of Go among others.
func ExampleModule_Run() {
	ctx := context.Background()
	file, err := wasmaot.Precompile(ctx, "exit.wasm", []byte(exitModule), compiler.Options{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := engine.Load("exit", file)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	code, err := m.Run(ctx, &engine.InstanceConfig{
		MaxMemory: 64 << 20,
		WASI: &engine.WASI{
			Config: wasi.Config{Args: []string{"exit"}, Env: []string{"LANG=C"}, Stdout: os.Stdout},
			Files:  []engine.FileSystem{{FS: fstest.MapFS{"greeting.txt": {Data: []byte("hello")}}, Guest: "/data"}},
		},
	})
	fmt.Println(code, err)
	// Output: 3 <nil>
}
