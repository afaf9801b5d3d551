package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"time"
)

const (
	resolveTimeout = 5 * time.Second        // how long a server of names may take; each is asked once
	resolveStep    = 100 * time.Millisecond // between looks at the context
)

// The files that say how names are resolved (hosts(5), resolv.conf(5)); others in tests.
var hostsFile, resolvFile = "/etc/hosts", "/etc/resolv.conf"

// dnsPort is where servers of names are asked, another in tests.
var dnsPort = uint16(53)

// A resolver finds addresses of names: with a server from it alone, else from the system's file of hosts and its servers.
type resolver struct{ server netip.AddrPort }

// lookup finds the addresses of a host as package net's resolver does, of which it has what a host
// name that is given in full needs. Network is "ip", "ip4" or "ip6".
func (r resolver) lookup(ctx context.Context, network, host string) ([]netip.Addr, error) {
	var list []netip.Addr
	add := func(a netip.Addr) {
		if a = a.Unmap(); network == "ip" || a.Is4() == (network == "ip4") {
			list = append(list, a)
		}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		add(a)
	} else if !r.server.IsValid() {
		for _, a := range hostAddresses(host) {
			add(a)
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	var last error
	for _, server := range r.servers() {
		if last = ctx.Err(); last != nil {
			break
		}
		for _, kind := range recordTypes(network) {
			found, err := ask(ctx, server, host, kind)
			if err != nil {
				last = err
			}
			for _, a := range found {
				add(a)
			}
		}
		if len(list) > 0 {
			return list, nil
		}
	}
	if last == nil {
		return nil, fmt.Errorf("%s: no such host", host)
	}
	return nil, fmt.Errorf("%s: no such host: %w", host, last)
}

// recordTypes are those asked for by network.
func recordTypes(network string) []recordType {
	switch network {
	case "ip":
		return []recordType{recordA, recordAAAA}
	case "ip4":
		return []recordType{recordA}
	case "ip6":
		return []recordType{recordAAAA}
	}
	return nil
}

// fields are the words of each line of a file without comments. A file that cannot be read has none.
func fields(file string) (lines [][]string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if i := strings.IndexAny(line, "#;"); i >= 0 {
			line = line[:i]
		}
		if words := strings.Fields(line); len(words) > 1 {
			lines = append(lines, words)
		}
	}
	return lines
}

func hostAddresses(host string) (list []netip.Addr) {
	host = strings.TrimSuffix(host, ".")
	for _, words := range fields(hostsFile) {
		a, err := netip.ParseAddr(words[0])
		if err != nil {
			continue
		}
		for _, name := range words[1:] {
			if strings.EqualFold(name, host) {
				list = append(list, a)
			}
		}
	}
	return list
}

func (r resolver) servers() (list []netip.AddrPort) {
	if r.server.IsValid() {
		return []netip.AddrPort{r.server}
	}
	for _, words := range fields(resolvFile) {
		if a, err := netip.ParseAddr(words[1]); err == nil && words[0] == "nameserver" {
			list = append(list, netip.AddrPortFrom(a, dnsPort))
		}
	}
	if len(list) == 0 { // as resolv.conf(5) says
		list = append(list, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), dnsPort))
	}
	return list
}

// ask asks one server for records of one type.
func ask(ctx context.Context, server netip.AddrPort, host string, kind recordType) ([]netip.Addr, error) {
	question, err := packQuestion(uint16(rand.Uint32()), host, kind)
	if err != nil {
		return nil, err
	}
	answer := make([]byte, 4096)
	n, err := exchange(ctx, server, question, answer)
	if err != nil {
		return nil, fmt.Errorf("name server %v: %w", server, err)
	}
	list, err := unpackAnswer(question, answer[:n])
	if err != nil {
		return nil, fmt.Errorf("name server %v: %w", server, err)
	}
	return list, nil
}
