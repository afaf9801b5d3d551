package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/cli"
)

// compileObject writes a relocatable file and, beside it, its header. There are no guard pages in a C program: every access is checked.
func compileObject(ctx context.Context, src, out string, opts compiler.Options) error {
	base, ok := strings.CutSuffix(out, ".o")
	prefix := filepath.Base(base)
	if !ok || !isIdentifier(prefix) {
		return cli.UsageError{Err: fmt.Errorf("--emit=obj: expected an output file NAME.o in which NAME is a name in C, found %s", out)}
	}
	wasm, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	opts.Tier = artifact.TierExplicit
	a, err := compiler.Compile(ctx, wasm, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", src, err)
	}
	object, err := a.EncodeObject(prefix)
	if err != nil {
		return fmt.Errorf("%s: %w", src, err)
	}
	if err := cli.WriteFile(base+".h", []byte(object.Header), 0o644); err != nil {
		return err
	}
	return cli.WriteFile(out, object.File, 0o644)
}

// isIdentifier tells whether a name can stand in C.
func isIdentifier(name string) bool {
	for i, c := range []byte(name) {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
