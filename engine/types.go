package engine

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader"
)

// The things that instances are made of, import and export.
type (
	// Instance is an instance of a module.
	Instance = loader.Instance
	// Func is a function of an instance or of the host.
	Func = loader.Func
	// Memory is a linear memory.
	Memory = loader.Memory
	// Table is a table of references.
	Table = loader.Table
	// Global is a global variable.
	Global = loader.Global
	// Extern is any of them but Instance.
	Extern = loader.Extern
	// Listener is told of calls at an instance's boundary, ListenedCall is such a call.
	Listener     = loader.Listener
	ListenedCall = loader.ListenedCall
	// FuncType is the type of a function.
	FuncType = abi.Signature
	// ValueType is the type of a parameter, result or global.
	ValueType = abi.Type
	// MemoryType, TableType and GlobalType are the types of what modules declare.
	MemoryType = artifact.Memory
	TableType  = artifact.Table
	GlobalType = artifact.Global
)

// Types of values. In stacks each takes a slot, a vector two, its lower half first; floats are their bits.
const (
	I32       = abi.I32
	I64       = abi.I64
	F32       = abi.F32
	F64       = abi.F64
	V128      = abi.V128
	FuncRef   = abi.FuncRef
	ExternRef = abi.ExternRef
)

// Errors of calls and of Instantiate.
type (
	// Trap is the error of a guest that trapped; Backtrace tells where.
	Trap = loader.Trap
	// Exit is the error of a guest that asked to end with an exit code.
	Exit = loader.Exit
	// Interrupted is the error of a call whose context ended.
	Interrupted = loader.Interrupted
	// LinkError says why an import could not be satisfied.
	LinkError = loader.LinkError
	// Frame is a function of the guest in a backtrace.
	Frame = loader.Frame
	// TrapCode says why a guest trapped.
	TrapCode = abi.Trap
)

// Reasons of traps.
const (
	TrapUnreachable          = abi.TrapUnreachable
	TrapMemoryOutOfBounds    = abi.TrapMemoryOutOfBounds
	TrapTableOutOfBounds     = abi.TrapTableOutOfBounds
	TrapUndefinedElement     = abi.TrapUndefinedElement
	TrapUninitializedElement = abi.TrapUninitializedElement
	TrapIndirectCallType     = abi.TrapIndirectCallType
	TrapDivideByZero         = abi.TrapDivideByZero
	TrapIntegerOverflow      = abi.TrapIntegerOverflow
	TrapInvalidConversion    = abi.TrapInvalidConversion
	TrapStackExhausted       = abi.TrapStackExhausted
	TrapNullReference        = abi.TrapNullReference
)

var (
	// ErrClosed is returned by calls of an instance that was closed.
	ErrClosed = loader.ErrClosed
	// ErrBusy is returned by Checkpoint and Reset of an instance while it is called.
	ErrBusy = loader.ErrBusy
	// ErrUnsupported is returned where native code cannot be run.
	ErrUnsupported = loader.ErrUnsupported
)

// NewMemory makes a memory of the host, for modules that import one.
func NewMemory(t MemoryType) (*Memory, error) { return loader.NewMemory(t) }

// NewTable makes a table of the host.
func NewTable(t TableType) (*Table, error) { return loader.NewTable(t) }

// NewGlobal makes a global of the host with a value in a slot, of vectors in two.
func NewGlobal(t GlobalType, lo, hi uint64) *Global { return loader.NewGlobal(t, lo, hi) }
