package ssa

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// maxName bounds the numbers of values and blocks in the text form.
const maxName = 1 << 20

// Parse reads one function in the text form. Values and blocks keep their numbers; a
// semicolon starts a comment.
func Parse(src string) (*Func, error) {
	fs, err := ParseAll(src)
	if err != nil {
		return nil, err
	}
	if len(fs) != 1 {
		return nil, fmt.Errorf("expected one function, found %d", len(fs))
	}
	return fs[0], nil
}

// ParseAll reads functions in the text form, one after the other.
func ParseAll(src string) (fs []*Func, err error) {
	p := &parser{line: 0, lines: strings.Split(src, "\n")}
	defer func() {
		if e := recover(); e != nil {
			pe, ok := e.(parseError)
			if !ok {
				panic(e)
			}
			fs, err = nil, pe
		}
	}()
	p.nextLine()
	for p.more {
		fs = append(fs, p.function())
	}
	return fs, nil
}

// parseError ends parsing by a panic that does not leave the package.
type parseError struct {
	line int
	msg  string
}

func (e parseError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.msg) }

type parser struct {
	lines []string
	line  int    // lines taken so far
	rest  string // of the current line
	more  bool
	f     *Func
}

func (p *parser) fail(format string, args ...any) {
	panic(parseError{p.line, fmt.Sprintf(format, args...)})
}

// nextLine goes to the next line that is not empty.
func (p *parser) nextLine() {
	for p.line < len(p.lines) {
		p.rest = strings.TrimSpace(withoutComment(p.lines[p.line]))
		p.line++
		if p.rest != "" {
			p.more = true
			return
		}
	}
	p.more = false
}

// withoutComment cuts a line at the first semicolon outside quotes.
func withoutComment(line string) string {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ';' && !quoted:
			return line[:i]
		}
	}
	return line
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

// accept takes a token if it comes next.
func (p *parser) accept(tok string) bool {
	p.space()
	if !strings.HasPrefix(p.rest, tok) {
		return false
	}
	p.rest = p.rest[len(tok):]
	return true
}

func (p *parser) expect(tok string) {
	if !p.accept(tok) {
		p.fail("expected %q, found %q", tok, p.rest)
	}
}

// word takes letters, digits and what numbers are made of.
func (p *parser) word() string {
	p.space()
	i := 0
	for i < len(p.rest) && (p.rest[i] >= '0' && p.rest[i] <= '9' || p.rest[i] >= 'a' && p.rest[i] <= 'z' ||
		p.rest[i] >= 'A' && p.rest[i] <= 'Z' || strings.IndexByte("+-.", p.rest[i]) >= 0) {
		i++
	}
	w := p.rest[:i]
	p.rest = p.rest[i:]
	return w
}

func (p *parser) number() uint32 {
	w := p.word()
	n, err := strconv.ParseUint(w, 0, 32)
	if err != nil {
		p.fail("expected a number, found %q", w+p.rest)
	}
	return uint32(n)
}

// name takes a letter and a number.
func (p *parser) name(letter string) uint32 {
	p.expect(letter)
	n := p.number()
	if n > maxName {
		p.fail("%s%d is beyond the greatest number %d", letter, n, maxName)
	}
	return n
}

func (p *parser) quoted() string {
	p.space()
	q, err := strconv.QuotedPrefix(p.rest)
	if err != nil {
		p.fail("expected a quoted string, found %q", p.rest)
	}
	p.rest = p.rest[len(q):]
	s, _ := strconv.Unquote(q)
	return s
}

func (p *parser) typ() abi.Type {
	w := p.word()
	for t := abi.I32; t <= abi.Addr; t++ {
		if t.String() == w {
			return t
		}
	}
	p.fail("expected a type, found %q", w+p.rest)
	return 0
}

func (p *parser) types() (ts []abi.Type) {
	p.expect("(")
	for !p.accept(")") {
		if len(ts) > 0 {
			p.expect(",")
		}
		ts = append(ts, p.typ())
	}
	return ts
}

func (p *parser) sig() *abi.Signature {
	params := p.types()
	p.expect("->")
	return &abi.Signature{Params: params, Results: p.types()}
}

func (p *parser) pos() uint32 {
	if p.accept("@") {
		return p.number()
	}
	return 0
}

func (p *parser) endLine() {
	if p.space(); p.rest != "" {
		p.fail("expected the end of the line, found %q", p.rest)
	}
	p.nextLine()
}

