package artifact

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// A bundle is a program with an artifact and settings behind it, on page boundaries so that the program maps the artifact
// from its own file:
//
//	program, zeros, artifact, zeros, settings (strings), trailer
//
// The trailer is the last 64 bytes: magic, offset and size of the artifact and of the settings, checksum of settings and trailer.
const (
	bundleMagic = "wasmaot.bundle\x00\x01"
	trailerSize = 64
)

// ErrNoBundle says that a program has no artifact behind it.
var ErrNoBundle = errors.New("no module is attached to this program")

// A Bundle is what stands behind a program.
type Bundle struct {
	Off, Size int64 // of the artifact in the file
	Settings  []string
}

// AppendBundle gives a program with an encoded artifact and settings behind it.
func AppendBundle(program, art []byte, settings []string) []byte {
	file := slices.Clone(program)
	pad := func() int {
		file = append(file, make([]byte, alignUp(uint64(len(file)), pageSize)-uint64(len(file)))...)
		return len(file)
	}
	at := pad()
	file = append(file, art...)
	set := pad()
	c := codec{}
	list(&c, &settings, func(c *codec, s *string) { c.str(s) })
	file = append(file, c.b...)
	file = append(file, bundleMagic...)
	for _, n := range []int{at, len(art), set, len(c.b)} {
		file = le.AppendUint64(file, uint64(n))
	}
	sum := checksum(file[set:])
	return append(file, sum[:]...)
}

// ReadBundle finds what stands behind a program of the given size.
func ReadBundle(r io.ReaderAt, size int64) (*Bundle, error) {
	var t [trailerSize]byte
	if size < trailerSize {
		return nil, ErrNoBundle
	}
	if _, err := r.ReadAt(t[:], size-trailerSize); err != nil {
		return nil, err
	}
	if string(t[:len(bundleMagic)]) != bundleMagic {
		return nil, ErrNoBundle
	}
	var n [4]int64
	for i := range n {
		n[i] = int64(le.Uint64(t[len(bundleMagic)+8*i:]))
	}
	at, artSize, set, setSize := n[0], n[1], n[2], n[3]
	end := size - trailerSize
	if at < 0 || at%pageSize != 0 || at > end || artSize < 0 || artSize > end-at || set < at+artSize || set > end || setSize != end-set || setSize > 1<<20 {
		return nil, fmt.Errorf("damaged bundle: artifact [0x%x, +0x%x) and settings [0x%x, +0x%x) in a file of 0x%x bytes", at, artSize, set, setSize, size)
	}
	b := make([]byte, setSize+trailerSize)
	if _, err := r.ReadAt(b, set); err != nil {
		return nil, err
	}
	if checksum(b[:len(b)-sumSize]) != [sumSize]byte(b[len(b)-sumSize:]) {
		return nil, fmt.Errorf("damaged bundle: the checksum of the settings at 0x%x does not match", set)
	}
	c := codec{reading: true, b: b[:setSize]}
	bundle := &Bundle{Off: at, Size: artSize}
	list(&c, &bundle.Settings, func(c *codec, s *string) { c.str(s) })
	if c.err != nil {
		return nil, fmt.Errorf("damaged bundle: settings at 0x%x", set)
	}
	return bundle, nil
}
