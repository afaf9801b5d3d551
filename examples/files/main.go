// Files sums up a directory: number and size of the files by extension.
//
//	wasmaot run --dir=. ./examples/files .
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	type sum struct {
		files int
		bytes int64
	}
	sums := map[string]*sum{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		ext := filepath.Ext(path)
		if ext == "" {
			ext = "(none)"
		}
		if sums[ext] == nil {
			sums[ext] = &sum{}
		}
		sums[ext].files++
		sums[ext].bytes += info.Size()
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
		os.Exit(1)
	}
	exts := make([]string, 0, len(sums))
	for ext := range sums {
		exts = append(exts, ext)
	}
	sort.Slice(exts, func(i, j int) bool { return sums[exts[i]].bytes > sums[exts[j]].bytes })
	for _, ext := range exts {
		fmt.Printf("%12d bytes %6d files  %s\n", sums[ext].bytes, sums[ext].files, ext)
	}
}
