package wasi

import (
	"context"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// Network says what a guest may do with sockets that it opens itself. The zero value
// allows nothing. Listeners of Config need no permission.
type Network struct {
	Listen []Endpoints // what stream and datagram sockets may bind to
	Dial   []Endpoints // what they may connect and send to

	// ListenUnix and DialUnix are absolute paths of the host: of a socket, or of a
	// directory that stands for all below. A guest names sockets by the host's paths.
	ListenUnix, DialUnix []string

	// Lookup finds the addresses of a host name for sock_getaddrinfo; network is "ip",
	// "ip4" or "ip6". If nil, only numeric addresses are answered.
	// (*net.Resolver).LookupNetIP has this type.
	Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Endpoints are addresses of a prefix with ports from Low to High.
type Endpoints struct {
	Prefix    netip.Prefix
	Low, High uint16
}

// anyAddress has the prefixes of all addresses.
func anyAddress() []netip.Prefix {
	return []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
}

// covers tells whether a is in e. A prefix has the wildcard address only if it has all
// addresses, or is that address.
func (e *Endpoints) covers(a netip.AddrPort) bool {
	if a.Port() < e.Low || a.Port() > e.High || !e.Prefix.Contains(a.Addr()) {
		return false
	}
	return !a.Addr().IsUnspecified() || e.Prefix.Bits() == 0 || e.Prefix.IsSingleIP()
}

// allows tells whether a list covers an address. An IPv4 address in the guise of an
// IPv6 one is judged as what it is.
func allows(list []Endpoints, a netip.AddrPort) bool {
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	for i := range list {
		if list[i].covers(a) {
			return true
		}
	}
	return false
}

// mayDial judges by what the kernel makes of an address: a connection to the wildcard
// address is one to this machine.
func (n *Network) mayDial(a netip.AddrPort) bool {
	switch ip := a.Addr().Unmap(); {
	case ip.IsUnspecified() && ip.Is4():
		a = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port())
	case ip.IsUnspecified():
		a = netip.AddrPortFrom(netip.IPv6Loopback(), a.Port())
	}
	return allows(n.Dial, a)
}

func (n *Network) mayListen(a netip.AddrPort) bool { return allows(n.Listen, a) }

// some tells whether anything is allowed in a family of addresses.
func (n *Network) some(unix bool) bool {
	if unix {
		return len(n.ListenUnix)+len(n.DialUnix) > 0
	}
	return len(n.Listen)+len(n.Dial) > 0
}

const ruleSyntax = "expected all, listen, dial, or listen:WHERE or dial:WHERE with WHERE = ADDRESS, CIDR, localhost or * and, after a colon, PORT or PORT-PORT, or unix:/PATH"

// Allow adds what a rule in text form permits:
//
//	all                     listen and dial everywhere, except unix sockets
//	listen, dial            one of them
//	listen:WHERE, dial:WHERE
//
// WHERE is an address, a CIDR prefix, "localhost" or "*", with ":PORT" or ":LOW-HIGH"
// after it if not every port is meant (IPv6 in brackets then), or "unix:" and an
// absolute path.
func (n *Network) Allow(rule string) error {
	what, where, limited := strings.Cut(rule, ":")
	if !limited {
		where = "*"
	}
	bad := func(why string) error { return fmt.Errorf("network rule %q: %s", rule, why) }
	if what == "all" && !limited {
		n.Listen = append(n.Listen, everywhere()...)
		n.Dial = append(n.Dial, everywhere()...)
		return nil
	}
	list, unix := &n.Listen, &n.ListenUnix
	switch what {
	case "listen":
	case "dial":
		list, unix = &n.Dial, &n.DialUnix
	default:
		return bad(ruleSyntax)
	}
	if p, ok := strings.CutPrefix(where, "unix:"); ok {
		if !path.IsAbs(p) || path.Clean(p) != p || strings.IndexByte(p, 0) >= 0 {
			return bad("expected a clean absolute path after unix:")
		}
		*unix = append(*unix, p)
		return nil
	}
	found, err := parseEndpoints(where)
	if err != nil {
		return bad(err.Error())
	}
	*list = append(*list, found...)
	return nil
}

func everywhere() []Endpoints {
	var list []Endpoints
	for _, p := range anyAddress() {
		list = append(list, Endpoints{p, 0, 65535})
	}
	return list
}

// parseEndpoints reads WHERE of a rule.
func parseEndpoints(s string) ([]Endpoints, error) {
	host, ports := s, ""
	if rest, ok := strings.CutPrefix(s, "["); ok {
		inner, after, closed := strings.Cut(rest, "]")
		if !closed || after != "" && after[0] != ':' {
			return nil, fmt.Errorf("expected [ADDRESS] or [ADDRESS]:PORT, found %q", s)
		}
		host, ports = inner, after
	} else if i := strings.IndexByte(s, ':'); i >= 0 && i == strings.LastIndexByte(s, ':') {
		host, ports = s[:i], s[i:]
	}
	low, high := uint16(0), uint16(65535)
	if ports != "" {
		first, last, isRange := strings.Cut(ports[1:], "-")
		if !isRange {
			last = first
		}
		a, err1 := strconv.ParseUint(first, 10, 16)
		b, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || a > b {
			return nil, fmt.Errorf("expected a port from 0 to 65535 or a range LOW-HIGH, found %q", ports[1:])
		}
		low, high = uint16(a), uint16(b)
	}
	prefixes, err := parsePrefixes(host)
	if err != nil {
		return nil, err
	}
	var list []Endpoints
	for _, p := range prefixes {
		list = append(list, Endpoints{p, low, high})
	}
	return list, nil
}

func parsePrefixes(host string) ([]netip.Prefix, error) {
	switch host {
	case "*":
		return anyAddress(), nil
	case "localhost":
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, nil
	}
	if p, err := netip.ParsePrefix(host); err == nil {
		if a := p.Addr(); a.Is4In6() {
			return nil, fmt.Errorf("expected %s as IPv4", host)
		}
		return []netip.Prefix{p.Masked()}, nil
	}
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" {
		return nil, fmt.Errorf("expected an IP address, a CIDR prefix, localhost or *, found %q", host)
	}
	a = a.Unmap()
	return []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}, nil
}

// unixRule finds the rule for a path: the directory to start from and the rest. A path
// that is a rule starts from its own directory.
func unixRule(rules []string, p string) (root, rest string, ok bool) {
	if !path.IsAbs(p) || path.Clean(p) != p {
		return "", "", false
	}
	for _, rule := range rules {
		if p == rule {
			return path.Dir(p), path.Base(p), p != "/"
		}
		if rest, ok := strings.CutPrefix(p, strings.TrimSuffix(rule, "/")+"/"); ok {
			return rule, rest, true
		}
	}
	return "", "", false
}
