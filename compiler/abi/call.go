package abi

// Convention says where an instruction set's calling convention puts parameters
// and results: integers and references in Int registers, floats and vectors in
// Float registers, each class in order until it is used up, the rest in 16-byte
// (vectors) or 8-byte slots of the caller's outgoing area. Register numbers are the
// machine's own (0–15 on amd64: rax rcx rdx rbx rsp rbp rsi rdi r8–r15; on arm64 0–30 are x0–x30 and 0–31 v0–v31).
//
// All registers are caller-saved but those pinned (context, memory base, stack
// pointer). The outgoing area starts at the stack pointer before the call
// instruction: on entry to the callee slot k is at rsp+8+8k on amd64 and at sp+8k on arm64, whose
// calls leave the return address in a register.
type Convention struct {
	ParamInt, ParamFloat   []uint8
	ResultInt, ResultFloat []uint8
	Context                uint8 // instance context
	MemBase                uint8 // base of memory 0
	Callee                 uint8 // FuncDesc address on calls through a descriptor
	Pinned                 uint8 // the pinned global
}

// AMD64 is the convention of generated amd64 code.
//
// A call through a FuncDesc loads its address into Callee (rax), the context
// register from it, and calls its code; the caller restores Context and MemBase
// afterwards unless it knows that the callee belongs to the same instance. The
// callee finds Context set and must find MemBase right too: the caller loads it
// from the new context's header before the call.
//
// A module may have a pinned global, an I32 that is in register Pinned instead of its cell while the module's code runs; the register's upper half is
// unknown. It is in its cell whenever control leaves that code other than by calls within the instance: who calls through a descriptor that may belong to
// another instance, or calls a builtin, stores it before. Who calls through such a descriptor loads the callee's from the cell that CtxPinned names,
// stores it there after the return (the context register is still the callee's then), and loads its own again. In code without a pinned global
// the register is like any other. Where code is stopped for good the runtime stores it.
var AMD64 = Convention{
	ParamInt:    []uint8{7, 6, 2, 1, 8, 9}, // rdi rsi rdx rcx r8 r9
	ParamFloat:  []uint8{0, 1, 2, 3, 4, 5, 6, 7},
	ResultInt:   []uint8{0, 2, 1, 6, 7, 8}, // rax rdx rcx rsi rdi r8
	ResultFloat: []uint8{0, 1, 2, 3, 4, 5, 6, 7},
	Context:     14, // r14
	MemBase:     15, // r15
	Callee:      0,  // rax
	Pinned:      5,  // rbp
}

// ARM64 is the convention of generated arm64 code, which calls through a FuncDesc in the same way.
//
// Generated code never touches x18, which belongs to the platform, x28, where Go keeps its goroutine, and x16 and x17,
// which the runtime uses to come back after preemption. x25 and v31 are scratch registers, x30 is the return address.
//
// A frame is made by str x30, [sp, #-16]! and then sub sp, sp, #FrameSize, a multiple of 16 as the stack pointer always is:
// as on amd64 the return address is at the stack pointer of the body + FrameSize. The caller's stack pointer, where the
// incoming area begins, is 16 more. A function that calls no other and needs no stack makes no frame, see FrameLeaf.
var ARM64 = Convention{
	ParamInt:    []uint8{0, 1, 2, 3, 4, 5, 6, 7},
	ParamFloat:  []uint8{0, 1, 2, 3, 4, 5, 6, 7},
	ResultInt:   []uint8{0, 1, 2, 3, 4, 5, 6, 7},
	ResultFloat: []uint8{0, 1, 2, 3, 4, 5, 6, 7},
	Context:     27,
	MemBase:     26,
	Callee:      8,
	Pinned:      24,
}

// FrameLeaf as a frame's size is that of a function without frame on machines whose calls leave the return address
// in a register: there it is all the time, and the stack pointer is the caller's.
const FrameLeaf = ^uint32(0)

// Place is where a parameter or result travels.
type Place struct {
	Type Type
	Reg  int16  // register number within the class of Type, or -1
	Slot uint32 // offset in bytes within the outgoing area when Reg is -1
}

// Params places the parameters of a signature and returns the size in bytes
// of the outgoing area they need, a multiple of 16.
func (c *Convention) Params(types []Type) ([]Place, uint32) {
	return assign(types, c.ParamInt, c.ParamFloat)
}

// Results places results likewise. Those that do not fit in registers are
// stored by the callee in the same outgoing area as stack parameters, from its
// start (the parameters are dead by then).
func (c *Convention) Results(types []Type) ([]Place, uint32) {
	return assign(types, c.ResultInt, c.ResultFloat)
}

func assign(types []Type, ints, floats []uint8) ([]Place, uint32) {
	places := make([]Place, len(types))
	var ni, nf int
	var at uint32
	for i, t := range types {
		places[i] = Place{Type: t, Reg: -1}
		regs, n := ints, &ni
		if t.IsFloat() {
			regs, n = floats, &nf
		}
		if *n < len(regs) {
			places[i].Reg = int16(regs[*n])
			*n++
			continue
		}
		size := uint32(8 * t.Slots())
		at = (at + size - 1) &^ (size - 1)
		places[i].Slot = at
		at += size
	}
	return places, (at + 15) &^ 15
}
