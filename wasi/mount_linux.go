package wasi

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wasmaot/wasmaot/wasi/sandbox"
)

// A mount is a Dir with a file system of the host program's, Dir.FS. The guest's paths are resolved here, component by component, as those below host
// directories are: they stay below the descriptor that they start from, and so do the targets of symbolic links. The file system is only asked for names that
// fs.ValidPath takes, without symbolic links if it tells of them (fs.ReadLinkFS); one that does not is taken to have none.
type mount struct {
	fs     fs.FS
	links  fs.ReadLinkFS // fs, or nil
	device uint64
}

// firstDevice is the device number of the first mount. Those of the kernel are below.
const firstDevice = 1 << 40

// A mounted is an open file or directory of a mount.
type mounted struct {
	*mount
	name string  // for fs
	open fs.File // nil for directories
	at   int64   // the guest's position
	from int64   // where open.Read goes on, if it is no io.ReaderAt; -1: not known

	entries []fs.DirEntry // of a directory, when its reading began
	listed  bool
}

// addMount gives the guest a file system as a directory.
func (s *System) addMount(d Dir) error {
	name := d.guestName()
	if name == "" {
		return errors.New("file system: expected a guest name")
	}
	if err := checkGuestName(name); err != nil {
		return fmt.Errorf("file system: %w", err)
	}
	info, err := fs.Stat(d.FS, ".")
	switch {
	case err != nil:
		return fmt.Errorf("file system for %q: %w", name, err)
	case !info.IsDir():
		return fmt.Errorf("file system for %q: expected its root to be a directory, found %v", name, info.Mode())
	}
	m := &mount{fs: d.FS, device: d.device}
	m.links, _ = d.FS.(fs.ReadLinkFS)
	return s.addOpened(&file{
		fd:         -1,
		mounted:    &mounted{mount: m, name: "."},
		filetype:   filetypeDirectory,
		base:       rightsDirectory &^ rightsChange,
		inheriting: rightsInheriting &^ rightsChange,
		readOnly:   true,
		preopen:    true,
		name:       name,
	}, fmt.Sprintf("file system for %q", name))
}

func (v *mounted) close() error {
	if v.open == nil {
		return nil
	}
	return v.open.Close()
}

const (
	maxLinks  = 40   // symbolic links in one path, as the kernel follows (MAXSYMLINKS)
	maxTarget = 4096 // bytes of a symbolic link's target (PATH_MAX)
)

// resolve finds what a path below the directory dir leads to: its name for the file system, and its status. A last component that is a symbolic link
// is itself meant unless follow is set or a slash comes after it.
func (m *mount) resolve(dir, p string, follow bool) (name string, info fs.FileInfo, err error) {
	if p == "" {
		return "", nil, unix.ENOENT
	}
	var below []string // dir
	links := 0
	for rest := p; rest != ""; {
		if rest[0] == '/' {
			return "", nil, sandbox.ErrEscape
		}
		part, more, slash := strings.Cut(rest, "/")
		more = strings.TrimLeft(more, "/")
		rest = more
		switch part {
		case ".":
			continue
		case "..":
			if len(below) == 0 {
				return "", nil, sandbox.ErrEscape
			}
			below, info = below[:len(below)-1], nil
			continue
		}
		name := path.Join(dir, path.Join(below...), part)
		if info, err = m.lstat(name); err != nil {
			return "", nil, err
		}
		if m.isLink(info) && (follow || slash) {
			if links++; links > maxLinks {
				return "", nil, unix.ELOOP
			}
			target, err := m.links.ReadLink(name)
			switch {
			case err != nil:
				return "", nil, err
			case target == "":
				return "", nil, unix.ENOENT
			case len(target) >= maxTarget:
				return "", nil, unix.ENAMETOOLONG
			}
			if rest, info = target, nil; slash {
				rest += "/" + more
			}
			continue
		}
		if slash && !info.IsDir() {
			return "", nil, unix.ENOTDIR
		}
		below = append(below, part)
	}
	name = path.Join(dir, path.Join(below...))
	if info == nil {
		info, err = m.lstat(name)
	}
	return name, info, err
}

func (m *mount) lstat(name string) (fs.FileInfo, error) {
	switch {
	case !fs.ValidPath(name): // not UTF-8
		return nil, unix.ENOENT
	case m.links != nil:
		return m.links.Lstat(name)
	}
	return fs.Stat(m.fs, name)
}

