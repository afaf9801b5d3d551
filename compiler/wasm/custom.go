package wasm

import "unicode/utf8"

func (d *decoder) customSection() {
	c := CustomSection{Offset: uint32(d.pos)}
	c.Name = d.name()
	c.Data = d.bytes(d.left(), "a custom section")
	if d.err != nil {
		return
	}
	switch c.Name {
	case "name":
		names(&d.m.Names, c.Data)
	case "producers":
		d.m.Producers = c.Data
	}
	d.m.Customs = append(d.m.Customs, c)
}

// Subsections of the name section (spec, Appendix, "Name Section").
const (
	namesModule = 0
	namesFuncs  = 1
)

// names reads a name section up to its first mistake: a malformed custom section
// does not make a module invalid.
func names(n *NameSection, data []byte) {
	for r := (reader{src: data}); r.left() > 0; {
		id := r.byte()
		sub := reader{src: r.bytes(int(r.u32()), "a subsection")}
		if r.err != nil {
			return
		}
		switch id {
		case namesModule:
			if name := sub.name(); sub.err == nil {
				n.Module = name
			}
		case namesFuncs:
			n.Funcs = funcNames(&sub)
		}
	}
}

// funcNames reads a name map. All names share one string.
func funcNames(r *reader) map[uint32]string {
	all := string(r.src)
	count := int(r.u32())
	m := make(map[uint32]string, min(r.room(count, 2), 1<<16))
	for i := 0; i < count && r.err == nil; i++ {
		index := r.u32()
		size := int(r.u32())
		start := r.pos
		if b := r.bytes(size, "a name"); r.err == nil && utf8.Valid(b) {
			m[index] = all[start:r.pos]
		}
	}
	return m
}
