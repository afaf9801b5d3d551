package loader

import (
	"cmp"
	"errors"
	"runtime"
	"slices"
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
	mu          sync.Mutex    // of making them; several are locked in the order of their ids
	pages       []*stubPages  // that hold them
}

// stubPages is pages with stubs that were made together.
type stubPages struct {
	addr uint64
	live atomic.Int64 // stubs whose type is alive
}

var funcTypes = struct {
	mu    sync.Mutex
	byKey map[string]weak.Pointer[funcType]
	freed []uint32 // ids no one uses any more
	last  uint32
}{byKey: map[string]weak.Pointer[funcType]{}}

// typeOf is the funcType of a signature.
func typeOf(sig *abi.Signature) (*funcType, error) {
	var buf [64]byte
	keyBytes := typeKey(buf[:0], sig)
	r := &funcTypes
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.byKey[string(keyBytes)].Value(); t != nil {
		return t, nil
	}
	key := string(keyBytes)
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
	for _, p := range s.pages {
		if p.live.Add(-1) == 0 {
			freeStub(p.addr)
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

// stubKind is a sort of stub: where a type keeps its address, and its code.
type stubKind struct {
	place int // in the order of kinds
	at    func(*typeStubs) *atomic.Uint64
	emit  func(code []byte, sig *abi.Signature) ([]byte, error) // appends it
}

var (
	// entryStubs are those through which Go calls functions of a type.
	entryStubs = &stubKind{0, func(s *typeStubs) *atomic.Uint64 { return &s.entry }, emitEntry}
	// exitStubs are those through which native code calls Go functions of a type.
	exitStubs = &stubKind{1, func(s *typeStubs) *atomic.Uint64 { return &s.exit }, emitExit}
)

func (t *funcType) entryStub() (uint64, error) { return t.stub(entryStubs) }
func (t *funcType) exitStub() (uint64, error)  { return t.stub(exitStubs) }

func (t *funcType) stub(kind *stubKind) (uint64, error) {
	at := kind.at(t.typeStubs)
	if addr := at.Load(); addr != 0 {
		return addr, nil
	}
	if err := makeStubs(stubWish{t: t, kind: kind}); err != nil {
		return 0, err
	}
	return at.Load(), nil
}

// stubWish is a stub that will be needed.
type stubWish struct {
	t      *funcType
	kind   *stubKind
	offset uint64 // in what is made together
}

// makeStubs makes those that are not there yet, in pages of their own: making pages executable costs
// more than anything else here.
func makeStubs(wishes ...stubWish) error {
	wishes = slices.DeleteFunc(wishes, func(w stubWish) bool { return w.kind.at(w.t.typeStubs).Load() != 0 })
	slices.SortFunc(wishes, func(a, b stubWish) int {
		return cmp.Or(cmp.Compare(a.t.id, b.t.id), cmp.Compare(a.kind.place, b.kind.place))
	})
	wishes = slices.CompactFunc(wishes, func(a, b stubWish) bool { return a.t == b.t && a.kind == b.kind })
	for i, w := range wishes {
		if i == 0 || wishes[i-1].t != w.t {
			w.t.mu.Lock()
			defer w.t.mu.Unlock()
		}
	}
	code, made := make([]byte, 0, codeRoom), wishes[:0]
	for _, w := range wishes {
		if w.kind.at(w.t.typeStubs).Load() != 0 { // made while this waited
			continue
		}
		for len(code)%16 != 0 {
			code = append(code, padding)
		}
		w.offset = uint64(len(code))
		var err error
		if code, err = w.kind.emit(code, &w.t.sig); err != nil {
			return err
		}
		made = append(made, w)
	}
	if len(code) == 0 {
		return nil
	}
	addr, err := placeStub(code)
	if err != nil {
		return err
	}
	pages := &stubPages{addr: addr}
	pages.live.Store(int64(len(made)))
	for _, w := range made {
		w.t.pages = append(w.t.pages, pages)
		w.kind.at(w.t.typeStubs).Store(addr + w.offset)
	}
	return nil
}

// codeRoom is what the stubs of an ordinary module take, so that making them takes memory once.
const codeRoom = 4096

// typeKey appends what tells signatures apart.
func typeKey(key []byte, sig *abi.Signature) []byte {
	for _, t := range sig.Params {
		key = append(key, byte(t))
	}
	key = append(key, byte(abi.Void))
	for _, t := range sig.Results {
		key = append(key, byte(t))
	}
	return key
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