func (p *parser) function() *Func {
	f := new(Func)
	f.Reset()
	p.f = f
	p.expect("func ")
	f.Index = p.number()
	if p.space(); strings.HasPrefix(p.rest, `"`) {
		f.Name = p.quoted()
	}
	f.Sig = p.sig()
	p.reserveNames()
	p.endLine()
	for p.more && !strings.HasPrefix(p.rest, "func ") {
		p.block()
	}
	return f
}

// reserveNames looks through the function's lines for the greatest number of a value, so
// that values without a name get numbers beyond it.
func (p *parser) reserveNames() {
	greatest := Value(0)
	for _, line := range p.lines[p.line:] {
		if strings.HasPrefix(strings.TrimSpace(line), "func ") {
			break
		}
		for i := range len(line) {
			if line[i] != 'v' || i > 0 && strings.IndexByte(" \t(,[", line[i-1]) < 0 {
				continue
			}
			end := i + 1
			for end < len(line) && line[end] >= '0' && line[end] <= '9' {
				end++
			}
			if n, err := strconv.ParseUint(line[i+1:end], 10, 32); err == nil && n <= maxName {
				greatest = max(greatest, Value(n))
			}
		}
	}
	p.f.Insts = append(p.f.Insts, make([]Inst, greatest)...)
	p.f.Pos = append(p.f.Pos, make([]uint32, greatest)...)
	for i := range p.f.Insts[1:] {
		p.f.Insts[1+i].Op = OpNop
	}
}

// define makes the instruction of value v, 0 for the next without a name.
func (p *parser) define(v Value, in Inst, pos uint32) Value {
	if v == 0 {
		p.f.Insts = append(p.f.Insts, in)
		p.f.Pos = append(p.f.Pos, pos)
		return Value(len(p.f.Insts) - 1)
	}
	if int(v) >= len(p.f.Insts) || p.f.Insts[v].Op != OpNop {
		p.fail("v%d is defined twice", v)
	}
	p.f.Insts[v], p.f.Pos[v] = in, pos
	return v
}

func (p *parser) blockName() Block {
	b := Block(p.name("b"))
	for len(p.f.Blocks) <= int(b) {
		p.f.AddBlock()
	}
	return b
}

func (p *parser) block() {
	f := p.f
	b := p.blockName()
	if f.Blocks[b].Kind != BlockNone {
		p.fail("b%d is defined twice", b)
	}
	if p.accept("(") {
		start := uint32(len(f.Lists))
		for !p.accept(")") {
			if n := uint32(len(f.Lists)) - start; n > 0 {
				p.expect(",")
			}
			v := Value(p.name("v"))
			p.expect(":")
			f.Lists = append(f.Lists, p.define(v, NewInst(OpParam, p.typ(), uint32(len(f.Lists))-start, 0, 0), 0))
		}
		f.Blocks[b].ParamStart, f.Blocks[b].ParamEnd = start, uint32(len(f.Lists))
	}
	f.Blocks[b].Cold = p.accept("cold")
	p.expect(":")
	p.endLine()
	f.Begin(b)
	for done := false; !done; p.endLine() {
		if !p.more {
			p.fail("b%d has no end", b)
		}
		if done = p.terminator(b); !done {
			p.inst()
		}
	}
}

// inst takes an instruction.
func (p *parser) inst() {
	f := p.f
	v, t := Value(0), abi.Void
	if p.space(); len(p.rest) > 1 && p.rest[0] == 'v' && p.rest[1] >= '0' && p.rest[1] <= '9' {
		v = Value(p.name("v"))
		p.expect(":")
		t = p.typ()
		p.expect("=")
	}
	name, flag, _ := strings.Cut(p.word(), ".")
	op := Op(slices.IndexFunc(Ops[:], func(i Info) bool { return i.Name == name }))
	if op >= OpCount || op.Is(PropNoOrder) {
		p.fail("expected an instruction, found %q", name)
	}
	in := NewInst(op, t, 0, 0, 0)
	shape := Shape(0)
	switch {
	case op.Is(PropShape):
		shape = Shape(slices.IndexFunc(shapes[:], func(s shapeInfo) bool { return s.name == flag }))
		if shape >= shapeCount {
			p.fail("expected a shape, found %q", flag)
		}
	case flag == "":
	case flag == "checked":
		in.Flags |= FlagChecked
	case flag == "safe":
		in.Flags |= FlagSafe
	default:
		p.fail("expected a flag, found %q", flag)
	}
	if op == OpCall {
		in.A = p.call()
	} else {
		for i, x := range in.Operands() {
			last := i+1 == int(Ops[op].Arity)
			if last && op.Is(PropShape) && !op.Is(PropLane) {
				*x = uint32(shape)
				break
			}
			if i >= int(Ops[op].Arity) {
				break
			}
			if i > 0 {
				p.expect(",")
			}
			switch {
			case op.Uses()>>i&1 != 0:
				*x = uint32(p.value())
			case op.Is(PropShape):
				*x = LaneOperand(shape, p.number())
			default:
				*x = p.number()
			}
		}
	}
	f.Order = append(f.Order, p.define(v, in, p.pos()))
}

