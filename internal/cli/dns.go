package cli

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
)

// The part of the DNS protocol that looking up addresses takes (RFC 1035, 4.1; RFC 3596 for IPv6). The usual packages make tables at the start of every
// program that links them.

// recordType is the type of a DNS record.
type recordType uint16

const (
	recordA    recordType = 1
	recordAAAA recordType = 28

	classInternet = 1
	dnsHeader     = 12 // bytes
	maxLabel      = 63
	maxName       = 255
)

// Bits of the header's flags.
const (
	flagResponse         = 1 << 15
	flagRecursionDesired = 1 << 8
)

var errName = errors.New("this is no host name")

var errAnswer = errors.New("its answer is damaged")

// packQuestion makes the message that asks for records of one type.
func packQuestion(id uint16, host string, kind recordType) ([]byte, error) {
	be := binary.BigEndian
	b := be.AppendUint16(nil, id)
	b = be.AppendUint16(b, flagRecursionDesired)
	b = append(b, 0, 1, 0, 0, 0, 0, 0, 0) // one question, no records
	host = strings.TrimSuffix(host, ".")
	if len(host)+2 > maxName {
		return nil, errName
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > maxLabel {
			return nil, errName
		}
		b = append(append(b, byte(len(label))), label...)
	}
	b = append(b, 0)
	b = be.AppendUint16(b, uint16(kind))
	return be.AppendUint16(b, classInternet), nil
}

// unpackAnswer finds the addresses in what a server answered to question.
func unpackAnswer(question, answer []byte) ([]netip.Addr, error) {
	be := binary.BigEndian
	if len(answer) < dnsHeader {
		return nil, errAnswer
	}
	if be.Uint16(answer) != be.Uint16(question) || be.Uint16(answer[2:])&flagResponse == 0 ||
		be.Uint16(answer[4:]) != 1 || len(answer) < len(question) || !sameQuestion(answer[dnsHeader:len(question)], question[dnsHeader:]) {
		return nil, errors.New("it answers another question")
	}
	kind := recordType(be.Uint16(question[len(question)-4:]))
	size := map[recordType]int{recordA: 4, recordAAAA: 16}[kind]
	var list []netip.Addr
	rest := answer[len(question):]
	for n := be.Uint16(answer[6:]); n > 0; n-- {
		rest = afterName(rest)
		const fixed = 10 // type, class, time to live, length
		if len(rest) < fixed {
			return nil, errAnswer
		}
		got, class, length := recordType(be.Uint16(rest)), be.Uint16(rest[2:]), int(be.Uint16(rest[8:]))
		rest = rest[fixed:]
		if len(rest) < length {
			return nil, errAnswer
		}
		if got == kind && class == classInternet { // others are aliases that led to it
			if length != size {
				return nil, errAnswer
			}
			a, _ := netip.AddrFromSlice(rest[:length])
			list = append(list, a)
		}
		rest = rest[length:]
	}
	return list, nil
}

// sameQuestion compares the question that a server repeats, which may write letters otherwise.
func sameQuestion(a, b []byte) bool {
	n := len(b) - 4 // type and class are no letters
	return strings.EqualFold(string(a[:n]), string(b[:n])) && string(a[n:]) == string(b[n:])
}

// afterName is what follows a name, nil if the message ends within. What a compressed name refers to is not followed: an answer is taken for one to
// the question whatever its name.
func afterName(b []byte) []byte {
	for len(b) > 0 {
		switch n := int(b[0]); {
		case n == 0:
			return b[1:]
		case n >= 0xc0: // a reference to an earlier name ends this one
			return b[min(2, len(b)):]
		case n > maxLabel || n >= len(b):
			return nil
		default:
			b = b[1+n:]
		}
	}
	return nil
}
