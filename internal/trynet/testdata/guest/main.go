// Guest fetches an URL through the packages that are tried.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	_ "github.com/stealthrocket/net/http"
)

func main() {
	resp, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(os.Stdout, resp.Body); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
