package artifact

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unsafe"

	"github.com/wasmaot/wasmaot/internal/elf"
)

// FormatVersion changes with the layout of the file.
const FormatVersion = 4

// The file is an ELF64 shared object. Page 0 holds the ELF header, the program headers and
// our header, from which every other region is found without section headers; those
// and the symbols come last and are for objdump, gdb, perf and readelf.
//
//	0      ELF header, program headers
//	0x100  "wasmaot\0", u32 length of the header, header, region table
//	0xff0  checksum of page 0 up to here
//	0x1000 text, then the image (both fill whole pages), then the other regions, 16-byte aligned
//
// Between regions there are zeros. They count for the checksum of the region before: those behind the
// text and the image are mapped with them.
const (
	magic    = "wasmaot\x00"
	headAt   = 0x100
	pageSize = 0x1000
	sumSize  = 16
	sumAt    = pageSize - sumSize
)

// A region is a part of the file with a checksum of its own.
type region int

const (
	regText region = iota
	regImage
	regFuncs
	regTraps
	regCalls
	regNames
	regModule
	regTail // section headers, symbols, strings
	regCount
)

// regionInfo is each region's section name and flags; the tail is no section.
var regionInfo = [regCount]struct {
	name  string
	flags elf.SectionFlag
	align uint64
}{
	regText:   {".text", elf.SHF_ALLOC | elf.SHF_EXECINSTR, pageSize},
	regImage:  {".wasmaot.image", elf.SHF_ALLOC, pageSize},
	regFuncs:  {".wasmaot.funcs", 0, pageSize},
	regTraps:  {".wasmaot.traps", 0, 16},
	regCalls:  {".wasmaot.calls", 0, 16},
	regNames:  {".wasmaot.names", 0, 16},
	regModule: {".wasmaot.module", 0, 16},
	regTail:   {"", 0, 16},
}

// String is for messages.
func (r region) String() string {
	if r == regTail {
		return "the region of symbols"
	}
	return "region " + regionInfo[r].name
}

type span struct{ off, size uint64 }

// machineOf is a target's ELF machine.
func machineOf(target string) (m elf.Machine, ok bool) {
	switch target {
	case "amd64":
		return elf.EM_X86_64, true
	case "arm64":
		return elf.EM_AARCH64, true
	}
	return 0, false
}

var le = binary.LittleEndian

// bytesOf is the memory of a slice of pointer-free records.
func bytesOf[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(t)))
}

// recordsOf is the reverse; b is aligned to 16 bytes in a mapped file or a Go allocation of that size.
func recordsOf[T any](b []byte) ([]T, error) {
	var t T
	size := int(unsafe.Sizeof(t))
	switch {
	case len(b)%size != 0:
		return nil, fmt.Errorf("a table of %d-byte records has %d bytes", size, len(b))
	case len(b) == 0:
		return nil, nil
	case uintptr(unsafe.Pointer(&b[0]))%unsafe.Alignof(t) != 0:
		return nil, fmt.Errorf("a table of records is not aligned in memory")
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/size), nil
}

// Pages is memory for text or an image: what follows it up to the next page is zero as well, so that it is written as it is.
func Pages(size uint64) []byte { return make([]byte, size, alignUp(size, pageSize)) }

// Encode gives the artifact as a file, the same bytes for the same artifact on any machine.
func (a *Artifact) Encode() ([]byte, error) {
	head, content, err := a.encode(nil)
	if err != nil {
		return nil, err
	}
	return slices.Concat(append([][]byte{head}, content[:]...)...), nil
}

