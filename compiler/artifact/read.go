package artifact

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/wasmaot/wasmaot/internal/elf"
)

// ErrNotArtifact is wrapped by errors about files that are no artifacts at all.
var ErrNotArtifact = errors.New("not a wasmaot artifact")

// ErrOther is wrapped by errors about sound artifacts that this build or machine must not run.
var ErrOther = errors.New("made for another build or machine")

// MagicSize is how many bytes of a file IsArtifact looks at.
const MagicSize = headAt + len(magic)

// ReadHeader reads the header of a file made by Encode, and nothing else.
func ReadHeader(r io.Reader) (*Header, error) {
	page := make([]byte, pageSize)
	if n, err := io.ReadFull(r, page); err != nil {
		return nil, fmt.Errorf("truncated artifact: expected at least %d bytes, found %d: %w", pageSize, n, err)
	}
	if !IsArtifact(page) {
		return nil, ErrNotArtifact
	}
	var a Artifact
	_, err := a.header(page)
	return &a.Header, err
}

// IsArtifact reports whether a file that begins with b claims to be an artifact.
func IsArtifact(b []byte) bool {
	return len(b) >= headAt+len(magic) && string(b[:4]) == elf.ELFMAG && string(b[headAt:headAt+len(magic)]) == magic
}

// Decode reads a file made by Encode. The result points into file, which must stay as
// it is. Every region but the symbols for other tools is compared with its checksum first, and every offset with
// what it leads into, so that a damaged file gives an error and nothing worse.
func Decode(file []byte) (*Artifact, error) {
	a, _, err := decode(file, func(r region) bool { return r != regTail })
	return a, err
}

// DecodeFrom is Decode of a file that is open as fd, and in which the artifact begins at offset base, a multiple of the page size: the
// result has a Source.
func DecodeFrom(file []byte, fd int, base int64) (*Artifact, error) {
	a, spans, err := decode(file, func(r region) bool { return r != regTail })
	if err == nil {
		a.setSource(spans, fd, base)
	}
	return a, err
}

func (a *Artifact) setSource(spans *[regCount]sumSpan, fd int, base int64) {
	a.Source = &Source{FD: fd, Text: base + int64(spans[regText].off), Image: base + int64(spans[regImage].off)}
}

// Verify compares every byte of a file made by Encode with the checksums, the symbols for other tools too.
func Verify(file []byte) error {
	_, _, err := decode(file, func(region) bool { return true })
	return err
}

// decode reads a file and compares the header and the regions that are asked for with their checksums.
func decode(file []byte, compare func(region) bool) (*Artifact, *[regCount]sumSpan, error) {
	if !IsArtifact(file) {
		return nil, nil, ErrNotArtifact
	}
	if len(file) < pageSize {
		return nil, nil, fmt.Errorf("truncated artifact: expected at least %d bytes, found %d", pageSize, len(file))
	}
	a := &Artifact{}
	spans, err := a.readHeader(file)
	if err != nil {
		return nil, nil, err
	}
	var content [regCount][]byte
	for r := range spans {
		s := &spans[r]
		if compare(region(r)) && checksum(file[s.off:s.end]) != s.sum {
			return nil, nil, s.damaged(region(r))
		}
		content[r] = file[s.off : s.off+s.size : s.off+s.size]
	}
	a.Text, a.Image, a.Names = content[regText], content[regImage], unsafeString(content[regNames])
	a.Traps, a.Calls = Sites(unsafeString(content[regTraps])), Sites(unsafeString(content[regCalls]))
	if a.Funcs, err = recordsOf[Func](content[regFuncs]); err != nil {
		return nil, nil, err
	}
	c := codec{reading: true, b: content[regModule]}
	c.u64(&a.ImageStart)
	c.module(&a.Module)
	if c.err != nil {
		return nil, nil, c.err
	}
	return a, spans, a.check()
}

func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// sumSpan is a region with the checksum that it should have, up to where the next one begins.
type sumSpan struct {
	span
	end uint64
	sum [sumSize]byte
}

func (s *sumSpan) damaged(r region) error {
	return fmt.Errorf("damaged artifact: the checksum of %s at 0x%x does not match", r, s.off)
}

// readHeader reads the header and the region table. The regions that it returns follow one another and end with the file.
func (a *Artifact) readHeader(file []byte) (*[regCount]sumSpan, error) {
	c, err := a.header(file)
	if err != nil {
		return nil, err
	}
	var spans [regCount]sumSpan
	last := uint64(pageSize)
	for r := range spans {
		s := &spans[r]
		c.u64(&s.off)
		c.u64(&s.size)
		if c.err != nil || len(c.b) < sumSize {
			return nil, errors.New("damaged artifact: incomplete region table")
		}
		c.b = c.b[copy(s.sum[:], c.b):]
		if s.off > uint64(len(file)) || s.size > uint64(len(file))-s.off {
			return nil, fmt.Errorf("truncated artifact: %s ends at 0x%x, the file at 0x%x", region(r), s.off+s.size, len(file))
		}
		if s.off < last || s.off != alignUp(s.off, regionInfo[r].align) {
			return nil, fmt.Errorf("damaged artifact: %s begins at 0x%x", region(r), s.off)
		}
		last = s.off + s.size
		s.end = uint64(len(file))
		if r > 0 {
			spans[r-1].end = s.off
		}
	}
	if last != uint64(len(file)) {
		return nil, fmt.Errorf("damaged artifact: expected %d bytes, found %d", last, len(file))
	}
	return &spans, nil
}

// header reads what lies before the region table.
func (a *Artifact) header(file []byte) (*codec, error) {
	if checksum(file[:sumAt]) != [sumSize]byte(file[sumAt:pageSize]) {
		return nil, errors.New("damaged artifact: the header's checksum does not match")
	}
	size := le.Uint32(file[headAt+len(magic):])
	if size < uint32(len(magic)+4) || size > sumAt-headAt {
		return nil, fmt.Errorf("artifact header at 0x%x: length %d is beyond the first page", headAt, size)
	}
	c := &codec{reading: true, b: file[headAt+len(magic)+4 : headAt+size]}
	c.header(&a.Header)
	if c.err != nil || a.Header.Format != FormatVersion {
		return nil, fmt.Errorf("%w: artifact format %d, expected %d", ErrOther, a.Header.Format, FormatVersion)
	}
	return c, nil
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
	return nil
}

// Section is a part of a file.
type Section struct {
	Name      string
	Off, Size uint64
}

// Sections lists the parts of the file that an artifact was decoded from.
func (a *Artifact) Sections(file []byte) []Section {
	list := []Section{{"header", 0, pageSize}}
	spans, err := new(Artifact).readHeader(file)
	if err != nil {
		return nil
	}
	for r, s := range spans {
		name := regionInfo[r].name
		if region(r) == regTail {
			name = "symbols"
		}
		list = append(list, Section{name, s.off, s.size})
	}
	return list
}
