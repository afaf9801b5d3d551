// Goexec says what a program that the go tool runs is given.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

func main() {
	wd, err := os.Getwd()
	check(err)
	root, err := os.ReadDir("/")
	check(err)
	byName, err := os.ReadFile("go.mod")
	check(err)
	byPath, err := os.ReadFile(filepath.Join(wd, "go.mod"))
	check(err)
	fmt.Println(runtime.GOOS, os.Args[1:], wd, len(root) > 0, len(byName) > 0 && len(byName) == len(byPath), os.Getenv("PWD") == wd)
	fmt.Println(os.Getenv("PATH"))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