// WriteTo writes the artifact as a file, without making it in memory first.
func (a *Artifact) WriteTo(w io.Writer) (n int64, err error) {
	head, content, err := a.encode(nil)
	if err != nil {
		return 0, err
	}
	for _, part := range append([][]byte{head}, content[:]...) {
		k, err := w.Write(part)
		if n += int64(k); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Erase makes a file's beginning that of no artifact. It fails if the file cannot be written anywhere but at its end.
func Erase(w io.WriterAt) error {
	_, err := w.WriteAt(make([]byte, pageSize), 0)
	return err
}

// Put takes the next part of something. All but the last have a multiple of 64 bytes; the last is filled up with zeros to the end of a page.
type Put func(part []byte) error

// Parts is something of Size bytes that Write gives part by part.
type Parts struct {
	Size  uint64
	Write func(put Put) error
}

// WriteParts writes the artifact as a file with another text and image. Only after rest has returned everything else is there; it is called
// by another goroutine than text.Write. The file is none of ours until all of it is written.
func (a *Artifact) WriteParts(w io.WriterAt, text, image Parts, rest func()) (n int64, err error) {
	written := writtenParts{
		regText:  {span: span{pageSize, text.Size}, summer: newSummer()},
		regImage: {span: span{pageSize + PageUp(text.Size), image.Size}, summer: newSummer()},
	}
	other := make(chan error, 1)
	go func() {
		err := written[regImage].write(w, &image)
		rest()
		other <- err
	}()
	err = written[regText].write(w, &text)
	if err := cmp.Or(err, <-other); err != nil {
		return 0, err
	}
	head, content, err := a.encode(&written)
	if err != nil {
		return 0, err
	}
	n = int64(written[regImage].off + PageUp(image.Size))
	for _, part := range content[len(written):] {
		if _, err := w.WriteAt(part, n); err != nil {
			return 0, err
		}
		n += int64(len(part))
	}
	_, err = w.WriteAt(head, 0)
	return n, err
}

// writtenParts are the first regions of a file, which are there already.
type writtenParts [regImage + 1]writtenPart

type writtenPart struct {
	span
	summer
}

func (p *writtenPart) write(w io.WriterAt, parts *Parts) error {
	file := io.NewOffsetWriter(w, int64(p.off))
	err := parts.Write(func(part []byte) error {
		p.add(part)
		_, err := file.Write(part)
		return err
	})
	if want := PageUp(p.size); err == nil && uint64(p.n) != want {
		err = fmt.Errorf("%d bytes of a region at 0x%x were written: expected %d", p.n, p.off, want)
	}
	return err
}

// encode makes page 0 and the regions, each up to the beginning of the next, but for those that are written.
func (a *Artifact) encode(written *writtenParts) (head []byte, content [regCount][]byte, err error) {
	machine, ok := machineOf(a.Header.Target)
	if !ok {
		return nil, content, fmt.Errorf("artifact for target %q: expected amd64 or arm64", a.Header.Target)
	}
	if a.Compile != nil {
		return nil, content, errors.New("code that is compiled on demand cannot be written: expected a module that was compiled ahead")
	}
	mod := codec{}
	mod.u64(&a.ImageStart)
	mod.module(&a.Module)
	content = [regCount][]byte{
		regText: a.Text, regImage: a.Image, regFuncs: bytesOf(a.Funcs), regTraps: []byte(a.Traps),
		regCalls: []byte(a.Calls), regNames: []byte(a.Names), regModule: mod.b,
	}
	var spans [regCount]span
	var sums [regCount][sumSize]byte
	first := regText
	end := uint64(pageSize)
	if written != nil {
		for r := range written {
			spans[r], sums[r] = written[r].span, written[r].sum()
		}
		first = region(len(written))
		end = spans[first-1].off + spans[first-1].size
	}
	for r := first; r < regCount; r++ {
		start := alignUp(end, regionInfo[r].align)
		if r > first {
			content[r-1] = padded(content[r-1], start-spans[r-1].off)
		}
		if r == regTail {
			content[r] = a.tail(start, &spans)
		}
		spans[r] = span{start, uint64(len(content[r]))}
		end = start + spans[r].size
	}
	if end > math.MaxUint32 {
		return nil, content, fmt.Errorf("artifact of %d bytes: expected less than 4 GiB", end)
	}
	for r := first; r < regCount; r++ {
		sums[r] = checksum(content[r])
	}
	head = make([]byte, pageSize)
	a.putELFHeader(head, machine, &spans)
	return head, content, a.putHeader(head, &spans, &sums)
}

// padded is b with zeros behind it up to size, in place if they are there, as behind Pages.
func padded(b []byte, size uint64) []byte {
	if uint64(cap(b)) >= size && !slices.ContainsFunc(b[len(b):size], func(x byte) bool { return x != 0 }) {
		return b[:size]
	}
	return append(make([]byte, 0, size), b...)[:size]
}

// PageUp is n rounded up to whole pages.
func PageUp(n uint64) uint64 { return alignUp(n, pageSize) }

func alignUp(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }

// putHeader writes our header, with the checksum of every region and its own.
func (a *Artifact) putHeader(head []byte, spans *[regCount]span, sums *[regCount][sumSize]byte) error {
	c := codec{b: []byte(magic + "\x00\x00\x00\x00")}
	c.header(&a.Header)
	for r := range spans {
		s := &spans[r]
		c.u64(&s.off)
		c.u64(&s.size)
		c.b = append(c.b, sums[r][:]...)
	}
	le.PutUint32(c.b[len(magic):], uint32(len(c.b)))
	if headAt+len(c.b) > sumAt {
		return fmt.Errorf("artifact header of %d bytes: expected at most %d", len(c.b), sumAt-headAt)
	}
	copy(head[headAt:], c.b)
	sum := checksum(head[:sumAt])
	copy(head[sumAt:], sum[:])
	return nil
}

// Section numbers: 0 is empty, regions follow, then symbols and strings.
const (
	secSymtab = int(regTail) + 1 + iota
	secStrtab
	secShstrtab
	secCount
)

// tail makes section headers, symbols and strings for a tail at offset at.
func (a *Artifact) tail(at uint64, spans *[regCount]span) []byte {
	shstr := []byte{0}
	name := func(s string) uint32 {
		n := uint32(len(shstr))
		shstr = append(append(shstr, s...), 0)
		return n
	}
	var secs [secCount]elf.Section64
	for r := region(0); r < regTail; r++ {
		info := &regionInfo[r]
		secs[r+1] = elf.Section64{Name: name(info.name), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(info.flags),
			Off: spans[r].off, Size: spans[r].size, Addralign: info.align}
		if info.flags&elf.SHF_ALLOC != 0 {
			secs[r+1].Addr = spans[r].off
		}
	}

	syms, strs := make([]byte, 0, elf.Sym64Size*(len(a.Funcs)+1)), []byte{0}
	syms = append(syms, make([]byte, elf.Sym64Size)...)
	for i := range a.Funcs {
		f := &a.Funcs[i]
		syms = le.AppendUint32(syms, uint32(len(strs)))
		syms = append(syms, elf.ST_INFO(elf.STB_LOCAL, elf.STT_FUNC), 0)
		syms = le.AppendUint16(syms, uint16(regText)+1)
		syms = le.AppendUint64(syms, spans[regText].off+uint64(f.Off))
		syms = le.AppendUint64(syms, uint64(f.Size))
		if s := a.FuncName(i); s != "" {
			strs = append(strs, s...)
		} else {
			strs = fmt.Appendf(strs, "wasm-function[%d]", len(a.Module.ImportedFuncTypes)+i)
		}
		strs = append(strs, 0)
	}

	size := uint64(secCount * int(unsafe.Sizeof(elf.Section64{})))
	place := func(i int, nm string, t elf.SectionType, data []byte) uint64 {
		secs[i] = elf.Section64{Name: name(nm), Type: uint32(t), Off: at + size, Size: uint64(len(data)), Addralign: 1}
		size = alignUp(size+uint64(len(data)), 16)
		return secs[i].Off - at
	}
	symAt := place(secSymtab, ".symtab", elf.SHT_SYMTAB, syms)
	secs[secSymtab].Link, secs[secSymtab].Entsize, secs[secSymtab].Addralign = uint32(secStrtab), elf.Sym64Size, 8
	secs[secSymtab].Info = uint32(len(a.Funcs) + 1) // index of the first global symbol: there is none
	strAt := place(secStrtab, ".strtab", elf.SHT_STRTAB, strs)
	_ = name(".shstrtab")
	shstr = shstr[:len(shstr)-len(".shstrtab")-1] // place names it again
	shAt := size
	place(secShstrtab, ".shstrtab", elf.SHT_STRTAB, append(shstr, ".shstrtab\x00"...))
	tail := make([]byte, size)
	copy(tail, bytesOf(secs[:]))
	copy(tail[symAt:], syms)
	copy(tail[strAt:], strs)
	copy(tail[shAt:], shstr)
	return tail
}

func (a *Artifact) putELFHeader(file []byte, machine elf.Machine, spans *[regCount]span) {
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Phoff: uint64(unsafe.Sizeof(elf.Header64{})), Shoff: spans[regTail].off,
		Ehsize: uint16(unsafe.Sizeof(elf.Header64{})), Phentsize: uint16(unsafe.Sizeof(elf.Prog64{})), Phnum: 1,
		Shentsize: uint16(unsafe.Sizeof(elf.Section64{})), Shnum: uint16(secCount), Shstrndx: uint16(secShstrtab)}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	text := spans[regText]
	p := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Off: text.off, Vaddr: text.off, Paddr: text.off,
		Filesz: text.size, Memsz: text.size, Align: pageSize}
	n := copy(file, bytesOf([]elf.Header64{h}))
	copy(file[n:], bytesOf([]elf.Prog64{p}))
}
