// The host of a plugin: it is given the plugin's module and a name.
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o plugin.wasm ./examples/plugin/guest
//	go run ./examples/plugin/host plugin.wasm gopher
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/engine"
)

// plugin is an instance with its functions.
type plugin struct {
	memory *engine.Memory
	alloc  engine.Func1[uint32, uint32]
	free   engine.Func1[uint32, engine.None]
	greet  engine.Func2[uint32, uint32, uint64]
}

func newPlugin(i *engine.Instance) (p *plugin, err error) {
	p = &plugin{memory: i.Memory()}
	if p.alloc, err = engine.Get1[uint32, uint32](i, "alloc"); err != nil {
		return nil, err
	}
	if p.free, err = engine.Get1[uint32, engine.None](i, "free"); err != nil {
		return nil, err
	}
	p.greet, err = engine.Get2[uint32, uint32, uint64](i, "greet")
	return p, err
}

// Greet passes a string to the guest and gives the one that comes back.
func (p *plugin) Greet(ctx context.Context, name string) (string, error) {
	at, err := p.alloc.Call(ctx, uint32(len(name)))
	if err != nil {
		return "", err
	}
	if err := p.memory.WriteString(uint64(at), name); err != nil {
		return "", err
	}
	result, err := p.greet.Call(ctx, at, uint32(len(name)))
	if err != nil {
		return "", err
	}
	greeting, err := p.memory.ReadString(result>>32, result&0xffffffff)
	if err != nil {
		return "", err
	}
	for _, at := range []uint32{at, uint32(result >> 32)} {
		if _, err := p.free.Call(ctx, at); err != nil {
			return "", err
		}
	}
	return greeting, nil
}

// logged is the guest's log function.
func logged(c engine.Caller, at, n uint32) (engine.None, error) {
	s, err := c.Memory().ReadString(uint64(at), uint64(n))
	if err == nil {
		fmt.Println("plugin:", s)
	}
	return engine.None{}, err
}

func run(ctx context.Context, path string, names []string) error {
	m, err := wasmaot.NewRuntime(nil).CompileFile(ctx, path)
	if err != nil {
		return err
	}
	defer m.Close()
	// What a request leaves in a plugin is undone before the next one.
	pool := engine.NewPool(m, &engine.PoolConfig{Instance: engine.InstanceConfig{
		WASI:    &engine.WASI{},
		Imports: []engine.Importer{engine.NewHostModule("host").Add("log", engine.Host2("log", logged))},
	}})
	defer pool.Close()
	for _, name := range names {
		i, err := pool.Get(ctx)
		if err != nil {
			return err
		}
		p, err := newPlugin(i)
		if err != nil {
			return err
		}
		greeting, err := p.Greet(ctx, name)
		if err != nil {
			return err
		}
		fmt.Println(greeting)
		pool.Put(i)
	}
	return nil
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: host plugin.wasm [names...]")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}
