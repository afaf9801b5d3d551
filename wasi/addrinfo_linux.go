package wasi

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// A result of sock_getaddrinfo in guest memory: flags u16, family u8, type u8,
// protocol u32, address length u32, *address, *canonical name, its length u32, *next.
// The guest has linked as many as it has room for. Its address is {family u32, length
// u32, *data}, the data port, big-endian, and IP address.
const (
	sizeAddrinfo = 28
	sizeSockaddr = 16 // with padding
	maxAddrinfo  = 1024
	passive      = 1 // flag of hints: for listening

	protocolTCP = 1
	protocolUDP = 2
)

// services are the names that are understood besides numbers.
var services = [...]struct {
	name string
	port uint16
}{{"", 0}, {"domain", 53}, {"http", 80}, {"https", 443}}

func servicePort(name string) (port uint16, ok bool) {
	for _, s := range services {
		if s.name == name {
			return s.port, true
		}
	}
	n, err := strconv.ParseUint(name, 10, 16)
	return uint16(n), err == nil
}

// lookupNetworks are the network names of Network.Lookup by family.
var lookupNetworks = [...]string{familyUnspec: "ip", familyINET: "ip4", familyINET6: "ip6"}

// buf holds only the last of two buffers: the node is read again from the arguments.
func (c *call) sockGetaddrinfo() Errno {
	node, errno := c.bytes(c.args[0], uint64(uint32(c.args[1])))
	if errno != 0 {
		return errno
	}
	if len(node) > 255 || len(c.buf) > 255 {
		return EINVAL
	}
	host, service := upToNUL(node), upToNUL(c.buf)
	port, ok := servicePort(service)
	hints := c.out[0]
	flags, family, typ := le.Uint16(hints), hints[2], hints[3]
	if !ok || host == "" && service == "" || int(family) >= len(lookupNetworks) {
		return EINVAL
	}
	addrs, errno := c.addresses(host, lookupNetworks[family], flags&passive != 0)
	if errno != 0 {
		return errno
	}
	if errno := c.refetch(); errno != 0 {
		return errno
	}
	count, at := uint32(0), uint64(le.Uint32(c.out[1]))
	for _, a := range addrs {
		if at == 0 || uint64(count) >= min(c.n[0], maxAddrinfo) {
			break
		}
		if at, errno = c.putAddrinfo(at, netip.AddrPortFrom(a.Unmap(), port), typ); errno != 0 {
			return errno
		}
		count++
	}
	return c.put32(2, count)
}

func upToNUL(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// ownAddress is the address to listen on, or to find oneself at. It is one, of IPv4 if that will do: guests that listen take the first.
func ownAddress(network string, passive bool) netip.Addr {
	switch {
	case network == "ip6" && passive:
		return netip.IPv6Unspecified()
	case network == "ip6":
		return netip.IPv6Loopback()
	case passive:
		return netip.IPv4Unspecified()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// addresses are those of a host name.
func (c *call) addresses(host, network string, passive bool) ([]netip.Addr, Errno) {
	if host == "" {
		return []netip.Addr{ownAddress(network, passive)}, ESUCCESS
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return ofNetwork([]netip.Addr{a.WithZone("").Unmap()}, network), ESUCCESS
	}
	if c.network.Lookup == nil {
		return nil, EACCES
	}
	list, err := c.network.Lookup(c.ctx, network, host)
	switch {
	case c.ctx.Err() != nil:
		return nil, c.failed(c.ctx.Err())
	case err != nil:
		return nil, ENOENT
	}
	return ofNetwork(list, network), ESUCCESS
}

func ofNetwork(list []netip.Addr, network string) (out []netip.Addr) {
	for _, a := range list {
		if is4 := a.Unmap().Is4(); network == "ip" || is4 == (network == "ip4") {
			out = append(out, a)
		}
	}
	return out
}

// putAddrinfo fills the result at a pointer and returns the pointer to the next.
func (c *call) putAddrinfo(at uint64, a netip.AddrPort, typ uint8) (next uint64, errno Errno) {
	info, errno := c.bytes(at, sizeAddrinfo)
	if errno != 0 {
		return 0, errno
	}
	sa, errno := c.bytes(uint64(le.Uint32(info[12:])), sizeSockaddr)
	if errno != 0 {
		return 0, errno
	}
	size := le.Uint32(sa[4:])
	if size == 14 {
		size = 26 // what WasmEdge's library means with 14
	}
	ip := a.Addr().AsSlice()
	data, errno := c.bytes(uint64(le.Uint32(sa[8:])), uint64(size))
	switch {
	case errno != 0:
		return 0, errno
	case len(data) < 2+len(ip):
		return 0, EINVAL
	}
	family, protocol := uint8(familyINET), uint32(protocolTCP)
	if a.Addr().Is6() {
		family = familyINET6
	}
	if typ == socketDgram {
		protocol = protocolUDP
	}
	next = uint64(le.Uint32(info[24:]))
	info[2], info[3] = family, typ
	le.PutUint32(info[4:], protocol)
	le.PutUint32(info[8:], sizeSockaddr)
	le.PutUint32(info[20:], 0) // no canonical name
	le.PutUint32(sa, uint32(family))
	binary.BigEndian.PutUint16(data, a.Port())
	copy(data[2:], ip)
	return next, ESUCCESS
}
