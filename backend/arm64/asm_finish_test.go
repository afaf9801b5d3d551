package arm64

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/arch/arm64/arm64asm"

	"github.com/wasmaot/wasmaot/backend"
)

// decodeAt is the instruction at offset at.
func decodeAt(t *testing.T, c *backend.Code, at int) arm64asm.Inst {
	t.Helper()
	d, err := arm64asm.Decode(c.Text[at:])
	if err != nil {
		t.Fatalf("at %#x: %08x: %v", at, binary.LittleEndian.Uint32(c.Text[at:]), err)
	}
	return d
}

// relative is the distance of a branch or address.
func relative(d arm64asm.Inst) int {
	for _, x := range d.Args {
		if r, ok := x.(arm64asm.PCRel); ok {
			return int(r)
		}
	}
	return math.MaxInt
}

// TestReach has branches at both ends of what they reach: beyond, the condition is
// turned round and skips a branch.
func TestReach(t *testing.T) {
	for _, x := range []struct {
		name    string
		reach   int
		emit    func(a *Asm, l Label)
		inverse string
	}{
		{"b.ls", 1 << 20, func(a *Asm, l Label) { a.BCond(CondLS, l) }, "b.hi .+0x8"},
		{"cbz", 1 << 20, func(a *Asm, l Label) { a.CBZ(4, X3, l) }, "cbnz w3, .+0x8"},
		{"cbnz", 1 << 20, func(a *Asm, l Label) { a.CBNZ(8, X3, l) }, "cbz x3, .+0x8"},
		{"tbz", 1 << 15, func(a *Asm, l Label) { a.TBZ(X3, 40, l) }, "tbnz x3, #40, .+0x8"},
		{"tbnz", 1 << 15, func(a *Asm, l Label) { a.TBNZ(X3, 3, l) }, "tbz w3, #3, .+0x8"},
	} {
		for _, far := range []bool{false, true} {
			more := 0
			if far {
				more = 1
			}
			forward := assemble(t, func(a *Asm) {
				l := a.NewLabel()
				x.emit(a, l)
				for range x.reach/4 - 2 + more {
					a.NOP()
				}
				a.Bind(l)
				a.RET()
			})
			checkReach(t, fmt.Sprint(x.name, " forward ", far), &forward, 0, len(forward.Text)-4, far, x.inverse)
			back := assemble(t, func(a *Asm) {
				l := a.NewLabel()
				a.RET()
				a.Bind(l)
				for range x.reach/4 + more {
					a.NOP()
				}
				x.emit(a, l)
			})
			checkReach(t, fmt.Sprint(x.name, " back ", far), &back, x.reach+4*more+4, 4, far, x.inverse)
		}
	}
}

// checkReach checks the branch at offset at, which leads to offset to.
func checkReach(t *testing.T, name string, c *backend.Code, at, to int, far bool, inverse string) {
	t.Helper()
	d := decodeAt(t, c, at)
	if far {
		if got := arm64asm.GNUSyntax(d); got != inverse {
			t.Errorf("%s: %s, expected %s", name, got, inverse)
		}
		at += 4
		if d = decodeAt(t, c, at); d.Op != arm64asm.B {
			t.Errorf("%s: %v, expected a branch", name, d)
		}
	}
	if at+relative(d) != to {
		t.Errorf("%s: %v leads to %#x, expected %#x", name, d, at+relative(d), to)
	}
}

