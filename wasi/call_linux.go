package wasi

import (
	"context"
	"encoding/binary"
	"math"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

var le = binary.LittleEndian

// kind is how a parameter travels and what the shim makes of it.
type kind uint8

const (
	kindU32  kind = iota // → call.n
	kindU64              // → call.n
	kindPtr              // → call.n; the implementation checks with call.bytes
	kindFD               // descriptor with the param's rights → call.file
	kindPath             // pointer, length: text without NUL → call.path
	kindBuf              // pointer, length → call.buf
	kindIovs             // pointer, count: scattered buffers → call.iovs
	kindOut              // pointer to param.size bytes → call.out
	kindIn               // likewise, of which the call only reads
)

// kinds are the machine types of each kind.
var kinds = [...][]abi.Type{
	kindU32:  {abi.I32},
	kindU64:  {abi.I64},
	kindPtr:  {abi.I32},
	kindFD:   {abi.I32},
	kindPath: {abi.I32, abi.I32},
	kindBuf:  {abi.I32, abi.I32},
	kindIovs: {abi.I32, abi.I32},
	kindOut:  {abi.I32},
	kindIn:   {abi.I32},
}

const (
	// maxIovecs is how many buffers of one call are used (IOV_MAX). The rest is left
	// for the guest's next call, as after any short read or write.
	maxIovecs = 1024

	// maxPath is the longest path (PATH_MAX without the terminating NUL).
	maxPath = 4095
)

// Memory is a guest's linear memory. Bytes is its present content.
type Memory interface{ Bytes() []byte }

// A call is one call in progress, decoded. System keeps one and reuses it.
type call struct {
	*System
	ctx    context.Context
	memory Memory
	fn     *function
	args   []uint64

	mem  []byte
	n    []uint64 // numbers and unchecked pointers, in the order of the parameters; likewise:
	file []*file
	path []string
	buf  []byte
	iovs [][]byte
	out  [][]byte

	iovBuf [][]byte  // backs iovs
	short  [1][]byte // see buffers

	err error // ends the guest
}

// signature is the function's type.
func (fn *function) signature() *abi.Signature {
	sig := &abi.Signature{}
	for _, p := range fn.params {
		sig.Params = append(sig.Params, kinds[p.kind]...)
	}
	if fn.name != "proc_exit" {
		sig.Results = []abi.Type{abi.I32}
	}
	return sig
}

// invoke makes a call. stack has the arguments and takes the result. An error ends
// the guest: *exit, or the cause of ctx's end.
func (s *System) invoke(ctx context.Context, fn *function, memory Memory, stack []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.call
	c.ctx, c.memory, c.fn, c.args, c.err = ctx, memory, fn, stack, nil
	if s.trace != nil {
		return c.traced()
	}
	errno := c.run()
	if c.err != nil {
		return c.err
	}
	stack[0] = uint64(errno)
	return nil
}

func (c *call) run() Errno {
	if c.closed.Load() {
		return EBADF
	}
	if errno := c.decode(); errno != 0 {
		return errno
	}
	return c.fn.impl(c)
}

// decode is the shim: it checks the arguments from left to right and makes values
// of them.
func (c *call) decode() Errno {
	c.mem = c.memory.Bytes()
	c.n, c.file, c.path, c.out = c.n[:0], c.file[:0], c.path[:0], c.out[:0]
	args := c.args
	for i := range c.fn.params {
		p := &c.fn.params[i]
		errno := ESUCCESS
		switch p.kind {
		case kindU64:
			c.n = append(c.n, args[0])
		case kindU32, kindPtr:
			c.n = append(c.n, uint64(uint32(args[0])))
		case kindFD:
			errno = c.decodeFD(uint32(args[0]), p.rights)
		case kindPath:
			errno = c.decodePath(args[0], args[1])
		case kindBuf:
			c.buf, errno = c.bytes(args[0], uint64(uint32(args[1])))
		case kindIovs:
			errno = c.decodeIovs(args[0], args[1])
		case kindOut, kindIn:
			var b []byte
			b, errno = c.bytes(args[0], uint64(p.size))
			c.out = append(c.out, b)
		}
		if errno != 0 {
			return errno
		}
		args = args[len(kinds[p.kind]):]
	}
	return ESUCCESS
}

// refetch is decode again, after a wait: guest memory may have grown.
func (c *call) refetch() Errno { return c.decode() }

func (c *call) bytes(p, n uint64) ([]byte, Errno) { return guestBytes(c.mem, p, n) }

// guestBytes is the guest memory at pointer p (32 bits of it count), n bytes. Nothing
// else makes slices of guest memory.
func guestBytes(mem []byte, p, n uint64) ([]byte, Errno) {
	at, size := uint64(uint32(p)), uint64(len(mem))
	if n > size || at > size-n {
		return nil, EFAULT
	}
	return mem[at : at+n : at+n], ESUCCESS
}

func (c *call) decodeFD(n uint32, r rights) Errno {
	f := c.files.get(n)
	if f == nil {
		return EBADF
	}
	if errno := f.require(r); errno != 0 {
		return errno
	}
	c.file = append(c.file, f)
	return ESUCCESS
}

func (c *call) decodePath(p, n uint64) Errno {
	b, errno := c.bytes(p, uint64(uint32(n)))
	switch {
	case errno != 0:
		return errno
	case len(b) > maxPath:
		return ENAMETOOLONG
	}
	s := string(b)
	if strings.IndexByte(s, 0) >= 0 {
		return EINVAL
	}
	c.path = append(c.path, s)
	return ESUCCESS
}

func (c *call) decodeIovs(p, n uint64) Errno {
	list, errno := c.bytes(p, uint64(uint32(n))*sizeIovec)
	if errno != 0 {
		return errno
	}
	c.iovs = c.iovBuf[:0]
	left := uint64(math.MaxInt32) // the sum fits the result
	for ; len(list) > 0 && len(c.iovs) < maxIovecs; list = list[sizeIovec:] {
		b, errno := c.bytes(uint64(le.Uint32(list)), uint64(le.Uint32(list[4:])))
		if errno != 0 {
			return errno
		}
		if len(b) == 0 {
			continue
		}
		b = b[:min(uint64(len(b)), left)]
		left -= uint64(len(b))
		if len(b) == 0 {
			break
		}
		c.iovs = append(c.iovs, b)
	}
	c.iovBuf = c.iovs
	return ESUCCESS
}

// end ends the guest with an error.
func (c *call) end(err error) Errno {
	c.err = err
	return ECANCELED
}

// put32 and the like store a result at out i.
func (c *call) put16(i int, v uint16) Errno { le.PutUint16(c.out[i], v); return ESUCCESS }
func (c *call) put32(i int, v uint32) Errno { le.PutUint32(c.out[i], v); return ESUCCESS }
func (c *call) put64(i int, v uint64) Errno { le.PutUint64(c.out[i], v); return ESUCCESS }
