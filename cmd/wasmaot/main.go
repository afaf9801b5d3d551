// Command wasmaot compiles WebAssembly modules to native code and runs them.
package main

import (
	"context"
	"os"

	"github.com/wasmaot/wasmaot/internal/cli"
)

func main() { os.Exit(realMain()) }

func realMain() int {
	return cli.Main("wasmaot", func(ctx context.Context) error { return execute(ctx, commandArgs()) })
}

const about = `wasmaot compiles WebAssembly modules ahead of time to native code and runs them
with a complete WASI preview 1 host. It is at home with programs built by
GOOS=wasip1 GOARCH=wasm go build.`

var commands = []commandInfo{
	{"run", "Run a module, or build a Go package for wasip1 and run it", newRun},
	{"compile", "Compile a module to an artifact that run takes", newCompile},
	{"build", "Make an executable of a module or a Go package", newBuild},
	{"inspect", "Print what a module or an artifact holds and needs", newInspect},
	{"objdump", "Print the machine code of a module or an artifact", newObjdump},
	{"validate", "Check that a file is a valid module", newValidate},
	{"cache", "Look after the cache of compiled code", newCache},
	{"version", "Print the version", newVersion},
}
