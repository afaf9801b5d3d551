package vmem

import (
	"errors"
	"fmt"
)

// Appender adds code to an arena bit by bit, while other code there runs. It lies in a file in memory that is mapped to be executed, and is
// written by system calls: no page is ever writable in the address space. Where such a file cannot be had, or not be executed, each piece of code
// takes pages of its own. Not safe for concurrent use.
type Appender struct {
	arena  *Arena
	fd     int    // -1: none
	length uint64 // of the file
	spans  []span // of the arena, one behind the other in the file
	used   uint64 // of the last span
	single []uint64
}

// A span is as large as all before it, within these bounds: a little code takes a little of the arena.
const (
	firstSpan = 64 << 10
	maxSpan   = 1 << 20
)

// NewAppender gives one without code, which takes nothing.
func (a *Arena) NewAppender() *Appender { return &Appender{arena: a, fd: -1} }

// Add places code at a multiple of align, a power of two of at most a page. It gives the address, and where the pages begin which the code shares with nothing
// but what was added just before, at lower addresses.
//
// All of the code is written when Add returns, or it fails: a page of the file that has no memory yet is never executed. On all processors the code can then be
// reached by what is read from memory that the caller stores its address in.
func (p *Appender) Add(code []byte, align uint64) (addr, pages uint64, err error) {
	n := uint64(len(code))
	at, ok := p.room(n, align)
	if !ok {
		if n == 0 || p.grow(n) != nil {
			return p.place(code)
		}
		at = 0
	}
	last := p.spans[len(p.spans)-1]
	if err := writeFile(p.fd, code, int64(p.length-last.n+at)); err != nil {
		return 0, 0, fmt.Errorf("writing %d bytes of code: %w", n, err)
	}
	p.used = at + n
	pages = p.arena.region.base + last.off
	cleanCode(pages+at, n)
	fenceCode()
	return pages + at, pages, nil
}

// room is where n bytes fit into the last span.
func (p *Appender) room(n, align uint64) (at uint64, ok bool) {
	if len(p.spans) == 0 {
		return 0, false
	}
	at = (p.used + align - 1) &^ (align - 1)
	last := p.spans[len(p.spans)-1]
	return at, n > 0 && at <= last.n && n <= last.n-at
}

// place is Add without a file.
func (p *Appender) place(code []byte) (addr, pages uint64, err error) {
	addr, err = p.arena.Place(code)
	if err == nil {
		p.single = append(p.single, addr)
	}
	return addr, addr, err
}

// grow takes a span with room for n bytes.
func (p *Appender) grow(n uint64) error {
	if p.fd < 0 {
		fd, err := MemoryFile(nil)
		if err != nil {
			return err
		}
		p.fd = fd
	}
	n = PageUp(max(n, min(max(p.length, firstSpan), maxSpan)))
	off, err := p.arena.take(n)
	if err != nil {
		return err
	}
	err = growFile(p.fd, int64(p.length+n))
	if err == nil {
		err = p.arena.region.mapFile(off, n, p.fd, int64(p.length), protRX, true)
	}
	if err != nil {
		return errors.Join(err, p.arena.empty(off, n))
	}
	p.spans, p.length, p.used = append(p.spans, span{off, n}), p.length+n, 0
	return nil
}

// Close gives everything back. Nothing may run there any more.
func (p *Appender) Close() error {
	var errs []error
	for _, s := range p.spans {
		errs = append(errs, p.arena.empty(s.off, s.n))
	}
	for _, addr := range p.single {
		errs = append(errs, p.arena.Free(addr))
	}
	if p.fd >= 0 {
		errs = append(errs, CloseFile(p.fd))
	}
	p.spans, p.single, p.fd = nil, nil, -1
	return errors.Join(errs...)
}
