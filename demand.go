package wasmaot

import (
	"encoding/binary"
	"os"
	"path/filepath"

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
	seen, err := c.see(src.sum(), options)
	return !seen, err
}

// The modules that were compiled on demand are noted in a file of the cache: a table in which each has one slot, whose contents are a part of the
// hash that names its artifact. What came later to the same slot, or is torn, makes a module new again: that costs time and nothing else.
const (
	seenName  = "seen"
	seenSlots = 4096
	seenSize  = 16
)

// see notes a module, and reports whether it was noted before.
func (c *Cache) see(wasm [sha256.Size]byte, options string) (before bool, err error) {
	if err := makePrivate(c.dir); err != nil {
		return false, err
	}
	f, err := os.OpenFile(filepath.Join(c.dir, seenName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close()
	name := hashOfKey(options, "seen", string(wasm[:]))
	at := int64(binary.LittleEndian.Uint64(name[seenSize:])%seenSlots) * seenSize
	var slot [seenSize]byte
	if _, err := f.ReadAt(slot[:], at); err == nil && slot == [seenSize]byte(name[:seenSize]) {
		return true, nil
	}
	_, err = f.WriteAt(name[:seenSize], at)
	return false, err
}
