package loader

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// funcType is a function type, one object for equal signatures in the whole process. It lives as long as
// Go code refers to it: what holds its id or the addresses of its stubs outside
// Go's heap keeps a reference here.
type funcType struct {
	*typeStubs
	sig                    abi.Signature
	slots, params, results int  // length in slots of the buffer, of its parameters, of its results
	refs                   bool // some parameter or result is a funcref
}

// typeStubs is what of a type lies outside Go's heap.
type typeStubs struct {
	id          uint32 // never 0
	key         string
	entry, exit atomic.Uint64 // addresses, 0 until first needed
	mu          sync.Mutex
}

var funcTypes = struct {
	mu    sync.Mutex
	byKey map[string]weak.Pointer[funcType]
	freed []uint32 // ids no one uses any more
	last  uint32
}{byKey: map[string]weak.Pointer[funcType]{}}

// typeOf is the funcType of a signature.
func typeOf(sig *abi.Signature) (*funcType, error) {
	key := typeKey(sig)
	r := &funcTypes
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.byKey[key].Value(); t != nil {
		return t, nil
	}
	var id uint32
	switch n := len(r.freed); {
	case n > 0:
		id, r.freed = r.freed[n-1], r.freed[:n-1]
	case r.last == ^uint32(0):
		return nil, errors.New("too many function types in this process")
	default:
		r.last++
		id = r.last
	}
	t := &funcType{typeStubs: &typeStubs{id: id, key: key}, slots: sig.SlotCount()}
	// The caller's slices may lie in a mapped file.
	t.sig.Params, t.sig.Results = append(t.sig.Params, sig.Params...), append(t.sig.Results, sig.Results...)
	t.params, t.results = slotCount(sig.Params), slotCount(sig.Results)
	for _, x := range append(t.sig.Params[:len(t.sig.Params):len(t.sig.Params)], t.sig.Results...) {
		t.refs = t.refs || x == abi.FuncRef
	}
	r.byKey[key] = weak.Make(t)
	runtime.AddCleanup(t, (*typeStubs).release, t.typeStubs)
	return t, nil
}

// release runs when no one refers to the type any more.
func (s *typeStubs) release() {
	for _, addr := range []uint64{s.entry.Load(), s.exit.Load()} {
		if addr != 0 {
			freeStub(addr)
		}
	}
	r := &funcTypes
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byKey[s.key].Value() == nil { // else there is a new one by now
		delete(r.byKey, s.key)
	}
	r.freed = append(r.freed, s.id)
}

// entryStub is the address of the stub through which Go calls functions of the type.
func (t *funcType) entryStub() (uint64, error) { return t.stub(&t.entry, emitEntry) }

// exitStub is the address of the stub through which native code calls Go functions of the type.
func (t *funcType) exitStub() (uint64, error) { return t.stub(&t.exit, emitExit) }

func (t *funcType) stub(at *atomic.Uint64, emit func(*abi.Signature) ([]byte, error)) (uint64, error) {
	if addr := at.Load(); addr != 0 {
		return addr, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if addr := at.Load(); addr != 0 {
		return addr, nil
	}
	code, err := emit(&t.sig)
	if err != nil {
		return 0, err
	}
	addr, err := placeStub(code)
	if err == nil {
		at.Store(addr)
	}
	return addr, err
}

func typeKey(sig *abi.Signature) string {
	key := make([]byte, 0, len(sig.Params)+len(sig.Results)+1)
	for _, t := range sig.Params {
		key = append(key, byte(t))
	}
	key = append(key, byte(abi.Void))
	for _, t := range sig.Results {
		key = append(key, byte(t))
	}
	return string(key)
}

func slotCount(types []abi.Type) int {
	n := 0
	for _, t := range types {
		n += t.Slots()
	}
	return n
}

func sigString(s *abi.Signature) string {
	return "function " + typeList(s.Params) + " -> " + typeList(s.Results)
}

func typeList(types []abi.Type) string {
	s := "("
	for i, t := range types {
		if i > 0 {
			s += ", "
		}
		s += t.String()
	}
	return s + ")"
}
