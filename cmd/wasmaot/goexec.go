package main

import (
	"os"
	"path/filepath"
	"strings"
)

// goExecName is the program that the go tool looks for on PATH to run what it has built for wasip1.
const goExecName = "go_wasip1_wasm_exec"

// commandArgs gives the arguments of the command line. Under goExecName, wasmaot does what Go's own script of that name asks
// of other hosts: the guest gets the whole file system, PWD and PATH, and the flags in GOWASIRUNTIMEARGS.
// GOWASIRUNTIME is passed on: Go's own tests ask it, in the guest, for what they know of a host.
func commandArgs() []string {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	if name != goExecName {
		return os.Args[1:]
	}
	args := []string{"run", "--dir=/", "--env=PATH", "--env=GOWASIRUNTIME"}
	if wd, err := os.Getwd(); err == nil {
		args = append(args, "--env=PWD="+wd)
	}
	args = append(args, strings.Fields(os.Getenv("GOWASIRUNTIMEARGS"))...)
	return append(args, os.Args[1:]...)
}
