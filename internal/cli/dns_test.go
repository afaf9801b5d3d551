package cli

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsAnswer is an answer as a server gives it: an alias, then the address, with compressed names.
func dnsAnswer(t *testing.T, question []byte) []byte {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		t.Fatalf("the question: %v", err)
	}
	m.Response = true
	q := m.Questions[0]
	if !m.RecursionDesired || q.Class != dnsmessage.ClassINET {
		t.Errorf("question %+v", m)
	}
	alias := dnsmessage.MustNewName("alias.test.")
	m.Answers = []dnsmessage.Resource{
		{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeCNAME, Class: q.Class, TTL: 1}, Body: &dnsmessage.CNAMEResource{CNAME: alias}},
		{Header: dnsmessage.ResourceHeader{Name: alias, Type: q.Type, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}},
	}
	if q.Type == dnsmessage.TypeAAAA {
		m.Answers[1].Body = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()}
	}
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestDNS(t *testing.T) {
	for kind, want := range map[recordType]string{recordA: "192.0.2.1", recordAAAA: "2001:db8::1"} {
		question, err := packQuestion(0x1234, "guest.test", kind)
		if err != nil {
			t.Fatal(err)
		}
		answer := dnsAnswer(t, question)
		list, err := unpackAnswer(question, answer)
		if err != nil || !slices.Equal(list, []netip.Addr{netip.MustParseAddr(want)}) {
			t.Errorf("%d: %v, %v", kind, list, err)
		}
		for n := range answer {
			if list, err := unpackAnswer(question, answer[:n]); err == nil {
				t.Errorf("%d of %d bytes of an answer give %v", n, len(answer), list)
			}
		}
		for i := range answer { // whatever it is, it does not panic
			for bit := range 8 {
				damaged := slices.Clone(answer)
				damaged[i] ^= 1 << bit
				unpackAnswer(question, damaged)
			}
		}
		other, err := packQuestion(0x1234, "other.test", kind)
		if err != nil {
			t.Fatal(err)
		}
		if list, err := unpackAnswer(other, answer); err == nil {
			t.Errorf("an answer to another question gives %v", list)
		}
	}
	for _, host := range []string{"", ".", "a..b", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "aa"} {
		if b, err := packQuestion(1, host, recordA); err == nil {
			t.Errorf("host %q: %x", host, b)
		}
	}
}
