package wasmaot

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"github.com/wasmaot/wasmaot/internal/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/wasmaot/wasmaot/compiler"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/cli"
)

// A Cache keeps artifacts in a directory, named by what they were made from: the module's contents, the
// compiler's build and the options that shape code. Entries are published by renaming a complete
// file, so any number of processes may share the directory.
//
//	ab/cdef….cwasm   artifacts; ab is the beginning of the name
//	seen             the last few thousand notes: modules that were compiled on demand, sizes of those that were stored
//	files/abcdef…    symbolic links to them, named by the identity of a module's file: an unchanged file
//	                 is neither read nor hashed
//	files/sound-…    symbolic links to artifacts, named by the identity of the artifact's file: it was compared with
//	                 its checksums; an unchanged one is not compared again
//
// Only directories and artifacts that no one else can write are used: an artifact is code.
type Cache struct {
	// MaxSize bounds the size of all artifacts in bytes; 0 means DefaultCacheSize. When an entry is stored, those that
	// were not used for the longest time make room.
	MaxSize int64

	dir string
}

// DefaultCacheSize is the bound of a cache's size if Cache.MaxSize is 0.
const DefaultCacheSize = 2 << 30

const (
	entrySuffix = ".cwasm"
	linkDir     = "files"
	soundPrefix = "sound-"
	tempPrefix  = cli.TempPrefix
)

// useInterval is how exactly the time of an entry's last use is known: noting it costs a write.
const useInterval = time.Hour

// settleTime is longer than the steps in which file systems count time: seconds in the oldest ones, ticks of the kernel's
// clock in those of today.
const settleTime = 2 * time.Second

// DefaultCacheDir is the directory "wasmaot" in the user's cache directory.
func DefaultCacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w", err)
	}
	return filepath.Join(dir, "wasmaot"), nil
}

// OpenCache gives the cache in dir, which is made when the first entry is stored.
func OpenCache(dir string) *Cache { return &Cache{dir: dir} }

// Dir is the cache's directory.
func (c *Cache) Dir() string { return c.dir }

// hashOfKey is the hash of the values, and of what makes artifacts usable for this program.
func hashOfKey(options string, values ...string) [sha256.Size]byte {
	b := make([]byte, 0, 512)
	for _, n := range [...]int64{abi.Version, artifact.FormatVersion} {
		b = append(strconv.AppendInt(b, n, 10), ' ')
	}
	for _, s := range append([]string{compiler.Build(), options}, values...) {
		b = append(strconv.AppendQuote(b, s), ' ')
	}
	return sha256.Sum256(b)
}

// hashName is hashOfKey in hexadecimal digits.
func hashName(options string, values ...string) string {
	sum := hashOfKey(options, values...)
	return hex.EncodeToString(sum[:])
}

// path is the place of the artifact of a module with the given SHA-256 hash.
func (c *Cache) path(wasm [sha256.Size]byte, options string) string {
	name := hashName(options, string(wasm[:]))
	return filepath.Join(c.dir, name[:2], name[2:]+entrySuffix)
}

// fileLink is the place of the link for a module's file.
func (c *Cache) fileLink(id *identity, options string) string {
	return filepath.Join(c.dir, linkDir, hashName(options, "file", id.String()))
}

// byIdentity gives the artifact of a file that has not changed since its link was made, nil if there is none that is sound.
func (c *Cache) byIdentity(id *identity, options string) *artifact.Artifact {
	if !trusted(filepath.Join(c.dir, linkDir)) {
		return nil
	}
	a, err := c.load(c.fileLink(id, options), options)
	if err != nil {
		return nil // what is wrong is told by the search for the contents, which leads to the same file
	}
	return a
}

// byContents gives the artifact of a module, nil without an error if there is none.
func (c *Cache) byContents(wasm [sha256.Size]byte, options string) (*artifact.Artifact, error) {
	path := c.path(wasm, options)
	a, err := c.load(path, options)
	if a != nil && a.Header.WasmHash != wasm {
		return nil, errors.Join(fmt.Errorf("%s: expected the artifact of module %x, found that of %x", path, wasm, a.Header.WasmHash), release(a))
	}
	return a, err
}

// load gives the artifact at path, nil without an error if there is none.
func (c *Cache) load(path, options string) (*artifact.Artifact, error) {
	a, noted, err := c.open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if h := &a.Header; h.Build != compiler.Build() || h.Options != options {
		return nil, errors.Join(fmt.Errorf("%s: expected build %q with options %q, found %q with %q", path, compiler.Build(), options, h.Build, h.Options), release(a))
	}
	if now := time.Now(); now.Sub(noted) > useInterval {
		// If it cannot be noted the entry may be removed too early, and is made again. It changes the file's identity, so the artifact is
		// compared with its checksums again next time.
		_ = os.Chtimes(path, time.Time{}, now)
	}
	return a, nil
}

