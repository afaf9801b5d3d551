package frontend

import (
	"bytes"
	"slices"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// FindUnwinders finds the functions whose only result is 1 whenever they return. In modules built by Go that result
// tells the caller to unwind: panics, the growing of a stack and switches of goroutines never return
// anything else, and what follows a call of them is only reached when the function is resumed.
//
// Nearly all other functions are told by a look at their bytes; those left are decoded. A function that returns
// what another one returns depends on that.
func (mod *Module) FindUnwinders() {
	m := mod.Wasm
	ones := make([]bool, len(m.Funcs))
	users := map[uint32][]uint32{} // by function: those that return its result
	var v wasm.Validator
	for i := m.ImportedFuncs; i < len(m.Funcs); i++ {
		if mod.mayUnwind(i) {
			ones[i] = mod.onlyOnes(&v, uint32(i), users)
		}
	}
	var wrong []uint32
	for f := range users {
		if !ones[f] {
			wrong = append(wrong, f)
		}
	}
	for len(wrong) > 0 {
		f := wrong[len(wrong)-1]
		wrong = wrong[:len(wrong)-1]
		for _, u := range users[f] {
			if ones[u] {
				ones[u] = false
				wrong = append(wrong, u)
			}
		}
	}
	mod.unwinders = ones
	mod.resumes = slices.Contains(ones, true)
}

var (
	returnsZero = []byte{byte(wasm.OpI32Const), 0, byte(wasm.OpReturn)}
	endsWithOne = []byte{byte(wasm.OpI32Const), 1, byte(wasm.OpEnd)}
	endsReturn  = []byte{byte(wasm.OpReturn), byte(wasm.OpUnreachable), byte(wasm.OpEnd)}
)

// mayUnwind tells most functions that do not only return 1 from their bytes.
func (mod *Module) mayUnwind(i int) bool {
	fn := &mod.Wasm.Funcs[i]
	results := mod.Wasm.Types[fn.Type].Results
	return len(results) == 1 && results[0] == wasm.I32 &&
		(bytes.HasSuffix(fn.Body, endsWithOne) || bytes.HasSuffix(fn.Body, endsReturn)) && !bytes.Contains(fn.Body, returnsZero)
}

// What is known of an operand, as its Ref: nothing, that it is 1, or from refCall on which
// function's result it is.
const (
	refUnknown = iota
	refOne
	refCall
)

// onlyOnes reports whether a function returns 1 or nothing but results of functions that it adds to users.
func (mod *Module) onlyOnes(v *wasm.Validator, index uint32, users map[uint32][]uint32) bool {
	if v.Begin(mod.Wasm, index) != nil {
		return false // an invalid function is never run
	}
	var in wasm.Instr
	for more := true; more; {
		dead, depth := v.Unreachable(), v.Depth()
		var err error
		if more, err = v.Next(&in); err != nil {
			return false
		}
		exits := false
		switch in.Op {
		case wasm.OpI32Const:
			if in.Bits == 1 {
				v.Results()[0].Ref = refOne
			}
		case wasm.OpCall:
			if r := v.Results(); len(r) == 1 {
				r[0].Ref = refCall + in.Index
			}
		case wasm.OpReturn:
			exits = true
		case wasm.OpEnd:
			exits = !more
		case wasm.OpBr, wasm.OpBrIf:
			if int(in.Index) == depth-1 {
				return false
			}
		case wasm.OpBrTable:
			for _, t := range in.Targets {
				if int(t) == depth-1 {
					return false
				}
			}
		case wasm.OpReturnCall, wasm.OpReturnCallIndirect, wasm.OpReturnCallRef, wasm.OpBrOnNull, wasm.OpBrOnNonNull, wasm.OpTryTable:
			return false
		}
		if !exits || dead {
			continue
		}
		switch ref := v.Args()[0]; {
		case ref >= refCall:
			users[ref-refCall] = append(users[ref-refCall], index)
		case ref != refOne:
			return false
		}
	}
	return true
}

// Inlinable reports whether a function may stand in the place of a call: what only unwinds is seldom called, and a body of Leaves has
// positions of its own.
func (mod *Module) Inlinable(index uint32) bool {
	_, replaced := mod.Leaves[index]
	return !replaced && !mod.unwinds(index)
}

// Resumes reports whether a function may be one that is resumed in the state that it is called with, 0 at first.
func (mod *Module) Resumes(index uint32) bool {
	sig := mod.SSA.FuncSigs[index]
	return mod.resumes && len(sig.Params) == 1 && sig.Params[0] == abi.I32 && len(sig.Results) == 1 && sig.Results[0] == abi.I32
}

// unwinds reports whether a function is known to return 1 if anything.
func (mod *Module) unwinds(index uint32) bool { return mod.unwinders != nil && mod.unwinders[index] }
