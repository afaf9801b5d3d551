package amd64

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/backendtest"
)

// nativeMachine is what runs the tests.
func nativeMachine(t *testing.T) *backendtest.Machine {
	host := Target.HostFeatures()
	if host&FeatureV2 == 0 {
		t.Skip("this CPU is older than x86-64-v2")
	}
	return &backendtest.Machine{
		Target: Target, Features: []uint64{host, FeatureV2}, Lowered: lowered,
		Lengths: []uint64{longFill - 1, longFill, longFill + 33, longCopy - 1, longCopy, longCopy + 33},
	}
}

func TestOps(t *testing.T)           { backendtest.Ops(t, nativeMachine(t)) }
func TestRandom(t *testing.T)        { backendtest.Random(t, nativeMachine(t)) }
func TestRandomVectors(t *testing.T) { backendtest.RandomVectors(t, nativeMachine(t)) }
func TestLimbs(t *testing.T) {
	host := Target.HostFeatures()
	if host&Target.Limbs != Target.Limbs {
		t.Skip("this processor lacks what it takes")
	}
	backendtest.Limbs(t, nativeMachine(t), host)
}

func TestRandomCarries(t *testing.T)     { backendtest.RandomCarries(t, nativeMachine(t)) }
func TestDivideByConstants(t *testing.T) { backendtest.DivideByConstants(t, nativeMachine(t)) }
func TestSelection(t *testing.T)         { backendtest.Selection(t, nativeMachine(t)) }
func TestAccessRandom(t *testing.T)      { backendtest.AccessRandom(t, nativeMachine(t)) }
func TestStoresAtEnd(t *testing.T)       { backendtest.StoresAtEnd(t, nativeMachine(t)) }
func TestBulk(t *testing.T)              { backendtest.Bulk(t, nativeMachine(t)) }
func TestStack(t *testing.T)             { backendtest.Stack(t, nativeMachine(t)) }
func TestFrame(t *testing.T)             { backendtest.Frame(t, nativeMachine(t)) }
func TestLargeFunction(t *testing.T)     { backendtest.LargeFunction(t, nativeMachine(t)) }
func TestLargeSwitch(t *testing.T)       { backendtest.LargeSwitch(t, nativeMachine(t)) }
func TestLargeOffsets(t *testing.T)      { backendtest.LargeOffsets(t, nativeMachine(t)) }
func TestVectors(t *testing.T)           { backendtest.Vectors(t, nativeMachine(t)) }

// TestPatch resolves relocations and refuses what is out of reach.
func TestPatch(t *testing.T) {
	text := make([]byte, 64)
	if err := patch(text, 0, 10, backend.RelocCall, 3); err != nil {
		t.Fatal(err)
	}
	if d := int32(binary.LittleEndian.Uint32(text[10:])); d != 3-14 {
		t.Errorf("distance %d", d)
	}
	if err := patch(text, 1000, 1010, backend.RelocCall, 3); err != nil || int32(binary.LittleEndian.Uint32(text[10:])) != 3-1014 {
		t.Errorf("in a part from 1000 on: %v, %x", err, text[10:14])
	}
	if err := patch(text, 1000, 999, backend.RelocCall, 3); err == nil {
		t.Error("a field before its part was accepted")
	}
	for _, bad := range []struct {
		field  uint32
		kind   backend.RelocKind
		target uint32
	}{{61, backend.RelocCall, 0}, {math.MaxUint32, backend.RelocCall, 0}, {0, backend.RelocCall + 1, 0}, {0, backend.RelocCall, 1 << 31}} {
		if err := patch(text, 0, bad.field, bad.kind, bad.target); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}
