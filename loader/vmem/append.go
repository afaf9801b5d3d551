package vmem

import "errors"

// Appender adds code to an arena bit by bit, while other code there runs. It lies in a file in memory that is mapped to be executed, and is
// written by system calls: no page is ever writable in the address space. Not safe for concurrent use.
type Appender struct {
	arena  *Arena
	fd     int
	length uint64 // of the file
	spans  []span // of the arena, one behind the other in the file
	used   uint64 // of the last span
}

// appendSpan is how much is taken from the arena at a time.
const appendSpan = 1 << 20

// NewAppender gives one without code. It fails where code cannot be placed in this way.
func (a *Arena) NewAppender() (*Appender, error) {
	fd, err := MemoryFile(nil)
	if err != nil {
		return nil, err
	}
	p := &Appender{arena: a, fd: fd}
	if err := p.grow(0); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Add places code at a multiple of align, a power of two of at most a page, and returns its address.
func (p *Appender) Add(code []byte, align uint64) (addr uint64, err error) {
	n := uint64(len(code))
	at := (p.used + align - 1) &^ (align - 1)
	if last := p.spans[len(p.spans)-1]; at > last.n || n > last.n-at {
		if err := p.grow(n); err != nil {
			return 0, err
		}
		at = 0
	}
	last := p.spans[len(p.spans)-1]
	if err := writeFile(p.fd, code, int64(p.length-last.n+at)); err != nil {
		return 0, err
	}
	p.used = at + n
	addr = p.arena.region.base + last.off + at
	cleanCode(addr, n)
	fenceCode()
	return addr, nil
}

// grow takes a span with room for n bytes.
func (p *Appender) grow(n uint64) error {
	n = PageUp(max(n, appendSpan))
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
	p.spans = nil
	return errors.Join(append(errs, CloseFile(p.fd))...)
}
