// Filter copies the lines of its standard input that contain a word, numbered, and counts them.
//
//	wasmaot run ./examples/filter error < server.log
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: filter WORD < text")
		os.Exit(2)
	}
	word := []byte(os.Args[1])
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	defer out.Flush()
	found := 0
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		if bytes.Contains(line, word) {
			found++
			fmt.Fprintf(out, "%6d  %s", n, line)
		}
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
	}
	fmt.Fprintf(out, "%d lines\n", found)
}
