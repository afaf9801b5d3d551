// Command runs a WASI command, a Go program say, on a file system that is in this program. The guest sees it as "/", read-only, and nothing else.
//
//	GOOS=wasip1 GOARCH=wasm go build -o show.wasm ./examples/command/guest
//	go run ./examples/command show.wasm /note.txt
package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/engine"
	"github.com/wasmaot/wasmaot/wasi"
)

//go:embed files
var embedded embed.FS

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: command MODULE [ARGUMENT...]")
		os.Exit(2)
	}
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "command:", err)
		os.Exit(1)
	}
	os.Exit(int(code))
}

func run(args []string) (exitCode uint32, err error) {
	files, err := fs.Sub(embedded, "files")
	if err != nil {
		return 0, err
	}
	ctx := context.Background()
	m, err := wasmaot.NewRuntime(nil).CompileFile(ctx, args[0])
	if err != nil {
		return 0, err
	}
	defer m.Close()
	return m.Run(ctx, &engine.InstanceConfig{WASI: &engine.WASI{
		Config: wasi.Config{Args: args, Stdout: os.Stdout, Stderr: os.Stderr},
		Files:  []engine.FileSystem{{FS: files, Guest: "/"}},
	}})
}
