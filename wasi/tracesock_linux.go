package wasi

import (
	"net/netip"
	"strconv"
)

var (
	familyNames     = [...]string{familyUnspec: "unspec", familyINET: "inet", familyINET6: "inet6", familyUnix: "unix"}
	socketTypeNames = [...]string{socketAny: "any", socketDgram: "dgram", socketStream: "stream"}
)

// describeIn tells a record that a call of the socket extension reads.
func (c *call) describeIn(name string, b []byte) string {
	switch name {
	case "addr":
		if a, errno := c.getAddress(b, 0); errno == ESUCCESS {
			return a.text()
		}
		return "{" + describeBuffer(le.Uint32(b), le.Uint32(b[4:])) + "}"
	case "hints":
		return "{flags=" + setOf([]string{"passive"}, uint64(le.Uint16(b))) +
			" family=" + oneOf(familyNames[:], uint64(b[2])) + " type=" + oneOf(socketTypeNames[:], uint64(b[3])) + "}"
	}
	return strconv.FormatUint(uint64(le.Uint32(b)), 10)
}

// text is the address without its port, which is another parameter.
func (a *address) text() string {
	switch {
	case a.unix:
		return strconv.Quote(a.path)
	case a.ip.IsValid():
		return a.ip.Addr().String()
	}
	return "none"
}

// describeSocketOut tells what a call of the socket extension stored through a pointer at b, or there.
func (c *call) describeSocketOut(name string, b []byte) string {
	switch name {
	case "addr":
		return c.describeStored(b)
	case "result":
		return c.describeAddrinfo(uint64(le.Uint32(b)), le.Uint32(c.out[2]))
	}
	v := le.Uint32(b)
	if c.n[0] == levelSocket && c.n[1] == optionError && v < uint32(len(errnoNames)) {
		return Errno(v).String()
	}
	return strconv.FormatUint(uint64(v), 10)
}

// describeStored tells an address that was stored. Version 1's does not say its family: an IPv4 address is followed by zeros.
func (c *call) describeStored(record []byte) string {
	b, errno := c.addressBuffer(record)
	if errno != 0 {
		return "{" + describeBuffer(le.Uint32(record), le.Uint32(record[4:])) + "}"
	}
	if len(b) == sizeAddressV2 {
		a, errno := c.getAddress(record, 0)
		if errno != 0 {
			return "none" // a unix socket without a name, or a stream's peer
		}
		return a.text()
	}
	size := 4
	for i, x := range b[:min(len(b), 16)] {
		if x != 0 && i >= size {
			size = 16
		}
	}
	ip, _ := netip.AddrFromSlice(b[:min(len(b), size)])
	return ip.String()
}

// describeAddrinfo tells the addresses that sock_getaddrinfo found.
func (c *call) describeAddrinfo(at uint64, n uint32) string {
	var items []string
	for uint32(len(items)) < min(n, maxListed) {
		info, errno := c.bytes(at, sizeAddrinfo)
		if errno != 0 {
			break
		}
		sa, errno := c.bytes(uint64(le.Uint32(info[12:])), sizeSockaddr)
		if errno != 0 {
			break
		}
		size := uint64(4)
		if info[2] == familyINET6 {
			size = 16
		}
		data, errno := c.bytes(uint64(le.Uint32(sa[8:])), 2+size)
		if errno != 0 {
			break
		}
		ip, _ := netip.AddrFromSlice(data[2:])
		items = append(items, netip.AddrPortFrom(ip, uint16(data[0])<<8|uint16(data[1])).String())
		at = uint64(le.Uint32(info[24:]))
	}
	return listed(items, uint64(n))
}

// describeOption tells an option by the call's arguments fd, level, option.
func describeOption(args []uint64) string {
	if o, ok := findSockOption(uint64(uint32(args[1])), uint64(uint32(args[2]))); ok {
		return o.text
	}
	return strconv.FormatUint(uint64(uint32(args[2])), 10)
}

func describeLevel(v uint64) string {
	switch v {
	case levelSocket:
		return "socket"
	case levelTCP:
		return "tcp"
	}
	return strconv.FormatUint(v, 10)
}