// TestBranchOutOfReach has the encoder refuse distances beyond 128 MiB.
func TestBranchOutOfReach(t *testing.T) {
	var b [16]byte
	for _, x := range []struct {
		class    uint8
		distance int64
		want     bool
	}{
		{classB, 1<<27 - 4, true}, {classB, 1 << 27, false}, {classB, -1 << 27, true}, {classB, -1<<27 - 4, false}, {classB, 2, false},
		{classCond, 1<<27 - 4, true}, {classCond, 1 << 27, false},
		{classTest, -1 << 27, true}, {classTest, -1<<27 - 4, false},
		{classLiteral, farReach - 1, true}, {classLiteral, farReach, false}, {classLiteral, -farReach + 1, true}, {classLiteral, -farReach, false},
		{classAdr, farReach - 1, true}, {classAdr, farReach, false},
	} {
		aux := wordBCond
		if x.class == classLiteral {
			aux = literalLoads[0].near
		}
		if got := encodeDistance(b[:], x.class, false, aux, x.distance); got != x.want {
			t.Errorf("class %d over %#x: %v, expected %v", x.class, x.distance, got, x.want)
		}
	}
}

// addressOf follows ADR and what is added to it from offset at on.
func addressOf(t *testing.T, c *backend.Code, at int, d uint32) (address, next int) {
	t.Helper()
	for first := true; ; first = false {
		w := binary.LittleEndian.Uint32(c.Text[at:])
		imm := int(w>>10&0xFFF) << 12
		switch {
		case first && w&0x9F00001F == wordADR|d:
			address = at + relative(decodeAt(t, c, at))
		case w&0xFFC003FF == wordAddImm|1<<22|d<<5|d:
			address += imm
		case w&0xFFC003FF == wordSubImm|1<<22|d<<5|d:
			address -= imm
		default:
			return address, at
		}
		at += 4
	}
}

// TestConstantsFar reaches constants and code near and far in both directions.
func TestConstantsFar(t *testing.T) {
	for _, filler := range []int{0, 1<<18 - 40, 1<<18 - 10, 1 << 18, 1<<18 + 100, 1 << 21} {
		c := assemble(t, func(a *Asm) {
			start := a.NewLabel()
			a.Bind(start)
			a.Mem(LDR, 4, X3, AtConst(a.Const32(0x11111111)))
			a.Mem(LDR, 8, V3, AtConst(a.Const64(0x2222222222222222)))
			a.Mem(LDR, 16, V4, AtConst(a.Const128(0x3333333333333333, 0x4444444444444444)))
			a.Adr(X5, a.AddTable([]Label{start}))
			for range filler {
				a.NOP()
			}
			a.Adr(X6, start)
			a.Mem(LDR, 8, X3, AtConst(a.Const64(0x2222222222222222)))
		})
		at := 0
		load := func(near, bytes int, want string) {
			t.Helper()
			var address int
			w := binary.LittleEndian.Uint32(c.Text[at:])
			if w>>24&0x3B == 0x18 {
				address = at + relative(decodeAt(t, &c, at))
				at += 4
			} else {
				address, at = addressOf(t, &c, at, uint32(regAddress))
				at += 4
			}
			if address%bytes != 0 {
				t.Errorf("filler %d: constant at %#x", filler, address)
			}
			if got := fmt.Sprintf("%x", c.Text[address:address+bytes]); got != want {
				t.Errorf("filler %d: constant %s, expected %s", filler, got, want)
			}
		}
		load(0, 4, "11111111")
		load(0, 8, "2222222222222222")
		load(0, 16, "33333333333333334444444444444444")
		address, next := addressOf(t, &c, at, 5)
		if address != len(c.Text)-4 {
			t.Errorf("filler %d: table at %#x, expected %#x", filler, address, len(c.Text)-4)
		}
		if got := int(int32(binary.LittleEndian.Uint32(c.Text[address:]))); got != -address {
			t.Errorf("filler %d: entry %d, expected %d", filler, got, -address)
		}
		if small := next-at == 4; small != (4*filler+100 < 1<<20) {
			t.Errorf("filler %d: address in %d bytes", filler, next-at)
		}
		at = next + 4*filler
		if address, at = addressOf(t, &c, at, 6); address != 0 {
			t.Errorf("filler %d: start at %#x", filler, address)
		}
		load(0, 8, "2222222222222222")
		if at != int(c.CodeSize) {
			t.Errorf("filler %d: code ends at %#x, expected %#x", filler, c.CodeSize, at)
		}
	}
}

