//go:build unix

package wasmaot

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// identity is what changes when a file's contents change: every write sets ctime, which programs cannot choose.
type identity struct {
	dev, ino     uint64
	size         int64
	mtime, ctime int64 // nanoseconds since 1970
}

// settled reports whether a change of the file after a time would change the identity: not if it was written so
// shortly before that the next write may get the same time, or if the file's clock is not ours.
func (id *identity) settled(then time.Time) bool {
	return then.UnixNano()-id.last() > int64(settleTime)
}

// last is when the file was changed last.
func (id *identity) last() int64 { return max(id.mtime, id.ctime) }

func newIdentity(st *unix.Stat_t) *identity {
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	return &identity{uint64(st.Dev), uint64(st.Ino), st.Size, st.Mtim.Nano(), st.Ctim.Nano()}
}

// identify gives the identity of the file at path, nil if it is no regular file.
func identify(path string) *identity {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return nil
	}
	return newIdentity(&st)
}

// trusted reports whether a directory is this user's or root's and no one else can write it.
func trusted(dir string) bool {
	var st unix.Stat_t
	return unix.Lstat(dir, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR &&
		(st.Uid == 0 || int(st.Uid) == os.Geteuid()) && st.Mode&0o022 == 0
}

// Pauses between attempts to lock, and the time after which compiling twice is the smaller evil.
const (
	firstLockPause = time.Millisecond
	lastLockPause  = 50 * time.Millisecond
	lockPatience   = time.Minute
)

// lockDir waits until no other process holds the directory's lock. The lock ends with its process. Where there are no locks, or the
// holder does not come to an end, it goes on without.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	unlock = func() { unix.Close(fd) }
	end := time.Now().Add(lockPatience)
	for pause := firstLockPause; ; pause = min(2*pause, lastLockPause) {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK && !errors.Is(err, unix.EINTR) || time.Now().After(end) {
			return unlock, nil
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
