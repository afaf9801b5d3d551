package ssa

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// CheckError is a violation of the rules of the representation.
type CheckError struct {
	Func  uint32
	Name  string
	Block Block  // NoBlock: the function as a whole
	Inst  string // in the text form, empty for the block's own
	Msg   string
}

func (e *CheckError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "function %d", e.Func)
	if e.Name != "" {
		fmt.Fprintf(&b, " (%s)", e.Name)
	}
	if e.Block != NoBlock {
		fmt.Fprintf(&b, ", b%d", e.Block)
	}
	if e.Inst != "" {
		fmt.Fprintf(&b, ", %s", e.Inst)
	}
	return b.String() + ": " + e.Msg
}

// Check verifies f: structure, that operands are defined before their use on every path, and
// types. If f has been analysed, the analysis must still be right. f is not changed.
// Of unreachable blocks only the structure is looked at.
//
// It is meant for tests and debugging and takes its memory anew.
func Check(f *Func) error {
	c := &checker{f: f, block: NoBlock}
	if c.structure(); c.err != nil {
		return c.err
	}
	if c.analysis(); c.err != nil {
		return c.err
	}
	c.definitions()
	for _, b := range c.f.RPO {
		if c.err != nil {
			break
		}
		c.checkBlock(b)
	}
	if c.err != nil {
		return c.err
	}
	return nil
}

type checker struct {
	f     *Func
	err   *CheckError // the first one
	block Block
	inst  Value
	defs  []defPlace // by value
}

// defPlace is where a value is defined; at is its place in the block's order, 0 for
// parameters and constants.
type defPlace struct {
	block   Block
	at      uint32
	defined bool
}

func (c *checker) fail(format string, args ...any) {
	if c.err != nil {
		return
	}
	c.err = &CheckError{Func: c.f.Index, Name: c.f.Name, Block: c.block, Msg: fmt.Sprintf(format, args...)}
	if c.inst != 0 {
		c.err.Inst = fmt.Sprintf("v%d (%s)", c.inst, c.f.InstString(c.inst))
	}
}

// span checks that [start, end) lies within n.
func (c *checker) span(what string, start, end uint32, n int) {
	if start > end || int(end) > n {
		c.fail("%s [%d:%d] of %d", what, start, end, n)
	}
}

func (c *checker) structure() {
	f := c.f
	if len(f.Insts) == 0 || len(f.Insts) != len(f.Pos) {
		c.fail("%d instructions, %d positions", len(f.Insts), len(f.Pos))
	}
	if len(f.Blocks) == 0 {
		c.fail("no blocks")
	}
	for i := range f.Calls {
		c.span("call arguments", f.Calls[i].ArgStart, f.Calls[i].ArgEnd, len(f.Lists))
		if f.Calls[i].Sig == nil || int(f.Calls[i].Kind) >= len(callKinds) {
			c.fail("call %d has no signature or no kind", i)
		}
	}
	for i := range f.Blocks {
		if c.err != nil {
			return
		}
		c.block = Block(i)
		b := &f.Blocks[i]
		c.span("order", b.InstStart, b.InstEnd, len(f.Order))
		c.span("parameters", b.ParamStart, b.ParamEnd, len(f.Lists))
		c.span("results", b.RetStart, b.RetEnd, len(f.Lists))
		c.span("successors", b.SuccStart, b.SuccEnd, len(f.Edges))
		c.span("table", b.TabStart, b.TabEnd, len(f.Tables))
		if c.err == nil {
			c.successors(b)
		}
	}
	c.block = NoBlock
}

// successors checks number and range of a block's edges and switch table.
func (c *checker) successors(b *BlockData) {
	f := c.f
	succs := f.SuccsOf(b)
	least, most := 0, 0
	switch b.Kind {
	case BlockJump:
		least, most = 1, 1
	case BlockIf:
		least, most = 2, 2
	case BlockSwitch:
		least, most = 1, len(f.Blocks)
	}
	if len(succs) < least || len(succs) > most {
		c.fail("%d successors of a block of kind %d", len(succs), b.Kind)
	}
	for i := range succs {
		e := &succs[i]
		if e.From != c.block || int(e.To) >= len(f.Blocks) || e.To == 0 {
			c.fail("successor %d leads from b%d to b%d of %d", i, e.From, e.To, len(f.Blocks))
		}
		c.span("edge arguments", e.ArgStart, e.ArgEnd, len(f.Lists))
	}
	if b.Kind != BlockSwitch || c.err != nil {
		return
	}
	if b.TabStart == b.TabEnd {
		c.fail("switch without an entry")
	}
	used := make([]bool, len(succs))
	for i, e := range f.TableOf(b) {
		if uint32(e) < b.SuccStart || uint32(e) >= b.SuccEnd {
			c.fail("switch entry %d is edge %d, which is not one of [%d:%d]", i, e, b.SuccStart, b.SuccEnd)
			return
		}
		used[uint32(e)-b.SuccStart] = true
	}
	targets := make([]Block, len(succs))
	for i := range succs {
		if targets[i] = succs[i].To; !used[i] {
			c.fail("successor %d is in no entry of the switch", i)
		}
	}
	slices.Sort(targets)
	if len(slices.Compact(targets)) != len(succs) {
		c.fail("switch has two edges to one block")
	}
}

