package wasi

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// ModuleName is the import module of the functions.
const ModuleName = "wasi_snapshot_preview1"

// Config describes what a guest is given. The zero value gives nothing: no
// arguments, no environment, empty input, discarded output, no directory.
type Config struct {
	// Args are the arguments, the program's name first.
	Args []string
	// Env is the environment, "name=value" each.
	Env []string

	// Stdin is descriptor 0; nil is an empty file. Stdout and Stderr are
	// descriptors 1 and 2; nil discards. The files are duplicated: the caller keeps
	// its own, and their blocking mode is left as it is.
	Stdin, Stdout, Stderr *os.File

	// Dirs are the directories, from descriptor 3 on. If one has a relative guest
	// name, the guest gets it under its absolute name too, and PWD unless Env has
	// it, so that relative paths resolve for guests of either habit: C's library
	// looks for ".", Go joins PWD and looks for an absolute prefix.
	Dirs []Dir

	// Listeners are listening stream sockets, on the descriptors after Dirs. They
	// are duplicated and made non-blocking, also to the guest: FDFLAG_NONBLOCK is set,
	// without which Go's os.NewFile leaves a descriptor out of its poller.
	Listeners []*os.File

	// Network is what sockets that the guest opens itself may be used for.
	Network Network

	// MaxFiles is the number of descriptors that the guest may have open; 0 means
	// DefaultMaxFiles.
	MaxFiles int

	// Now replaces the clock, Rand the source of randomness; for tests.
	Now  func() time.Time
	Rand io.Reader

	// OwnProcess says that the host's process serves this guest alone. Its CPU time
	// since New is then the guest's, for the clocks process_cputime and
	// thread_cputime, which are the same for a guest of one thread; calls to the host
	// are included. Without it they answer ENOTSUP: what one guest uses cannot be
	// told from what others and the host do.
	OwnProcess bool

	// Trace, if set, is told of every call after it was made.
	Trace func(Call)
}

// DefaultMaxFiles is the number of descriptors a guest may have open by default.
const DefaultMaxFiles = 8192

// Dir is a directory of the host, or a file system of the host program's, that a guest sees.
type Dir struct {
	Host     string // path on the host
	Guest    string // name for the guest, without NUL; empty means Host
	ReadOnly bool   // nothing in it can be created, written, changed or removed

	// FS is seen in place of a directory of the host, read-only. It is asked when the guest asks; it must allow several
	// guests at once if several are given it.
	//
	// Files are read with io.ReaderAt or io.Seeker where they have it; without, going back reads a file again from its beginning. What is neither a file nor a directory cannot be
	// opened. If the file system is an fs.ReadLinkFS its symbolic links are resolved here and cannot lead out of it; the file system of
	// os.DirFS can be led out of by who changes links meanwhile, that of os.Root.FS cannot. Reads that wait in the
	// file system are not ended by the context's end.
	FS fs.FS

	device uint64 // of FS, for the guest
}

// Groups of functions.
const (
	GroupFilesystem = "filesystem"
	GroupClock      = "clock"
	GroupPoll       = "poll"
	GroupRandom     = "random"
	GroupSock       = "sock"
	GroupProc       = "proc" // arguments and environment as well
)

// Groups is the list of them.
var Groups = []string{GroupFilesystem, GroupClock, GroupPoll, GroupRandom, GroupSock, GroupProc}

// Call is a finished call of a guest.
type Call struct {
	Function string
	Group    string   // one of Groups
	Args     []uint64 // as the guest passed them
	Params   []string // the arguments decoded, name=value each
	Results  []string // what was stored in guest memory, likewise, if the call succeeded
	Errno    Errno
	Err      error // what ended the guest, if anything
	Duration time.Duration
}

// String is the call in one line, as strace(1) has it.
func (c Call) String() string {
	result := c.Errno.String()
	switch {
	case c.Err != nil:
		result = c.Err.Error()
	case len(c.Results) > 0:
		result = strings.Join(c.Results, ", ")
	case c.Errno == ESUCCESS:
		result = "ok"
	}
	return fmt.Sprintf("%s(%s) = %s <%v>", c.Function, strings.Join(c.Params, ", "), result, c.Duration)
}

// exit ends a guest that called proc_exit.
type exit struct{ code uint32 }

func (e *exit) Error() string { return "the guest called proc_exit" }