// TestMovImm evaluates what puts constants into registers.
func TestMovImm(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0))}
	values := []int64{0, 1, -1, 0xFFFF, 0x10000, -0x10000, 0xFFFF0000, 0x1234FFFF, math.MinInt64, math.MaxInt64, math.MinInt32, 0xFFFFFFFF, 0xFFFF_FFFF_0000, 0x5555555555555555, 0x1234_0000_5678_0000}
	for range 2000 {
		values = append(values, int64(m.Uint64()>>m.IntN(64)), ^int64(m.Uint64()>>m.IntN(64)), m.immediate(row(AND), 8))
	}
	for _, v := range values {
		for _, size := range []uint8{4, 8} {
			if size == 4 && v != int64(int32(v)) && v>>32 != 0 {
				continue
			}
			c := assemble(t, func(a *Asm) { a.MovImm(size, X7, v) })
			want := uint64(v)
			if size == 4 {
				want &= 1<<32 - 1
			}
			got := uint64(0xABABABABABABABAB)
			for at := 0; at < len(c.Text); at += 4 {
				got = moved(t, binary.LittleEndian.Uint32(c.Text[at:]), got, size)
			}
			if got != want {
				t.Errorf("%#x of %d bytes: got %#x", v, size, got)
			}
			if n := MovImmLen(size, v); n != len(c.Text)/4 {
				t.Errorf("%#x of %d bytes: %d instructions, expected %d", v, size, len(c.Text)/4, n)
			}
		}
	}
}

// moved is what instruction w makes of the value v of x7.
func moved(t *testing.T, w uint32, v uint64, size uint8) uint64 {
	shift := w >> 21 & 3 * 16
	imm := uint64(w >> 5 & 0xFFFF)
	mask := ^uint64(0) >> (64 - 8*uint(size))
	switch op := WideOp(w & 0x7F800000); {
	case w&31 != 7 || w>>31 != uint32(size>>3):
		t.Fatalf("%08x: register or size", w)
	case op == MOVZ:
		return imm << shift
	case op == MOVN:
		return ^(imm << shift) & mask
	case op == MOVK:
		return v&^(0xFFFF<<shift)&mask | imm<<shift
	case w&0x7F8003E0 == 0x320003E0:
		return logicValue(w) & mask
	}
	t.Fatalf("%08x: no move", w)
	return 0
}

// logicValue is the immediate of a bitwise operation, as the manual decodes it.
func logicValue(w uint32) uint64 {
	n, immr, imms := w>>22&1, w>>16&63, w>>10&63
	length := 31
	for v := n<<6 | ^imms&63; length > 0 && v>>length&1 == 0; length-- {
	}
	size := uint32(1) << length
	s, r := imms&(size-1), immr&(size-1)
	element := uint64(1)<<(s+1) - 1
	element = (element>>r | element<<(size-r)) & (^uint64(0) >> (64 - size))
	v := uint64(0)
	for at := uint32(0); at < 64; at += size {
		v |= element << at
	}
	return v
}

// TestLogicImm finds all bitmasks, and only those.
func TestLogicImm(t *testing.T) {
	want := map[uint64]bool{}
	for w := range uint32(1 << 13) {
		imms, immr, n := w&63, w>>6&63, w>>12
		if n == 0 && imms == 63 || n == 0 && imms&0x3E == 0x3E { // reserved, or an element of one bit
			continue
		}
		size := uint32(2)
		switch {
		case n == 1:
			size = 64
		default:
			for b := uint32(5); b > 0; b-- {
				if imms>>b&1 == 0 {
					size = 1 << b
					break
				}
			}
		}
		if imms&(size-1) == size-1 {
			continue // all ones
		}
		want[logicValue(n<<22|immr<<16|imms<<10)] = true
	}
	if len(want) != 5334 {
		t.Errorf("%d masks, expected 5334", len(want))
	}
	for v := range want {
		f, ok := logicField(8, int64(v))
		if !ok || logicValue(f) != v {
			t.Fatalf("%#x: %v, field %#x of %#x", v, ok, f, logicValue(f))
		}
		for _, other := range []uint64{v ^ 1, v ^ 1<<63, v ^ 1<<31, v + 0x100} {
			if LogicImm(8, int64(other)) != want[other] {
				t.Fatalf("%#x: expected %v", other, want[other])
			}
		}
	}
}

