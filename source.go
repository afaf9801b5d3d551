package wasmaot

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/sha256"
)

// source is a module's contents.
type source struct {
	bytes    []byte
	hash     *[sha256.Size]byte // nil until sum is asked: the compiler can make it beside other work
	borrowed bool               // the bytes are the caller's, who may change them later
}

// own makes the bytes ours: what is compiled later must be what was checked.
func (s *source) own() {
	if s.borrowed {
		s.bytes, s.borrowed = bytes.Clone(s.bytes), false
	}
}

func (s *source) sum() [sha256.Size]byte {
	if s.hash == nil {
		sum := sha256.Sum256(s.bytes)
		s.hash = &sum
	}
	return *s.hash
}

// From largeFile on a file is hashed by one thread while another reads it, readChunk at a time: most of the time of reading goes into pages of new
// memory, together about as much as into the hash.
const (
	largeFile = 1 << 20
	hugeFile  = 1 << 30 // memory for it is asked for as it is read
	readChunk = 256 << 10
)

// hashChunk is read at a time for a hash alone: a warm start has no need of the module in memory.
const hashChunk = 64 << 10

// hashSource hashes a file, unless it is an artifact.
func hashSource(path string) (hash [sha256.Size]byte, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return hash, false
	}
	defer f.Close()
	b := make([]byte, hashChunk)
	var h sha256.Hash
	n, err := io.ReadFull(f, b[:artifact.MagicSize])
	if artifact.IsArtifact(b[:n]) {
		return hash, false
	}
	for err == nil {
		h.Write(b[:n])
		n, err = f.Read(b)
	}
	return h.Sum(), errors.Is(err, io.EOF)
}

// readSource reads a file, only its beginning if it is an artifact.
func readSource(path string) (s *source, isArtifact bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	head := make([]byte, artifact.MagicSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, false, err
	}
	if artifact.IsArtifact(head[:n]) {
		return nil, true, nil
	}
	s = &source{}
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() < hugeFile {
		size := int(info.Size())
		if size >= largeFile && s.readLarge(f, size) {
			return s, false, nil
		}
		b.Grow(size + bytes.MinRead)
	}
	b.Write(head[:n])
	_, err = b.ReadFrom(f)
	s.bytes = b.Bytes()
	return s, false, err
}

// readLarge reads and hashes a file of a size. If it fails, as with a file that becomes shorter, it is to be read in another way.
func (s *source) readLarge(f io.ReaderAt, size int) bool {
	b := make([]byte, size)
	ends := make(chan int, size/readChunk+1)
	go func() {
		defer close(ends)
		for at := 0; at < size; {
			end := min(at+readChunk, size)
			if n, _ := f.ReadAt(b[at:end], int64(at)); n < end-at {
				return
			}
			at = end
			ends <- end
		}
	}()
	var h sha256.Hash
	at := 0
	for end := range ends {
		h.Write(b[at:end])
		at = end
	}
	if at < size {
		return false
	}
	sum := h.Sum()
	s.bytes, s.hash = b, &sum
	return true
}
