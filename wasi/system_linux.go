package wasi

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wasmaot/wasmaot/wasi/sandbox"
)

// A System is what one guest sees of the world: its descriptors, arguments and
// clocks. Calls into it are serialised.
type System struct {
	mu     sync.Mutex
	closed atomic.Bool

	argv, environ textList
	files         fileTable
	first         firstFiles
	walkers       [2]*sandbox.Walker // made when wanted; the second is for file.rooted
	clock         clock
	rand          io.Reader
	trace         func(Call)
	network       Network

	waker waker
	poll  poller
	dir   dirBuffer
	call  call

	links linked // what Resolve has made

	config Config // for Reset
}

// New opens what cfg names. The errors name the file and say what is wrong with it.
func New(cfg *Config) (*System, error) {
	s := &System{
		clock:   newClock(cfg),
		rand:    cfg.Rand,
		trace:   cfg.Trace,
		network: cfg.Network,
		files:   fileTable{max: cfg.MaxFiles},
		waker:   waker{fd: -1},
		config:  *cfg,
	}
	s.call.System = s
	if s.rand == nil {
		s.rand = &systemRandom{}
	}
	if s.files.max <= 0 {
		s.files.max = DefaultMaxFiles
	}
	if err := s.open(cfg); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// firstFiles is room for what most guests open with.
type firstFiles struct {
	files [4]file
	used  int
	table [8]*file
}

// newFile is room for a file of Config.
func (s *System) newFile() *file {
	r := &s.first
	if r.used == len(r.files) {
		return &file{}
	}
	r.used++
	return &r.files[r.used-1]
}

func (s *System) open(cfg *Config) error {
	s.first, s.dir.owner = firstFiles{}, nil
	s.files.files = s.first.table[:0]
	streams := []*os.File{cfg.Stdin, cfg.Stdout, cfg.Stderr}
	for n, f := range streams {
		if err := s.addStream(n, f); err != nil {
			return err
		}
	}
	dirs := slices.Clone(cfg.Dirs)
	for i := range dirs {
		dirs[i].device = firstDevice + uint64(i)
	}
	dirs, env, err := withAbsolute(dirs, cfg.Env)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		if err := s.addDir(d); err != nil {
			return err
		}
	}
	for _, l := range cfg.Listeners {
		if err := s.addListener(l); err != nil {
			return err
		}
	}
	for _, e := range env {
		if i := strings.IndexByte(e, '='); i <= 0 {
			return fmt.Errorf("environment %q: expected NAME=VALUE", e)
		}
	}
	if s.argv, err = newTextList("argument", cfg.Args); err != nil {
		return err
	}
	s.environ, err = newTextList("environment", env)
	s.files.changed = false
	return err
}

// Reset gives the guest the descriptors that it began with: what it has opened since is closed, what it has closed or changed is opened
// anew as Config says. Bytes that it has read from its standard input stay read.
func (s *System) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.files.changed || s.closed.Load() {
		return nil
	}
	err := s.closeFiles()
	s.files = fileTable{max: s.files.max}
	return errors.Join(err, s.open(&s.config))
}

// Close closes all of the guest's descriptors. The System answers EBADF from then
// on.
func (s *System) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed.Store(true)
	err := s.closeFiles()
	s.files.files = nil
	s.waker.close()
	return err
}

func (s *System) closeFiles() error {
	var errs []error
	for _, f := range s.files.files {
		if f != nil {
			if err := f.close(); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// addDir opens a directory for the guest.
func (s *System) addDir(d Dir) error {
	if d.FS != nil {
		return s.addMount(d)
	}
	name := d.guestName()
	if err := checkGuestName(name); err != nil {
		return fmt.Errorf("directory %s: %w", d.Host, err)
	}
	fd, err := sandbox.OpenRoot(d.Host)
	if err != nil {
		return fmt.Errorf("directory %s: %w", d.Host, err)
	}
	f := s.newFile()
	*f = file{
		fd:         fd,
		filetype:   filetypeDirectory,
		base:       rightsDirectory,
		inheriting: rightsInheriting,
		readOnly:   d.ReadOnly,
		preopen:    true,
		name:       name,
		rooted:     name == "/" && filepath.Clean(d.Host) == "/",
	}
	if d.ReadOnly {
		f.base &^= rightsChange
		f.inheriting &^= rightsChange
	}
	return s.addOpened(f, "directory "+d.Host)
}

func checkGuestName(name string) error {
	if strings.IndexByte(name, 0) >= 0 || len(name) > maxPath {
		return fmt.Errorf("guest name %q: expected at most %d bytes and no NUL", name, maxPath)
	}
	return nil
}

// addOpened gives a file of Config to the guest.
func (s *System) addOpened(f *file, what string) error {
	if s.files.full() {
		f.close()
		return fmt.Errorf("%s: more than %d open files", what, s.files.max)
	}
	s.files.add(f)
	return nil
}

func (d *Dir) guestName() string {
	if d.Guest == "" {
		return d.Host
	}
	return d.Guest
}

// withAbsolute adds to each directory with a relative guest name the same under
// its absolute name, below PWD, unless that name is taken. PWD is added if needed
// and not there.
func withAbsolute(dirs []Dir, env []string) ([]Dir, []string, error) {
	pwd := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PWD="); ok {
			pwd = v
		}
	}
	all := dirs[:len(dirs):len(dirs)]
	for _, d := range dirs {
		name := d.guestName()
		if path.IsAbs(name) {
			continue
		}
		if !path.IsAbs(pwd) {
			wd, err := os.Getwd()
			if err != nil {
				return nil, nil, fmt.Errorf("directory %s: working directory: %w", d.Host, err)
			}
			pwd = wd
			env = append(env[:len(env):len(env)], "PWD="+pwd)
		}
		d.Guest = path.Join(pwd, name)
		if !slices.ContainsFunc(all, func(e Dir) bool { return e.guestName() == d.Guest }) {
			all = append(all, d)
		}
	}
	return all, env, nil
}

// A textList is arguments or environment.
type textList struct {
	items []string
	size  uint32 // with terminating NULs
}

func newTextList(what string, items []string) (textList, error) {
	l := textList{items: append([]string(nil), items...)}
	total := uint64(0)
	for _, s := range items {
		if strings.IndexByte(s, 0) >= 0 {
			return l, fmt.Errorf("%s %q: expected no NUL", what, s)
		}
		total += uint64(len(s)) + 1
	}
	if total > math.MaxInt32 {
		return l, fmt.Errorf("%ss: %d bytes, expected at most %d", what, total, math.MaxInt32)
	}
	l.size = uint32(total)
	return l, nil
}
