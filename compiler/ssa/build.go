package ssa

import "github.com/wasmaot/wasmaot/compiler/abi"

// AddBlock adds an empty block.
func (f *Func) AddBlock() Block {
	f.Blocks = append(f.Blocks, BlockData{Idom: NoBlock, Header: NoBlock})
	return Block(len(f.Blocks) - 1)
}

// AddParams gives block b parameters, all at once, and returns the first; the others
// follow it.
func (f *Func) AddParams(b Block, types ...abi.Type) Value {
	first := Value(len(f.Insts))
	bd := &f.Blocks[b]
	bd.ParamStart = uint32(len(f.Lists))
	for i, t := range types {
		f.Lists = append(f.Lists, f.NewValue(OpParam, t, uint32(i), 0, 0, 0))
	}
	bd.ParamEnd = uint32(len(f.Lists))
	return first
}

// AddList copies values to Func.Lists.
func (f *Func) AddList(vs []Value) (start, end uint32) {
	start = uint32(len(f.Lists))
	f.Lists = append(f.Lists, vs...)
	return start, uint32(len(f.Lists))
}

// Begin makes b the block that Emit fills, until one of the End methods ends it. Each block is filled
// once and at one go.
func (f *Func) Begin(b Block) {
	f.Blocks[b].InstStart = uint32(len(f.Order))
	f.Blocks[b].SuccStart = uint32(len(f.Edges))
}

// Emit adds an instruction to the block begun last.
func (f *Func) Emit(op Op, t abi.Type, a, b, c uint32, pos uint32) Value {
	v := f.NewValue(op, t, a, b, c, pos)
	f.Order = append(f.Order, v)
	return v
}

// EmitCall adds a call and its results, and returns the call's value, which is the first
// result; the others are the values after it.
func (f *Func) EmitCall(c Call, args []Value, pos uint32) Value {
	c.ArgStart, c.ArgEnd = f.AddList(args)
	f.Calls = append(f.Calls, c)
	t := abi.Void
	if len(c.Sig.Results) > 0 {
		t = c.Sig.Results[0]
	}
	v := f.Emit(OpCall, t, uint32(len(f.Calls)-1), 0, 0, pos)
	for i := 1; i < len(c.Sig.Results); i++ {
		f.Emit(OpResult, c.Sig.Results[i], uint32(v), uint32(i), 0, pos)
	}
	return v
}

// AddEdge adds an edge from the block being filled; its End method must follow.
func (f *Func) AddEdge(from, to Block, args ...Value) Edge {
	start, end := f.AddList(args)
	f.Edges = append(f.Edges, EdgeData{From: from, To: to, ArgStart: start, ArgEnd: end})
	return Edge(len(f.Edges) - 1)
}

func (f *Func) end(b Block, kind BlockKind, pos uint32) *BlockData {
	bd := &f.Blocks[b]
	bd.Kind, bd.Pos = kind, pos
	bd.InstEnd, bd.SuccEnd = uint32(len(f.Order)), uint32(len(f.Edges))
	return bd
}

// EndJump ends a block with the one edge added since Begin.
func (f *Func) EndJump(b Block, pos uint32) { f.end(b, BlockJump, pos) }

// EndIf ends a block with the two edges added since Begin.
func (f *Func) EndIf(b Block, ctl Value, pos uint32) { f.end(b, BlockIf, pos).Ctl = ctl }

// EndSwitch ends a block with the edges added since Begin.
func (f *Func) EndSwitch(b Block, ctl Value, table []Edge, pos uint32) {
	bd := f.end(b, BlockSwitch, pos)
	bd.Ctl = ctl
	bd.TabStart = uint32(len(f.Tables))
	f.Tables = append(f.Tables, table...)
	bd.TabEnd = uint32(len(f.Tables))
}

// EndReturn ends a block with a return.
func (f *Func) EndReturn(b Block, pos uint32, results ...Value) {
	bd := f.end(b, BlockReturn, pos)
	bd.RetStart, bd.RetEnd = f.AddList(results)
}

// EndTrap ends a block with a trap.
func (f *Func) EndTrap(b Block, trap abi.Trap, pos uint32) { f.end(b, BlockTrap, pos).Trap = trap }
