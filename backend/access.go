package backend

import (
	"math"
	"math/bits"
)

// FactKind says what is known of a value. Numbers may be whatever a guest chose; the
// other kinds are parts of addresses, and addresses.
type FactKind uint8

const (
	// Numbers from Lo to Hi.
	FactNumber FactKind = iota
	FactBelow           // an index below the length of table Index, compared at Site; of any table with Lo to Hi if Index is -1
	FactMasked          // such an index, made 0 for when the processor only guesses that it is in bounds
	FactStart           // an index into memory Index from where there is room for the count
	FactAhead           // an index into memory Index from where there is room for Off bytes, compared at Site
	FactCopy            // Off more than what register Index holds

	// Relations of numbers.
	FactMask        // all ones; 0 when the processor only guesses that the index compared at Site is in bounds
	FactLength      // length of table Index
	FactBytes       // size of memory Index in bytes
	FactWithin      // between Lo and the size of memory Index, compared at Site
	FactSum         // register Index + the count
	FactBeforeCount // below the count
	FactTypeID      // canonical id of type Index
	FactTypeOf      // type id of the FuncDesc in register Index
	FactReturn      // return address

	// Addresses, Off bytes beyond what the comment says.
	FactStack        // stack pointer on entry
	FactContext      // context
	FactMemRec       // MemoryRec of memory Index
	FactTabRec       // TableRec of table Index
	FactCell         // cell of an imported global
	FactBuiltins     // array of builtins
	FactGuest        // base of memory Index and Lo to Hi bytes more
	FactElements     // element 0 of table Index
	FactElement      // an element of table Index
	FactDesc         // FuncDesc that was loaded at Site
	FactCode         // the code of that FuncDesc
	FactOtherContext // context of that FuncDesc
	FactOtherBase    // base of memory 0 of that FuncDesc
	FactConstant     // start of the text

	// Addresses in memory Index with room for a number of bytes.
	FactRoom    // Off bytes, and Lo bytes below it
	FactGuess   // Off bytes, unless the processor only guesses that it is in bounds, compared at Site
	FactCounted // the count + Off bytes

	// Jumps.
	FactJump   // one of the entries 0 to Hi of the table Off bytes into the text
	FactTarget // where one of them leads
)

// DescKind says where a FuncDesc comes from.
type DescKind uint8

const (
	DescImport  DescKind = iota // Index: imported function
	DescBuiltin                 // Index: abi.Builtin
	DescTable                   // Index: table; may be null
	DescOwn                     // Index: defined function
)

// Fact is what is known of a 64-bit value. The count is what a register that the instruction
// set chooses holds at the time: bytes left in a bulk operation.
type Fact struct {
	Kind   FactKind
	Desc   DescKind
	NotNil bool // FactDesc: certainly not null
	Typed  bool // FactDesc: compared with the type of a call through its table
	Index  int32
	Site   uint32
	Off    int64
	Lo, Hi uint64
}

var factNames = [...]string{
	FactNumber: "number", FactBelow: "index in bounds", FactMasked: "masked index", FactStart: "start", FactAhead: "index in memory", FactCopy: "copy",
	FactMask: "mask", FactLength: "table length", FactBytes: "memory size", FactWithin: "index within memory", FactSum: "sum",
	FactBeforeCount: "index below the count", FactTypeID: "type id", FactTypeOf: "type of a function", FactReturn: "return address",
	FactStack: "stack", FactContext: "context", FactMemRec: "memory record", FactTabRec: "table record", FactCell: "global",
	FactBuiltins: "builtins", FactGuest: "memory", FactElements: "table", FactElement: "table element", FactDesc: "function", FactCode: "code",
	FactOtherContext: "other context", FactOtherBase: "other memory base", FactConstant: "text",
	FactRoom: "checked address", FactGuess: "guessed address", FactCounted: "counted address",
	FactJump: "jump table entry", FactTarget: "jump table target",
}

func (k FactKind) String() string { return factNames[k] }

