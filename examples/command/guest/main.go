// Guest prints the files that its arguments name, and shows that it cannot change them.
package main

import (
	"fmt"
	"os"
)

func main() {
	for _, name := range os.Args[1:] {
		b, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%s: %s", name, b)
		if err := os.WriteFile(name, nil, 0o600); err == nil {
			fmt.Println("written")
		}
	}
}
