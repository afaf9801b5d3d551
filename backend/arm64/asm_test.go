package arm64

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
)

// An inst is an instruction to be assembled, and how Arm's manual writes it.
type inst struct {
	text string
	emit func(a *Asm)
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

// encodeOne is the instruction's code, if there is one.
func encodeOne(emit func(a *Asm)) ([]byte, bool) {
	var a Asm
	a.Reset()
	emit(&a)
	return a.Buf[:a.N], a.Err() == nil
}

// A maker makes instructions with random operands.
type maker struct {
	*rand.Rand
	special bool // operands may be the zero register and the stack pointer
	list    []inst
}

func (m *maker) add(emit func(a *Asm), format string, args ...any) {
	m.list = append(m.list, inst{fmt.Sprintf(format, args...), emit})
}

// reg is a register of a class that vec and sp describe.
func (m *maker) reg(vec, sp bool) Reg {
	switch n := Reg(m.IntN(32)); {
	case vec:
		return V0 + n
	case n < 31 && (n != 30 || !m.special):
		return n
	case !m.special:
		return Reg(m.IntN(30))
	case sp:
		return SP
	}
	return ZR
}

// intText is an integer register of size bytes.
func intText(r Reg, size uint8) string {
	letter := "x"
	if size < 8 {
		letter = "w"
	}
	switch {
	case r == SP && size < 8:
		return "wsp"
	case r == SP:
		return "sp"
	case r == ZR:
		return letter + "zr"
	}
	return fmt.Sprintf("%s%d", letter, r)
}

// scalarLetters are the names of the low parts of vector registers by size.
const scalarLetters = "?bh?s???d???????q"

// regText is a register of size bytes, or with the arrangement.
func regText(r Reg, size uint8) string {
	switch {
	case r < V0 || r == ZR:
		return intText(r, size)
	case size >= A8B:
		return fmt.Sprintf("v%d.%s", r-V0, arrText(size))
	}
	return fmt.Sprintf("%c%d", scalarLetters[size], r-V0)
}

func arrText(arr uint8) string {
	log, count := lanes(arr)
	return fmt.Sprintf("%d%c", count, "bhsd"[log])
}

// wider is the arrangement of all 16 bytes in lanes twice as wide.
func wider(arr uint8) uint8 { return (arr | 1) + 2 }

func (m *maker) sizes(e *encoding) (list []uint8) {
	for size := range sizeEnd {
		if sizeBits[e.size][size]&sized != 0 {
			list = append(list, size)
		}
	}
	return list
}

// operandSizes are the sizes of the operands of instructions whose operands differ in size.
func operandSizes(op Op, size uint8) (name string, d, n, m uint8) {
	name = encodings[op].name
	d, n, m = size, size, size
	second := func() {
		if (size-A8B)&1 != 0 {
			name += "2"
		}
	}
	switch op {
	case SMADDL, SMSUBL, UMADDL, UMSUBL:
		n, m = 4, 4
	case SXTB, SXTH, SXTW:
		n = 4
	case UXTB, UXTH:
		d, n = 4, 4
	case FCVT:
		n = 12 - size
	case VXTN, VSQXTN, VSQXTUN, VUQXTN, VSHRN, VFCVTN:
		second()
		n = wider(size)
	case VSMULL, VUMULL, VSMLAL, VUMLAL, VSSHLL, VUSHLL, VFCVTL:
		second()
		d = wider(size)
	case VSADDLP, VUADDLP, VSADALP, VUADALP:
		d = size + 2
	case VADDV, VUMAXV, VUMINV:
		d = 1 << ((size - A8B) / 2)
	case VUADDLV:
		d = 2 << ((size - A8B) / 2)
	}
	if d == A1D+2 {
		d = A1D
	}
	return name, d, n, m
}

// table makes n instructions of each form and size of every row.
func (m *maker) table(n int) {
	for op := NoOp + 1; op < opCount; op++ {
		e := &encodings[op]
		for _, size := range m.sizes(e) {
			for range n {
				m.row(op, e, size)
			}
		}
	}
}

func (m *maker) row(op Op, e *encoding, size uint8) {
	name, sd, sn, sm := operandSizes(op, size)
	regs := func(c code) (d, n, r Reg) {
		return m.reg(c&dVec != 0, c&dSP != 0), m.reg(c&nVec != 0, c&nSP != 0), m.reg(c&mVec != 0, false)
	}
	text := func(d, n Reg) string { return name + " " + regText(d, sd) + ", " + regText(n, sn) }
	if e.rr != 0 {
		d, n, _ := regs(e.rr)
		zero := ""
		if op >= VFMAXNM && e.name[:2] == "fc" && e.name[:3] == "fcm" {
			zero = ", #0.0"
		} else if strings.HasPrefix(e.name, "cm") && op >= VAND {
			zero = ", #0"
		}
		m.add(func(a *Asm) { a.RR(op, size, d, n) }, "%s%s", text(d, n), zero)
	}
	if e.rrr != 0 {
		d, n, r := regs(e.rrr)
		for !m.special && n == r {
			d, n, r = regs(e.rrr) // some have another name then
		}
		table := ""
		switch op {
		case VTBL, VTBX:
			table = fmt.Sprintf("%s %s, {v%d.16b}, %s", name, regText(d, size), n-V0, regText(r, size))
		case VTBL2:
			table = fmt.Sprintf("%s %s, {v%d.16b, v%d.16b}, %s", name, regText(d, size), n-V0, (n-V0+1)&31, regText(r, size))
		default:
			table = text(d, n) + ", " + regText(r, sm)
		}
		m.add(func(a *Asm) { a.RRR(op, size, d, n, r) }, "%s", table)
		if e.sh {
			s, by := Shift(m.IntN(4)), uint8(m.IntN(int(size)*8))
			if e.imm == immAdd {
				s %= 3
			}
			shift := fmt.Sprintf(", %s #%d", [...]string{"lsl", "lsr", "asr", "ror"}[s], by)
			if s == ShLSL && by == 0 {
				shift = ""
			}
			m.add(func(a *Asm) { a.RRRShift(op, size, d, n, r, s, by) }, "%s, %s%s", text(d, n), regText(r, sm), shift)
		}
	}
	if e.rrrr != 0 {
		d, n, r := regs(e.rrrr)
		x := m.reg(e.rrrr&aVec != 0, false)
		m.add(func(a *Asm) { a.RRRR(op, size, d, n, r, x) }, "%s, %s, %s", text(d, n), regText(r, sm), regText(x, sd))
	}
	if e.ext != 0 {
		d, n, r := regs(e.ext)
		x, by := Ext(m.IntN(8)), uint8(m.IntN(5))
		width := uint8(4)
		if x&3 == 3 {
			width = size
		}
		shift := ""
		if by > 0 {
			shift = fmt.Sprintf(" #%d", by)
		}
		m.add(func(a *Asm) { a.RRRExt(op, size, d, n, r, x, by) }, "%s, %s, %s%s", text(d, n), regText(r, width), extNames[x], shift)
	}
	if e.i != 0 {
		d, n, _ := regs(e.i)
		imm := m.immediate(e, size)
		shown, alias := fmt.Sprintf("#%d", imm), name
		switch {
		case e.imm == immAdd:
			v := max(imm, -imm)
			if imm < 0 {
				alias = encodings[e.neg].name
			}
			if shown = fmt.Sprintf("#%#x", v); v >= 1<<12 {
				shown = fmt.Sprintf("#%#x, lsl #12", v>>12)
			}
		case e.imm == immLogic && size == 4:
			shown = fmt.Sprintf("#%#x", uint32(imm))
		case e.imm == immLogic:
			shown = fmt.Sprintf("#%#x", uint64(imm))
		}
		m.add(func(a *Asm) { a.RRI(op, size, d, n, imm) }, "%s %s, %s, %s", alias, regText(d, sd), regText(n, sn), shown)
	}
}

var extNames = [...]string{"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"}

// immediate is one that the instruction has.
func (m *maker) immediate(e *encoding, size uint8) int64 {
	switch e.imm {
	case immAdd:
		v := m.Int64N(1 << 12)
		if m.IntN(2) == 0 {
			v <<= 12
		}
		if m.IntN(3) == 0 {
			v = -v
		}
		return v
	case immLogic:
		for {
			element := 2 << m.IntN(6)
			if element > int(size)*8 {
				continue
			}
			ones := 1 + m.IntN(element-1)
			v := uint64(1)<<ones - 1
			at := m.IntN(element)
			v = (v<<at | v>>(element-at)) & (1<<element - 1)
			if element == 64 {
				v = uint64(1)<<ones - 1
				v = v<<at | v>>(64-at)
			}
			for w := element; w < int(size)*8; w *= 2 {
				v |= v << w
			}
			return int64(v)
		}
	case immVecL:
		log, _ := lanes(size)
		if m.special {
			return m.Int64N(8 << log)
		}
		return 1 + m.Int64N(8<<log-1) // 0 has another name
	case immVecR:
		log, _ := lanes(size)
		return 1 + m.Int64N(8<<log)
	}
	return 1 + m.Int64N(int64(size)*8-1)
}

// others makes instructions that have methods of their own.
func (m *maker) others(n int) {
	for range n {
		for _, size := range []uint8{4, 8} {
			m.scalars(size)
		}
		for arr := A8B; arr <= A2D; arr++ {
			m.laneOps(arr)
		}
		m.mems()
	}
}

func (m *maker) scalars(size uint8) {
	r := func() Reg { return m.reg(false, false) }
	d, n, k := r(), r(), r()
	for !m.special && n == k {
		k = r() // some have another name then
	}
	first, last := uint8(m.IntN(int(size)*8)), uint8(m.IntN(int(size)*8))
	tx := func(r Reg) string { return regText(r, size) }
	c := Cond(m.IntN(14))
	for op, name := range map[SelOp]string{CSEL: "csel", CSINC: "csinc", CSINV: "csinv", CSNEG: "csneg"} {
		m.add(func(a *Asm) { a.Sel(op, size, d, n, k, c) }, "%s %s, %s, %s, %v", name, tx(d), tx(n), tx(k), c)
	}
	vd, vn, vm := m.reg(true, false), m.reg(true, false), m.reg(true, false)
	m.add(func(a *Asm) { a.Sel(FCSEL, size, vd, vn, vm, c) }, "fcsel %s, %s, %s, %v", tx(vd), tx(vn), tx(vm), c)
	m.add(func(a *Asm) { a.FCmp(size, vn, vm) }, "fcmp %s, %s", tx(vn), tx(vm))
	m.add(func(a *Asm) { a.FCmp0(size, vn) }, "fcmp %s, #0.0", tx(vn))
	flags, imm := uint8(m.IntN(16)), uint8(m.IntN(32))
	for op, name := range map[CompareOp]string{CCMP: "ccmp", CCMN: "ccmn"} {
		m.add(func(a *Asm) { a.CCmp(op, size, n, k, flags, c) }, "%s %s, %s, #%#x, %v", name, tx(n), tx(k), flags, c)
		m.add(func(a *Asm) { a.CCmpI(op, size, n, imm, flags, c) }, "%s %s, #%#x, #%#x, %v", name, tx(n), imm, flags, c)
	}
	lsb := uint8(m.IntN(int(size) * 8))
	m.add(func(a *Asm) { a.Extr(size, d, n, k, lsb) }, "extr %s, %s, %s, #%d", tx(d), tx(n), tx(k), lsb)
	for op, name := range map[FieldOp]string{UBFM: "ubfm", SBFM: "sbfm", BFM: "bfm"} {
		m.add(func(a *Asm) { a.Bits(op, size, d, n, first, last) }, "%s %s, %s, #%d, #%d", name, tx(d), tx(n), first, last)
	}
	for _, fsize := range []uint8{4, 8} {
		for op, name := range map[ConvOp]string{SCVTF: "scvtf", UCVTF: "ucvtf"} {
			m.add(func(a *Asm) { a.Conv(op, size, fsize, vd, n) }, "%s %s, %s", name, regText(vd, fsize), tx(n))
		}
		for op, name := range map[ConvOp]string{FCVTZS: "fcvtzs", FCVTZU: "fcvtzu"} {
			m.add(func(a *Asm) { a.Conv(op, size, fsize, d, vn) }, "%s %s, %s", name, tx(d), regText(vn, fsize))
		}
	}
	m.add(func(a *Asm) { a.Mov(size, vd, n) }, "fmov %s, %s", tx(vd), tx(n))
	m.add(func(a *Asm) { a.Mov(size, d, vn) }, "fmov %s, %s", tx(d), tx(vn))
	m.add(func(a *Asm) { a.Mov(size, vd, vn) }, "fmov %s, %s", tx(vd), tx(vn))
	m.add(func(a *Asm) { a.Mov(16, vd, vn) }, "mov v%d.16b, v%d.16b", vd-V0, vn-V0)
	m.add(func(a *Asm) { a.Mov(size, d, n) }, "mov %s, %s", tx(d), tx(n))
	if m.special {
		m.add(func(a *Asm) { a.Mov(8, SP, X3) }, "mov sp, x3")
		m.add(func(a *Asm) { a.Mov(8, X3, SP) }, "mov x3, sp")
	}
	wide, shift := uint16(m.Uint32()), uint8(m.IntN(int(size)/2))*16
	for op, name := range map[WideOp]string{MOVZ: "movz", MOVN: "movn", MOVK: "movk"} {
		by := ""
		if shift > 0 {
			by = fmt.Sprintf(", lsl #%d", shift)
		}
		m.add(func(a *Asm) { a.MovWide(op, size, d, wide, shift) }, "%s %s, #%#x%s", name, tx(d), wide, by)
	}
	m.add(func(a *Asm) { a.UDF(wide) }, "udf #%d", wide)
	m.add(func(a *Asm) { a.BRK(wide) }, "brk #%#x", wide)
	m.add(func(a *Asm) { a.NOP() }, "nop")
	m.add(func(a *Asm) { a.RET() }, "ret")
	if n != ZR {
		m.add(func(a *Asm) { a.BR(n) }, "br %s", regText(n, 8))
		m.add(func(a *Asm) { a.BLR(n) }, "blr %s", regText(n, 8))
	}
}

func (m *maker) laneOps(arr uint8) {
	log, count := lanes(arr | 1)
	width := uint8(1) << log
	lane, from := uint8(m.IntN(int(count))), uint8(m.IntN(int(count)))
	d, n, r := m.reg(true, false), m.reg(true, false), m.reg(false, false)
	size := max(4, width)
	el := func(r Reg, lane uint8) string { return fmt.Sprintf("v%d.%c[%d]", r-V0, "bhsd"[log], lane) }
	base := m.reg(false, true)
	if arr != A1D {
		m.add(func(a *Asm) { a.Dup(arr, d, r) }, "dup %s, %s", regText(d, arr), intText(r, size))
		m.add(func(a *Asm) { a.DupLane(arr, d, n, lane) }, "dup %s, %s", regText(d, arr), el(n, lane))
	}
	if base != ZR {
		m.add(func(a *Asm) { a.LoadDup(arr, d, base) }, "ld1r {%s}, [%s]", regText(d, arr), intText(base, 8))
		m.add(func(a *Asm) { a.LoadLane(arr, d, lane, base) }, "ld1 {v%d.%c}[%d], [%s]", d-V0, "bhsd"[log], lane, intText(base, 8))
		m.add(func(a *Asm) { a.StoreLane(arr, d, lane, base) }, "st1 {v%d.%c}[%d], [%s]", d-V0, "bhsd"[log], lane, intText(base, 8))
	}
	m.add(func(a *Asm) { a.Ins(arr, d, lane, r) }, "mov %s, %s", el(d, lane), intText(r, size))
	m.add(func(a *Asm) { a.InsLane(arr, d, lane, n, from) }, "mov %s, %s", el(d, lane), el(n, from))
	m.add(func(a *Asm) { a.Umov(arr, r, n, lane) }, "umov %s, %s", intText(r, size), el(n, lane))
	m.add(func(a *Asm) { a.MovLane(arr, d, n, lane) }, "mov %c%d, %s", scalarLetters[width], d-V0, el(n, lane))
	for _, size := range []uint8{4, 8} {
		if width < size {
			m.add(func(a *Asm) { a.Smov(arr, size, r, n, lane) }, "smov %s, %s", intText(r, size), el(n, lane))
		}
	}
	by := uint8(m.IntN(16))
	m.add(func(a *Asm) { a.Ext(d, n, m16(n), by) }, "ext v%d.16b, v%d.16b, v%d.16b, #%d", d-V0, n-V0, m16(n)-V0, by)
	m.add(func(a *Asm) { a.AddPair(d, n) }, "addp d%d, v%d.2d", d-V0, n-V0)
}

// m16 is a register other than r.
func m16(r Reg) Reg { return V0 + (r-V0+13)&31 }

func (m *maker) mems() {
	for op := range memOps {
		for vec := range 2 {
			for size := range uint8(17) {
				x := accesses[op][vec][size]
				if x.bytes == 0 {
					continue
				}
				t := m.reg(vec == 1, false)
				name, shown := memNames[op], size
				if vec == 0 && size < 4 {
					name, shown = name+map[uint8]string{1: "b", 2: "h"}[size], 4
				}
				m.memsOf(op, size, t, name, regText(t, shown), x.bytes)
			}
		}
	}
	for vec := range 2 {
		for _, size := range []uint8{4, 8, 16} {
			if !pairBits[vec][size].ok {
				continue
			}
			t, u, base := m.reg(vec == 1, false), m.reg(vec == 1, false), m.reg(false, true)
			for t == u || base == t || base == u || base == ZR {
				t, u, base = m.reg(vec == 1, false), m.reg(vec == 1, false), m.reg(false, true)
			}
			disp := int32(m.IntN(128)-64) * int32(size)
			for op, name := range map[PairOp]string{STP: "stp", LDP: "ldp"} {
				for _, at := range []Mem{At(base, disp), Pre(base, disp), Post(base, disp)} {
					m.add(func(a *Asm) { a.Pair(op, size, t, u, at) }, "%s %s, %s, %s", name, regText(t, size), regText(u, size), memText(at))
				}
			}
		}
	}
}

func memText(at Mem) string {
	switch at.Mode {
	case ModePre:
		return fmt.Sprintf("[%s, #%d]!", intText(at.Base, 8), at.Disp)
	case ModePost:
		return fmt.Sprintf("[%s], #%d", intText(at.Base, 8), at.Disp)
	}
	return fmt.Sprintf("[%s, #%d]", intText(at.Base, 8), at.Disp)
}

func (m *maker) memsOf(op MemOp, size uint8, t Reg, name, reg string, bytes uint8) {
	base := m.reg(false, true)
	for base == t || base == ZR {
		base = m.reg(false, true)
	}
	scaled := int32(m.IntN(1<<12)) * int32(bytes)
	small := int32(m.IntN(512) - 256)
	unscaled := strings.Replace(strings.Replace(name, "ldr", "ldur", 1), "str", "stur", 1)
	m.add(func(a *Asm) { a.Mem(op, size, t, At(base, scaled)) }, "%s %s, %s", name, reg, memText(At(base, scaled)))
	if small < 0 || small%int32(bytes) != 0 {
		m.add(func(a *Asm) { a.Mem(op, size, t, At(base, small)) }, "%s %s, %s", unscaled, reg, memText(At(base, small)))
	}
	for _, at := range []Mem{Pre(base, small), Post(base, small)} {
		m.add(func(a *Asm) { a.Mem(op, size, t, at) }, "%s %s, %s", name, reg, memText(at))
	}
	index := m.reg(false, false)
	x := []Ext{ExtUXTW, ExtUXTX, ExtSXTW, ExtSXTX}[m.IntN(4)]
	shift := uint8(m.IntN(2) * int(scaleOf16(bytes)))
	kind := map[Ext]string{ExtUXTW: "uxtw", ExtUXTX: "lsl", ExtSXTW: "sxtw", ExtSXTX: "sxtx"}[x]
	text := fmt.Sprintf("%s, %s", kind, kind)
	width := uint8(4)
	if x&1 != 0 {
		width = 8
	}
	switch {
	case shift == 0 && x == ExtUXTX:
		text = ""
	case shift == 0:
		text = ", " + kind
	default:
		text = fmt.Sprintf(", %s #%d", kind, shift)
	}
	m.add(func(a *Asm) { a.Mem(op, size, t, AtIndex(base, index, x, shift)) }, "%s %s, [%s, %s%s]", name, reg, intText(base, 8), intText(index, width), text)
}

func scaleOf16(bytes uint8) uint8 {
	n := uint8(0)
	for ; bytes > 1; bytes /= 2 {
		n++
	}
	return n
}
