package wasmaot

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wasmaot/wasmaot/compiler/artifact"
)

// CacheEntry is an artifact in a cache.
type CacheEntry struct {
	Path string
	Size int64
	Used time.Time // last, to the hour
}

// tempLife is how long a file that was not published may be still in work.
const tempLife = time.Hour

// Entries lists the artifacts, those used last first.
func (c *Cache) Entries() ([]CacheEntry, error) {
	list, _, err := c.scan()
	slices.SortFunc(list, func(a, b CacheEntry) int {
		return cmp.Or(b.Used.Compare(a.Used), strings.Compare(a.Path, b.Path))
	})
	return list, err
}

// scan finds the artifacts, and what can be removed: files that were left by processes that died, links that lead nowhere. What other
// processes remove meanwhile is not there.
func (c *Cache) scan() (list []CacheEntry, rubbish []string, err error) {
	err = filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil || d.IsDir():
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		switch name := d.Name(); {
		case strings.HasPrefix(name, tempPrefix):
			if time.Since(info.ModTime()) > tempLife {
				rubbish = append(rubbish, path)
			}
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Stat(path)
			// A mark from before the artifact's last change says nothing any more.
			stale := err == nil && strings.HasPrefix(name, soundPrefix) && info.ModTime().Before(target.ModTime())
			if stale || errors.Is(err, fs.ErrNotExist) {
				rubbish = append(rubbish, path)
			}
		case info.Mode().IsRegular() && strings.HasSuffix(name, entrySuffix):
			list = append(list, CacheEntry{path, info.Size(), info.ModTime()})
		}
		return nil
	})
	return list, rubbish, err
}

// Clean removes the entries that were not used for the longest time until at most max bytes are left, and what dead processes left. If none shall be left it
// is also forgotten what modules were seen.
func (c *Cache) Clean(max int64) (removed int, err error) {
	removed, err = c.clean(max, "")
	if max == 0 {
		if e := os.Remove(filepath.Join(c.dir, notesName)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return removed, err
}

// evict keeps the cache within its bound. The artifact at path stays.
func (c *Cache) evict(path string) error {
	max := c.MaxSize
	if max == 0 {
		max = DefaultCacheSize
	}
	_, err := c.clean(max, path)
	return err
}

func (c *Cache) clean(max int64, keep string) (removed int, err error) {
	list, rubbish, err := c.scan()
	if err != nil {
		return 0, err
	}
	slices.SortFunc(list, func(a, b CacheEntry) int {
		return cmp.Or(a.Used.Compare(b.Used), strings.Compare(a.Path, b.Path))
	})
	var sum int64
	for i := range list {
		sum += list[i].Size
	}
	for i := range list {
		if sum <= max {
			break
		}
		if list[i].Path == keep {
			continue
		}
		// Processes that have it mapped keep it; others do not find it and compile.
		if e := os.Remove(list[i].Path); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
			continue
		}
		sum -= list[i].Size
		removed++
	}
	for _, path := range rubbish {
		if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return removed, err
}

// Verify compares every byte of the entry with its checksums.
func (e *CacheEntry) Verify() error {
	data, err := os.ReadFile(e.Path)
	if err != nil {
		return err
	}
	return artifact.Verify(data)
}

// Header reads the entry's header.
func (e *CacheEntry) Header() (*artifact.Header, error) {
	f, err := os.Open(e.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return artifact.ReadHeader(f)
}
