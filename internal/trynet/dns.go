package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// A nameServer answers for the names of the tests.
type nameServer struct {
	conn         net.PacketConn
	address      string
	standardPort bool // which guests ask
	names        map[string][]netip.Addr
}

// serveNames serves what the lines of a file say that begin with an address, as the server's file of the packages' tests has them.
func serveNames(file string) (*nameServer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the names for the tests: %w", err)
	}
	s := &nameServer{names: map[string][]netip.Addr{serverName + ".": {netip.AddrFrom4([4]byte{127, 0, 0, 1})}}}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) != 2 {
			continue
		}
		if ip, err := netip.ParseAddr(words[0]); err == nil {
			s.names[words[1]+"."] = append(s.names[words[1]+"."], ip)
		}
	}
	s.conn, err = net.ListenPacket("udp", "127.0.0.1:53")
	s.standardPort = err == nil
	if err != nil {
		if s.conn, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	s.address = s.conn.LocalAddr().String()
	go s.serve()
	return s, nil
}

func (s *nameServer) close() { s.conn.Close() }

func (s *nameServer) serve() {
	b := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(b)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(b[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		if packed, err := s.answer(&m).Pack(); err == nil {
			s.conn.WriteTo(packed, from)
		}
	}
}

// answer makes the answer of a question.
func (s *nameServer) answer(m *dnsmessage.Message) *dnsmessage.Message {
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	list, ok := s.names[q.Name.String()]
	if !ok {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, ip := range list {
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1}}
		switch {
		case q.Type == dnsmessage.TypeA && ip.Is4():
			r.Body = &dnsmessage.AResource{A: ip.As4()}
		case q.Type == dnsmessage.TypeAAAA && ip.Is6():
			r.Body = &dnsmessage.AAAAResource{AAAA: ip.As16()}
		default:
			continue
		}
		m.Answers = append(m.Answers, r)
	}
	return m
}
