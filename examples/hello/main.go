// Hello is the program everyone tries first.
package main

import "fmt"

func main() {
	fmt.Println("Hello from a Go program compiled to WebAssembly, compiled to native code!")
}
