package cli

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// listenOn opens a listening socket. The path is that of a unix socket's file.
func listenOn(where string) (file *os.File, path string, err error) {
	var address unix.Sockaddr
	family := unix.AF_UNIX
	if p, ok := strings.CutPrefix(where, unixPrefix); ok {
		address, path = &unix.SockaddrUnix{Name: p}, p
	} else if address, family, err = listenAddress(where); err != nil {
		return nil, "", err
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, "", os.NewSyscallError("socket", err)
	}
	if family != unix.AF_UNIX {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(fd, address))
	}
	if err == nil {
		err = os.NewSyscallError("listen", unix.Listen(fd, unix.SOMAXCONN))
	}
	if err != nil {
		unix.Close(fd)
		return nil, "", err
	}
	return os.NewFile(uintptr(fd), where), path, nil
}

// listenAddress is the address of HOST:PORT; without a host, all addresses of the machine.
func listenAddress(where string) (unix.Sockaddr, int, error) {
	host, port, err := splitHostPort(where)
	if err != nil {
		return nil, 0, err
	}
	if host == "" { // an IPv6 socket takes IPv4 connections, too, where there is IPv6
		if fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
			unix.Close(fd)
			return &unix.SockaddrInet6{Port: int(port)}, unix.AF_INET6, nil
		}
		return &unix.SockaddrInet4{Port: int(port)}, unix.AF_INET, nil
	}
	list, err := resolver{}.lookup(context.Background(), "ip", host)
	if err != nil {
		return nil, 0, err
	}
	address := list[0]
	for _, a := range list {
		if a.Is4() { // as package net prefers it
			address = a
			break
		}
	}
	s, family := sockaddr(netip.AddrPortFrom(address, port))
	return s, family, nil
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, int) {
	if ip := a.Addr().Unmap(); ip.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, unix.AF_INET
	}
	s := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if n, err := fmt.Sscan(a.Addr().Zone(), &s.ZoneId); n != 1 || err != nil {
		s.ZoneId = 0
	}
	return s, unix.AF_INET6
}

// exchange sends a question to a server and returns what it answers, over UDP.
func exchange(ctx context.Context, server netip.AddrPort, question, answer []byte) (int, error) {
	address, family := sockaddr(server)
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	step := unix.NsecToTimeval(resolveStep.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &step); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	if err := unix.Connect(fd, address); err != nil {
		return 0, os.NewSyscallError("connect", err)
	}
	if _, err := unix.Write(fd, question); err != nil {
		return 0, os.NewSyscallError("write", err)
	}
	for start := time.Now(); ; {
		n, err := unix.Read(fd, answer)
		switch {
		case err == nil:
			return n, nil
		case err != unix.EINTR && err != unix.EAGAIN:
			return 0, os.NewSyscallError("read", err)
		case ctx.Err() != nil:
			return 0, context.Cause(ctx)
		case time.Since(start) > resolveTimeout:
			return 0, fmt.Errorf("no answer within %v", resolveTimeout)
		}
	}
}
