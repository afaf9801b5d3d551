package spectest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/nativetest"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/spectest/oracle"
)

// pageBytes is the size of a page of linear memory.
const pageBytes = 1 << 16

// addressSettings are those that make addresses differently.
var addressSettings = settings[:4]

// TestAddressMatrix does every access to memory with every shape of index, at the last legal byte and one past it, where sums of 32 and 64
// bits differ, at offsets of every magnitude, in memories of several sizes, in both tiers, optimised and not. Whether an access is legal is
// told by arithmetic, what it does by the oracle.
func TestAddressMatrix(t *testing.T) {
	nativetest.Require(t)
	checks := 0
	for _, pages := range []uint64{0, 1, 3} {
		for _, offset := range []uint32{0, 1, 8, 0xffff, 0x10000, 0x7ffffff0, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff} {
			if testing.Short() && pages == 3 && offset > 8 {
				continue
			}
			indices := addressIndices(pages*pageBytes, offset)
			p, list := oracle.NewAddressProgram(pages, offset, indices)
			checks += eachSetting(t, p, func(m *bothMemories) int {
				n := 0
				for i := range list {
					a := &list[i]
					for _, index := range indices {
						if a.Fixed {
							index = a.Index
						}
						if args, ok := a.Args(index, m.value()); ok {
							n++
							legal := uint64(index)+uint64(offset)+a.Size <= pages*pageBytes
							m.call(a.Name, args, legal, func() string { return fmt.Sprintf("%v offset %d, %s index 0x%x", a.Op, offset, a.Shape, index) })
						}
						if a.Fixed {
							break
						}
					}
				}
				return n
			})
		}
	}
	t.Logf("%d accesses", checks)
	if checks < 100_000 {
		t.Errorf("only %d accesses were tried", checks)
	}
}

// addressIndices are the interesting indices for accesses at an offset in a memory of some bytes.
func addressIndices(size uint64, offset uint32) []uint32 {
	list := []uint32{0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8, -offset, 8 - offset}
	for _, width := range []uint64{1, 2, 4, 8, 16} {
		for _, past := range []uint64{0, 1} { // the last legal one, and the first that is not
			if x := size - width + past - uint64(offset); x <= math.MaxUint32 {
				list = append(list, uint32(x))
			}
		}
	}
	if size >= uint64(offset) && size-uint64(offset) <= math.MaxUint32 {
		list = append(list, uint32(size-uint64(offset)))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestBulkMatrix fills and copies at the end of memory and beyond, and over each other.
func TestBulkMatrix(t *testing.T) {
	nativetest.Require(t)
	for _, pages := range []uint64{0, 1, 2} {
		size := uint32(pages * pageBytes)
		p, list := oracle.NewBulkProgram(pages)
		eachSetting(t, p, func(m *bothMemories) int {
			for i := range list {
				a := &list[i]
				lengths := []uint32{uint32(a.Size)}
				if a.Shape == "length" {
					lengths = oracle.BulkLengths()
				}
				for _, n := range lengths {
					for _, x := range []uint32{0, 100, size - n, size - n + 1, size - 1, size, size + 1, 0x80000000, 0xffffffff} {
						for _, y := range []uint64{0, 5, uint64(x), uint64(x) + 1, uint64(x) + 15, 0xffffffff00000000 | uint64(x+200), uint64(size - n), uint64(size), 0xffffffff} {
							args := []oracle.Value{{Lo: uint64(x)}, {Lo: y}, {Lo: uint64(n)}}
							if trap, ok := m.try(a.Name, args); !ok {
								t.Fatalf("%v, %s %d, at 0x%x and 0x%x: %s", a.Op, a.Shape, n, x, y, trap)
							}
						}
					}
				}
			}
			return 0
		})
	}
}

// bothMemories are two instances of a module, on the oracle and native, with the same in their memories.
type bothMemories struct {
	t       *testing.T
	random  *rand.Rand
	types   map[string]*wasm.FuncType // of the exported functions
	plain   *oracle.Instance
	native  *loader.Instance
	setting string
}

// eachSetting runs a test on a module with each setting and adds up what it returns.
func eachSetting(t *testing.T, p *oracle.Program, f func(m *bothMemories) int) (sum int) {
	t.Helper()
	src, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	module, err := wasm.Decode(src, wasm.Features20)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]*wasm.FuncType{}
	for _, e := range module.Exports {
		if e.Kind == wasm.ExternFunc {
			types[e.Name] = module.FuncType(e.Index)
		}
	}
	for _, s := range addressSettings {
		m := &bothMemories{t: t, random: rand.New(rand.NewPCG(1, 2)), types: types, setting: s.name}
		if m.plain, err = oracle.Instantiate(module, oracle.Config{}); err != nil {
			t.Fatal(err)
		}
		artifact, err := s.compile(src, true)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		code, err := loader.Load(artifact)
		if err != nil {
			t.Fatal(err)
		}
		if m.native, err = code.Instantiate(context.Background(), &loader.Config{}); err != nil {
			t.Fatal(err)
		}
		for i := range m.plain.Mems[0].Data {
			m.plain.Mems[0].Data[i] = byte(m.random.Uint32())
		}
		copy(m.memory(), m.plain.Mems[0].Data)
		sum += f(m)
		m.native.Close()
		code.Close()
	}
	return sum
}

func (m *bothMemories) memory() []byte { return m.native.Export("mem").(*loader.Memory).Bytes() }

func (m *bothMemories) value() oracle.Value {
	return oracle.Value{Lo: m.random.Uint64(), Hi: m.random.Uint64()}
}

// call makes a call that must trap unless it is legal, and compares.
func (m *bothMemories) call(name string, args []oracle.Value, legal bool, what func() string) {
	m.t.Helper()
	trap, ok := m.try(name, args)
	if !ok {
		m.t.Fatalf("%s: %s: %s", m.setting, what(), trap)
	}
	if (trap == "") != legal {
		m.t.Fatalf("%s: %s: expected to be legal: %t, found the trap %q", m.setting, what(), legal, trap)
	}
}

// try makes a call on both sides. If they agree it returns the trap, "" for none; else how they differ.
func (m *bothMemories) try(name string, args []oracle.Value) (trap string, ok bool) {
	results, err := m.plain.Invoke(name, slices.Clone(args))
	var want oracle.Trap
	if errors.As(err, &want) {
		trap = string(want)
	} else if err != nil {
		return err.Error(), false
	}
	f := m.native.Func(name)
	typ := m.types[name]
	stack := make([]uint64, f.Signature().SlotCount())
	toSlots(typ.Params, args, stack)
	err = f.Call(context.Background(), stack)
	if differs := sameTrap(err, trap); differs != nil {
		return differs.Error(), false
	}
	var code *loader.Trap
	if errors.As(err, &code) && code.Code != abi.TrapMemoryOutOfBounds {
		return "another trap than memory: " + code.Code.String(), false
	}
	if trap == "" {
		for i, got := range fromSlots(typ.Results, stack) {
			if got != results[i] { // loads change no bits, of NaNs neither
				return fmt.Sprintf("expected 0x%x 0x%x, found 0x%x 0x%x", results[i].Lo, results[i].Hi, got.Lo, got.Hi), false
			}
		}
	}
	if !bytes.Equal(m.memory(), m.plain.Mems[0].Data) {
		return "the memories differ", false
	}
	return trap, true
}
