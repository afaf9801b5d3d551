package wasi

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// traced is run with a report.
func (c *call) traced() error {
	stack := c.args
	c.args = append([]uint64(nil), stack...)
	done := Call{Function: c.fn.name, Group: c.fn.group(), Args: c.args, Params: c.describeParams()}
	start := time.Now()
	errno := c.run()
	done.Duration = time.Since(start)
	done.Errno, done.Err = errno, c.err
	if c.err == nil {
		stack[0] = uint64(errno)
		if errno == 0 {
			done.Results = c.describeResults()
		}
	}
	c.trace(done)
	return c.err
}

// group is told from the first part of the function's name.
func (fn *function) group() string {
	switch family, _, _ := strings.Cut(fn.name, "_"); family {
	case "args", "environ", "proc":
		return GroupProc
	case "clock":
		return GroupClock
	case "fd", "path":
		return GroupFilesystem
	case "poll", "sched":
		return GroupPoll
	case "random":
		return GroupRandom
	case "sock":
		return GroupSock
	}
	return ""
}

// describeParams tells the arguments before the call, which may write over them. It is no part of the shim: what is wrong
// here is what the shim will refuse.
func (c *call) describeParams() (list []string) {
	c.mem = c.memory.Bytes()
	args := c.args
	for i := range c.fn.params {
		p := &c.fn.params[i]
		if text := c.describe(p, args); text != "" {
			list = append(list, p.name+"="+text)
		}
		args = args[len(kinds[p.kind]):]
	}
	return list
}

// describe tells one argument; of those that are only a place for results there is nothing to tell.
func (c *call) describe(p *param, args []uint64) string {
	v := uint32(args[0])
	switch p.kind {
	case kindU64:
		return describeNumber(p.name, args[0])
	case kindPath:
		return c.describeText(args[0], uint32(args[1]))
	case kindBuf:
		if p.name == "node" || p.name == "service" {
			return c.describeText(args[0], uint32(args[1]))
		}
		return describeBuffer(v, uint32(args[1]))
	case kindIovs:
		return c.describeIovs(v, uint32(args[1]))
	case kindFD:
		return strconv.Itoa(int(int32(v)))
	case kindPtr:
		if c.fn.name == "poll_oneoff" && p.name == "in" {
			return c.describeSubscriptions(args[0], args[2])
		}
		return ""
	case kindOut:
		return ""
	case kindIn:
		b, errno := c.bytes(args[0], uint64(p.size))
		if errno != 0 {
			return describeBuffer(v, p.size)
		}
		return c.describeIn(p.name, b)
	}
	if p.name == "option" {
		return describeOption(c.args)
	}
	return describeNumber(p.name, uint64(v))
}

// describeText tells a text, quoted.
func (c *call) describeText(p uint64, n uint32) string {
	if b, errno := c.bytes(p, uint64(n)); errno == 0 {
		return strconv.Quote(string(b[:min(len(b), maxPath)]))
	}
	return describeBuffer(uint32(p), n)
}

func describeBuffer(p, n uint32) string { return fmt.Sprintf("%#x[%d]", p, n) }

// maxListed is how many elements of a list are told.
const maxListed = 8

// describeIovs tells the buffers' sizes.
func (c *call) describeIovs(p, n uint32) string {
	list, errno := c.bytes(uint64(p), uint64(n)*sizeIovec)
	if errno != 0 {
		return describeBuffer(p, n)
	}
	var sizes []string
	for ; len(list) > 0 && len(sizes) < maxListed; list = list[sizeIovec:] {
		sizes = append(sizes, strconv.Itoa(int(le.Uint32(list[4:]))))
	}
	return listed(sizes, uint64(n))
}

func listed(items []string, n uint64) string {
	if more := n - uint64(len(items)); more > 0 {
		items = append(items, fmt.Sprintf("%d more", more))
	}
	return "[" + strings.Join(items, " ") + "]"
}

// describeSubscriptions tells what poll_oneoff waits for.
func (c *call) describeSubscriptions(p, n uint64) string {
	n = uint64(uint32(n))
	subs, errno := c.bytes(p, n*sizeSub)
	if errno != 0 {
		return describeBuffer(uint32(p), uint32(n))
	}
	var items []string
	for ; len(subs) > 0 && len(items) < maxListed; subs = subs[sizeSub:] {
		id := uint64(le.Uint32(subs[16:]))
		switch subs[8] {
		case eventClock:
			at := "+" + time.Duration(le.Uint64(subs[24:])).String()
			if le.Uint16(subs[40:])&subclockAbstime != 0 {
				at = "at " + strconv.FormatUint(le.Uint64(subs[24:]), 10)
			}
			items = append(items, describeNumber("id", id)+" "+at)
		case eventFDRead:
			items = append(items, fmt.Sprint("read ", int32(id)))
		case eventFDWrite:
			items = append(items, fmt.Sprint("write ", int32(id)))
		default:
			items = append(items, fmt.Sprint("tag ", subs[8]))
		}
	}
	return listed(items, n)
}

