package artifact

import (
	"encoding/binary"
	"errors"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// A codec writes values to b, or reads them from it. One description of each
// structure serves both directions, so that the two cannot differ.
type codec struct {
	reading bool
	b       []byte // what was written so far, or what is left to read
	err     error
}

var errDamaged = errors.New("the module's declarations are damaged")

func (c *codec) fail() {
	if c.err == nil {
		c.err = errDamaged
	}
	c.b = nil
}

func (c *codec) u64(p *uint64) {
	if !c.reading {
		c.b = binary.AppendUvarint(c.b, *p)
		return
	}
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail()
		return
	}
	*p, c.b = v, c.b[n:]
}

// num transfers any integer.
func num[T ~uint8 | ~uint32 | ~int64 | ~int](c *codec, p *T) {
	v := uint64(*p)
	c.u64(&v)
	if c.reading {
		*p = T(v)
	}
}

func (c *codec) bool(p *bool) {
	var v uint8
	if *p {
		v = 1
	}
	num(c, &v)
	*p = v != 0
}

func (c *codec) bytes(p *[]byte) {
	n := len(*p)
	num(c, &n)
	switch {
	case !c.reading:
		c.b = append(c.b, *p...)
	case n < 0 || n > len(c.b):
		c.fail()
	case n > 0:
		*p, c.b = c.b[:n:n], c.b[n:]
	}
}

func (c *codec) str(p *string) {
	b := []byte(*p)
	c.bytes(&b)
	if c.reading {
		*p = string(b)
	}
}

// list transfers a slice, element by element. Memory grows with what was really
// read, never from the count alone.
func list[T any](c *codec, p *[]T, element func(*codec, *T)) {
	n := len(*p)
	num(c, &n)
	if !c.reading {
		for i := range *p {
			element(c, &(*p)[i])
		}
		return
	}
	if n < 0 || n > len(c.b) { // an element takes at least a byte
		c.fail()
		return
	}
	*p = nil
	if n > 0 {
		*p = make([]T, 0, min(n, 4096))
	}
	for i := 0; i < n && c.err == nil; i++ {
		var v T
		element(c, &v)
		*p = append(*p, v)
	}
}

// indices is list(c, p, num[uint32]) for many of them.
func (c *codec) indices(p *[]uint32) {
	if !c.reading {
		list(c, p, num[uint32])
		return
	}
	var n uint64
	if c.u64(&n); n > uint64(len(c.b)) {
		c.fail()
	}
	*p = nil
	if n == 0 || c.err != nil {
		return
	}
	all, b := make([]uint32, n), c.b // each takes a byte at least
	for i := range all {
		v, k := binary.Uvarint(b)
		if k <= 0 {
			c.fail()
			return
		}
		all[i], b = uint32(v), b[k:]
	}
	*p, c.b = all, b
}

// optional transfers what may be nil.
func optional[T any](c *codec, p **T, body func(*codec, *T)) {
	has := *p != nil
	c.bool(&has)
	if !has {
		return
	}
	if c.reading {
		*p = new(T)
	}
	body(c, *p)
}

func (c *codec) types(p *[]abi.Type) { list(c, p, num[abi.Type]) }

func signature(c *codec, s *abi.Signature) {
	c.types(&s.Params)
	c.types(&s.Results)
}

func expr(c *codec, e *Expr) {
	list(c, &e.Insts, func(c *codec, i *ExprInst) {
		num(c, &i.Op)
		num(c, &i.Index)
		c.u64(&i.Bits)
		c.u64(&i.Hi)
	})
}

// module is the layout of the module section.
func (c *codec) module(m *Module) {
	c.str(&m.Name)
	list(c, &m.Types, signature)
	list(c, &m.Imports, func(c *codec, i *Import) {
		c.str(&i.Module)
		c.str(&i.Name)
		num(c, &i.Kind)
		num(c, &i.Index)
	})
	list(c, &m.Exports, func(c *codec, e *Export) {
		c.str(&e.Name)
		num(c, &e.Kind)
		num(c, &e.Index)
	})
	list(c, &m.ImportedFuncTypes, num[uint32])
	list(c, &m.Tables, func(c *codec, t *Table) {
		num(c, &t.Elem)
		c.u64(&t.Min)
		c.u64(&t.Max)
		optional(c, &t.Init, expr)
	})
	list(c, &m.Mems, func(c *codec, t *Memory) {
		c.u64(&t.Min)
		c.u64(&t.Max)
		c.bool(&t.Is64)
	})
	list(c, &m.Globals, func(c *codec, g *Global) {
		num(c, &g.Type)
		c.bool(&g.Mutable)
		optional(c, &g.Init, expr)
	})
	num(c, &m.Pinned)
	list(c, &m.Elems, func(c *codec, e *Elem) {
		num(c, &e.Mode)
		num(c, &e.Type)
		num(c, &e.Table)
		optional(c, &e.Start, expr)
		c.indices(&e.Funcs)
		list(c, &e.Exprs, expr)
	})
	list(c, &m.Datas, func(c *codec, d *Data) {
		num(c, &d.Index)
		num(c, &d.Mode)
		num(c, &d.Mem)
		optional(c, &d.Start, expr)
		c.bytes(&d.Init)
	})
	num(c, &m.Start)
}

// header is the layout of the header, up to the region table.
func (c *codec) header(h *Header) {
	num(c, &h.Format)
	num(c, &h.ABI)
	c.str(&h.Target)
	c.u64(&h.Features)
	c.str(&h.Build)
	c.str(&h.Options)
	hash := h.WasmHash[:]
	c.bytes(&hash)
	if c.reading && copy(h.WasmHash[:], hash) != len(h.WasmHash) {
		c.fail()
	}
	num(c, &h.Tier)
}