// TestRelocs finds relocated instructions, call sites and traps.
func TestRelocs(t *testing.T) {
	c := assemble(t, func(a *Asm) {
		a.NOP()
		a.BL(7)
		a.CallSite(99)
		a.Trap(3, 100)
		a.UDF(3)
		a.BFunc(8)
	})
	want := []backend.Reloc{{Off: 4, Target: 7}, {Off: 12, Target: 8}}
	if diff := cmp.Diff(want, c.Relocs); diff != "" {
		t.Errorf("relocations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]backend.CallSite{{Off: 8, Pos: 99}}, c.Calls); diff != "" {
		t.Errorf("call sites (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]backend.TrapSite{{Off: 8, Pos: 100, Trap: 3}}, c.Traps); diff != "" {
		t.Errorf("traps (-want +got):\n%s", diff)
	}
}

// TestVecImm evaluates the constants that vectors take at once.
func TestVecImm(t *testing.T) {
	for op := range uint32(2) {
		for cmode := range uint32(16) {
			for imm := range uint64(256) {
				v, ok := vecImmValue(op, cmode, imm)
				if !ok {
					continue
				}
				w, found := vecImmWord(v, v)
				if !found {
					t.Fatalf("%#x of op %d, cmode %d: no instruction", v, op, cmode)
				}
				got, _ := vecImmValue(w>>29&1, w>>12&15, uint64(w>>16&7<<5|w>>5&31))
				if got != v {
					t.Fatalf("%#x: got %#x by %08x", v, got, w)
				}
			}
		}
	}
	for _, v := range []uint64{0x0102030405060708, 0x123456781234567, 0x0101010101010102} {
		if FitsVecImm(v, v) || FitsVecImm(0, v) {
			t.Errorf("%#x: expected no instruction", v)
		}
	}
}

// vecImmValue expands an immediate as the manual does (AdvSIMDExpandImm).
func vecImmValue(op, cmode uint32, imm uint64) (v uint64, ok bool) {
	twice := func(v uint64, width int) uint64 {
		for ; width < 64; width *= 2 {
			v |= v << width
		}
		return v
	}
	invert := uint64(0)
	if op == 1 {
		invert = ^uint64(0)
	}
	switch {
	case cmode < 8 && cmode&1 == 0:
		return twice(imm<<(8*(cmode/2)), 32) ^ invert, true
	case cmode == 8 || cmode == 10:
		return twice(imm<<(4*(cmode-8)), 16) ^ invert, true
	case cmode == 12 || cmode == 13:
		n := 8 * (cmode - 11)
		return twice(imm<<n|(1<<n-1), 32) ^ invert, true
	case cmode == 14 && op == 0:
		return twice(imm, 8), true
	case cmode == 14:
		for i := range 8 {
			v |= imm >> i & 1 * 0xFF << (8 * i)
		}
		return v, true
	case cmode == 15 && op == 0:
		return twice(uint64(math.Float32bits(float32(smallFloat(imm)))), 32), true
	case cmode == 15:
		return math.Float64bits(smallFloat(imm)), true
	}
	return 0, false // those that change a register
}

// smallFloat is the number that 8 bits stand for: sign, exponent from -3 to 4, fraction of 4 bits.
func smallFloat(imm uint64) float64 {
	f := math.Ldexp(1+float64(imm&15)/16, int(imm>>4&7^4)-3)
	if imm>>7 != 0 {
		f = -f
	}
	return f
}
