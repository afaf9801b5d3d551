package main

import (
	"context"
	"net"
	"os"
	"syscall"
	"unsafe"
)

//go:wasmimport wasi_snapshot_preview1 sock_getaddrinfo
//go:noescape
func sockGetaddrinfo(node unsafe.Pointer, nodeSize uint32, service unsafe.Pointer, serviceSize uint32, hints, result unsafe.Pointer, most uint32, n unsafe.Pointer) syscall.Errno

// addrinfo is a result; the host fills those that are linked. Pointers are numbers of 32 bits.
type addrinfo struct {
	flags            uint16
	family, typ      uint8
	protocol         uint32
	size, address    uint32
	name, nameLength uint32
	next             uint32
}

type sockaddr struct{ family, size, data uint32 }

const most = 4

// lookup is what a call of sock_getaddrinfo fills.
type lookup struct {
	infos     [most]addrinfo
	addresses [most]sockaddr
	data      [most][26]byte // port, address
	first, n  uint32
}

// last keeps a lookup on the heap, where its addresses stay.
var last *lookup

// lookupHost asks the host for the IPv4 addresses of a name.
func lookupHost(_ context.Context, name string) ([]net.IP, error) {
	l := new(lookup)
	last = l
	for i := range l.infos {
		l.addresses[i] = sockaddr{size: uint32(len(l.data[i])), data: address(unsafe.Pointer(&l.data[i]))}
		l.infos[i].size, l.infos[i].address = uint32(unsafe.Sizeof(l.addresses[i])), address(unsafe.Pointer(&l.addresses[i]))
		if i > 0 {
			l.infos[i-1].next = address(unsafe.Pointer(&l.infos[i]))
		}
	}
	l.first = address(unsafe.Pointer(&l.infos[0]))
	hints := addrinfo{family: familyINET, typ: stream}
	e := sockGetaddrinfo(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), nil, 0,
		unsafe.Pointer(&hints), unsafe.Pointer(&l.first), most, unsafe.Pointer(&l.n))
	if e != 0 {
		return nil, os.NewSyscallError("getaddrinfo", e)
	}
	var list []net.IP
	for _, d := range l.data[:l.n] {
		list = append(list, append(net.IP(nil), d[2:6]...))
	}
	return list, nil
}

func address(p unsafe.Pointer) uint32 { return uint32(uintptr(p)) }
