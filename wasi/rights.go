package wasi

// rights say what a descriptor can be used for. They are set when it is opened
// and only ever shrink.
type rights uint64

// The bits of rights in the order of witx's record.
const (
	rightFDDatasync rights = 1 << iota
	rightFDRead
	rightFDSeek
	rightFDStatSetFlags
	rightFDSync
	rightFDTell
	rightFDWrite
	rightFDAdvise
	rightFDAllocate
	rightPathCreateDirectory
	rightPathCreateFile
	rightPathLinkSource
	rightPathLinkTarget
	rightPathOpen
	rightFDReaddir
	rightPathReadlink
	rightPathRenameSource
	rightPathRenameTarget
	rightPathFilestatGet
	rightPathFilestatSetSize
	rightPathFilestatSetTimes
	rightFDFilestatGet
	rightFDFilestatSetSize
	rightFDFilestatSetTimes
	rightPathSymlink
	rightPathRemoveDirectory
	rightPathUnlinkFile
	rightPollFDReadwrite
	rightSockShutdown
	rightSockAccept
)

const (
	// rightsPath need a directory.
	rightsPath = rightPathCreateDirectory | rightPathCreateFile | rightPathLinkSource | rightPathLinkTarget |
		rightPathOpen | rightFDReaddir | rightPathReadlink | rightPathRenameSource | rightPathRenameTarget |
		rightPathFilestatGet | rightPathFilestatSetSize | rightPathFilestatSetTimes | rightPathSymlink |
		rightPathRemoveDirectory | rightPathUnlinkFile

	// rightsContent need something other than a directory.
	rightsContent = rightFDRead | rightFDSeek | rightFDTell | rightFDWrite | rightFDAdvise | rightFDAllocate |
		rightFDFilestatSetSize

	// rightsSocket need a socket.
	rightsSocket = rightSockShutdown | rightSockAccept

	// rightsAny make sense for everything.
	rightsAny = rightFDDatasync | rightFDSync | rightFDStatSetFlags | rightFDFilestatGet |
		rightFDFilestatSetTimes | rightPollFDReadwrite

	// rightsChange are those that a read-only directory does not give. Taking a hard
	// link or renaming away changes the source as well.
	rightsChange = rightFDWrite | rightFDAllocate | rightFDFilestatSetSize | rightFDFilestatSetTimes |
		rightPathCreateDirectory | rightPathCreateFile | rightPathLinkSource | rightPathLinkTarget |
		rightPathRenameSource | rightPathRenameTarget | rightPathFilestatSetSize | rightPathFilestatSetTimes |
		rightPathSymlink | rightPathRemoveDirectory | rightPathUnlinkFile

	rightsDirectory  = rightsPath | rightsAny
	rightsFile       = rightsContent | rightsAny
	rightsInheriting = rightsDirectory | rightsFile // of a preopened directory
	rightsConnection = rightFDRead | rightFDWrite | rightFDStatSetFlags | rightFDFilestatGet |
		rightPollFDReadwrite | rightSockShutdown
	rightsListener = rightsConnection | rightSockAccept
)

// filetype is the type of a file as the guest sees it.
type filetype uint8

const (
	filetypeUnknown filetype = iota
	filetypeBlockDevice
	filetypeCharacterDevice
	filetypeDirectory
	filetypeRegularFile
	filetypeSocketDgram
	filetypeSocketStream
	filetypeSymbolicLink
)

// fdflags are the changeable flags of a descriptor.
type fdflags uint16

const (
	fdflagAppend fdflags = 1 << iota
	fdflagDsync
	fdflagNonblock
	fdflagRsync // as Linux has it, the same as fdflagSync
	fdflagSync

	fdflagsAll = fdflagAppend | fdflagDsync | fdflagNonblock | fdflagRsync | fdflagSync
)
