package arm64

import (
	"testing"

	"github.com/wasmaot/wasmaot/backend/backendtest"
)

// nativeMachine is what runs the tests.
func nativeMachine() *backendtest.Machine {
	return &backendtest.Machine{Target: Target, Features: []uint64{Target.Baseline}, Lowered: lowered}
}

func TestOps(t *testing.T)               { backendtest.Ops(t, nativeMachine()) }
func TestRandom(t *testing.T)            { backendtest.Random(t, nativeMachine()) }
func TestRandomCarries(t *testing.T)     { backendtest.RandomCarries(t, nativeMachine()) }
func TestDivideByConstants(t *testing.T) { backendtest.DivideByConstants(t, nativeMachine()) }
func TestSelection(t *testing.T)         { backendtest.Selection(t, nativeMachine()) }
func TestStoresAtEnd(t *testing.T)       { backendtest.StoresAtEnd(t, nativeMachine()) }
func TestBulk(t *testing.T)              { backendtest.Bulk(t, nativeMachine()) }
func TestStack(t *testing.T)             { backendtest.Stack(t, nativeMachine()) }
func TestFrame(t *testing.T)             { backendtest.Frame(t, nativeMachine()) }
func TestLargeFunction(t *testing.T)     { backendtest.LargeFunction(t, nativeMachine()) }
func TestLargeSwitch(t *testing.T)       { backendtest.LargeSwitch(t, nativeMachine()) }
func TestLargeOffsets(t *testing.T)      { backendtest.LargeOffsets(t, nativeMachine()) }
func TestVectors(t *testing.T)           { backendtest.Vectors(t, nativeMachine()) }
func TestRandomVectors(t *testing.T)     { backendtest.RandomVectors(t, nativeMachine()) }