// analysis analyses a copy of f, which c.f is from then on, and compares.
func (c *checker) analysis() {
	old, g := c.f, *c.f
	g.Blocks = slices.Clone(old.Blocks)
	g.RPO, g.Preds, g.DomTree = nil, nil, nil
	g.Analyze(new(Scratch))
	c.f = &g
	if len(old.RPO) == 0 {
		return
	}
	if !slices.Equal(old.RPO, g.RPO) || !slices.Equal(old.Preds, g.Preds) || !slices.Equal(old.DomTree, g.DomTree) {
		c.fail("analysis is out of date: RPO %v, expected %v", old.RPO, g.RPO)
	}
	for i := range g.Blocks {
		if old.Blocks[i] != g.Blocks[i] {
			c.block = Block(i)
			c.fail("analysis is out of date: %+v, expected %+v", old.Blocks[i], g.Blocks[i])
		}
	}
	c.block = NoBlock
}

func (c *checker) define(v Value, b Block, at uint32) {
	if v == 0 || int(v) >= len(c.f.Insts) {
		c.block = b
		c.fail("defines v%d of %d", v, len(c.f.Insts))
		return
	}
	if d := &c.defs[v]; d.defined {
		c.block, c.inst = b, v
		c.fail("defined a second time")
	} else {
		*d = defPlace{b, at, true}
	}
}

func (c *checker) definitions() {
	f := c.f
	c.defs = make([]defPlace, len(f.Insts))
	for v := range f.Insts {
		if f.Insts[v].Op == OpConst && v != 0 {
			c.defs[v] = defPlace{0, 0, true}
		}
	}
	for _, b := range f.RPO {
		bd := &f.Blocks[b]
		for i, v := range f.ParamsOf(bd) {
			c.define(v, b, 0)
			if c.err != nil {
				return
			}
			if in := &f.Insts[v]; in.Op != OpParam || in.A != uint32(i) || in.Type == abi.Void || in.Type == abi.Addr {
				c.block, c.inst = b, v
				c.fail("expected parameter %d", i)
			}
		}
		for i, v := range f.OrderOf(bd) {
			c.define(v, b, uint32(i)+1)
			if c.err != nil {
				return
			}
			if op := f.Insts[v].Op; op == OpInvalid || op >= OpCount || op.Is(PropNoOrder) || f.Insts[v].Flags&FlagAliased != 0 {
				c.block, c.inst = b, v
				c.fail("must not be in a block's order")
			}
		}
	}
	c.block, c.inst = NoBlock, 0
}

// use checks that v may be used at a place of the block at hand and gives its type.
func (c *checker) use(what string, v Value, at uint32) abi.Type {
	if v == 0 || int(v) >= len(c.f.Insts) {
		c.fail("%s: v%d of %d", what, v, len(c.f.Insts))
		return abi.Void
	}
	d, in := &c.defs[v], &c.f.Insts[v]
	switch {
	case !d.defined:
		c.fail("%s: v%d (%s) is defined nowhere", what, v, in.Op)
	case in.Type == abi.Void:
		c.fail("%s: v%d (%s) has no value", what, v, in.Op)
	case in.Flags&FlagAliased != 0:
		c.fail("%s: v%d has been replaced by v%d", what, v, in.A)
	case d.block == c.block && d.at >= at && d.at != 0 || !c.f.Dominates(d.block, c.block):
		c.fail("%s: v%d, defined in b%d, does not dominate its use", what, v, d.block)
	}
	return in.Type
}

// useAs checks a use of a value that has to have type t.
func (c *checker) useAs(what string, v Value, at uint32, t abi.Type) {
	if got := c.use(what, v, at); got != t {
		c.fail("%s: expected %s, found v%d of type %s", what, t, v, got)
	}
}

func (c *checker) useList(what string, vs []Value, at uint32, types []abi.Type) {
	if len(vs) != len(types) {
		c.fail("%s: expected %d, found %d", what, len(types), len(vs))
		return
	}
	for i, v := range vs {
		c.useAs(fmt.Sprintf("%s %d", what, i), v, at, types[i])
	}
}

