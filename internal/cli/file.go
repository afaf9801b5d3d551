package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// TempPrefix begins the names of files that are not finished.
const TempPrefix = ".tmp-"

// CheckOutput tells before long work whether there is a place for its result.
func CheckOutput(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: %s is not a directory", path, dir)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s: it is a directory: expected a file", path)
	}
	return nil
}

// WriteFile writes a file that appears whole or not at all. What is there and no regular file, such as /dev/null or a pipe, is written
// to: a rename would put a file in its place. A link stays one.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	return WriteFileFrom(path, bytes.NewReader(data), mode)
}

// WriteFileFrom is WriteFile for what writes itself.
func WriteFileFrom(path string, from io.WriterTo, mode fs.FileMode) (err error) {
	if fi, err := os.Stat(path); err == nil && !fi.Mode().IsRegular() && !fi.IsDir() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = from.WriteTo(f)
		return errors.Join(err, f.Close())
	}
	// The name of the file for a while tells people nothing.
	named := path
	defer func() {
		var failed *fs.PathError
		if errors.As(err, &failed) {
			err = &fs.PathError{Op: failed.Op, Path: named, Err: failed.Err}
		}
	}()
	if file, err := filepath.EvalSymlinks(path); err == nil {
		path = file
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), TempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = from.WriteTo(tmp); err != nil {
		return err
	}
	if err = tmp.Chmod(mode); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return publish(tmp.Name(), path)
}