// open opens an artifact and gives the time of its last modification. What was compared with the checksums is remembered, and not compared again until
// the file changes. c may be nil.
func (c *Cache) open(path string) (a *artifact.Artifact, modified time.Time, err error) {
	known := false
	a, id, clock, err := openArtifact(path, func(id *identity) bool {
		known = c.isSound(id)
		return known
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	if !known {
		_ = c.markSound(id, path, clock) // without the mark it is compared again
	}
	return a, time.Unix(0, id.mtime), nil
}

// soundMark is the place of the mark for an artifact's file.
func (c *Cache) soundMark(id *identity) string {
	return filepath.Join(c.dir, linkDir, soundPrefix+id.String())
}

// isSound reports whether an artifact's file was found sound and has not changed since. A mark in a directory that others can write says nothing.
func (c *Cache) isSound(id *identity) bool {
	if c == nil {
		return false
	}
	_, err := os.Readlink(c.soundMark(id))
	return err == nil && trusted(filepath.Join(c.dir, linkDir))
}

// String is the identity in one word.
func (id *identity) String() string {
	b := strconv.AppendUint(make([]byte, 0, 96), id.dev, 16)
	for _, n := range [...]uint64{id.ino, uint64(id.size), uint64(id.mtime), uint64(id.ctime)} {
		b = strconv.AppendUint(append(b, '-'), n, 16)
	}
	return string(b)
}

// markSound notes that the artifact at path, whose file has an identity, is sound, as was found after fileClock gave a time: unless the file may change
// without a change of its identity.
func (c *Cache) markSound(id *identity, path string, clock int64) error {
	if c == nil || !id.settled(time.Unix(0, clock)) && !id.ticked(path, clock) {
		return nil
	}
	target, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	return c.link(target, c.soundMark(id))
}

// release gives back what an opened artifact holds.
func release(a *artifact.Artifact) error {
	if a.Release == nil {
		return nil
	}
	return a.Release()
}

// compile makes the artifact of a module that byContents did not find, and stores it. Several processes that want the same at the same time wait for the
// first. warn receives what is wrong with the cache.
func (c *Cache) compile(ctx context.Context, src *source, opts compiler.Options, options string, warn func(error)) (*artifact.Artifact, error) {
	path := c.path(src.sum(), options)
	storeErr := makePrivate(c.dir, filepath.Dir(path))
	if storeErr == nil {
		var unlock func()
		if unlock, storeErr = lockDir(ctx, filepath.Dir(path)); storeErr == nil {
			defer unlock()
			if a, _ := c.byContents(src.sum(), options); a != nil {
				return a, nil // another process was faster
			}
		}
	}
	a, err := compileAhead(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	if storeErr == nil {
		if storeErr = c.store(path, a); storeErr == nil && len(src.bytes) > hashChunk {
			_, storeErr = c.note(sizeNote(int64(len(src.bytes)), options))
		}
	}
	if storeErr != nil {
		warn(cacheError(storeErr))
	}
	return a, nil
}

// cacheError is the warning about a cache that cannot be used.
func cacheError(err error) error { return fmt.Errorf("cache: %w; going on without it", err) }

// compileAhead compiles all functions of a module.
func compileAhead(ctx context.Context, src *source, opts compiler.Options) (*artifact.Artifact, error) {
	code, err := compiler.CompileCode(ctx, src.bytes, src.hash, opts)
	if err != nil {
		return nil, err
	}
	return code.Artifact()
}

// store publishes an artifact.
func (c *Cache) store(path string, a *artifact.Artifact) error {
	if err := cli.WriteFileFrom(path, a, 0o600); err != nil {
		return err
	}
	return c.evict(path)
}

// remember links a file, which was read after a time, to its artifact, unless the file may change without a change of its identity.
func (c *Cache) remember(id *identity, read time.Time, wasm [sha256.Size]byte, options string) error {
	if !id.settled(read) {
		return nil
	}
	link := c.fileLink(id, options)
	target, err := filepath.Rel(filepath.Dir(link), c.path(wasm, options))
	if err != nil {
		return err
	}
	return c.link(target, link)
}

// link publishes a symbolic link.
func (c *Cache) link(target, link string) error {
	dir := filepath.Dir(link)
	if err := makePrivate(c.dir, dir); err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s%c%s%d-%d", dir, filepath.Separator, tempPrefix, os.Getpid(), time.Now().UnixNano())
	if err := os.Symlink(target, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, link); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return nil
}

// makePrivate makes directories that only this user can write, and refuses others that are there already.
func makePrivate(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if last := dirs[len(dirs)-1]; !trusted(last) {
		return fmt.Errorf("%s: not trusted: expected a directory that only this user can write", last)
	}
	return nil
}