func (c *checker) typesOf(vs []Value) []abi.Type {
	types := make([]abi.Type, len(vs))
	for i, v := range vs {
		types[i] = c.f.Insts[v].Type
	}
	return types
}

func (c *checker) checkBlock(b Block) {
	f := c.f
	bd := &f.Blocks[b]
	c.block = b
	if b == 0 && f.Sig != nil && !slices.Equal(c.typesOf(f.ParamsOf(bd)), f.Sig.Params) {
		c.fail("parameters: expected %v, found %v", f.Sig.Params, c.typesOf(f.ParamsOf(bd)))
	}
	for i, v := range f.OrderOf(bd) {
		if f.Insts[v].Op == OpNop {
			continue
		}
		c.inst = v
		c.checkInst(&f.Insts[v], uint32(i)+1)
		if c.err != nil {
			return
		}
	}
	c.inst = 0
	end := bd.InstEnd - bd.InstStart + 1
	switch bd.Kind {
	case BlockNone:
		c.fail("has no end")
	case BlockIf, BlockSwitch:
		c.useAs("condition", bd.Ctl, end, abi.I32)
	case BlockReturn:
		if f.Sig != nil {
			c.useList("result", f.ReturnsOf(bd), end, f.Sig.Results)
		}
	}
	for i, e := range f.SuccsOf(bd) {
		c.useList(fmt.Sprintf("successor %d, argument", i), f.ArgsOf(&e), end, c.typesOf(f.ParamsOf(&f.Blocks[e.To])))
	}
}

var operandNames = [...]string{"operand A", "operand B", "operand C"}

// checkInst checks an instruction's operands and types by the letters of Info.Types.
func (c *checker) checkInst(in *Inst, at uint32) {
	if in.Op == OpCall {
		c.checkCall(in, at)
		return
	}
	if in.Op == OpResult {
		c.checkResult(in, at)
		return
	}
	operands, result, _ := strings.Cut(Ops[in.Op].Types, ">")
	bound := make(map[byte]abi.Type) // the type a letter stands for in this instruction
	for i, x := range in.Operands() {
		if i >= len(operands) || operands[i] == '-' {
			continue
		}
		t := c.use(operandNames[i], Value(*x), at)
		if c.err != nil {
			return
		}
		if why := matchType(operands[i], t, bound); why != "" {
			c.fail("%s: expected %s, found v%d of type %s", operandNames[i], why, *x, t)
		}
	}
	if result == "" {
		if in.Type != abi.Void {
			c.fail("result: expected none, found %s", in.Type)
		}
	} else if why := matchType(result[0], in.Type, bound); why != "" {
		c.fail("result: expected %s, found %s", why, in.Type)
	}
	c.checkSpecial(in)
}

// TypesOf lists the types a letter of Info.Types may stand for.
func TypesOf(letter byte) []abi.Type { return typeLetters[letter&(letterCount-1)] }

// letterCount is the number of ASCII characters.
const letterCount = 128

var typeLetters = [letterCount][]abi.Type{
	'i': {abi.I32}, 'l': {abi.I64}, 's': {abi.F32}, 'd': {abi.F64}, 'a': {abi.Addr},
	'n': {abi.I32, abi.I64},
	'p': {abi.I32, abi.I64},
	'f': {abi.F32, abi.F64},
	'r': {abi.FuncRef, abi.ExternRef},
	'e': {abi.I32, abi.I64, abi.FuncRef, abi.ExternRef},
	't': {abi.I32, abi.I64, abi.F32, abi.F64, abi.V128, abi.FuncRef, abi.ExternRef},
	'b': {abi.I32, abi.I64, abi.F32, abi.F64},
	'q': {abi.I32, abi.I64, abi.F32, abi.F64},
	'v': {abi.V128},
}

// matchType says what was expected if t does not fit the letter.
func matchType(letter byte, t abi.Type, bound map[byte]abi.Type) string {
	if !slices.Contains(TypesOf(letter), t) {
		return fmt.Sprintf("one of %v", TypesOf(letter))
	}
	first, ok := bound[letter]
	if !ok {
		bound[letter] = t
		return ""
	}
	if letter == 'b' {
		if first.Size() != t.Size() || first.IsFloat() == t.IsFloat() {
			return fmt.Sprintf("the counterpart of %s", first)
		}
	} else if letter != 'p' && first != t {
		return first.String()
	}
	return ""
}

