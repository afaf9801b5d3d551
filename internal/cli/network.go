package cli

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/wasmaot/wasmaot/wasi"
)

// networkFlags are what the user allows of the network.
type networkFlags struct {
	listen []string
	rules  []string
}

func (f *networkFlags) register(fl *FlagSet) {
	fl.List(&f.listen, "listen", "listen on `HOST:PORT` or unix:PATH and give the guest the socket, after the directories; repeatable")
	fl.List(&f.listen, "tcplisten", "the same: `HOST:PORT`")
	fl.List(&f.rules, "net", "allow the guest sockets of its own: `RULE`[,RULE...] with RULE = all, dns, listen[:WHERE] or dial[:WHERE]; WHERE = ADDRESS, CIDR, localhost or *, with :PORT or :LOW-HIGH, or unix:/PATH; repeatable")
}

// allow enters the rules, and checks what is to be listened on.
func (f *networkFlags) allow(n *wasi.Network) error {
	for _, list := range f.rules {
		for _, rule := range strings.Split(list, ",") {
			if rule == "dns" || rule == "all" {
				n.Lookup = net.DefaultResolver.LookupNetIP
			}
			if rule == "dns" {
				continue
			}
			if err := n.Allow(rule); err != nil {
				return UsageError{fmt.Errorf("--net=%s: %w, or dns", list, err)}
			}
		}
	}
	for _, where := range f.listen {
		if _, _, err := net.SplitHostPort(where); err != nil && !strings.HasPrefix(where, "unix:") {
			return UsageError{fmt.Errorf("--listen=%s: expected HOST:PORT or unix:PATH", where)}
		}
	}
	return nil
}

// open opens the listeners. release closes them; the file of a unix socket goes with it.
func (f *networkFlags) open(c *wasi.Config) (release func(), err error) {
	var opened []io.Closer
	release = func() {
		for _, o := range opened {
			o.Close()
		}
	}
	for _, where := range f.listen {
		l, file, err := listenOn(where)
		if err != nil {
			release()
			return nil, err
		}
		opened = append(opened, file, l)
		c.Listeners = append(c.Listeners, file)
	}
	return release, nil
}

func listenOn(where string) (net.Listener, *os.File, error) {
	network := "tcp"
	if p, ok := strings.CutPrefix(where, "unix:"); ok {
		network, where = "unix", p
	}
	l, err := net.Listen(network, where)
	if err != nil {
		return nil, nil, fmt.Errorf("--listen=%s: %w", where, err)
	}
	file, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		l.Close()
		return nil, nil, fmt.Errorf("--listen=%s: %w", where, err)
	}
	return l, file, nil
}