// describeResults tells what a call that succeeded has stored.
func (c *call) describeResults() (list []string) {
	switch c.fn.name {
	case "fd_prestat_dir_name":
		list = append(list, strconv.Quote(c.file[0].name))
	case "path_readlink":
		list = append(list, strconv.Quote(string(c.buf[:le.Uint32(c.out[0])])))
	}
	k := 0
	for i := range c.fn.params {
		p := &c.fn.params[i]
		switch p.kind {
		case kindOut:
			text := ""
			if p.name == "addr" || p.name == "result" || p.name == "value" {
				text = c.describeSocketOut(p.name, c.out[k])
			} else {
				text = describeOut(p.name, c.out[k])
			}
			list = append(list, p.name+"="+text)
			k++
		case kindIn:
			k++
		}
	}
	return list
}

func describeOut(name string, b []byte) string {
	switch len(b) {
	case sizeU16:
		return describeNumber(name, uint64(le.Uint16(b)))
	case sizeU32:
		return describeNumber(name, uint64(le.Uint32(b)))
	case sizeU64:
		if name == "prestat" {
			return fmt.Sprintf("{name=%d bytes}", le.Uint32(b[4:]))
		}
		return describeNumber(name, le.Uint64(b))
	case sizeFdstat:
		return fmt.Sprintf("{type=%s flags=%s base=%s inheriting=%s}", oneOf(filetypeNames[:], uint64(b[0])),
			describeNumber("fdflags", uint64(le.Uint16(b[2:]))), describeNumber("base", le.Uint64(b[8:])), describeNumber("base", le.Uint64(b[16:])))
	case sizeFilestat:
		return fmt.Sprintf("{type=%s size=%d dev=%d ino=%d nlink=%d mtim=%d}", oneOf(filetypeNames[:], uint64(b[16])),
			le.Uint64(b[32:]), le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[24:]), le.Uint64(b[48:]))
	}
	return fmt.Sprintf("[%d bytes]", len(b))
}

// describeNumber tells a number by what the parameter of that name means.
func describeNumber(name string, v uint64) string {
	switch name {
	case "base", "inheriting":
		return describeRights(v)
	case "lookupflags":
		return setOf([]string{"symlink_follow"}, v)
	case "oflags":
		return setOf([]string{"creat", "directory", "excl", "trunc"}, v)
	case "fdflags":
		return setOf([]string{"append", "dsync", "nonblock", "rsync", "sync"}, v)
	case "fstflags":
		return setOf([]string{"atim", "atim_now", "mtim", "mtim_now"}, v)
	case "riflags":
		return setOf([]string{"peek", "waitall"}, v)
	case "roflags":
		return setOf([]string{"truncated"}, v)
	case "siflags":
		return setOf(nil, v)
	case "af":
		return oneOf(familyNames[:], v)
	case "type":
		return oneOf(socketTypeNames[:], v)
	case "level":
		return describeLevel(v)
	case "how":
		return setOf([]string{"rd", "wr"}, v)
	case "id":
		return oneOf([]string{"realtime", "monotonic", "process_cputime", "thread_cputime"}, v)
	case "whence":
		return oneOf([]string{"set", "cur", "end"}, v)
	case "advice":
		return oneOf([]string{"normal", "sequential", "random", "willneed", "dontneed", "noreuse"}, v)
	case "delta": // signed
		return strconv.FormatInt(int64(v), 10)
	case "fd", "to":
		return strconv.Itoa(int(int32(v)))
	}
	return strconv.FormatUint(v, 10)
}

// describeRights names what is there or what is missing, whichever is less. Bits without a meaning, which Go sets, are left out.
func describeRights(v uint64) string {
	missing := uint64(knownRights) &^ v
	switch {
	case missing == 0:
		return "all"
	case bits.OnesCount64(missing) < len(rightNames)/2:
		return "all but " + setOf(rightNames[:], missing)
	}
	return setOf(rightNames[:], v&uint64(knownRights))
}

func oneOf(names []string, v uint64) string {
	if v < uint64(len(names)) {
		return names[v]
	}
	return strconv.FormatUint(v, 10)
}

// setOf tells a set, what has no name as a number.
func setOf(names []string, v uint64) string {
	var set []string
	for i, name := range names {
		if v>>i&1 != 0 {
			set = append(set, name)
		}
	}
	if rest := v >> len(names) << len(names); rest != 0 || len(set) == 0 {
		set = append(set, "0x"+strconv.FormatUint(rest, 16))
	}
	return strings.Join(set, "|")
}

var rightNames = [...]string{
	"fd_datasync", "fd_read", "fd_seek", "fd_fdstat_set_flags", "fd_sync", "fd_tell", "fd_write", "fd_advise", "fd_allocate",
	"path_create_directory", "path_create_file", "path_link_source", "path_link_target", "path_open", "fd_readdir",
	"path_readlink", "path_rename_source", "path_rename_target", "path_filestat_get", "path_filestat_set_size",
	"path_filestat_set_times", "fd_filestat_get", "fd_filestat_set_size", "fd_filestat_set_times", "path_symlink",
	"path_remove_directory", "path_unlink_file", "poll_fd_readwrite", "sock_shutdown", "sock_accept",
}

var filetypeNames = [...]string{
	filetypeUnknown:         "unknown",
	filetypeBlockDevice:     "block_device",
	filetypeCharacterDevice: "character_device",
	filetypeDirectory:       "directory",
	filetypeRegularFile:     "regular_file",
	filetypeSocketDgram:     "socket_dgram",
	filetypeSocketStream:    "socket_stream",
	filetypeSymbolicLink:    "symbolic_link",
}
