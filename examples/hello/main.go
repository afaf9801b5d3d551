// Hello greets, and says what it runs on.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	fmt.Printf("Hello from %s on %s/%s!\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
