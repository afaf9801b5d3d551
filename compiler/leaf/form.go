package leaf

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/sha256"
)

// A form is a body known up to what the linker fills in: its instructions without the addresses in them. Another version
// of the compiler may make another form of the same function.
type form struct {
	name      string
	head      uint32 // CRC-32 of the first headLen bytes, so that no other bodies are decoded
	sum       string // SHA-256 of the instructions
	addresses string // what the addresses are, in order
	prefix    func(table uint64) string
}

// headLen is less than what comes before the first address.
const headLen = 48

// Letters of form.addresses.
const (
	resumePoint = 'r' // pushed before a call
	tableAt     = 't' // one table throughout
)

// matchForm looks for the form of a body, and gives the address of its table.
func matchForm(m *wasm.Module, index uint32) (*form, uint64) {
	body := m.Funcs[index].Body
	if len(body) < headLen {
		return nil, 0
	}
	head, most := checksum(body[:headLen]), 0
	for i := range forms {
		if f := &forms[i]; f.head == head {
			most = max(most, len(f.addresses))
		}
	}
	if most == 0 {
		return nil, 0
	}
	n := normalise(m, index, most)
	for i := range forms {
		f := &forms[i]
		if table, ok := n.table(f.addresses); ok && n.sum == f.sum {
			return f, table
		}
	}
	return nil, 0
}

// checksum is CRC-32 by the usual polynomial, four bits at a time: its package makes a larger table at the start of every program.
func checksum(b []byte) uint32 {
	sum := ^uint32(0)
	for _, c := range b {
		sum ^= uint32(c)
		sum = sum>>4 ^ crcTable[sum&15]
		sum = sum>>4 ^ crcTable[sum&15]
	}
	return ^sum
}

var crcTable = [16]uint32{
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
}

// normalForm is a body without its addresses, and these.
type normalForm struct {
	sum       string
	addresses []uint64
}

// isAddress tells constants that depend on where the linker puts functions and data: both lie above all small numbers, and far
// below 2^48.
func isAddress(c uint64) bool { return c >= 4096 && c < 1<<47 }

// normalise takes a body apart that has at most so many addresses. Nothing is left of an invalid one, and of others.
func normalise(m *wasm.Module, index uint32, most int) *normalForm {
	var v wasm.Validator
	if v.Begin(m, index) != nil {
		return &normalForm{}
	}
	n := &normalForm{}
	f := &m.Funcs[index]
	var hash sha256.Hash
	var in wasm.Instr
	from, end := f.Offset, f.Offset+uint32(len(f.Body)) // what is not yet hashed
	leftOut := false
	for more := true; more; {
		var err error
		if more, err = v.Next(&in); err != nil {
			return &normalForm{}
		}
		if leftOut {
			from, leftOut = in.Offset, false
		}
		switch {
		case in.Op == wasm.OpI64Const && isAddress(in.Bits):
			if len(n.addresses) == most {
				return &normalForm{}
			}
			n.addresses = append(n.addresses, in.Bits)
			leftOut = true
		case in.Op == wasm.OpCall: // the function's number is the linker's, too
			leftOut = true
		}
		if leftOut {
			hash.Write(m.Source[from:in.Offset])
			hash.Write(binary.LittleEndian.AppendUint16(nil, uint16(in.Op)))
		}
	}
	if !leftOut {
		hash.Write(m.Source[from:end])
	}
	sum := hash.Sum()
	n.sum = hex.EncodeToString(sum[:])
	return n
}

// table gives the one address at the letters tableAt.
func (n *normalForm) table(letters string) (table uint64, ok bool) {
	if len(n.addresses) != len(letters) {
		return 0, false
	}
	for i, a := range n.addresses {
		switch {
		case letters[i] != tableAt:
		case table != 0 && a != table:
			return 0, false
		default:
			table = a
		}
	}
	return table, table != 0
}

// resumable reports whether a function has the type of those compiled by Go, and the module their globals: stack pointer and g.
func resumable(m *wasm.Module, index uint32) bool {
	t := m.FuncType(index)
	return len(t.Params) == 1 && t.Params[0] == wasm.I32 && len(t.Results) == 1 && t.Results[0] == wasm.I32 &&
		len(m.Globals) > 2 && m.Globals[0].Type == wasm.I32 && m.Globals[0].Mutable && m.Globals[2].Type == wasm.I64
}
