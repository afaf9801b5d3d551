package oracle

import (
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Text lists a module's functions for people: close to the text format, but not it.
func Text(src []byte) string {
	var b strings.Builder
	m, err := wasm.Decode(src, wasm.Features20)
	if err != nil {
		return err.Error()
	}
	for i := range m.Mems {
		fmt.Fprintf(&b, "memory %d: %+v\n", i, m.Mems[i].Limits)
	}
	for i := range m.Tables {
		fmt.Fprintf(&b, "table %d: %s %+v\n", i, m.Tables[i].Elem, m.Tables[i].Limits)
	}
	for i := range m.Elems {
		s := &m.Elems[i]
		fmt.Fprintf(&b, "elements %d: mode %d table %d %v:", i, s.Mode, s.Table, s.Start)
		for _, e := range s.Exprs {
			fmt.Fprintf(&b, " %s %d", e.Instrs[0].Op, e.Instrs[0].Index)
		}
		b.WriteByte('\n')
	}
	for i := range m.Globals {
		g := &m.Globals[i]
		fmt.Fprintf(&b, "global %d: %s mutable: %t", i, g.Type, g.Mutable)
		if g.Init != nil {
			fmt.Fprintf(&b, " 0x%x", g.Init.Instrs[0].Bits)
		}
		b.WriteByte('\n')
	}
	for i := range m.Funcs {
		fmt.Fprintf(&b, "func %d: type %d %s\n", i, m.Funcs[i].Type, m.FuncType(uint32(i)))
		if i >= m.ImportedFuncs {
			textBody(&b, m, uint32(i))
		}
	}
	return b.String()
}

func textBody(b *strings.Builder, m *wasm.Module, index uint32) {
	var v wasm.Validator
	if err := v.Begin(m, index); err != nil {
		fmt.Fprintln(b, err)
		return
	}
	fmt.Fprintln(b, "  locals", v.Locals())
	var in wasm.Instr
	for more := true; more; {
		depth := v.Depth()
		var err error
		if more, err = v.Next(&in); err != nil {
			fmt.Fprintln(b, err)
			return
		}
		fmt.Fprintf(b, "%6x:%*s%s%s\n", in.Offset, 2*min(depth, v.Depth()), "", in.Op, immediates(&in, &v))
	}
}

// immediates are an instruction's, each with a space in front.
func immediates(in *wasm.Instr, v *wasm.Validator) string {
	switch info := wasm.Info(in.Op); info.Imm {
	case wasm.ImmNone:
		return ""
	case wasm.ImmBlock:
		f := v.Frame(0)
		return fmt.Sprintf(" %v -> %v", f.Params, f.Results)
	case wasm.ImmLabels:
		return fmt.Sprint(" ", in.Targets)
	case wasm.ImmI32:
		return fmt.Sprintf(" %d", int32(in.Bits))
	case wasm.ImmI64:
		return fmt.Sprintf(" %d", int64(in.Bits))
	case wasm.ImmF32, wasm.ImmF64:
		return fmt.Sprintf(" bits 0x%x", in.Bits)
	case wasm.ImmMemArg:
		return fmt.Sprintf(" offset=%d", in.Bits)
	case wasm.ImmMemLane:
		return fmt.Sprintf(" offset=%d %d", in.Bits, in.Index2)
	case wasm.ImmLane:
		return fmt.Sprintf(" %d", in.Index2)
	case wasm.ImmV128, wasm.ImmShuffle:
		return fmt.Sprintf(" %x", in.Vec)
	case wasm.ImmCallIndirect:
		return fmt.Sprintf(" type %d table %d", in.Index, in.Index2)
	case wasm.ImmMemInit, wasm.ImmMemCopy, wasm.ImmTableInit, wasm.ImmTableCopy:
		return fmt.Sprintf(" %d %d", in.Index, in.Index2)
	case wasm.ImmHeapType, wasm.ImmSelect:
		return fmt.Sprintf(" %s", v.Results()[0].Type)
	}
	return fmt.Sprintf(" %d", in.Index)
}