func (p *parser) call() uint32 {
	kind := slices.Index(callKinds[:], p.word())
	if kind < 0 {
		p.fail("expected the kind of call, found %q", p.rest)
	}
	c := Call{Kind: CallKind(kind), Callee: p.number()}
	if c.Kind == CallIndirect {
		p.expect("table")
		c.Table = p.number()
		p.expect("type")
		c.TypeIndex = p.number()
		c.Local = p.accept("local")
		c.SameSig = p.accept("samesig")
	}
	c.Sig = p.sig()
	p.expect("[")
	c.ArgStart, c.ArgEnd = p.f.AddList(p.values("]"))
	p.f.Calls = append(p.f.Calls, c)
	return uint32(len(p.f.Calls) - 1)
}

func (p *parser) values(end string) (vs []Value) {
	for !p.accept(end) {
		if len(vs) > 0 {
			p.expect(",")
		}
		vs = append(vs, p.value())
	}
	return vs
}

// value takes the use of a value or a constant.
func (p *parser) value() Value {
	if p.space(); strings.HasPrefix(p.rest, "v") {
		return Value(p.name("v"))
	}
	w := p.word()
	p.expect(":")
	t := p.typ()
	bits, err := uint64(0), error(nil)
	switch {
	case t == abi.V128:
		var vec [16]byte
		var raw []byte
		if raw, err = hex.DecodeString(strings.TrimPrefix(w, "0x")); copy(vec[:], raw) != 16 && err == nil {
			err = strconv.ErrRange
		}
		if err == nil {
			return p.f.VecConst(vec)
		}
	case strings.HasPrefix(w, "0x"):
		bits, err = strconv.ParseUint(w, 0, int(8*t.Size()))
	case t == abi.F32:
		var x float64
		x, err = strconv.ParseFloat(w, 32)
		bits = uint64(math.Float32bits(float32(x)))
	case t == abi.F64:
		var x float64
		x, err = strconv.ParseFloat(w, 64)
		bits = math.Float64bits(x)
	default:
		var n int64
		n, err = strconv.ParseInt(w, 10, int(8*t.Size()))
		bits = uint64(n)
	}
	if err != nil {
		p.fail("expected a constant of type %s, found %q", t, w)
	}
	return p.f.Const(t, bits)
}

func (p *parser) edge(from Block) {
	to := p.blockName()
	var args []Value
	if p.accept("(") {
		args = p.values(")")
	}
	p.f.AddEdge(from, to, args...)
}

// terminator takes the end of block b if it comes next.
func (p *parser) terminator(b Block) bool {
	f := p.f
	switch {
	case p.accept("jump "):
		p.edge(b)
		f.EndJump(b, p.pos())
	case p.accept("if "):
		ctl := p.value()
		p.expect(",")
		p.edge(b)
		p.expect(",")
		p.edge(b)
		f.EndIf(b, ctl, p.pos())
	case p.accept("switch "):
		ctl := p.value()
		for p.accept(",") {
			p.edge(b)
		}
		p.expect("[")
		var table []Edge
		for !p.accept("]") {
			table = append(table, Edge(f.Blocks[b].SuccStart+p.number()))
		}
		f.EndSwitch(b, ctl, table, p.pos())
	case p.accept("return"):
		var vs []Value
		if p.accept("(") {
			vs = p.values(")")
		}
		f.EndReturn(b, p.pos(), vs...)
	case p.accept("trap "):
		text := p.quoted()
		for t := range abi.TrapCount {
			if t.String() == text {
				f.EndTrap(b, t, p.pos())
				return true
			}
		}
		p.fail("expected a trap, found %q", text)
	default:
		return false
	}
	return true
}
