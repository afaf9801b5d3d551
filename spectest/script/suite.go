package script

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// EnvDir is the environment variable that tells where the conformance data is.
const EnvDir = "WASMAOT_CONFORMANCE"

// HowToGet tells what to do if Find finds nothing.
const HowToGet = "the conformance suite is missing: convert each script of github.com/WebAssembly/testsuite by " +
	"`wasm-tools json-from-wast`, zip it with its modules as spec/GROUP/NAME.zip, and set " + EnvDir + " to the folder that has spec"

// Find returns the folder of the suite: spec in $WASMAOT_CONFORMANCE, else in shared/conformance
// beside the checkout that the working directory is in.
func Find() (Suite, error) {
	dir := os.Getenv(EnvDir)
	if dir == "" {
		root, err := checkout()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(root, "..", "shared", "conformance")
	}
	dir = filepath.Join(dir, "spec")
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("%s (%w)", HowToGet, err)
	}
	return Suite(dir), nil
}

// checkout is the nearest folder above the working directory with a go.mod.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New(HowToGet)
		}
		dir = up
	}
}

// Suite is the folder with the groups.
type Suite string

// Groups lists the groups of scripts; those in a subfolder as extra/name.
func (s Suite) Groups() ([]string, error) {
	paths, err := s.glob("*", "*.zip")
	nested, err2 := s.glob("*", "*", "*.zip")
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	var groups []string
	for _, path := range append(paths, nested...) {
		group, err := filepath.Rel(string(s), filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		groups = append(groups, filepath.ToSlash(group))
	}
	slices.Sort(groups)
	return slices.Compact(groups), nil
}

// Names lists the scripts of a group.
func (s Suite) Names(group string) ([]string, error) {
	paths, err := s.glob(group, "*.zip")
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no scripts in group %s", string(s), group)
	}
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(path), ".zip")
	}
	return names, nil
}

func (s Suite) glob(pattern ...string) ([]string, error) {
	return filepath.Glob(filepath.Join(string(s), filepath.Join(pattern...)))
}

// Open reads a script.
func (s Suite) Open(group, name string) (*Script, error) {
	path := filepath.Join(string(s), group, name+".zip")
	sc := &Script{Group: group, Name: name, files: map[string][]byte{}}
	if err := sc.read(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return sc, nil
}

// Counts are the numbers of a group's commands by type, as the suite's own index gives them.
func (s Suite) Counts(group string) (map[CommandType]int, error) {
	path := filepath.Join(string(s), "index.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var index []struct {
		Group  string
		Counts map[CommandType]int
	}
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sum := map[CommandType]int{}
	for _, script := range index {
		if script.Group == group {
			for kind, n := range script.Counts {
				sum[kind] += n
			}
		}
	}
	return sum, nil
}

// Script is a script and its modules.
type Script struct {
	Group, Name string
	Source      string // name of the .wast file
	Commands    []Command

	files map[string][]byte
}

func (s *Script) read(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		s.files[f.Name] = data
	}
	var list struct {
		Source   string    `json:"source_filename"`
		Commands []Command `json:"commands"`
	}
	if err := json.Unmarshal(s.files[s.Name+".json"], &list); err != nil {
		return fmt.Errorf("%s.json: %w", s.Name, err)
	}
	s.Source, s.Commands = list.Source, list.Commands
	return nil
}

// File returns the content of a file that a command names.
func (s *Script) File(name string) ([]byte, error) {
	data, ok := s.files[name]
	if !ok {
		return nil, fmt.Errorf("script %s/%s: no file %q", s.Group, s.Name, name)
	}
	return data, nil
}
