//go:build linux && amd64

// Command startlist prints the names of the functions that a guest runs, in the order in which each is first entered:
//
//	wasmaot compile hello.wasm -o hello.cwasm
//	wasmaot build hello.wasm -o hello
//	startlist hello.cwasm hello
//
// It puts a breakpoint at each function of a copy of the executable, whose code is not compared with a checksum, and traces it.
// compiler/start.txt is made of what it prints for programs that do little but start.
package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const breakpoint = 0xcc

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: startlist ARTIFACT EXECUTABLE")
	}
	names, err := startList(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Join(names, "\n"))
}

// function is where one begins in the artifact's text.
type function struct {
	off  uint64
	name string
}

func startList(artifact, executable string) ([]string, error) {
	text, functions, err := readArtifact(artifact)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(executable)
	if err != nil {
		return nil, err
	}
	at := bytes.Index(program, text)
	if at < 0 {
		return nil, fmt.Errorf("%s does not hold the code of %s", executable, artifact)
	}
	for _, f := range functions {
		program[uint64(at)+f.off] = breakpoint
	}
	dir, err := os.MkdirTemp("", "startlist-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "program")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		return nil, err
	}
	return trace(path, uint64(at), text, functions)
}

func readArtifact(path string) (text []byte, list []function, err error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	section := f.Section(".text")
	symbols, err := f.Symbols()
	if err != nil || section == nil {
		return nil, nil, fmt.Errorf("%s: expected an artifact with text and symbols: %v", path, err)
	}
	if text, err = section.Data(); err != nil {
		return nil, nil, err
	}
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			list = append(list, function{s.Value - section.Addr, s.Name})
		}
	}
	return text, list, nil
}

// trace runs the program and takes each breakpoint away when it is met.
func trace(path string, at uint64, text []byte, functions []function) (met []string, err error) {
	runtime.LockOSThread()
	cmd := exec.Command(path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	main := cmd.Process.Pid
	base := uint64(0) // of the text in memory
	for first := true; ; first = false {
		var status unix.WaitStatus
		thread, err := unix.Wait4(-1, &status, unix.WALL, nil)
		if err != nil {
			return nil, err
		}
		if first {
			if err := unix.PtraceSetOptions(thread, unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_EXITKILL); err != nil {
				return nil, err
			}
		}
		if status.Exited() || status.Signaled() {
			if thread == main {
				return met, nil
			}
			continue
		}
		deliver := 0
		switch sig := status.StopSignal(); {
		case sig == unix.SIGTRAP && status.TrapCause() > 0, sig == unix.SIGSTOP: // a new thread
		case sig == unix.SIGTRAP:
			var regs unix.PtraceRegs
			if err := unix.PtraceGetRegs(thread, &regs); err != nil {
				return nil, err
			}
			if base == 0 {
				base = textBase(main, path, at, regs.Rip)
			}
			off := regs.Rip - 1 - base
			k := slices.IndexFunc(functions, func(f function) bool { return f.off == off })
			if k < 0 {
				break // the program's start
			}
			met = append(met, functions[k].name)
			if _, err := unix.PtracePokeText(thread, uintptr(regs.Rip-1), text[off:off+1]); err != nil {
				return nil, err
			}
			regs.Rip--
			if err := unix.PtraceSetRegs(thread, &regs); err != nil {
				return nil, err
			}
		default:
			deliver = int(sig)
		}
		if err := unix.PtraceCont(thread, deliver); err != nil {
			return nil, err
		}
	}
}

// textBase finds where the file's text is mapped around an address, 0 if it is not.
func textBase(pid int, path string, at, addr uint64) uint64 {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(maps)) {
		var lo, hi, off uint64
		var perm string
		if n, _ := fmt.Sscanf(line, "%x-%x %s %x", &lo, &hi, &perm, &off); n == 4 && lo <= addr && addr < hi && off == at && strings.Contains(line, path) {
			return lo
		}
	}
	return 0
}
