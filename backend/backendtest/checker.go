package backendtest

import (
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// CheckerLayout has one and more of everything, imported and defined.
var CheckerLayout = abi.NewLayout(abi.Shape{
	Types: 3, ImportedFuncs: 2, Funcs: 2, ImportedGlobals: 1, Globals: 2,
	ImportedTables: 1, Tables: 2, ImportedMemories: 1, Memories: 1,
})

// CheckerFunc is what code given to a memory-access checker was made from: a function of type (i32, n × i64) -> ()
// that calls through tables 0 and 1 with type 1.
func CheckerFunc(n int) *ssa.Func {
	long, short := &abi.Signature{Params: []abi.Type{abi.I32}}, &abi.Signature{Params: []abi.Type{abi.I32}}
	for range n {
		long.Params = append(long.Params, abi.I64)
	}
	new(ssa.Func).Reset() // nothing of ssa may be asked before
	return &ssa.Func{
		Module: &ssa.Module{
			Layout:      CheckerLayout,
			FuncSigs:    []*abi.Signature{short, long, long, short},
			GlobalTypes: []abi.Type{abi.I64, abi.I64, abi.I64},
			TableMin:    []uint64{0, 10, 20},
			TableFixed:  []bool{false, false, true},
		},
		Index: 2,
		Sig:   long,
		Insts: []ssa.Inst{{}, ssa.NewInst(ssa.OpCall, 0, 0, 0, 0), ssa.NewInst(ssa.OpCall, 0, 1, 0, 0)},
		Order: []ssa.Value{1, 2},
		Calls: []ssa.Call{
			{Kind: ssa.CallIndirect, Table: 0, TypeIndex: 1, Sig: short},
			{Kind: ssa.CallIndirect, Table: 1, TypeIndex: 1, Sig: short, Local: true},
		},
		Blocks: []ssa.BlockData{{Kind: ssa.BlockReturn, InstEnd: 2}},
		RPO:    []ssa.Block{0},
	}
}

// A CheckerCase is code that a memory-access checker gets: A is what it is made with. If it must be refused, Refused is a part of the reason.
type CheckerCase[A any] = struct {
	Name, Refused string
	Explicit      bool // without guard regions
	Code          func(a A)
}

// A DamagedCase is code that is right until something that belongs to it is damaged.
type DamagedCase[A any] = struct {
	Name, Refused string
	Code          func(a A)
	Damage        func(c *backend.Code)
}

// Checker is what runs the cases: on code in a function of type (i32, Params × i64) -> ().
type Checker[A any] struct {
	Target *backend.Target
	Params int
	Make   func(t *testing.T, code func(a A)) *backend.Code
}

// Cases gives the checker right code and code with a bug each, which it must find.
func (k *Checker[A]) Cases(t *testing.T, cases []CheckerCase[A]) {
	for _, x := range cases {
		verdict(t, x.Name, x.Refused, k.check(k.Make(t, x.Code), &backend.Config{Explicit: x.Explicit}))
	}
}

// ThroughDesc gives it right and wrong code that shall call the module's other functions through their descriptors.
func (k *Checker[A]) ThroughDesc(t *testing.T, cases []CheckerCase[A]) {
	for _, x := range cases {
		verdict(t, x.Name, x.Refused, k.check(k.Make(t, x.Code), &backend.Config{Explicit: x.Explicit, ThroughDesc: true}))
	}
}

// Damaged gives it right code, and the same damaged.
func (k *Checker[A]) Damaged(t *testing.T, cases []DamagedCase[A]) {
	for _, x := range cases {
		c := k.Make(t, x.Code)
		verdict(t, x.Name+", before", "", k.check(c, &backend.Config{}))
		x.Damage(c)
		verdict(t, x.Name, x.Refused, k.check(c, &backend.Config{}))
	}
}

func (k *Checker[A]) check(c *backend.Code, cfg *backend.Config) error {
	return k.Target.CheckAccess(cfg, &backend.Func{SSA: CheckerFunc(k.Params)}, c)
}

// verdict compares what a checker said of a case with what it should say: an error that contains refused, none if that is empty.
func verdict(t *testing.T, name, refused string, err error) {
	t.Helper()
	switch {
	case refused == "" && err != nil:
		t.Errorf("%s: %v", name, err)
	case refused != "" && err == nil:
		t.Errorf("%s: accepted, expected an error with %q", name, refused)
	case refused != "" && !strings.Contains(err.Error(), refused):
		t.Errorf("%s: %v: expected an error with %q", name, err, refused)
	}
}
