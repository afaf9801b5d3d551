package ssa

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// String gives f in the text form that Parse reads, blocks in RPO if f is analysed.
func (f *Func) String() string {
	p := &printer{f: f}
	p.printf("func %d", f.Index)
	if f.Name != "" {
		p.printf(" %q", f.Name)
	}
	p.printf(" %s\n", sigString(f.Sig))
	for _, b := range f.RPO {
		if f.Blocks[b].RPO != ^uint32(0) {
			p.block(b)
		}
	}
	for b := range f.Blocks {
		if bd := &f.Blocks[b]; bd.Kind != BlockNone && (len(f.RPO) == 0 || bd.RPO == ^uint32(0)) {
			p.block(Block(b))
		}
	}
	return p.String()
}

func sigString(s *abi.Signature) string {
	if s == nil {
		s = new(abi.Signature)
	}
	return typesString(s.Params) + " -> " + typesString(s.Results)
}

func typesString(ts []abi.Type) string {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.String()
	}
	return "(" + strings.Join(names, ", ") + ")"
}

type printer struct {
	strings.Builder
	f *Func
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.Builder, format, args...) }

func (p *printer) block(b Block) {
	f := p.f
	bd := &f.Blocks[b]
	p.printf("b%d", b)
	if params := f.ParamsOf(bd); len(params) > 0 {
		p.WriteByte('(')
		for i, v := range params {
			if i > 0 {
				p.WriteString(", ")
			}
			p.printf("v%d:%s", v, f.Insts[v].Type)
		}
		p.WriteByte(')')
	}
	if bd.Cold {
		p.WriteString(" cold")
	}
	p.WriteString(":\n")
	for _, v := range f.OrderOf(bd) {
		if f.Insts[v].Op != OpNop {
			p.WriteString("  " + f.InstString(v))
			p.pos(f.Pos[v])
		}
	}
	p.WriteString("  " + f.endString(bd))
	p.pos(bd.Pos)
}

func (p *printer) pos(pos uint32) {
	if pos != 0 {
		p.printf(" @%#x", pos)
	}
	p.WriteByte('\n')
}

// InstString gives an instruction in the text form.
func (f *Func) InstString(v Value) string {
	p := &printer{f: f}
	in := &f.Insts[v]
	if in.Type != abi.Void {
		p.printf("v%d:%s = ", v, in.Type)
	}
	p.WriteString(in.Op.String())
	if in.Flags&FlagChecked != 0 {
		p.WriteString(".checked")
	}
	if in.Flags&FlagSafe != 0 {
		p.WriteString(".safe")
	}
	if in.Op == OpCall {
		p.call(in.A)
		return p.String()
	}
	if in.Op >= OpCount {
		return p.String()
	}
	if in.Op.Is(PropShape) {
		p.printf(".%s", in.Shape())
	}
	use := in.Op.Uses()
	for i, x := range in.Operands() {
		last := i+1 == int(Ops[in.Op].Arity)
		if i >= int(Ops[in.Op].Arity) || last && in.Op.Is(PropShape) && !in.Op.Is(PropLane) {
			break
		}
		if i > 0 {
			p.WriteByte(',')
		}
		p.WriteByte(' ')
		if use>>i&1 != 0 {
			p.value(Value(*x))
		} else if in.Op.Is(PropShape) {
			p.printf("%d", in.Lane())
		} else {
			p.printf("%d", *x)
		}
	}
	return p.String()
}

var callKinds = [...]string{CallDirect: "direct", CallImport: "import", CallIndirect: "indirect", CallBuiltin: "builtin"}

func (p *printer) call(i uint32) {
	if int(i) >= len(p.f.Calls) {
		p.printf(" call?%d", i)
		return
	}
	c := &p.f.Calls[i]
	p.printf(" %s %d", callKinds[c.Kind], c.Callee)
	if c.Kind == CallIndirect {
		p.printf(" table %d type %d", c.Table, c.TypeIndex)
		if c.Local {
			p.WriteString(" local")
		}
		if c.SameSig {
			p.WriteString(" samesig")
		}
	}
	p.printf(" %s ", sigString(c.Sig))
	p.list(p.f.CallArgs(c), '[', ']')
}

// value prints a use of a value: constants stand for themselves.
func (p *printer) value(v Value) {
	if int(v) >= len(p.f.Insts) {
		p.printf("v%d?", v)
		return
	}
	in := &p.f.Insts[v]
	switch {
	case in.Op != OpConst:
		p.printf("v%d", v)
		return
	case in.Type == abi.V128 && int(in.A) < len(p.f.Vecs):
		p.printf("%#x", p.f.Vecs[in.A])
	default:
		p.WriteString(bitsString(in.Type, in.ConstBits()))
	}
	p.printf(":%s", in.Type)
}

// bitsString gives a constant of up to 64 bits; NaNs as their bits.
func bitsString(t abi.Type, bits uint64) string {
	x, size := 0.0, 64
	switch t {
	case abi.I32:
		return strconv.Itoa(int(int32(bits)))
	case abi.F32:
		x, size = float64(math.Float32frombits(uint32(bits))), 32
	case abi.F64:
		x = math.Float64frombits(bits)
	default:
		return strconv.FormatInt(int64(bits), 10)
	}
	if x != x {
		return fmt.Sprintf("%#x", bits)
	}
	return strconv.FormatFloat(x, 'g', -1, size)
}

func (p *printer) list(vs []Value, open, end byte) {
	p.WriteByte(open)
	for i, v := range vs {
		if i > 0 {
			p.WriteString(", ")
		}
		p.value(v)
	}
	p.WriteByte(end)
}

func (p *printer) edge(e *EdgeData) {
	p.printf("b%d", e.To)
	if args := p.f.ArgsOf(e); len(args) > 0 {
		p.list(args, '(', ')')
	}
}

// endString gives a block's terminator in the text form.
func (f *Func) endString(bd *BlockData) string {
	p := &printer{f: f}
	succs := f.SuccsOf(bd)
	switch bd.Kind {
	case BlockJump:
		p.WriteString("jump ")
	case BlockIf:
		p.WriteString("if ")
		p.value(bd.Ctl)
		p.WriteString(", ")
	case BlockSwitch:
		p.WriteString("switch ")
		p.value(bd.Ctl)
		p.WriteString(", ")
	case BlockReturn:
		p.WriteString("return")
		if vs := f.ReturnsOf(bd); len(vs) > 0 {
			p.WriteByte(' ')
			p.list(vs, '(', ')')
		}
	case BlockTrap:
		p.printf("trap %q", bd.Trap)
	default:
		p.WriteString("none")
	}
	for i := range succs {
		if i > 0 {
			p.WriteString(", ")
		}
		p.edge(&succs[i])
	}
	if bd.Kind == BlockSwitch {
		// Each entry is the number of an edge among the block's own.
		p.WriteString(" [")
		for i, e := range f.TableOf(bd) {
			if i > 0 {
				p.WriteByte(' ')
			}
			p.printf("%d", uint32(e)-bd.SuccStart)
		}
		p.WriteByte(']')
	}
	return p.String()
}
