package ssatest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
)

// Outcome is all that can be seen of running a function.
type Outcome struct {
	Results []uint64
	Trap    abi.Trap
	Err     string
	Memory  uint32 // checksum of the memory
	Globals []uint64
	Calls   string // each call with its arguments
}

// Args makes arguments for a function of the random signature.
func Args(r *rand.Rand, sig *abi.Signature) []uint64 {
	g := &generator{r: r}
	args := make([]uint64, len(sig.Params))
	for i, t := range sig.Params {
		args[i] = g.bits(t)
		if t == abi.I32 || t == abi.F32 {
			args[i] = uint64(uint32(args[i]))
		}
	}
	return args
}

// NewMachine makes the state that random functions expect, contents from a seed. Calls made
// are noted in log; what they do depends on their arguments alone.
func NewMachine(seed uint64, log *strings.Builder) *ssa.Machine {
	r := rand.New(rand.NewPCG(seed, 1))
	m := &ssa.Machine{
		Memories: [][]byte{make([]byte, MemoryBytes)},
		Tables:   [][]uint64{make([]uint64, Module.TableMin[0])},
		Globals:  Args(r, &abi.Signature{Params: Module.GlobalTypes}),
	}
	for at := 0; at < MemoryBytes; at += 8 {
		binary.LittleEndian.PutUint64(m.Memories[0][at:], r.Uint64())
	}
	m.Call = func(m *ssa.Machine, f *ssa.Func, c *ssa.Call, args []uint64) ([]uint64, abi.Trap, error) {
		fmt.Fprintf(log, "%d:%d:%d%x\n", c.Kind, c.Callee, c.TypeIndex, args)
		sum := uint64(c.Callee)
		for _, a := range args {
			sum = sum*31 + a
		}
		r := rand.New(rand.NewPCG(seed, sum))
		if r.IntN(32) == 0 {
			return nil, abi.TrapUnreachable, nil
		}
		copy(m.Memories[0][r.IntN(0x8000):], fmt.Sprint(sum))
		copy(m.Globals, Args(r, &abi.Signature{Params: Module.GlobalTypes}))
		results := Args(r, &abi.Signature{Params: c.Sig.Results})
		return results, 0, nil
	}
	return m
}

// Run runs a random function on a new machine. done is false if it ran out of fuel.
func Run(f *ssa.Func, seed uint64, fuel int) (out Outcome, done bool) {
	var log strings.Builder
	m := NewMachine(seed, &log)
	m.Fuel = fuel
	var err error
	out.Results, out.Trap, err = m.Eval(f, Args(rand.New(rand.NewPCG(seed, 2)), f.Sig))
	if errors.Is(err, ssa.ErrFuel) {
		return out, false
	}
	if err != nil {
		out.Err = err.Error()
	}
	out.Memory = crc32.Checksum(m.Memories[0], crc32.MakeTable(crc32.Castagnoli))
	out.Globals, out.Calls = m.Globals, log.String()
	return out, true
}