// Unknown is any number.
var Unknown = Fact{Hi: math.MaxUint64}

// Bits is any number of n bits.
func Bits(n uint) Fact { return Fact{Hi: math.MaxUint64 >> (64 - n)} }

// Exactly is the number v.
func Exactly(v uint64) Fact { return Fact{Lo: v, Hi: v} }

// IsAddress reports whether f is an address.
func (f Fact) IsAddress() bool { return f.Kind >= FactStack }

// Uncounted is f without relation to the count.
func (f Fact) Uncounted() Fact {
	switch f.Kind {
	case FactStart, FactSum, FactBeforeCount, FactCounted:
		return f.Number()
	}
	return f
}

// DependsOn reports whether f relates to what register r holds at the time.
func (f Fact) DependsOn(r int32) bool {
	return (f.Kind == FactSum || f.Kind == FactCopy || f.Kind == FactTypeOf) && f.Index == r
}

// Plain is f without relation to what any register holds at the time.
func (f Fact) Plain() Fact {
	switch f.Kind {
	case FactCopy, FactTypeOf:
		return f.Number()
	}
	return f.Uncounted()
}

// IsExactly reports whether f is the number v.
func (f Fact) IsExactly(v uint64) bool { return f.Kind == FactNumber && f.Lo == v && f.Hi == v }

// Number is the range of f; all of it if f is no number.
func (f Fact) Number() Fact {
	switch f.Kind {
	case FactNumber, FactBelow, FactMasked, FactStart, FactAhead, FactCopy, FactBeforeCount:
		return Fact{Lo: f.Lo, Hi: f.Hi}
	case FactLength: // below 1<<32, see abi.TableRecLen
		return Bits(32)
	}
	return Unknown
}

// Low is the low n bits of f as a number.
func (f Fact) Low(n uint) Fact {
	if x, all := f.Number(), Bits(n); x.Hi <= all.Hi {
		return x
	}
	return Bits(n)
}

// Join is what is known of a value that is f or g. If widen is set a range that is no
// longer the same becomes as large as it can get, so that loops come to an end.
func (f Fact) Join(g Fact, widen bool) Fact {
	if f == g {
		return f
	}
	if f.Kind == g.Kind && f.Index == g.Index && f.Site == g.Site && f.Desc == g.Desc {
		switch f.Kind {
		case FactGuest:
			within := g.Lo >= f.Lo && g.Hi <= f.Hi
			if f.Off == g.Off && (within || !widen) {
				f.Lo, f.Hi = min(f.Lo, g.Lo), max(f.Hi, g.Hi)
				return f
			}
			if f.Off == g.Off && max(f.Hi, g.Hi) <= math.MaxUint32 { // the sum of base and index
				f.Lo, f.Hi = 0, math.MaxUint32
				return f
			}
		case FactCounted:
			if g.Off >= f.Off || !widen {
				f.Off = min(f.Off, g.Off)
				return f
			}
		case FactDesc:
			f.NotNil, f.Typed = f.NotNil && g.NotNil, f.Typed && g.Typed
			return f
		case FactBelow, FactMasked, FactStart, FactAhead, FactCopy, FactBeforeCount:
			if f.Off == g.Off {
				return f.hull(g, widen)
			}
		}
	}
	return f.Number().hull(g.Number(), widen)
}

// hull is f with the numbers of g as well.
func (f Fact) hull(g Fact, widen bool) Fact {
	if g.Lo < f.Lo {
		f.Lo = g.Lo
		if widen && f.Lo > 1 { // just above a power of 2, as loops have that go on while there is more than that
			f.Lo = 1 + 1<<(bits.Len64(f.Lo-1)-1)
		}
	}
	if g.Hi > f.Hi {
		f.Hi = g.Hi
		if widen && f.Hi <= math.MaxUint32 {
			f.Hi = math.MaxUint32
		} else if widen {
			f.Hi = math.MaxUint64
		}
	}
	return f
}

