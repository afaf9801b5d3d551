package wasm

import "fmt"

// OpInfo is what is known of an operator.
type OpInfo struct {
	Name    string   // as in the text format; empty if there is no such operator
	Sig     Sig      // operand and result types
	Feature Features // what the operator needs; 0 for those of Wasm 1.0
	Imm     Imm      // immediates
	Size    uint8    // bytes accessed in memory: also the greatest alignment
	Lanes   uint8    // number of lanes an ImmLane selects from
}

// Info looks an operator up. It is never nil.
func Info(op Opcode) *OpInfo {
	if op >= opcodeCount {
		return &OpInfo{}
	}
	return &opcodes[op]
}

// String is the operator's name in the text format.
func (op Opcode) String() string {
	if name := Info(op).Name; name != "" {
		return name
	}
	switch page := op &^ 0xff; page {
	case 0:
		return fmt.Sprintf("opcode 0x%02x", uint16(op))
	case pageFC:
		return fmt.Sprintf("opcode 0xfc 0x%02x", uint16(op-pageFC))
	}
	return fmt.Sprintf("opcode 0xfd 0x%02x", uint16(op-pageFD))
}

// Imm is the kind of an operator's immediates. The comment tells which fields of
// Instr they fill.
type Imm uint8

const (
	ImmNone         Imm = iota
	ImmBlock            // block type: the new frame's Params and Results
	ImmLabel            // Index: depth
	ImmLabels           // Targets: depths, the default last
	ImmLocal            // Index
	ImmGlobal           // Index
	ImmFunc             // Index
	ImmTable            // Index
	ImmType             // Index
	ImmTag              // Index
	ImmCallIndirect     // Index: type, Index2: table
	ImmI32              // Bits
	ImmI64              // Bits
	ImmF32              // Bits
	ImmF64              // Bits
	ImmV128             // Vec
	ImmShuffle          // Vec: lanes
	ImmLane             // Index2: lane
	ImmMem              // Index: memory
	ImmMemArg           // Index: memory, Bits: offset, Align
	ImmMemLane          // as ImmMemArg, and Index2: lane
	ImmMemInit          // Index: memory, Index2: data segment
	ImmMemCopy          // Index: destination memory, Index2: source memory
	ImmData             // Index: data segment
	ImmTableInit        // Index: table, Index2: element segment
	ImmTableCopy        // Index: destination table, Index2: source table
	ImmElem             // Index: element segment
	ImmHeapType         // the type of the operand pushed
	ImmSelect           // result types: the type of the operand pushed
	ImmTryTable         // block type and catch clauses
)

// Sig is an operator's operand and result types, packed: bits 0-3 the number of operands,
// then four bits a type for each of up to three operands (deepest first) and the result.
// One bit for each of the four says that it is an address: I64 instead of I32 if the memory has 64-bit addresses.
type Sig uint32

const (
	sigP0   = 4 // where the types are
	sigP1   = 8
	sigP2   = 12
	sigRes  = 16
	sigAddr = 20 // where the address bits are

	addrP0  Sig = 1 << sigAddr
	addrP1  Sig = 2 << sigAddr
	addrP2  Sig = 4 << sigAddr
	addrRes Sig = 8 << sigAddr

	addrBits = addrP0 | addrP1 | addrP2 | addrRes

	// varied marks operators whose types follow from immediates or from the stack, and
	// those that end a block or make code unreachable.
	varied Sig = 0xf
)

const (
	i32  = Sig(I32)
	i64  = Sig(I64)
	f32  = Sig(F32)
	f64  = Sig(F64)
	v128 = Sig(V128)
)