// isLink reports whether something is a symbolic link that can be followed.
func (m *mount) isLink(info fs.FileInfo) bool {
	return m.links != nil && info.Mode()&fs.ModeSymlink != 0
}

// openMounted is openBelow for a directory of a mount.
func (c *call) openMounted(dir *file, p string, r *openRequest) (*file, Errno) {
	m := dir.mounted.mount
	name, info, err := m.resolve(dir.mounted.name, p, r.follow)
	if err != nil {
		return nil, errnoOf(err)
	}
	if m.isLink(info) {
		return nil, ELOOP
	}
	// Before it is opened: that may wait for somebody.
	if errno := openable(info, r); errno != 0 {
		return nil, errno
	}
	open, err := m.fs.Open(name)
	if err != nil {
		return nil, errnoOf(err)
	}
	v := &mounted{mount: m, name: name, open: open}
	if info, err = open.Stat(); err != nil {
		v.close()
		return nil, errnoOf(err)
	}
	if errno := openable(info, r); errno != 0 {
		v.close()
		return nil, errno
	}
	f := &file{fd: -1, mounted: v, filetype: filetypeOfMode(info.Mode())}
	if info.IsDir() {
		v.close()
		v.open = nil
	}
	f.grant(dir, r)
	return f, ESUCCESS
}

// openable refuses what is neither a file nor a directory, and what is no directory where that is asked for.
func openable(info fs.FileInfo, r *openRequest) Errno {
	switch {
	case info.IsDir():
		return ESUCCESS
	case r.oflags&oflagDirectory != 0:
		return ENOTDIR
	case info.Mode()&fs.ModeType&^fs.ModeSymlink != 0: // a zip file has links that cannot be followed
		return ENOTSUP
	}
	return ESUCCESS
}

func (c *call) statMounted(v *mounted, p string, follow bool) Errno {
	name, info, err := v.resolve(v.name, p, follow)
	if err != nil {
		return errnoOf(err)
	}
	return c.putInfo(v.mount, name, info)
}

func (c *call) fstatMounted(v *mounted) Errno {
	info, err := v.stat()
	if err != nil {
		return errnoOf(err)
	}
	return c.putInfo(v.mount, v.name, info)
}

func (v *mounted) stat() (fs.FileInfo, error) {
	if v.open == nil {
		return fs.Stat(v.fs, v.name)
	}
	return v.open.Stat()
}

// putInfo is putFilestat for a mount.
func (c *call) putInfo(m *mount, name string, info fs.FileInfo) Errno {
	b := c.out[0]
	clear(b)
	le.PutUint64(b, m.device)
	le.PutUint64(b[8:], inode(name))
	b[16] = uint8(filetypeOfMode(info.Mode()))
	le.PutUint64(b[24:], 1)
	le.PutUint64(b[32:], uint64(max(0, info.Size())))
	if t := info.ModTime(); t.After(earliest) && t.Before(latest) { // embed.FS has the year 1
		for at := 40; at < sizeFilestat; at += 8 {
			le.PutUint64(b[at:], uint64(t.UnixNano()))
		}
	}
	return ESUCCESS
}

// Times that nanoseconds can express.
var earliest, latest = time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)

// inode is the number of a file: guests compare it, with the device, to see whether two files are one.
func inode(name string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, name)
	return h.Sum64()
}

func filetypeOfMode(mode fs.FileMode) filetype {
	switch mode.Type() {
	case 0:
		return filetypeRegularFile
	case fs.ModeDir:
		return filetypeDirectory
	case fs.ModeSymlink:
		return filetypeSymbolicLink
	case fs.ModeDevice | fs.ModeCharDevice:
		return filetypeCharacterDevice
	case fs.ModeDevice:
		return filetypeBlockDevice
	case fs.ModeSocket:
		return filetypeSocketStream
	}
	return filetypeUnknown
}

func (c *call) readlinkMounted(v *mounted, p string) Errno {
	name, info, err := v.resolve(v.name, p, false)
	switch {
	case err != nil:
		return errnoOf(err)
	case !v.isLink(info):
		return EINVAL
	}
	target, err := v.links.ReadLink(name)
	if err != nil {
		return errnoOf(err)
	}
	return c.put32(0, uint32(copy(c.buf, target)))
}

// readMounted reads what comes at the guest's position, and moves that.
func (c *call) readMounted(v *mounted) Errno {
	n, errno := c.readMountedAt(v, v.at)
	v.at += int64(n)
	return c.stored(n, errno)
}

