package artifact

import (
	"encoding/binary"
	"iter"
	"sort"
	"unsafe"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// A Site connects a place in the code with a place in the wasm file.
type Site struct {
	Off  uint32   // in Text
	Pos  uint32   // wasm offset
	Code abi.Trap // what a fault there means; TrapNone for calls
	Call uint32   // wasm offset of the call in whose place the function stands that Pos is in; 0 if that is the function of the code
}

// Sites is a table of sites in the order of their offsets, as it lies in the file. There are more sites than
// functions by two orders of magnitude, and most are never asked for: they are packed, and unpacked on demand.
//
//	u32 number of blocks
//	for each block: u32 Off of its first site, u32 where the block begins in what follows
//	blocks of up to siteBlock sites, each relative to the one before:
//	    uvarint (Off - previous Off)<<1 | (Code differs), [u8 Code | Call differs from 0 ? 0x80], varint Pos - previous Pos,
//	    [varint Call - previous Call]
//
// Code here has the bit with it. Before the first site of a block, Off is the index's, all others are 0. A table that is not what a SitesBuilder makes
// gives wrong answers, but no worse.
type Sites string

const (
	siteBlock     = 64 // sites: a search unpacks half as many
	siteIndexSize = 8
)

// blocks is the number of blocks.
func (s Sites) blocks() int {
	if len(s) < 4 {
		return 0
	}
	return int(min(u32at(s, 0), uint32((len(s)-4)/siteIndexSize)))
}

func u32at(s Sites, at int) uint32 {
	_ = s[at+3]
	return uint32(s[at]) | uint32(s[at+1])<<8 | uint32(s[at+2])<<16 | uint32(s[at+3])<<24
}

// siteReader unpacks a block.
type siteReader struct {
	rest Sites
	site Site
	head uint8  // Code and inlined
	call uint32 // the latest
}

// inlined in the byte of the code: Call follows.
const inlined = 0x80

func (s Sites) block(i int) siteReader {
	entry := 4 + i*siteIndexSize
	data := s[4+s.blocks()*siteIndexSize:]
	lo, hi := u32at(s, entry+4), uint32(len(data))
	if i+1 < s.blocks() {
		hi = u32at(s, entry+siteIndexSize+4)
	}
	if lo > hi || uint64(hi) > uint64(len(data)) {
		return siteReader{}
	}
	return siteReader{rest: data[lo:hi], site: Site{Off: u32at(s, entry)}}
}

func (r *siteReader) uvarint() (v uint64) {
	for shift := 0; len(r.rest) > 0 && shift < 64; shift += 7 {
		b := r.rest[0]
		r.rest = r.rest[1:]
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	return v
}

func (r *siteReader) next() bool {
	if len(r.rest) == 0 {
		return false
	}
	head := r.uvarint()
	r.site.Off += uint32(head >> 1)
	if head&1 != 0 && len(r.rest) > 0 {
		r.head = r.rest[0]
		r.site.Code = abi.Trap(r.head &^ inlined)
		r.rest = r.rest[1:]
	}
	r.site.Pos += r.varint()
	r.site.Call = 0
	if r.head&inlined != 0 {
		r.call += r.varint()
		r.site.Call = r.call
	}
	return true
}

// varint is a difference.
func (r *siteReader) varint() uint32 {
	v := r.uvarint()
	return uint32(v>>1) ^ -uint32(v&1)
}

// Before is the last site at or before an offset.
func (s Sites) Before(off uint32) (found Site, ok bool) {
	n := sort.Search(s.blocks(), func(i int) bool { return u32at(s, 4+i*siteIndexSize) > off })
	if n == 0 {
		return Site{}, false
	}
	for r := s.block(n - 1); r.next() && r.site.Off <= off; {
		found, ok = r.site, true
	}
	return found, ok
}

// Find is the site at an offset.
func (s Sites) Find(off uint32) (Site, bool) {
	found, ok := s.Before(off)
	return found, ok && found.Off == off
}

// All gives every site.
func (s Sites) All() iter.Seq[Site] {
	return func(yield func(Site) bool) {
		for i := range s.blocks() {
			for r := s.block(i); r.next(); {
				if !yield(r.site) {
					return
				}
			}
		}
	}
}

// SitesBuilder packs sites.
type SitesBuilder struct {
	index, data []byte
	n           int
	last        Site
	head        uint8  // as in siteReader
	call        uint32 // likewise
}

// Reset empties the builder; it keeps its memory.
func (b *SitesBuilder) Reset() { *b = SitesBuilder{index: b.index[:0], data: b.data[:0]} }

// Add appends a site. Each has a larger offset than the one before.
func (b *SitesBuilder) Add(s Site) {
	if b.n%siteBlock == 0 {
		b.index = le.AppendUint32(le.AppendUint32(b.index, s.Off), uint32(len(b.data)))
		b.last, b.head, b.call = Site{Off: s.Off}, 0, 0
	}
	b.n++
	off, head := uint64(s.Off-b.last.Off)<<1, uint8(s.Code)
	if s.Call != 0 {
		head |= inlined
	}
	if head == b.head {
		b.data = binary.AppendUvarint(b.data, off)
	} else {
		b.data = append(binary.AppendUvarint(b.data, off|1), head)
	}
	b.data = binary.AppendVarint(b.data, int64(int32(s.Pos-b.last.Pos)))
	if s.Call != 0 {
		b.data = binary.AppendVarint(b.data, int64(int32(s.Call-b.call)))
		b.call = s.Call
	}
	b.last, b.head = s, head
}

// AppendTo appends the table of what was added to out: nothing if there is nothing.
func (b *SitesBuilder) AppendTo(out []byte) []byte {
	if len(b.index) == 0 {
		return out
	}
	out = le.AppendUint32(out, uint32(len(b.index)/siteIndexSize))
	return append(append(out, b.index...), b.data...)
}

// Sites is the table of what was added.
func (b *SitesBuilder) Sites() Sites {
	return sitesIn(b.AppendTo(make([]byte, 0, 4+len(b.index)+len(b.data))))
}

func sitesIn(b []byte) Sites { return Sites(unsafe.String(unsafe.SliceData(b), len(b))) }

// JoinSites makes one table of n that AppendTo has made, whose offsets count from off. Their blocks stay as they are.
func JoinSites(n int, table func(i int) (t []byte, off uint32)) Sites {
	blocks, size := 0, 0
	for i := range n {
		if t, _ := table(i); len(t) > 0 {
			k := int(le.Uint32(t))
			blocks += k
			size += len(t) - 4 - k*siteIndexSize
		}
	}
	if blocks == 0 {
		return ""
	}
	first := 4 + blocks*siteIndexSize
	out := make([]byte, first, first+size)
	le.PutUint32(out, uint32(blocks))
	index := out[4:]
	for i := range n {
		t, off := table(i)
		if len(t) == 0 {
			continue
		}
		k, base := int(le.Uint32(t)), uint32(len(out)-first)
		out = append(out, t[4+k*siteIndexSize:]...)
		for t := t[4:]; k > 0; k-- {
			le.PutUint32(index, le.Uint32(t)+off)
			le.PutUint32(index[4:], le.Uint32(t[4:])+base)
			index, t = index[siteIndexSize:], t[siteIndexSize:]
		}
	}
	return sitesIn(out)
}

// SitesOf is the table of a list in the order of its offsets.
func SitesOf(list ...Site) Sites {
	var b SitesBuilder
	for _, s := range list {
		b.Add(s)
	}
	return b.Sites()
}
