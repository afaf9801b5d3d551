package cli

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
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
	fl.List(&f.rules, "net", "allow the guest sockets of its own: `RULE`[,RULE...] with RULE = all, dns[:SERVER], listen[:WHERE] or dial[:WHERE]; WHERE = ADDRESS, CIDR, localhost or *, with :PORT or :LOW-HIGH, or unix:/PATH; repeatable")
}

// allow enters the rules, and checks what is to be listened on.
func (f *networkFlags) allow(n *wasi.Network) error {
	for _, list := range f.rules {
		for _, rule := range strings.Split(list, ",") {
			r, isDNS, err := parseDNS(rule)
			if isDNS || rule == "all" && n.Lookup == nil {
				n.Lookup = r.lookup
			}
			if err == nil && !isDNS {
				err = n.Allow(rule)
			}
			if err != nil {
				return UsageError{fmt.Errorf("--net=%s: %w, or dns or dns:SERVER", list, err)}
			}
		}
	}
	for _, where := range f.listen {
		if _, _, err := splitHostPort(where); err != nil && !strings.HasPrefix(where, unixPrefix) {
			return UsageError{fmt.Errorf("--listen=%s: expected HOST:PORT or unix:PATH: %w", where, err)}
		}
	}
	return nil
}

// parseDNS reads a rule dns or dns:SERVER with SERVER = ADDRESS or ADDRESS:PORT.
func parseDNS(rule string) (r resolver, is bool, err error) {
	server, given := strings.CutPrefix(rule, "dns:")
	if !given {
		return r, rule == "dns", nil
	}
	if a, err := netip.ParseAddr(server); err == nil {
		return resolver{netip.AddrPortFrom(a, dnsPort)}, true, nil
	}
	r.server, err = netip.ParseAddrPort(server)
	if err != nil {
		err = fmt.Errorf("expected dns:ADDRESS or dns:ADDRESS:PORT: %w", err)
	}
	return r, true, err
}

// unixPrefix marks a path where an address is expected.
const unixPrefix = "unix:"

// splitHostPort splits an address as package net does, which this program leaves out: it brings
// the dynamic linker into every start where cgo is on.
func splitHostPort(address string) (host string, port uint16, err error) {
	i := strings.LastIndexByte(address, ':')
	if i < 0 {
		return "", 0, errors.New("no port")
	}
	host = address[:i]
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	} else if strings.ContainsAny(host, ":[]") {
		return "", 0, errors.New("an IPv6 address stands in brackets")
	}
	n, err := strconv.ParseUint(address[i+1:], 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is no number from 0 to 65535", address[i+1:])
	}
	return host, uint16(n), nil
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
		file, path, err := listenOn(where)
		if err != nil {
			release()
			return nil, fmt.Errorf("--listen=%s: %w", where, err)
		}
		opened = append(opened, listener{file, path})
		c.Listeners = append(c.Listeners, file)
	}
	return release, nil
}

// listener is a listening socket and the file to remove with it, if there is one.
type listener struct {
	*os.File
	path string
}

func (l listener) Close() error {
	err := l.File.Close()
	if l.path != "" {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}
