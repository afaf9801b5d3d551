package backend

// MaxShort is the greatest constant length of which copies and fills are made without a loop.
const MaxShort = 128

// VectorChunks is the number of chunks in which n bytes are copied through vector registers.
func VectorChunks(n int64) int64 {
	if n < 4 {
		return 0
	}
	return Chunks(n)
}

// Chunks is the number of pieces of ChunkSize bytes in which n bytes are moved; the last two may
// overlap.
func Chunks(n int64) int64 {
	size := ChunkSize(n)
	return (n + size - 1) / size
}

// ChunkSize is the size of pieces in which n bytes are moved.
func ChunkSize(n int64) int64 {
	switch {
	case n >= 16:
		return 16
	case n >= 8:
		return 8
	case n >= 4:
		return 4
	}
	return 1
}

// ChunkOffset is where piece i of n bytes begins.
func ChunkOffset(i, n int64) int32 { return int32(min(i*ChunkSize(n), n-ChunkSize(n))) }
