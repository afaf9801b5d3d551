package spectest

import (
	"fmt"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/spectest/script"
)

func compareAll(got []result, want []script.Value) error {
	if len(got) != len(want) {
		return fmt.Errorf("expected %d results, found %d", len(want), len(got))
	}
	for i := range want {
		if err := compare(got[i], &want[i]); err != nil {
			return fmt.Errorf("result %d: %w", i, err)
		}
	}
	return nil
}

func compare(got result, want *script.Value) error {
	if want.Type == "either" {
		var err error
		for i := range want.Either {
			if err = compare(got, &want.Either[i]); err == nil {
				return nil
			}
		}
		return err
	}
	isRef := got.typ == abi.FuncRef || got.typ == abi.ExternRef
	switch {
	case isRef != (want.Ref != script.NotRef) || !isRef && got.typ.String() != want.Type:
		return fmt.Errorf("expected type %s, found %s", want.Type, got.typ)
	case want.Ref == script.RefNull && got.lo == 0, want.Ref == script.RefSome && got.lo != 0, want.Ref == script.RefHost && got.lo == want.Lo+1:
		return nil
	case isRef:
		return fmt.Errorf("expected %+v, found reference 0x%x", *want, got.lo)
	case got.typ == abi.V128:
		return compareVector(got, want)
	}
	mask := ^uint64(0)
	if got.typ.Size() == 4 {
		mask = 1<<32 - 1
	}
	return compareLane(got.lo&mask, want.Lo&mask, got.typ.Size()*8, nanOf(want, 0))
}

func nanOf(v *script.Value, lane int) script.NaN {
	if lane < len(v.NaNs) {
		return v.NaNs[lane]
	}
	return script.NotNaN
}

func compareVector(got result, want *script.Value) error {
	bits := map[string]uint32{"i8": 8, "i16": 16, "i32": 32, "i64": 64, "f32": 32, "f64": 64}[want.Lane]
	for lane := range 128 / bits {
		at := lane * bits
		g, w := got.lo, want.Lo
		if at >= 64 {
			g, w = got.hi, want.Hi
		}
		mask := ^uint64(0) >> (64 - bits)
		if err := compareLane(g>>(at%64)&mask, w>>(at%64)&mask, bits, nanOf(want, int(lane))); err != nil {
			return fmt.Errorf("lane %d of %s: %w", lane, want.Lane, err)
		}
	}
	return nil
}

// compareLane compares bits, or classes of NaN (core specification, "NaN propagation").
func compareLane(got, want uint64, bits uint32, nan script.NaN) error {
	if nan == script.NotNaN {
		if got != want {
			return fmt.Errorf("expected 0x%x, found 0x%x", want, got)
		}
		return nil
	}
	quiet, sign := uint64(0x7fc00000), uint64(1<<31)
	if bits == 64 {
		quiet, sign = 0x7ff8<<48, 1<<63
	}
	abs := got &^ sign
	if nan == script.NaNCanonical && abs != quiet || nan == script.NaNArithmetic && abs&quiet != quiet {
		return fmt.Errorf("expected a %s NaN, found 0x%x", map[script.NaN]string{script.NaNCanonical: "canonical", script.NaNArithmetic: "arithmetic"}[nan], got)
	}
	return nil
}
