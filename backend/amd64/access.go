package amd64

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
)

// checkAccess verifies that the machine code c of function m reaches only what it may:
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
// It decodes the code and follows what registers and stack slots hold, with no knowledge
// of how the code was made: of m it only looks at the SSA form, for the module's layout and the
// signatures of calls.
func checkAccess(cfg *backend.Config, m *backend.Func, c *backend.Code) error {
	f := m.SSA
	k := &accessChecker{code: c, frame: int64(c.FrameSize), access: backend.NewAccess(&abi.AMD64, f, c, !cfg.Explicit)}
	k.incoming = int64(k.access.Area(f.Sig))
	if err := k.decode(); err != nil {
		return fmt.Errorf("amd64: function %d: %w", f.Index, err)
	}
	k.solve()
	if k.err != nil {
		return fmt.Errorf("amd64: function %d: %w", f.Index, k.err)
	}
	return nil
}

// accessChecker follows facts through a function's code until they do not change any more.
type accessChecker struct {
	code     *backend.Code
	access   *backend.Access
	frame    int64 // bytes below the return address
	incoming int64 // bytes of the incoming area
	insts    []accessInst
	at       []int32                // by place in the code: index into insts, -1 where none begins
	relocs   map[uint32]uint32      // by place: function
	traps    map[uint32]abi.Trap    // by place
	states   map[int32]*accessState // by instruction that something jumps to, and 0
	final    bool                   // facts are settled: errors count
	err      error
}

// accessInst is a decoded instruction.
type accessInst struct {
	x86asm.Inst
	off, end uint32
	relative bool // its memory operand is relative to the instruction pointer
	rule     *accessRule
}

func (k *accessChecker) fail(in *accessInst, format string, args ...any) {
	if k.final && k.err == nil {
		k.err = fmt.Errorf("at %#x: %v: %w", in.off, in.Inst, fmt.Errorf(format, args...))
	}
}

// decode decodes all of the code from its start and finds the jump targets.
func (k *accessChecker) decode() error {
	text := k.code.Text
	if int(k.code.CodeSize) > len(text) {
		return fmt.Errorf("code of %#x bytes in a text of %#x", k.code.CodeSize, len(text))
	}
	text = text[:k.code.CodeSize]
	k.at = make([]int32, len(text))
	rules := accessRulesByName()
	for off := 0; off < len(text); {
		d, err := x86asm.Decode(text[off:], 64)
		if err != nil {
			return fmt.Errorf("at %#x: % x: %v", off, text[off:min(off+8, len(text))], err)
		}
		k.at[off] = int32(len(k.insts))
		for i := 1; i < d.Len; i++ {
			k.at[off+i] = -1
		}
		in := accessInst{Inst: d, off: uint32(off), end: uint32(off + d.Len)}
		in.findRelative(text[off : off+d.Len])
		in.rule = rules[d.Op.String()]
		k.insts = append(k.insts, in)
		off += d.Len
	}
	k.relocs = map[uint32]uint32{}
	for _, r := range k.code.Relocs {
		k.relocs[r.Off] = r.Target
	}
	k.traps = map[uint32]abi.Trap{}
	for _, t := range k.code.Traps {
		k.traps[t.Off] = t.Trap
	}
	k.states = map[int32]*accessState{}
	for i := range k.insts {
		in := &k.insts[i]
		if rel, ok := in.Args[0].(x86asm.Rel); ok && !k.relocated(in) {
			if to, ok := k.target(int64(in.end) + int64(rel)); ok {
				k.states[to] = nil
			}
		}
	}
	return nil
}

// findRelative sets relative. The decoder leaves it open for VEX instructions: there the ModRM byte
// follows prefix and opcode.
func (in *accessInst) findRelative(code []byte) {
	for _, a := range in.Args {
		m, ok := a.(x86asm.Mem)
		if !ok {
			continue
		}
		in.relative = m.Base == x86asm.RIP
		for len(code) > 4 && (code[0] == 0x65 || code[0] == 0x67) {
			code = code[1:]
		}
		switch {
		case code[0] == 0xC5 && len(code) > 3:
			in.relative = code[3]&0xC7 == 5
		case code[0] == 0xC4 && len(code) > 4:
			in.relative = code[4]&0xC7 == 5
		}
	}
}

// relocated reports whether a call's or jump's distance is filled in later, and so
// says nothing yet.
func (k *accessChecker) relocated(in *accessInst) bool {
	_, ok := k.relocs[in.end-4]
	return ok && in.Len == 5
}

// target is the instruction that begins at off.
func (k *accessChecker) target(off int64) (int32, bool) {
	if off < 0 || off >= int64(len(k.at)) || k.at[off] < 0 {
		return 0, false
	}
	return k.at[off], true
}

// solve follows the facts until they are settled, then once more to see what is wrong.
func (k *accessChecker) solve() {
	if len(k.insts) == 0 {
		k.err = fmt.Errorf("no code")
		return
	}
	start := k.entryState()
	for k.iterate(start) {
		// A jump table led to where no one was known to jump: begin again.
		for i := range k.states {
			k.states[i] = nil
		}
	}
	k.final = true
	for i := range k.insts {
		if s := k.states[int32(i)]; s != nil && s.reached {
			s := s.clone()
			k.follow(int32(i), s)
		}
	}
}

// iterate settles the facts. If it finds a new place that is jumped to it notes that and reports true.
func (k *accessChecker) iterate(start *accessState) (again bool) {
	k.states[0] = start.clone()
	known := len(k.states)
	for changed := true; changed; {
		changed = false
		for i := range k.insts {
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
func (k *accessChecker) follow(i int32, s *accessState) {
	st := &accessStep{accessChecker: k, accessState: s}
	for {
		in := &k.insts[i]
		if !st.step(in) {
			return
		}
		i++
		if int(i) == len(k.insts) {
			k.fail(in, "code goes on into the constants")
			return
		}
		if _, ok := k.states[i]; ok {
			k.flow(i, s)
			return
		}
	}
}

// flow joins s into what is known at instruction i.
func (k *accessChecker) flow(i int32, s *accessState) {
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
