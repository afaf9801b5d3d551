package compiler

import (
	"runtime/debug"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/internal/lazy"
)

// Build identifies the compiler in artifacts: code of another build is not reused. It is the version of the module, if that
// names the source exactly, and of Go: then programs for all machines are the same build, and take artifacts from
// each other. Otherwise it is the Go build ID of the running program, which changes with every change of the compiler's code.
func Build() string {
	return buildOnce.Get(func() string {
		info, ok := debug.ReadBuildInfo()
		if ok {
			if source := sourceOf(info); source != "" {
				return source
			}
		}
		if id := buildID(selfNotes()); id != "" {
			return id
		}
		if ok {
			return info.Main.Version + " " + info.Main.Sum
		}
		return "unknown"
	})
}

var buildOnce lazy.Value[string]

const modulePath = "github.com/wasmaot/wasmaot"

// sourceOf is the source and the Go that a program was built from, empty if the source may have been changed: as the main module it
// has a version that the go tool took from an unmodified repository or from a download, as a dependency that of a download.
func sourceOf(info *debug.BuildInfo) string {
	m := &info.Main
	if m.Path != modulePath {
		i := slices.IndexFunc(info.Deps, func(d *debug.Module) bool { return d.Path == modulePath })
		if i < 0 || info.Deps[i].Replace != nil || info.Deps[i].Sum == "" {
			return ""
		}
		m = info.Deps[i]
	}
	if m.Version == "" || m.Version == "(devel)" || strings.Contains(m.Version, "+dirty") {
		return ""
	}
	return m.Version + " " + info.GoVersion
}

// buildID finds the note that Go's linker leaves among those of a program: name "Go\0\0", type 4 (cmd/internal/buildid).
func buildID(notes [][]byte) string {
	const header = 12
	for _, b := range notes {
		for len(b) >= header { // sizes of name and contents, type; both are filled up to 4 bytes
			nameSize, size, kind := uint64(le.Uint32(b)), uint64(le.Uint32(b[4:])), le.Uint32(b[8:])
			at := header + (nameSize+3)&^3
			next := at + (size+3)&^3
			if at+size > uint64(len(b)) {
				break
			}
			if kind == 4 && string(b[header:header+nameSize]) == "Go\x00\x00" {
				return string(b[at : at+size])
			}
			b = b[min(next, uint64(len(b))):]
		}
	}
	return ""
}
