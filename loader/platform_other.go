//go:build !(linux && (amd64 || arm64))

package loader

import (
	"context"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader/vmem"
)

// start says that there is no native code on this system. So Load fails, and the rest of this file never runs.
func start() error { return ErrUnsupported }

func placeText(*artifact.Artifact) (uint64, error) { return 0, ErrUnsupported }
func freeText(uint64) error                        { return ErrUnsupported }
func placeStub([]byte) (uint64, error)             { return 0, ErrUnsupported }
func freeStub(uint64) error                        { return ErrUnsupported }
func appendText() *vmem.Appender                   { return nil }
func emitDemand([]byte) []byte                     { return nil }

func emitEntry([]byte, *abi.Signature) ([]byte, error) { return nil, ErrUnsupported }
func emitExit([]byte, *abi.Signature) ([]byte, error)  { return nil, ErrUnsupported }

func enter(*Func, context.Context, *uint64, int) error { return ErrUnsupported }
func run(s *nativeStack, _, _ uint64, _ *uint64) bool {
	s.err = ErrUnsupported
	return false
}
func callDirect(SharedHostFunc, context.Context, *Instance, []uint64, *Func) error { return nil }
func crash()                                                                       { panic(ErrUnsupported) }

func goroutine() uintptr { return 0 }
func barriers() bool     { return false }
func barrier()           {}

func threadID() uint32             { return 0 }
func interruptThread(uint32) error { return ErrUnsupported }
func interruptThreads() error      { return ErrUnsupported }

func isStub(uint64) bool      { return false }
func (e *exec) settlePinned() {}

// guestState is what the rest of the package needs of it.
type guestState struct{ pc, sp uint64 }

const (
	linkSize       = 8
	padding        = 0
	breakpointSize = 0
)

func (e *exec) exitSlots() uint64                                  { return 0 }
func (s *nativeStack) hostReturn() site                            { return site{} }
func (s *nativeStack) exitReturn() site                            { return site{} }
func (s *nativeStack) returnFrom(*text, extent, uint32, site) site { return site{} }
