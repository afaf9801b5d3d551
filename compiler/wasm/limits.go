package wasm

// Limits that keep a small file from asking for much. Except for the last group they are those that
// engines agree on (WebAssembly JavaScript Interface, "Implementation-defined Limits").
const (
	maxFileSize = 1 << 30
	maxTypes    = 1_000_000
	maxFuncs    = 1_000_000
	maxImports  = 1_000_000
	maxExports  = 1_000_000
	maxGlobals  = 1_000_000
	maxElems    = 10_000_000 // in all segments; what a table may have is for its maker to decide
	maxSegments = 100_000    // of data, and of elements
	maxTables   = 100_000
	maxMems     = 100
	maxBody     = 7_654_321
	maxLocals   = 50_000
	maxParams   = 1_000 // and results

	maxPages   = 1 << 16 // spec, "Memory Types": 32-bit addresses
	maxPages64 = 1 << 48

	// A call or block pushes up to maxParams operands for two bytes, and a frame of the control stack takes
	// 40 times the bytes of its block: bodies within the limits above could fill gigabytes.
	maxOperands = 1 << 20
	maxNesting  = 1 << 18
)

// What a Validator keeps from one body to the next.
const (
	keepOperands = 1 << 16
	keepFrames   = 1 << 14
	keepTargets  = 1 << 16
)
