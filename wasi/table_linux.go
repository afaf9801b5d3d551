package wasi

// A function is a row of the table.
type function struct {
	name   string
	params []param
	impl   func(*call) Errno
}

// A param is a parameter as witx has it; kinds tells how it travels and what the
// shim makes of it.
type param struct {
	kind   kind
	name   string
	rights rights // fd: what the descriptor needs
	size   uint32 // in, out: bytes
}

func argFD(r rights) param               { return param{kind: kindFD, name: "fd", rights: r} }
func argU32(name string) param           { return param{kind: kindU32, name: name} }
func argU64(name string) param           { return param{kind: kindU64, name: name} }
func argPtr(name string) param           { return param{kind: kindPtr, name: name} }
func argPath(name string) param          { return param{kind: kindPath, name: name} }
func argBuf(name string) param           { return param{kind: kindBuf, name: name} }
func argIn(name string, n uint32) param  { return param{kind: kindIn, name: name, size: n} }
func argOut(name string, n uint32) param { return param{kind: kindOut, name: name, size: n} }

var argIovs = param{kind: kindIovs, name: "iovs"}

// Sizes of records in guest memory.
const (
	sizeU16      = 2
	sizeU32      = 4
	sizeU64      = 8
	sizePrestat  = 8
	sizeIovec    = 8
	sizeFdstat   = 24
	sizeDirent   = 24
	sizeEvent    = 32
	sizeSub      = 48
	sizeFilestat = 64
)

