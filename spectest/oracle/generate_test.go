package oracle

import (
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

var seed = flag.Uint64("seed", 0, "TestGenerate: make only the module of this seed")

// TestGenerate sees that generated modules are valid, end, and do not trap at once.
func TestGenerate(t *testing.T) {
	first, count := uint64(time.Now().UnixNano()), 1500
	if *seed != 0 {
		first, count = *seed, 1
	}
	outcomes := map[string]int{}
	size, insts := 0, 0
	for i := range count {
		for _, opts := range []Options{{}, {SIMD: true}} {
			s := first + uint64(i)
			p := NewProgram(s, opts)
			src, err := p.Encode()
			if err != nil {
				t.Fatalf("seed %d: %v", s, err)
			}
			size += len(src)
			features := wasm.Features20NoSIMD
			if opts.SIMD {
				features = wasm.Features20
			}
			m, err := wasm.Decode(src, features)
			if err != nil {
				t.Fatalf("seed %d: %v", s, err)
			}
			inst, err := Instantiate(m, Config{Fuel: 200_000, Resolve: Host(m, func(_ uint32, t *wasm.FuncType, _ []Value) []Value {
				return make([]Value, len(t.Results))
			})})
			if m.Start >= 0 && errors.As(err, new(Trap)) {
				outcomes["trap in start"]++
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: %v", s, err)
			}
			for i, f := range inst.Funcs[m.ImportedFuncs:] {
				insts += len(f.code.insts)
				name := fmt.Sprint("f", m.ImportedFuncs+i)
				if inst.Export(name) == nil {
					continue
				}
				inst.Globals[fuelGlobal].Lo, inst.Globals[spGlobal].Lo = StartFuel, StartSP
				_, err := inst.Invoke(name, Arguments(s+uint64(i), f.Type.Params))
				var trap Trap
				switch {
				case err == nil:
					outcomes["returns"]++
				case err == ErrFuel:
					outcomes["endless"]++
				case errors.As(err, &trap) && trap == TrapUnreachable && inst.Globals[fuelGlobal].Lo == 0:
					outcomes["out of fuel"]++
				default:
					outcomes[err.Error()]++
				}
			}
		}
	}
	t.Log(outcomes, "bytes", size/count/2, "insts", insts/count/2)
}
