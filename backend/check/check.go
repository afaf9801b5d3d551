// Package check is what the memory-access checkers of the instruction sets share: it
// follows [backend.Fact]s through a function's machine code until they are settled,
// and knows what comparisons, calls and stack accesses mean for them.
//
// An instruction set decodes the code, says where it jumps, and takes a [Step]
// through one instruction at a time.
package check

import (
	"encoding/binary"
	"fmt"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/regalloc"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// Reg is a register, Cond a condition as the machine numbers it: c^1 is the opposite.
type (
	Reg  = regalloc.Reg
	Cond uint8
)

const (
	NoReg  Reg  = 255
	NoCond Cond = 255
)

// Relation is what a condition says of two unsigned numbers that were compared.
type Relation uint8

const (
	NoRelation Relation = iota
	Below
	AtLeast
	AtMost
	Above
	Equal
	NotEqual
)

// swapped is the relation of exchanged operands.
var swapped = [...]Relation{Below: Above, AtLeast: AtMost, AtMost: AtLeast, Above: Below, Equal: Equal, NotEqual: NotEqual}

// Machine is what is particular to an instruction set.
type Machine struct {
	Name      string
	Conv      *abi.Convention
	SP        Reg
	Context   Reg
	MemBase   Reg
	Count     Reg          // in which bulk operations count
	Link      Reg          // that holds the return address on entry; NoReg if that is on the stack
	Relations [16]Relation // of each condition
	NoCarry   Cond         // of an addition
	// From the stack pointer on entry: where a frame ends, and where the area of parameters begins. Between
	// the two is the return address.
	Top, Arguments int64
	// Decode decodes all of the code from its start: it calls Begin and JumpsTo.
	Decode func(k *Checker) error
	// Describe is an instruction in words.
	Describe func(k *Checker, i int32) string
	// Step follows the facts through the instruction of s and reports whether the code goes on behind it.
	Step func(s *Step) bool
}

// Checker follows facts through a function's code until they do not change any more.
type Checker struct {
	*Machine
	Code     *backend.Code
	Access   *backend.Access
	Frame    int64             // bytes of the frame
	Starts   []uint32          // where instructions begin; the next one's start is the end
	final    bool              // facts are settled: errors count
	Decoded  any               // the instruction set's
	incoming int64             // bytes of the incoming area
	at       []int32           // by place in the code: index of the instruction, -1 where none begins
	relocs   map[uint32]uint32 // by place: function
	traps    map[uint32]abi.Trap
	states   map[int32]*State // by instruction that something jumps to, and 0
	err      error
}

// Run verifies that the machine code c of function m reaches only what it may:
//
//   - its frame and the areas of its parameters and of its callees', nothing below the stack pointer;
//   - the context and the records that it leads to, field by field ([backend.Access]);
//   - constants of its own, for reading;
//   - linear memory through its base, with an index proved to be below 1<<32 plus an offset if guard regions
//     may be relied upon, or else checked against the size, and masked for when the processor guesses;
//   - table elements through an index checked and masked;
//   - code by direct calls and jumps, jump tables with a bounded index, and descriptors that were
//     loaded from where functions are, not null, of the right type, with the right context.
//
// It follows what registers and stack slots hold, with no knowledge of how the code was made: of m it only looks at
// the SSA form, for the module's layout and the signatures of calls.
func Run(machine *Machine, cfg *backend.Config, m *backend.Func, c *backend.Code) error {
	k, err := begin(machine, cfg, m, c)
	if err == nil {
		err = machine.Decode(k)
	}
	if err == nil {
		err = k.solve()
	}
	if err != nil {
		return fmt.Errorf("%s: function %d: %w", machine.Name, m.SSA.Index, err)
	}
	return nil
}

func begin(machine *Machine, cfg *backend.Config, m *backend.Func, c *backend.Code) (*Checker, error) {
	k := &Checker{Machine: machine, Code: c, Frame: int64(c.FrameSize), Access: backend.NewAccess(machine.Conv, m.SSA, c, cfg)}
	if c.FrameSize == abi.FrameLeaf {
		k.Frame = 0
	}
	k.incoming = int64(k.Access.Area(m.SSA.Sig))
	if int(c.CodeSize) > len(c.Text) {
		return nil, fmt.Errorf("code of %#x bytes in a text of %#x", c.CodeSize, len(c.Text))
	}
	k.at = make([]int32, c.CodeSize)
	for i := range k.at {
		k.at[i] = -1
	}
	k.relocs = map[uint32]uint32{}
	for _, r := range c.Relocs {
		k.relocs[r.Off] = r.Target
	}
	k.traps = map[uint32]abi.Trap{}
	for _, t := range c.Traps {
		k.traps[t.Off] = t.Trap
	}
	k.states = map[int32]*State{}
	return k, nil
}

// Begin says that the next instruction begins at off.
func (k *Checker) Begin(off uint32) {
	k.at[off] = int32(len(k.Starts))
	k.Starts = append(k.Starts, off)
}

// JumpsTo says that something jumps to off.
func (k *Checker) JumpsTo(off int64) {
	if to, ok := k.target(off); ok {
		k.states[to] = nil
	}
}

// Reloc is the function that the field at off will lead to, if one will be put there.
func (k *Checker) Reloc(off uint32) (f uint32, ok bool) {
	f, ok = k.relocs[off]
	return f, ok
}

// End is where instruction i ends.
func (k *Checker) End(i int32) uint32 {
	if int(i)+1 < len(k.Starts) {
		return k.Starts[i+1]
	}
	return k.Code.CodeSize
}

// target is the instruction that begins at off.
func (k *Checker) target(off int64) (int32, bool) {
	if off < 0 || off >= int64(len(k.at)) || k.at[off] < 0 {
		return 0, false
	}
	return k.at[off], true
}

func (k *Checker) fail(i int32, format string, args ...any) {
	if k.final && k.err == nil {
		k.err = fmt.Errorf("at %#x: %s: %w", k.Starts[i], k.Describe(k, i), fmt.Errorf(format, args...))
	}
}

// solve follows the facts until they are settled, then once more to see what is wrong.
func (k *Checker) solve() error {
	if len(k.Starts) == 0 {
		return fmt.Errorf("no code")
	}
	start := k.entry()
	for k.iterate(start) {
		// A jump table led to where no one was known to jump: begin again.
		for i := range k.states {
			k.states[i] = nil
		}
	}
	k.final = true
	for i := range k.Starts {
		if s := k.states[int32(i)]; s != nil && s.reached {
			k.follow(int32(i), s.clone())
		}
	}
	return k.err
}

// iterate settles the facts. If it finds a new place that is jumped to it notes that and reports true.
func (k *Checker) iterate(start *State) (again bool) {
	k.states[0] = start.clone()
	known := len(k.states)
	for changed := true; changed; {
		changed = false
		for i := range k.Starts {
			s := k.states[int32(i)]
			if s == nil || !s.changed {
				continue
			}
			s.changed = false
			changed = true
			k.follow(int32(i), s.clone())
			if len(k.states) != known {
				return true
			}
		}
	}
	return false
}

// follow goes through the code from instruction i on as far as no jump leads in.
func (k *Checker) follow(i int32, s *State) {
	st := &Step{Checker: k, State: s}
	for {
		st.I = i
		if !k.Step(st) {
			return
		}
		i++
		if int(i) == len(k.Starts) {
			k.fail(i-1, "code goes on into the constants")
			return
		}
		if _, ok := k.states[i]; ok {
			k.flow(i, s)
			return
		}
	}
}

// flow joins s into what is known at instruction i.
func (k *Checker) flow(i int32, s *State) {
	if k.final {
		return
	}
	if k.states[i] == nil {
		k.states[i] = s.clone()
		k.states[i].changed = true
		return
	}
	k.states[i].join(s)
}

// tableEntry reads entry i of the jump table at off.
func (k *Checker) tableEntry(off, i int64) int64 {
	return off + int64(int32(binary.LittleEndian.Uint32(k.Code.Text[off+4*i:])))
}