// functions is all of wasi_snapshot_preview1, in witx's order. Each returns an
// errno, but proc_exit, which has no result. The rights are those that witx names;
// path_open, fd_seek and poll_oneoff check more of their own.
var functions = []function{
	{"args_get", []param{argPtr("argv"), argPtr("buf")}, (*call).argsGet},
	{"args_sizes_get", []param{argOut("argc", sizeU32), argOut("size", sizeU32)}, (*call).argsSizesGet},
	{"environ_get", []param{argPtr("environ"), argPtr("buf")}, (*call).environGet},
	{"environ_sizes_get", []param{argOut("count", sizeU32), argOut("size", sizeU32)}, (*call).environSizesGet},

	{"clock_res_get", []param{argU32("id"), argOut("resolution", sizeU64)}, (*call).clockResGet},
	{"clock_time_get", []param{argU32("id"), argU64("precision"), argOut("time", sizeU64)}, (*call).clockTimeGet},

	{"fd_advise", []param{argFD(rightFDAdvise), argU64("offset"), argU64("len"), argU32("advice")}, (*call).fdAdvise},
	{"fd_allocate", []param{argFD(rightFDAllocate), argU64("offset"), argU64("len")}, (*call).fdAllocate},
	{"fd_close", []param{argU32("fd")}, (*call).fdClose},
	{"fd_datasync", []param{argFD(rightFDDatasync)}, (*call).fdDatasync},
	{"fd_fdstat_get", []param{argFD(0), argOut("stat", sizeFdstat)}, (*call).fdFdstatGet},
	{"fd_fdstat_set_flags", []param{argFD(rightFDStatSetFlags), argU32("fdflags")}, (*call).fdFdstatSetFlags},
	{"fd_fdstat_set_rights", []param{argFD(0), argU64("base"), argU64("inheriting")}, (*call).fdFdstatSetRights},
	{"fd_filestat_get", []param{argFD(rightFDFilestatGet), argOut("stat", sizeFilestat)}, (*call).fdFilestatGet},
	{"fd_filestat_set_size", []param{argFD(rightFDFilestatSetSize), argU64("size")}, (*call).fdFilestatSetSize},
	{"fd_filestat_set_times", []param{argFD(rightFDFilestatSetTimes), argU64("atim"), argU64("mtim"), argU32("fstflags")}, (*call).fdFilestatSetTimes},
	{"fd_pread", []param{argFD(rightFDRead | rightFDSeek), argIovs, argU64("offset"), argOut("nread", sizeU32)}, (*call).fdPread},
	{"fd_prestat_get", []param{argFD(0), argOut("prestat", sizePrestat)}, (*call).fdPrestatGet},
	{"fd_prestat_dir_name", []param{argFD(0), argBuf("name")}, (*call).fdPrestatDirName},
	{"fd_pwrite", []param{argFD(rightFDWrite | rightFDSeek), argIovs, argU64("offset"), argOut("nwritten", sizeU32)}, (*call).fdPwrite},
	{"fd_read", []param{argFD(rightFDRead), argIovs, argOut("nread", sizeU32)}, (*call).fdRead},
	{"fd_readdir", []param{argFD(rightFDReaddir), argBuf("buf"), argU64("cookie"), argOut("used", sizeU32)}, (*call).fdReaddir},
	{"fd_renumber", []param{argU32("fd"), argU32("to")}, (*call).fdRenumber},
	{"fd_seek", []param{argFD(rightFDTell), argU64("delta"), argU32("whence"), argOut("offset", sizeU64)}, (*call).fdSeek},
	{"fd_sync", []param{argFD(rightFDSync)}, (*call).fdSync},
	{"fd_tell", []param{argFD(rightFDTell), argOut("offset", sizeU64)}, (*call).fdTell},
	{"fd_write", []param{argFD(rightFDWrite), argIovs, argOut("nwritten", sizeU32)}, (*call).fdWrite},

	{"path_create_directory", []param{argFD(rightPathCreateDirectory), argPath("path")}, (*call).pathCreateDirectory},
	{"path_filestat_get", []param{argFD(rightPathFilestatGet), argU32("lookupflags"), argPath("path"), argOut("stat", sizeFilestat)}, (*call).pathFilestatGet},
	{"path_filestat_set_times", []param{argFD(rightPathFilestatSetTimes), argU32("lookupflags"), argPath("path"), argU64("atim"), argU64("mtim"), argU32("fstflags")}, (*call).pathFilestatSetTimes},
	{"path_link", []param{argFD(rightPathLinkSource), argU32("lookupflags"), argPath("old"), argFD(rightPathLinkTarget), argPath("new")}, (*call).pathLink},
	{"path_open", []param{argFD(rightPathOpen), argU32("lookupflags"), argPath("path"), argU32("oflags"), argU64("base"), argU64("inheriting"), argU32("fdflags"), argOut("fd", sizeU32)}, (*call).pathOpen},
	{"path_readlink", []param{argFD(rightPathReadlink), argPath("path"), argBuf("buf"), argOut("used", sizeU32)}, (*call).pathReadlink},
	{"path_remove_directory", []param{argFD(rightPathRemoveDirectory), argPath("path")}, (*call).pathRemoveDirectory},
	{"path_rename", []param{argFD(rightPathRenameSource), argPath("old"), argFD(rightPathRenameTarget), argPath("new")}, (*call).pathRename},
	{"path_symlink", []param{argPath("target"), argFD(rightPathSymlink), argPath("path")}, (*call).pathSymlink},
	{"path_unlink_file", []param{argFD(rightPathUnlinkFile), argPath("path")}, (*call).pathUnlinkFile},

	{"poll_oneoff", []param{argPtr("in"), argPtr("out"), argU32("n"), argOut("nevents", sizeU32)}, (*call).pollOneoff},

	{"proc_exit", []param{argU32("code")}, (*call).procExit},
	{"proc_raise", []param{argU32("signal")}, (*call).procRaise},
	{"sched_yield", nil, (*call).schedYield},
	{"random_get", []param{argBuf("buf")}, (*call).randomGet},

	{"sock_accept", []param{argFD(rightSockAccept), argU32("fdflags"), argOut("fd", sizeU32)}, (*call).sockAccept},
	{"sock_recv", []param{argFD(rightFDRead), argIovs, argU32("riflags"), argOut("nread", sizeU32), argOut("roflags", sizeU16)}, (*call).sockRecv},
	{"sock_send", []param{argFD(rightFDWrite), argIovs, argU32("siflags"), argOut("nwritten", sizeU32)}, (*call).sockSend},
	{"sock_shutdown", []param{argFD(rightSockShutdown), argU32("how")}, (*call).sockShutdown},
}