// checkSpecial checks what the letters cannot say.
func (c *checker) checkSpecial(in *Inst) {
	m := c.f.Module
	if in.Flags&FlagChecked != 0 && in.Op != OpAddr {
		c.fail("only addresses are checked")
	}
	if in.Flags&FlagSafe != 0 && !in.Op.IsLoad() {
		c.fail("only loads are known to be safe")
	}
	switch in.Op {
	case OpAddr:
		if size := in.C & 0xff; size == 0 || size&(size-1) != 0 || size > 16 {
			c.fail("access of %d bytes", size)
		}
	case OpGlobal:
		if m != nil && (int(in.A) >= len(m.GlobalTypes) || m.GlobalTypes[in.A] != in.Type) {
			c.fail("not the type of global %d", in.A)
		}
	case OpGlobalSet:
		if t := c.f.Insts[in.B].Type; m != nil && (int(in.A) >= len(m.GlobalTypes) || m.GlobalTypes[in.A] != t) {
			c.fail("%s is not the type of global %d", t, in.A)
		}
	case OpFuncRef:
		if in.Type != abi.FuncRef || m != nil && int(in.A) >= len(m.FuncSigs) {
			c.fail("no reference to function %d", in.A)
		}
	}
	if c.checkVector(in); c.err != nil {
		return
	}
	if size := c.f.AccessSize(in); size > 0 {
		c.checkAccess(in, size)
	}
}

// checkAccess checks that an access is no wider than what its address was made for.
func (c *checker) checkAccess(in *Inst, size uint32) {
	addr := &c.f.Insts[in.A]
	if addr.Op != OpAddr {
		c.fail("operand A: expected an addr, found %s", addr.Op)
	} else if made := addr.C & 0xff; made < size {
		c.fail("access of %d bytes at v%d, an address for %d", size, in.A, made)
	}
}

func (c *checker) checkCall(in *Inst, at uint32) {
	f := c.f
	if int(in.A) >= len(f.Calls) {
		c.fail("call %d of %d", in.A, len(f.Calls))
		return
	}
	call := &f.Calls[in.A]
	args := f.CallArgs(call)
	if call.Kind == CallIndirect {
		if len(args) == 0 {
			c.fail("no element index")
			return
		}
		index := args[len(args)-1]
		args = args[:len(args)-1]
		if t := c.use("element index", index, at); t != abi.I32 && t != abi.I64 {
			c.fail("element index: expected i32 or i64, found %s", t)
		}
	}
	c.useList("argument", args, at, call.Sig.Params)
	want := abi.Void
	if len(call.Sig.Results) > 0 {
		want = call.Sig.Results[0]
	}
	if in.Type != want {
		c.fail("result: expected %s, found %s", want, in.Type)
	}
	var sig *abi.Signature
	switch m := f.Module; {
	case call.Kind == CallBuiltin && call.Callee < uint32(abi.BuiltinCount):
		sig = &abi.Builtins[call.Callee].Sig
	case call.Kind == CallIndirect || call.Kind != CallBuiltin && m == nil:
		return
	case m != nil && int(call.Callee) < len(m.FuncSigs):
		sig = m.FuncSigs[call.Callee]
	default:
		c.fail("no callee %d", call.Callee)
		return
	}
	same := func(want, got abi.Type) bool {
		// Builtins take references as I64.
		return want == got || call.Kind == CallBuiltin && want == abi.I64 && (got == abi.FuncRef || got == abi.ExternRef)
	}
	if !slices.EqualFunc(sig.Params, call.Sig.Params, same) || !slices.Equal(sig.Results, call.Sig.Results) {
		c.fail("expected the callee's signature %s, found %s", sigString(sig), sigString(call.Sig))
	}
}

// checkResult checks that a further result follows its call with only others between.
func (c *checker) checkResult(in *Inst, at uint32) {
	f := c.f
	if int(in.A) >= len(f.Insts) || f.Insts[in.A].Op != OpCall {
		c.fail("operand A: expected a call, found v%d", in.A)
		return
	}
	results := f.Calls[f.Insts[in.A].A].Sig.Results
	if in.B == 0 || int(in.B) >= len(results) {
		c.fail("result %d of %d", in.B, len(results))
		return
	}
	if results[in.B] != in.Type {
		c.fail("result: expected %s, found %s", results[in.B], in.Type)
	}
	if at < 2 {
		c.fail("does not follow its call")
		return
	}
	before := f.OrderOf(&f.Blocks[c.block])[at-2]
	if p := &f.Insts[before]; before != Value(in.A) && (p.Op != OpResult || p.A != in.A || p.B >= in.B) {
		c.fail("does not follow its call")
	}
}
