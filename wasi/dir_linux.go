package wasi

import (
	"bytes"
	"math"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A dirBuffer holds entries as the kernel gave them, of the directory that was read
// last. Cookies are the kernel's own positions (d_off), which stay right while
// entries are removed. Going on where the last call stopped, or a little before it,
// takes entries from the buffer and does not seek: file systems whose positions
// are mere counts (tmpfs before Linux 6.6) then skip nothing either.
type dirBuffer struct {
	owner *file
	first uint64 // cookie of the first entry in data
	data  []byte
	buf   []byte
}

// The layout of struct linux_dirent64 (getdents(2)).
const (
	hostDirentOff    = 8
	hostDirentReclen = 16
	hostDirentType   = 18
	hostDirentName   = 19
)

// dirBufferSize is what getdents is asked for at once.
const dirBufferSize = 32 << 10

// fdReaddir fills the buffer with entries from the cookie on; the last may be cut
// off. A buffer that is not full means the end.
func (c *call) fdReaddir() Errno {
	f, cookie := c.file[0], c.n[0]
	if cookie > math.MaxInt64 {
		return EINVAL
	}
	if f.mounted != nil {
		return c.readdirMounted(f.mounted, cookie)
	}
	used := 0
	for used < len(c.buf) {
		entry, err := c.dir.entry(f, cookie)
		if err != nil {
			return errnoOf(err)
		}
		if entry == nil {
			break
		}
		n, err := putDirent(c.buf[used:], f, entry)
		if err != nil {
			return errnoOf(err)
		}
		used += n
		cookie = le.Uint64(entry[hostDirentOff:])
	}
	return c.put32(0, uint32(used))
}

// entry is the entry at a cookie, nil at the end.
func (d *dirBuffer) entry(f *file, cookie uint64) ([]byte, error) {
	if rest := d.find(f, cookie); len(rest) > 0 {
		return rest[:le.Uint16(rest[hostDirentReclen:])], nil
	}
	if f.dirPos != cookie || cookie == 0 {
		if _, err := unix.Seek(f.fd, int64(cookie), unix.SEEK_SET); err != nil {
			return nil, err
		}
		f.dirPos = cookie
	}
	if d.buf == nil {
		d.buf = make([]byte, dirBufferSize)
	}
	d.owner = nil
	n, err := unix.Getdents(f.fd, d.buf)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, nil
	}
	d.owner, d.first, d.data = f, cookie, d.buf[:n]
	for rest := d.data; len(rest) > 0; rest = rest[le.Uint16(rest[hostDirentReclen:]):] {
		f.dirPos = le.Uint64(rest[hostDirentOff:])
	}
	return d.data[:le.Uint16(d.data[hostDirentReclen:])], nil
}

// find is the buffer's rest from a cookie on. Reading from the start is reading
// anew.
func (d *dirBuffer) find(f *file, cookie uint64) []byte {
	if d.owner != f || cookie == 0 {
		return nil
	}
	at := d.first
	for rest := d.data; len(rest) > 0; rest = rest[le.Uint16(rest[hostDirentReclen:]):] {
		if at == cookie {
			return rest
		}
		at = le.Uint64(rest[hostDirentOff:])
	}
	return nil
}

// A dirEntry is an entry as the guest gets it.
type dirEntry struct {
	next     uint64 // cookie
	inode    uint64
	filetype filetype
	name     string
}

// put stores the entry, or as much of it as fits.
func (e *dirEntry) put(b []byte) int {
	var head [sizeDirent]byte
	le.PutUint64(head[:], e.next)
	le.PutUint64(head[8:], e.inode)
	le.PutUint32(head[16:], uint32(len(e.name)))
	head[20] = uint8(e.filetype)
	n := copy(b, head[:])
	return n + copy(b[n:], e.name)
}

// putDirent stores an entry of the kernel's.
func putDirent(b []byte, f *file, entry []byte) (int, error) {
	name := entry[hostDirentName:]
	name = name[:bytes.IndexByte(name, 0)]
	t, err := direntType(f, entry[hostDirentType], name)
	if err != nil {
		return 0, err
	}
	ino := le.Uint64(entry)
	if string(name) == ".." {
		ino = 0 // may be outside of what the guest sees
	}
	e := dirEntry{le.Uint64(entry[hostDirentOff:]), ino, t, unsafe.String(unsafe.SliceData(name), len(name))}
	return e.put(b), nil
}

// direntType translates d_type; where the file system does not tell, it asks.
func direntType(f *file, t byte, name []byte) (filetype, error) {
	if t != unix.DT_UNKNOWN {
		return filetypeOf(uint32(t) << 12), nil // IFTODT of dirent.h
	}
	var st unix.Stat_t
	err := unix.Fstatat(f.fd, string(name), &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT { // removed since
		return filetypeUnknown, nil
	}
	return filetypeOf(st.Mode), err
}
