package artifact

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/zeebo/xxh3"
)

// ErrNotArtifact is wrapped by errors about files that are no artifacts at all.
var ErrNotArtifact = errors.New("not a wasmaot artifact")

// ErrOther is wrapped by errors about sound artifacts that this build or machine must not run.
var ErrOther = errors.New("made for another build or machine")

// IsArtifact reports whether a file that begins with b claims to be an artifact.
func IsArtifact(b []byte) bool {
	return len(b) >= headAt+len(magic) && string(b[:4]) == elf.ELFMAG && string(b[headAt:headAt+len(magic)]) == magic
}

// Decode reads a file made by Encode. The result points into file, which must stay as
// it is. Every region is compared with its checksum first, and every offset with
// what it leads into, so that a damaged file gives an error and nothing worse.
func Decode(file []byte) (*Artifact, error) {
	if !IsArtifact(file) {
		return nil, ErrNotArtifact
	}
	if len(file) < pageSize {
		return nil, fmt.Errorf("truncated artifact: expected at least %d bytes, found %d", pageSize, len(file))
	}
	a := &Artifact{}
	content, err := a.readHeader(file)
	if err != nil {
		return nil, err
	}
	a.Text, a.Image, a.Names = content[regText], content[regImage], unsafeString(content[regNames])
	if a.Funcs, err = recordsOf[Func](content[regFuncs]); err != nil {
		return nil, err
	}
	if a.Traps, err = recordsOf[Trap](content[regTraps]); err != nil {
		return nil, err
	}
	if a.Calls, err = recordsOf[Call](content[regCalls]); err != nil {
		return nil, err
	}
	c := codec{reading: true, b: content[regModule]}
	c.u64(&a.ImageStart)
	c.module(&a.Module)
	if c.err != nil {
		return nil, c.err
	}
	return a, a.check()
}

func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (a *Artifact) readHeader(file []byte) (content [regCount][]byte, err error) {
	size := le.Uint32(file[headAt+len(magic):])
	if size > pageSize-headAt-sumSize {
		return content, fmt.Errorf("artifact header at 0x%x: length %d is beyond the first page", headAt, size)
	}
	end := headAt + size
	if sum := xxh3.Hash128(file[:end]).Bytes(); !bytes.Equal(sum[:], file[end:end+sumSize]) {
		return content, fmt.Errorf("damaged artifact: the header's checksum does not match")
	}
	c := codec{reading: true, b: file[headAt+len(magic)+4 : end]}
	c.header(&a.Header)
	if c.err != nil || a.Header.Format != FormatVersion {
		return content, fmt.Errorf("%w: artifact format %d, expected %d", ErrOther, a.Header.Format, FormatVersion)
	}
	for r := range content {
		var s span
		c.u64(&s.off)
		c.u64(&s.size)
		if c.err != nil || len(c.b) < sumSize {
			return content, fmt.Errorf("damaged artifact: incomplete region table")
		}
		want := c.b[:sumSize]
		c.b = c.b[sumSize:]
		name := regionInfo[r].name
		if s.off > uint64(len(file)) || s.size > uint64(len(file))-s.off {
			return content, fmt.Errorf("truncated artifact: region %s ends at 0x%x, the file at 0x%x", name, s.off+s.size, len(file))
		}
		b := file[s.off : s.off+s.size : s.off+s.size]
		if sum := xxh3.Hash128(b).Bytes(); !bytes.Equal(sum[:], want) {
			return content, fmt.Errorf("damaged artifact: the checksum of region %s at 0x%x does not match", name, s.off)
		}
		content[r] = b
	}
	return content, nil
}

// check verifies that the tables lead to where they should. The checksums have excluded
// accidents; this excludes what a faulty writer might do.
func (a *Artifact) check() error {
	n := uint32(len(a.Text))
	for i := range a.Funcs {
		f := &a.Funcs[i]
		if f.Off > n || f.Size > n-f.Off || int(f.Type) >= len(a.Module.Types) ||
			uint64(f.NameOff)+uint64(f.NameLen) > uint64(len(a.Names)) {
			return fmt.Errorf("damaged artifact: function %d: code, type or name is outside its table", i)
		}
	}
	for i := range a.Traps {
		if t := &a.Traps[i]; t.Off >= n || t.Code >= abi.TrapCount || i > 0 && a.Traps[i-1].Off >= t.Off {
			return fmt.Errorf("damaged artifact: trap %d at 0x%x", i, t.Off)
		}
	}
	for i := range a.Calls {
		if c := &a.Calls[i]; c.Off > n || i > 0 && a.Calls[i-1].Off >= c.Off {
			return fmt.Errorf("damaged artifact: call site %d at 0x%x", i, c.Off)
		}
	}
	return nil
}
