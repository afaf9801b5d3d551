// Network is a guest with sockets. It is built natively as well, to compare.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

var commands = map[string]func(args []string) error{
	"serve": serve, "preopened": preopened, "fetch": fetch, "udp": udp, "echo": echo, "dial": dialEach, "ticks": ticks,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: network COMMAND")
		os.Exit(64)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "network:", err)
		os.Exit(1)
	}
}

// serve answers HTTP at an address, and prints which.
func serve(args []string) error {
	l, err := listen(args[0], args[1])
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, handler())
}

// preopened serves on the listener that was given.
func preopened([]string) error {
	l, err := net.FileListener(os.NewFile(3, ""))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return http.Serve(l, handler())
}

func handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.Path, len(body))
	})
}

// fetch gets an URL, whose name a resolver knows, or the host.
func fetch(args []string) error {
	url, resolver := args[0], args[1]
	find := func(ctx context.Context, name string) ([]net.IP, error) {
		return net.DefaultResolver.LookupIP(ctx, "ip4", name)
	}
	if resolver == "host" {
		find = lookupHost
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dial(ctx, "udp", resolver)
	}}
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		ips, err := find(ctx, host)
		if err != nil {
			return nil, err
		}
		return dial(ctx, network, net.JoinHostPort(ips[0].String(), port))
	}}}
	for i := 0; i < 3; i++ {
		resp, err := client.Post(url, "text/plain", bytes.NewReader(make([]byte, 300_000)))
		if err != nil {
			return err
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		fmt.Printf("%s %q\n", resp.Status, b)
	}
	return nil
}

// udp sends back what it gets, until it gets "end".
func udp(args []string) error {
	c, err := listenPacket(args[0], args[1])
	if err != nil {
		return err
	}
	fmt.Println(c.LocalAddr())
	b := make([]byte, 2000)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return err
		}
		if _, err := c.WriteTo(bytes.ToUpper(b[:n]), from); err != nil {
			return err
		}
		if string(b[:n]) == "end" {
			return c.Close()
		}
	}
}

// echo dials, sends a text and prints what comes back until the end.
func echo(args []string) error {
	c, err := dial(context.Background(), args[0], args[1])
	if err != nil {
		return err
	}
	if _, err := io.WriteString(c, args[2]); err != nil {
		return err
	}
	b, err := io.ReadAll(c)
	fmt.Printf("%q from %s\n", b, c.RemoteAddr())
	return err
}

// dialEach says for each "network address" what dialling gives.
func dialEach(args []string) error {
	for ; len(args) > 1; args = args[2:] {
		c, err := dial(context.Background(), args[0], args[1])
		if err == nil {
			c.Close()
		}
		fmt.Println(args[0], args[1], err)
	}
	return nil
}

// ticks counts time while something else waits: for standard input, a file or a socket.
func ticks(args []string) error {
	var r io.Reader = os.Stdin
	var err error
	switch args[0] {
	case "file":
		r, err = os.Open(args[1])
	case "socket":
		r, err = dial(context.Background(), "tcp", args[1])
	}
	if err != nil {
		return err
	}
	done := make(chan string)
	go func() {
		b, err := io.ReadAll(r)
		done <- fmt.Sprintf("%q %v", b, err)
	}()
	t := time.NewTicker(5 * time.Millisecond)
	for n := 0; ; {
		select {
		case <-t.C:
			if n++; n == 10 {
				fmt.Println("ten ticks")
			}
		case s := <-done:
			fmt.Println(s)
			return nil
		}
	}
}
