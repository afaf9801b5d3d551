package amd64

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
)

// An inst is an instruction to be assembled by the method that its operands name.
type inst struct {
	op   Op
	size uint8
	vex  bool
	args []any // Reg, Mem, int64
}

func (in inst) String() string {
	return fmt.Sprintf("%s size %d vex %v %v", in.op.mnemonic(in.size), in.size, in.vex, in.args)
}

// shape is the operands' kinds, as in the methods' names.
func (in inst) shape() string {
	s := ""
	if in.vex {
		s = "V"
	}
	for _, x := range in.args {
		switch x.(type) {
		case Reg:
			s += "R"
		case Mem:
			s += "M"
		case int64:
			s += "I"
		}
	}
	return s
}

// emit assembles the instruction.
func (in inst) emit(a *Asm) {
	r := func(i int) Reg { return in.args[i].(Reg) }
	m := func(i int) Mem { return in.args[i].(Mem) }
	imm := func(i int) int64 { return in.args[i].(int64) }
	op, size := in.op, in.size
	switch in.shape() {
	case "":
		a.Bare(op)
	case "R":
		a.R(op, size, r(0))
	case "M":
		a.M(op, size, m(0))
	case "RR":
		a.RR(op, size, r(0), r(1))
	case "RM":
		a.RM(op, size, r(0), m(1))
	case "MR":
		a.MR(op, size, m(0), r(1))
	case "RI":
		a.RI(op, size, r(0), imm(1))
	case "MI":
		a.MI(op, size, m(0), imm(1))
	case "RRI":
		a.RRI(op, size, r(0), r(1), imm(2))
	case "RMI":
		a.RMI(op, size, r(0), m(1), imm(2))
	case "MRI":
		a.MRI(op, size, m(0), r(1), imm(2))
	case "VRR":
		a.VRR(op, size, r(0), r(1))
	case "VRM":
		a.VRM(op, size, r(0), m(1))
	case "VMR":
		a.VMR(op, size, m(0), r(1))
	case "VRRI":
		a.VRRI(op, size, r(0), r(1), imm(2))
	case "VRMI":
		a.VRMI(op, size, r(0), m(1), imm(2))
	case "VMRI":
		a.VMRI(op, size, m(0), r(1), imm(2))
	case "VRRR":
		a.VRRR(op, size, r(0), r(1), r(2))
	case "VRRM":
		a.VRRM(op, size, r(0), r(1), m(2))
	case "VRMR":
		a.VRMR(op, size, r(0), m(1), r(2))
	case "VRRRI":
		a.VRRRI(op, size, r(0), r(1), r(2), imm(3))
	case "VRRMI":
		a.VRRMI(op, size, r(0), r(1), m(2), imm(3))
	case "VRRRR":
		a.VRRRR(op, size, r(0), r(1), r(2), r(3))
	case "VRRMR":
		a.VRRMR(op, size, r(0), r(1), m(2), r(3))
	default:
		a.Fail("test: no method for %v", in)
	}
}

// shapes lists the methods' operands; the letters are those of their names.
var shapes = []string{
	"", "R", "M", "RR", "RM", "MR", "RI", "MI", "RRI", "RMI", "MRI",
	"VRR", "VRM", "VMR", "VRRI", "VRMI", "VMRI", "VRRR", "VRRM", "VRMR", "VRRRI", "VRRMI", "VRRRR", "VRRMR",
}

// allOps are all instructions of the table, those with conditions once for each.
func allOps() (ops []Op) {
	for op := NoOp + 1; op < opCount; op++ {
		if (encodings[op].rm|encodings[op].u)&cc == 0 {
			ops = append(ops, op)
			continue
		}
		for c := CondO; c <= CondG; c++ {
			ops = append(ops, op.If(c))
		}
	}
	return ops
}

// someMems are memory operands of all kinds of encoding.
var someMems = []Mem{
	At(RAX, 0), At(RSP, 0), At(RBP, 0), At(RSI, 8), At(R12, 0), At(R13, 0), At(R12, -8), At(R9, 0x1234),
	AtIndex(R15, RCX, 1, 0x7FFFFFFF), AtIndex(RBP, R12, 2, 0), AtIndex(RSP, RBP, 4, 128), AtIndex(R13, R13, 8, 0),
	AtIndex(NoReg, R8, 8, 16), AtIndex(NoReg, RDX, 1, 3), At(NoReg, 0x1000),
}

var someImms = []int64{0, 1, 7, 31, 63, 127, 128, 255, -1, -128, -129, 0x7FFF, 0xFFFF, 0x12345678, 0x7FFFFFFF, -0x80000000, 0xFFFFFFFF, 0x123456789A, -0x8000000000000000}

// instances are the instructions of the given op and shape that exist, with some
// of their operands. All have register 0, the first of someMems and immediate 0:
// what has not is left out, whatever the other operands.
func instances(op Op, shape string) []inst {
	key := instanceKey{op, shape}
	list, ok := instanceCache[key]
	if !ok {
		list = makeInstances(op, shape)
		instanceCache[key] = list
	}
	return list
}

type instanceKey struct {
	op    Op
	shape string
}

// instanceCache has what several tests use.
var instanceCache = map[instanceKey][]inst{}

func makeInstances(op Op, shape string) (list []inst) {
	kinds, vex := strings.CutPrefix(shape, "V")
	sizes, count := []uint8{1, 2, 4, 8, 16, 32}, 48
	if shape == "" {
		sizes, count = sizes[:1], 1
	}
	for _, size := range sizes {
		for vectors := range 1 << strings.Count(kinds, "R") { // which registers are vector registers
			for n := range count {
				in := inst{op, size, vex, operands(kinds, vectors, n)}
				if _, ok := encodeOne(in); ok {
					list = append(list, in)
				} else if n == 0 {
					break
				}
			}
		}
	}
	return list
}

// operands are operands number n of the given kinds.
func operands(kinds string, vectors, n int) []any {
	var args []any
	for i, kind := range kinds {
		switch kind {
		case 'R':
			r := Reg(n * [...]int{1, 5, 7, 3}[i] % 16)
			if vectors&1 != 0 {
				r += X0
			}
			vectors >>= 1
			args = append(args, r)
		case 'M':
			args = append(args, someMems[n%len(someMems)])
		case 'I':
			args = append(args, someImms[n%len(someImms)])
		}
	}
	return args
}

// assemble is the code of f alone.
func assemble(t testing.TB, f func(a *Asm)) backend.Code {
	t.Helper()
	var a Asm
	var c backend.Code
	a.Reset()
	f(&a)
	if err := a.Finish(&c); err != nil {
		t.Fatal(err)
	}
	return c
}
