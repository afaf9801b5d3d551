//go:build linux

package wasi

import (
	"slices"
	"testing"
)

// TestPollTogether: one wait for files, pipes, terminals, sockets and clocks, of which those are told that are ready.
func TestPollTogether(t *testing.T) {
	master, slave := terminal(t)
	inR, inW := pipe(t)
	dir := tempDir(t)
	writeFile(t, dir, "file", "content")
	g := newGuest(t, &Config{Stdin: inR, Stdout: slave, Dirs: []Dir{{Host: dir, Guest: "/"}}, Network: network(t, "listen:127.0.0.1")})
	const terminalOut, pipeIn = 1, 0
	file := g.open("file", 0, readWrite, 0)
	listening, connection, datagram := g.openSocket("listener"), g.openSocket("connection"), g.openSocket("datagram")
	g.poll(sub(1, eventFDRead, listening)) // somebody has connected

	// Nothing arrives at the pipe, the connection and the datagram socket; the clock is not due.
	waiting := [][]byte{sub(1, eventFDRead, pipeIn), sub(2, eventFDRead, connection), sub(3, eventFDRead, datagram), clockSub(4, clockMonotonic, 1e18, 0)}
	ready := [][]byte{
		sub(11, eventFDRead, file), sub(12, eventFDWrite, terminalOut), sub(13, eventFDRead, listening), sub(14, eventFDWrite, connection),
		sub(15, eventFDWrite, datagram), clockSub(16, clockRealtime, 0, subclockAbstime),
	}
	told := func(subs ...[]byte) (list []uint64) {
		for _, e := range g.poll(subs...) {
			if e.errno != 0 {
				t.Errorf("%v", e)
			}
			list = append(list, e.userdata)
		}
		return list
	}
	expect := func(got []uint64, want ...uint64) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Fatalf("%v are ready, expected %v", got, want)
		}
	}
	expect(told(append(waiting, ready...)...), 11, 12, 13, 14, 15, 16)
	for _, r := range ready {
		if got := told(append(waiting, r)...); len(got) != 1 {
			t.Errorf("%v are ready, expected one", got)
		}
	}
	// Each of those that wait ends a wait of all.
	go inW.WriteString("x")
	expect(told(waiting...), 1)
	g.mustRead(pipeIn, "x")
	go g.peers[len(g.peers)-1].Write([]byte("x"))
	expect(told(waiting...), 2)
	g.mustRead(connection, "x")
	expect(told(sub(1, eventFDRead, pipeIn), clockSub(4, clockMonotonic, 1e6, 0)), 4)
	// A terminal as standard input.
	in := newGuest(t, &Config{Stdin: slave})
	go master.WriteString("line\n")
	in.expect([]event{{userdata: 1, typ: eventFDRead, nbytes: 5}}, sub(1, eventFDRead, 0), clockSub(2, clockMonotonic, 1e18, 0))
}
