package wasmaot

import "golang.org/x/sys/unix"

// fileClock is the clock that the kernel takes the times of files from; 0 if there is none. It goes in ticks of 1 to 10 ms.
func fileClock() int64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now) != nil {
		return 0
	}
	return now.Nano()
}

// ticked reports whether a change of the file at path by write(2), after fileClock gave a time, would change the identity: where the file system takes all
// times from that clock and keeps them as they are, that is so from the next tick after the last change on.
func (id *identity) ticked(path string, clock int64) bool {
	const nanoseconds = 1000 // that times are counted in units less than this many
	if clock <= id.last() || id.ctime%nanoseconds == 0 {
		return false
	}
	var fs unix.Statfs_t
	var st unix.Stat_t
	if unix.Statfs(path, &fs) != nil || unix.Stat(path, &st) != nil || uint64(st.Dev) != id.dev {
		return false
	}
	switch fs.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}