// The shapes of operators.
const (
	constI32  = i32 << sigRes
	constI64  = i64 << sigRes
	constF32  = f32 << sigRes
	constF64  = f64 << sigRes
	constV128 = v128 << sigRes

	unaryI32  = 1 | i32<<sigP0 | i32<<sigRes
	unaryI64  = 1 | i64<<sigP0 | i64<<sigRes
	unaryF32  = 1 | f32<<sigP0 | f32<<sigRes
	unaryF64  = 1 | f64<<sigP0 | f64<<sigRes
	unaryV128 = 1 | v128<<sigP0 | v128<<sigRes

	binaryI32   = 2 | i32<<sigP0 | i32<<sigP1 | i32<<sigRes
	binaryI64   = 2 | i64<<sigP0 | i64<<sigP1 | i64<<sigRes
	binaryF32   = 2 | f32<<sigP0 | f32<<sigP1 | f32<<sigRes
	binaryF64   = 2 | f64<<sigP0 | f64<<sigP1 | f64<<sigRes
	binaryV128  = 2 | v128<<sigP0 | v128<<sigP1 | v128<<sigRes
	ternaryV128 = 3 | v128<<sigP0 | v128<<sigP1 | v128<<sigP2 | v128<<sigRes
	shiftV128   = 2 | v128<<sigP0 | i32<<sigP1 | v128<<sigRes

	testI32    = unaryI32
	testI64    = i64ToI32
	compareI32 = binaryI32
	compareI64 = 2 | i64<<sigP0 | i64<<sigP1 | i32<<sigRes
	compareF32 = 2 | f32<<sigP0 | f32<<sigP1 | i32<<sigRes
	compareF64 = 2 | f64<<sigP0 | f64<<sigP1 | i32<<sigRes

	i64ToI32  = 1 | i64<<sigP0 | i32<<sigRes
	f32ToI32  = 1 | f32<<sigP0 | i32<<sigRes
	f64ToI32  = 1 | f64<<sigP0 | i32<<sigRes
	i32ToI64  = 1 | i32<<sigP0 | i64<<sigRes
	f32ToI64  = 1 | f32<<sigP0 | i64<<sigRes
	f64ToI64  = 1 | f64<<sigP0 | i64<<sigRes
	i32ToF32  = 1 | i32<<sigP0 | f32<<sigRes
	i64ToF32  = 1 | i64<<sigP0 | f32<<sigRes
	f64ToF32  = 1 | f64<<sigP0 | f32<<sigRes
	i32ToF64  = 1 | i32<<sigP0 | f64<<sigRes
	i64ToF64  = 1 | i64<<sigP0 | f64<<sigRes
	f32ToF64  = 1 | f32<<sigP0 | f64<<sigRes
	i32ToV128 = 1 | i32<<sigP0 | v128<<sigRes
	i64ToV128 = 1 | i64<<sigP0 | v128<<sigRes
	f32ToV128 = 1 | f32<<sigP0 | v128<<sigRes
	f64ToV128 = 1 | f64<<sigP0 | v128<<sigRes
	v128ToI32 = 1 | v128<<sigP0 | i32<<sigRes
	v128ToI64 = 1 | v128<<sigP0 | i64<<sigRes
	v128ToF32 = 1 | v128<<sigP0 | f32<<sigRes
	v128ToF64 = 1 | v128<<sigP0 | f64<<sigRes

	replaceI32 = shiftV128
	replaceI64 = 2 | v128<<sigP0 | i64<<sigP1 | v128<<sigRes
	replaceF32 = 2 | v128<<sigP0 | f32<<sigP1 | v128<<sigRes
	replaceF64 = 2 | v128<<sigP0 | f64<<sigP1 | v128<<sigRes

	loadI32   = unaryI32 | addrP0
	loadI64   = i32ToI64 | addrP0
	loadF32   = i32ToF32 | addrP0
	loadF64   = i32ToF64 | addrP0
	loadV128  = i32ToV128 | addrP0
	loadLane  = 2 | i32<<sigP0 | v128<<sigP1 | v128<<sigRes | addrP0
	storeI32  = 2 | i32<<sigP0 | i32<<sigP1 | addrP0
	storeI64  = 2 | i32<<sigP0 | i64<<sigP1 | addrP0
	storeF32  = 2 | i32<<sigP0 | f32<<sigP1 | addrP0
	storeF64  = 2 | i32<<sigP0 | f64<<sigP1 | addrP0
	storeV128 = 2 | i32<<sigP0 | v128<<sigP1 | addrP0
	storeLane = storeV128

	addrOut    = i32<<sigRes | addrRes
	memoryGrow = unaryI32 | addrP0 | addrRes
	memoryFill = 3 | i32<<sigP0 | i32<<sigP1 | i32<<sigP2 | addrP0 | addrP2
	memoryCopy = memoryInit | addrP1 | addrP2
	memoryInit = 3 | i32<<sigP0 | i32<<sigP1 | i32<<sigP2 | addrP0
)

// Fixed reports whether the types are the same wherever the operator stands.
func (s Sig) Fixed() bool { return s&0xf != varied }

// Operands is the number of operands of a fixed signature.
func (s Sig) Operands() int { return int(s & 0xf) }

// Operand is the type of operand i, 0 being the deepest.
func (s Sig) Operand(i int) ValType { return ValType(s >> (sigP0 + 4*i) & 0xf) }

// Result is the type of the result, Bottom if there is none.
func (s Sig) Result() ValType { return ValType(s >> sigRes & 0xf) }

// with64 is the signature with those of its addresses that wide tells being 64-bit: I64 is I32 + 1.
func (s Sig) with64(wide Sig) Sig {
	a := (s & wide) >> sigAddr
	return s + a&1<<sigP0 + a>>1&1<<sigP1 + a>>2&1<<sigP2 + a>>3&1<<sigRes
}
