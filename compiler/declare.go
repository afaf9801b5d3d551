package compiler

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/frontend"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// declare copies the module's declarations into the artifact's own terms, without the data segments that are part of the image.
func declare(m *wasm.Module, image image, sigs func(typ uint32) abi.Signature, typ func(wasm.ValType) abi.Type) (artifact.Module, error) {
	d := artifact.Module{Name: m.Names.Module, Start: m.Start}
	for i := range m.Types {
		d.Types = append(d.Types, sigs(uint32(i)))
	}
	for _, im := range m.Imports {
		d.Imports = append(d.Imports, artifact.Import{Module: im.Module, Name: im.Name, Kind: artifact.Kind(im.Kind), Index: im.Index})
	}
	for _, ex := range m.Exports {
		d.Exports = append(d.Exports, artifact.Export{Name: ex.Name, Kind: artifact.Kind(ex.Kind), Index: ex.Index})
	}
	for i := range m.Funcs[:m.ImportedFuncs] {
		d.ImportedFuncTypes = append(d.ImportedFuncTypes, m.Funcs[i].Type)
	}
	c := converter{typ: typ}
	for _, t := range m.Tables {
		d.Tables = append(d.Tables, artifact.Table{Elem: typ(t.Elem), Min: t.Min, Max: maxOf(t.Limits), Init: c.expr(t.Init)})
	}
	for _, t := range m.Mems {
		d.Mems = append(d.Mems, artifact.Memory{Min: t.Min, Max: maxOf(t.Limits), Is64: t.Is64})
	}
	for _, g := range m.Globals {
		d.Globals = append(d.Globals, artifact.Global{Type: typ(g.Type), Mutable: g.Mutable, Init: c.expr(g.Init)})
	}
	for i := range m.Elems {
		e := &m.Elems[i]
		out := artifact.Elem{Mode: artifact.SegmentMode(e.Mode), Type: typ(e.Type), Table: e.Table, Start: c.expr(e.Start), Funcs: e.Funcs}
		for j := range e.Exprs {
			out.Exprs = append(out.Exprs, *c.expr(&e.Exprs[j]))
		}
		d.Elems = append(d.Elems, out)
	}
	if image.all {
		return d, c.err
	}
	for i, s := range m.Datas() {
		if i < image.merged && s.Mode == wasm.SegmentActive {
			continue
		}
		d.Datas = append(d.Datas, artifact.Data{Index: uint32(i), Mode: artifact.SegmentMode(s.Mode), Mem: s.Mem, Start: c.expr(m.DataStart(s)), Init: s.Init})
	}
	return d, c.err
}

func maxOf(l wasm.Limits) uint64 {
	if l.HasMax {
		return l.Max
	}
	return ^uint64(0)
}

// constOp translates an instruction of constant expressions.
func constOp(op wasm.Opcode) (artifact.ExprOp, bool) {
	switch op {
	case wasm.OpI32Const, wasm.OpI64Const, wasm.OpF32Const, wasm.OpF64Const, wasm.OpV128Const:
		return artifact.ExprConst, true
	case wasm.OpGlobalGet:
		return artifact.ExprGlobal, true
	case wasm.OpRefFunc:
		return artifact.ExprRefFunc, true
	case wasm.OpRefNull:
		return artifact.ExprRefNull, true
	case wasm.OpI32Add:
		return artifact.ExprI32Add, true
	case wasm.OpI32Sub:
		return artifact.ExprI32Sub, true
	case wasm.OpI32Mul:
		return artifact.ExprI32Mul, true
	case wasm.OpI64Add:
		return artifact.ExprI64Add, true
	case wasm.OpI64Sub:
		return artifact.ExprI64Sub, true
	case wasm.OpI64Mul:
		return artifact.ExprI64Mul, true
	}
	return 0, false
}

type converter struct {
	typ func(wasm.ValType) abi.Type
	err error
}

func (c *converter) expr(e *wasm.ConstExpr) *artifact.Expr {
	if e == nil {
		return nil
	}
	out := &artifact.Expr{Insts: make([]artifact.ExprInst, 0, len(e.Instrs))}
	for i := range e.Instrs {
		in := &e.Instrs[i]
		op, ok := constOp(in.Op)
		if !ok {
			c.err = &wasm.Error{Offset: e.Offset, Func: -1, Msg: fmt.Sprintf("%s in a constant expression is not supported", in.Op)}
			return out
		}
		x := artifact.ExprInst{Op: op, Index: in.Index, Bits: in.Bits}
		switch in.Op {
		case wasm.OpI32Const, wasm.OpF32Const:
			x.Bits = uint64(uint32(in.Bits))
		case wasm.OpV128Const:
			x.Bits, x.Hi = le.Uint64(in.Vec[:8]), le.Uint64(in.Vec[8:])
		}
		out.Insts = append(out.Insts, x)
	}
	return out
}

// Declarations decodes a module, without its functions' bodies, and gives its declarations and the number of functions that it defines.
func Declarations(src []byte) (*artifact.Module, int, error) {
	var opts Options
	m, err := wasm.Decode(src, opts.features())
	if err != nil {
		return nil, 0, err
	}
	mod, err := frontend.NewModule(m)
	if err != nil {
		return nil, 0, err
	}
	d, err := declare(m, image{}, mod.Signature, frontend.Type)
	return &d, len(m.Funcs) - m.ImportedFuncs, err
}
