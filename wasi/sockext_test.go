//go:build linux

package wasi

import "testing"

// TestReceiveOverAddress: a datagram may be received over the record that says where the sender's address belongs.
func TestReceiveOverAddress(t *testing.T) {
	var n Network
	if err := n.Allow("all"); err != nil {
		t.Fatal(err)
	}
	g := newGuest(t, &Config{Network: n})
	call := func(name string, args ...uint64) Errno {
		t.Helper()
		for _, fn := range allFunctions() {
			if fn.name == name && len(fn.signature().Params) == len(args) {
				return g.raw(fn, args)
			}
		}
		t.Fatalf("no function %s with %d parameters", name, len(args))
		return 0
	}
	const record, name, result = 64, 512, 1024
	address := func(size uint32) {
		le.PutUint32(g.mem[record:], name)
		le.PutUint32(g.mem[record+4:], size)
	}
	ok := func(errno Errno) {
		t.Helper()
		if errno != 0 {
			t.Fatal(errno)
		}
	}
	ok(call("sock_open", familyINET, socketDgram, result))
	address(4)
	copy(g.mem[name:], []byte{127, 0, 0, 1})
	ok(call("sock_bind", 3, record, 0))
	address(sizeAddressV2)
	ok(call("sock_getlocaladdr", 3, record, result))
	port := uint64(g.u32(result))
	address(4)
	copy(g.mem[name:], []byte{127, 0, 0, 1})
	data := g.iov(2048, 8) // zeros
	ok(call("sock_send_to", 3, uint64(data), 1, record, port, 0, result))
	address(sizeAddressV2)
	over := g.iov(record, 8)
	if errno := call("sock_recv_from", 3, uint64(over), 1, record, 0, result, result+4, result+8); errno != EINVAL {
		t.Errorf("%v, expected %v", errno, EINVAL)
	}
}
