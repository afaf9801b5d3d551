package wasmaot

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"

	"github.com/wasmaot/wasmaot/internal/sha256"
)

// Demand says when the functions of a module that the cache does not have are compiled.
type Demand uint8

const (
	// DemandNever compiles all functions before the module is used, and stores them.
	DemandNever Demand = iota
	// DemandAlways compiles a function when it is first called, and stores nothing.
	DemandAlways
	// DemandAuto compiles on demand what may never be run again, such as the modules that go run and go test make: a large module that the cache has
	// not seen before, or any large one without a cache. The next time all of it is compiled and stored.
	DemandAuto
)

// demandSize is the size from which DemandAuto compiles on demand: compiling all functions takes two processors ten milliseconds then, on demand a third of it.
const demandSize = 256 << 10

// compiles reports whether a module that the cache c, which may be nil, does not have is compiled on demand. What is wrong with the cache, which could not
// store an artifact either, is given too.
func (d Demand) compiles(c *Cache, src *source, options string) (bool, error) {
	switch {
	case d == DemandNever, d == DemandAuto && len(src.bytes) < demandSize:
		return false, nil
	case d == DemandAlways || c == nil:
		return true, nil
	}
	seen, err := c.note(moduleNote(src.sum(), options))
	return !seen, err
}

// What the cache has heard of is noted in a file: a table in which each note has one slot, whose contents are a part of the note's hash. What came later to the
// same slot, or is torn, makes it unknown again: that costs time and nothing else. Noted are modules that were compiled on demand, by their hashes, and sizes of
// stored modules' files: one of another size is new, and there is no need to hash it before it is read.
const (
	notesName  = "seen"
	notesSlots = 4096
	noteSize   = 16
)

func moduleNote(wasm [sha256.Size]byte, options string) [sha256.Size]byte {
	return hashOfKey(options, "seen", string(wasm[:]))
}

func sizeNote(size int64, options string) [sha256.Size]byte {
	return hashOfKey(options, "size", strconv.FormatInt(size, 10))
}

// noted reports whether something was noted.
func (c *Cache) noted(note [sha256.Size]byte) bool {
	f, err := os.Open(filepath.Join(c.dir, notesName))
	if err != nil {
		return false
	}
	defer f.Close()
	return isNoted(f, note)
}

// note notes something, and reports whether it was noted before.
func (c *Cache) note(note [sha256.Size]byte) (before bool, err error) {
	if err := makePrivate(c.dir); err != nil {
		return false, err
	}
	f, err := os.OpenFile(filepath.Join(c.dir, notesName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if isNoted(f, note) {
		return true, nil
	}
	_, err = f.WriteAt(note[:noteSize], notePlace(note))
	return false, err
}

func isNoted(f *os.File, note [sha256.Size]byte) bool {
	var slot [noteSize]byte
	_, err := f.ReadAt(slot[:], notePlace(note))
	return err == nil && slot == [noteSize]byte(note[:noteSize])
}

// notePlace is the offset of a note's slot.
func notePlace(note [sha256.Size]byte) int64 {
	return int64(binary.LittleEndian.Uint64(note[noteSize:])%notesSlots) * noteSize
}
