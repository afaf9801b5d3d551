//go:build !wasip1

package main

import (
	"context"
	"net"
)

func listen(network, address string) (net.Listener, error) { return net.Listen(network, address) }
func listenPacket(network, address string) (net.PacketConn, error) {
	return net.ListenPacket(network, address)
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func lookupHost(ctx context.Context, name string) ([]net.IP, error) {
	return net.DefaultResolver.LookupIP(ctx, "ip4", name)
}
