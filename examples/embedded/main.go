// A program that carries compiled guests and no compiler. Before it is built, artifacts are put into its directory:
//
//	go run ./cmd/wasmaot compile --baseline hello.wasm -o examples/embedded/artifacts/hello.cwasm
//	go build ./examples/embedded
//
// Each is run as a WASI command, in the order of their names, with this program's arguments.
package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log"
	"os"

	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/wasi"
)

//go:embed artifacts
var files embed.FS

func run(ctx context.Context, path string) error {
	file, err := files.ReadFile(path)
	if err != nil {
		return err
	}
	m, err := engine.Load(path, file)
	if err != nil {
		return err
	}
	defer m.Close()
	code, err := m.Run(ctx, &engine.InstanceConfig{WASI: &engine.WASI{Config: wasi.Config{
		Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}}})
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: exit code %d", path, code)
	}
	return err
}

func main() {
	paths, err := fs.Glob(files, "artifacts/*.cwasm")
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("no artifacts were there when this program was built: see examples/embedded")
	}
	for _, path := range paths {
		if err == nil {
			err = run(context.Background(), path)
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}