// Plus is f + n.
func (f Fact) Plus(n int64) Fact {
	if n == 0 {
		return f
	}
	switch f.Kind {
	case FactStack, FactContext, FactMemRec, FactTabRec, FactCell, FactBuiltins, FactElement, FactDesc, FactOtherContext, FactConstant:
		f.Off += n
		return f
	case FactGuest:
		lo, hi := f.Lo+uint64(n), f.Hi+uint64(n)
		if n < 0 && f.Lo < uint64(-n) || hi > math.MaxInt64 {
			return Unknown
		}
		f.Lo, f.Hi = lo, hi
		return f
	case FactWithin:
		if n < 0 && uint64(-n) <= f.Lo {
			return Fact{Kind: FactAhead, Index: f.Index, Site: f.Site, Off: -n, Lo: f.Lo + uint64(n), Hi: math.MaxUint64}
		}
		return Unknown
	case FactRoom, FactCounted:
		if n < 0 {
			if uint64(-n) > f.Lo {
				return Unknown
			}
			f.Lo -= uint64(-n)
		}
		f.Off -= n
		return f
	}
	x := f.Number()
	lo, hi := x.Lo+uint64(n), x.Hi+uint64(n)
	if lo > hi {
		return Unknown // some numbers of the range wrap around and some do not
	}
	return Fact{Lo: lo, Hi: hi}
}

// Times is f × n.
func (f Fact) Times(n uint64) Fact {
	x := f.Number()
	if n == 0 || x.Hi > math.MaxUint64/n {
		return Unknown
	}
	return Fact{Lo: x.Lo * n, Hi: x.Hi * n}
}

// Sum is base + index × scale + off: the only way from parts to addresses.
func (a *Access) Sum(base, index Fact, scale uint8, off int64) Fact {
	if scale == 1 && index.IsAddress() && !base.IsAddress() {
		base, index = index, base
	}
	switch {
	case base.Kind == FactElements && scale == 8 && index.Kind == FactMasked && a.inTable(index, base.Index):
		return Fact{Kind: FactElement, Index: base.Index}.Plus(off)
	case index.Kind == FactWithin && scale == 1 && base == (Fact{Kind: FactGuest, Index: index.Index}) &&
		off < 0 && uint64(-off) <= index.Lo:
		return Fact{Kind: FactGuess, Index: index.Index, Site: index.Site, Off: -off}
	case base.Kind == FactConstant && index.Kind == FactJump && index.Off == base.Off && scale == 1 && off == 0:
		index.Kind = FactTarget
		return index
	case index.Kind == FactStart && scale == 1 && base == (Fact{Kind: FactGuest, Index: index.Index}) && off == 0:
		return Fact{Kind: FactCounted, Index: index.Index}
	}
	x := index.Times(uint64(scale))
	switch {
	case x.Lo == x.Hi:
		return base.Plus(int64(x.Lo)).Plus(off)
	case base.Kind == FactGuest:
		// Offsets first: together they may be in order where one alone is not.
		lo, hi := base.Lo+x.Lo, base.Hi+x.Hi
		if hi < x.Hi || hi > math.MaxInt64 {
			return Unknown
		}
		base.Lo, base.Hi = lo, hi
		return base.Plus(off)
	case base.IsAddress():
		return Unknown
	}
	y := base.Number()
	if y.Hi+x.Hi < y.Hi {
		return Unknown
	}
	return Fact{Lo: y.Lo + x.Lo, Hi: y.Hi + x.Hi}.Plus(off)
}

// Ahead is base + index + off if that is the address of an index from where there is room.
func (a *Access) Ahead(base, index Fact, off int64) (f Fact, ok bool) {
	room := index.Off - off
	ok = index.Kind == FactAhead && base == Fact{Kind: FactGuest, Index: index.Index} && off >= 0 && room > 0
	return Fact{Kind: FactGuess, Index: index.Index, Site: index.Site, Off: room}, ok
}

// inTable reports whether a masked index is one of table t.
func (a *Access) inTable(index Fact, t int32) bool {
	return index.Index == t || index.Hi < a.Func.Module.TableMin[t]
}
