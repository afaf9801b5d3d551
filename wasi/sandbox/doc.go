// Package sandbox resolves guest paths below an open directory so that nothing
// outside of it can be reached: not by "..", not by absolute paths or symbolic
// links, not by trailing slashes, and not by renaming directories or swapping
// symbolic links while a path is being resolved.
//
// Two walkers do this, and give the same answers. One asks the kernel
// (openat2 with RESOLVE_BENEATH, Linux 5.6); the other opens one component after
// the other with O_NOFOLLOW and resolves symbolic links itself. Whatever creates,
// removes or renames an entry resolves the path to its last directory first and
// then acts on (directory, single name), which the kernel never follows.
//
// Symbolic links with an absolute target are refused, in resolving as well as in
// creating them: they mean something else outside than the guest sees. Only where
// the directory is the host's "/" and the guest's as well do they mean the same:
// there a Rooted walker follows and creates them.
package sandbox

import "errors"

// ErrEscape is returned for a path that leads outside its directory.
var ErrEscape = errors.New("path leads outside its directory")
