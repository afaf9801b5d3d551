package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/internal/cli"
)

// cacheCommand is what "wasmaot cache" does under a name, nil if there is none.
func cacheCommand(name string) func(c *wasmaot.Cache, max uint64) error {
	switch name {
	case "dir":
		return func(c *wasmaot.Cache, _ uint64) error { _, err := fmt.Println(c.Dir()); return err }
	case "list":
		return listCache
	case "verify":
		return verifyCache
	case "clean":
		return cleanCache
	}
	return nil
}

func newCache() *command {
	var f cacheFlags
	var to string
	cmd := &command{
		use: "cache dir|list|verify|clean [flags]",
		long: `Look after the cache of compiled code:
  dir     print the directory
  list    print the entries, those used last first
  verify  compare every entry with its checksums
  clean   remove the entries, or only those not used for the longest time (--to)`,
		min: 1, max: 1, what: "one of dir, list, verify, clean", mixed: true,
	}
	cmd.flags.String(&f.cacheDir, "cachedir", "", "the cache in `DIR` (default: wasmaot in the user's cache directory)")
	cmd.flags.String(&to, "to", "", "clean: keep entries of at most `SIZE` in bytes or with K, M, G together")
	cmd.run = func(_ context.Context, args []string) error {
		do := cacheCommand(args[0])
		if do == nil {
			return cli.UsageError{Err: fmt.Errorf("cache: unknown operation %q: expected %s", args[0], cmd.what)}
		}
		limit, err := cli.ParseSize("--to", to, 0, 1<<50)
		if err != nil {
			return err
		}
		c, err := f.cache()
		if err != nil {
			return err
		}
		return do(c, limit)
	}
	return cmd
}

func listCache(c *wasmaot.Cache, _ uint64) error {
	entries, err := c.Entries()
	if err != nil {
		return err
	}
	var sum int64
	for _, e := range entries {
		sum += e.Size
		what := ""
		if h, err := e.Header(); err != nil {
			what = err.Error()
		} else {
			what = fmt.Sprintf("sha256:%x %s", h.WasmHash[:8], h.Options)
		}
		fmt.Printf("%10d  %s  %s\n", e.Size, e.Used.Format("2006-01-02 15:04"), what)
	}
	_, err = fmt.Printf("%10d  bytes in %d entries\n", sum, len(entries))
	return err
}

func verifyCache(c *wasmaot.Cache, _ uint64) error {
	entries, err := c.Entries()
	if err != nil {
		return err
	}
	var bad []error
	for _, e := range entries {
		if err := e.Verify(); err != nil && !errors.Is(err, os.ErrNotExist) {
			bad = append(bad, fmt.Errorf("%s: %w", e.Path, err))
		}
	}
	if len(bad) > 0 {
		return errors.Join(bad...)
	}
	_, err = fmt.Printf("%d entries are sound\n", len(entries))
	return err
}

func cleanCache(c *wasmaot.Cache, max uint64) error {
	n, err := c.Clean(int64(max))
	fmt.Printf("%d entries removed\n", n)
	return err
}