func (c *call) readMountedAt(v *mounted, at int64) (done int, errno Errno) {
	for _, b := range c.iovs {
		n, err := v.readAt(c.ctx, b, at+int64(done))
		done += n
		switch {
		case err == io.EOF:
			return done, ESUCCESS
		case err != nil && done == 0:
			return 0, c.failed(err)
		case err != nil || n < len(b):
			return done, ESUCCESS
		}
	}
	return done, ESUCCESS
}

// maxEmptyReads is how often a reader may give neither bytes nor an error, as in package bufio.
const maxEmptyReads = 100

// readAt reads once.
func (v *mounted) readAt(ctx context.Context, b []byte, at int64) (n int, err error) {
	if r, ok := v.open.(io.ReaderAt); ok {
		if n, err = r.ReadAt(b, at); n < 0 || n > len(b) {
			n, err = 0, unix.EIO
		}
	} else if err = v.moveTo(ctx, at); err == nil {
		n, err = v.read(b)
	}
	if n == 0 && err != nil && err != io.EOF && ctx.Err() == nil {
		if info, failed := v.open.Stat(); failed == nil && at > max(0, info.Size()) {
			return 0, io.EOF // which embed.FS has a different name for
		}
	}
	return n, err
}

// read reads once where open is.
func (v *mounted) read(b []byte) (n int, err error) {
	for range maxEmptyReads {
		n, err = v.open.Read(b)
		if n < 0 || n > len(b) {
			n, err = 0, unix.EIO
		}
		v.from += int64(n)
		if err != nil && err != io.EOF {
			v.from = -1
		}
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// moveTo makes open read at a position. Where it cannot seek that may mean to read all that is before, from the beginning.
func (v *mounted) moveTo(ctx context.Context, at int64) error {
	if v.from == at {
		return nil
	}
	if s, ok := v.open.(io.Seeker); ok {
		_, err := s.Seek(at, io.SeekStart)
		if v.from = at; err != nil {
			v.from = -1
		}
		return err
	}
	if v.from < 0 || v.from > at {
		open, err := v.fs.Open(v.name)
		if err != nil {
			return err
		}
		v.open.Close()
		v.open, v.from = open, 0
	}
	var skipped [8 << 10]byte
	for v.from < at {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, err := v.read(skipped[:min(int64(len(skipped)), at-v.from)]); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) seekMounted(v *mounted, offset int64, whence int) Errno {
	base := int64(0)
	switch whence {
	case unix.SEEK_CUR:
		base = v.at
	case unix.SEEK_END:
		info, err := v.stat()
		if err != nil {
			return errnoOf(err)
		}
		base = max(0, info.Size())
	}
	switch {
	case offset > math.MaxInt64-base:
		return EOVERFLOW
	case base+offset < 0:
		return EINVAL
	}
	v.at = base + offset
	return c.put64(0, uint64(v.at))
}

// The entries of a directory begin with "." and "..", the cookies count them.
const dots = 2

// readdirMounted is fdReaddir for a mount. What a directory contained when its reading began is what is read.
func (c *call) readdirMounted(v *mounted, cookie uint64) Errno {
	if cookie == 0 || !v.listed {
		if err := v.list(); err != nil {
			return errnoOf(err)
		}
	}
	used := 0
	for ; used < len(c.buf) && cookie < uint64(len(v.entries))+dots; cookie++ {
		e := dirEntry{next: cookie + 1, filetype: filetypeDirectory}
		switch cookie {
		case 0:
			e.name, e.inode = ".", inode(v.name)
		case 1:
			e.name = ".."
		default:
			entry := v.entries[cookie-dots]
			e.name, e.filetype = entry.Name(), filetypeOfMode(entry.Type())
			e.inode = inode(path.Join(v.name, e.name))
		}
		used += e.put(c.buf[used:])
	}
	return c.put32(0, uint32(used))
}

// list reads the directory, without names that no path can have.
func (v *mounted) list() error {
	all, err := fs.ReadDir(v.fs, v.name)
	if err != nil {
		return err
	}
	v.entries, v.listed = make([]fs.DirEntry, 0, len(all)), true
	for _, e := range all {
		if n := e.Name(); n != "." && n != ".." && !strings.ContainsAny(n, "/\x00") && fs.ValidPath(n) {
			v.entries = append(v.entries, e)
		}
	}
	return nil
}
