//go:build linux && (amd64 || arm64)

package loader

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/arch/x86/x86asm"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

func disassemble(t *testing.T, code []byte) []string {
	t.Helper()
	var lines []string
	for at := 0; at < len(code); {
		in, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			t.Fatalf("after %s: %x: %v", strings.Join(lines, "; "), code[at:min(at+15, len(code))], err)
		}
		lines = append(lines, strings.ToLower(x86asm.IntelSyntax(in, uint64(at), nil)))
		at += in.Len
	}
	return lines
}

func TestStubCode(t *testing.T) {
	s := sig(types(i32, f64, f32, i64), types(i32, f32))
	entry, err := emitEntry(&s)
	if err != nil {
		t.Fatal(err)
	}
	exit, err := emitExit(&s)
	if err != nil {
		t.Fatal(err)
	}
	wantEntry := []string{
		"sub rsp, 0x8",
		"mov edi, dword ptr [rsp+0x10]",
		"movsd xmm0, qword ptr [rsp+0x18]",
		"movss xmm1, dword ptr [rsp+0x20]",
		"mov rsi, qword ptr [rsp+0x28]",
		"mov r14, qword ptr [rax+0x8]",
		"mov r15, qword ptr [r14]",
		"call qword ptr [rax]",
		"mov eax, eax",
		"mov qword ptr [rsp+0x10], rax",
		"movd r10d, xmm0",
		"mov qword ptr [rsp+0x18], r10",
		"add rsp, 0x8",
		"ret",
	}
	wantExit := []string{
		"sub rsp, 0x38",
		"mov qword ptr [rsp], r14",
		"mov qword ptr [rsp+0x8], r15",
		"mov edi, edi",
		"mov qword ptr [rsp+0x10], rdi",
		"movsd qword ptr [rsp+0x18], xmm0",
		"movd r10d, xmm1",
		"mov qword ptr [rsp+0x20], r10",
		"mov qword ptr [rsp+0x28], rsi",
		"mov rbx, rsp",
		"and rbx, -0x40000000",
		"lea rbx, ptr [rbx+0x3fffe000]",
		"mov qword ptr [rbx+0x28], rax",
		"mov qword ptr [rbx+0x30], r14",
		"lea r10, ptr [rsp+0x10]",
		"mov qword ptr [rbx+0x38], r10",
		"lea r10, ptr [rsp+0x38]",
		"mov qword ptr [rbx+0x40], r10",
		"mov eax, 0x1",
		"call qword ptr [rbx+0x20]",
		"mov eax, dword ptr [rsp+0x10]",
		"movss xmm0, dword ptr [rsp+0x18]",
		"mov r14, qword ptr [rsp]",
		"mov r15, qword ptr [rsp+0x8]",
		"add rsp, 0x38",
		"ret",
	}
	if diff := cmp.Diff(wantEntry, disassemble(t, entry)); diff != "" {
		t.Errorf("entry stub (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantExit, disassemble(t, exit)); diff != "" {
		t.Errorf("exit stub (-want +got):\n%s", diff)
	}
	code, at := switchCode()
	got := strings.Join(disassemble(t, code[at.trap:at.preempt]), "; ")
	want := "cld; mov rbx, rsp; and rbx, -0x40000000; lea rbx, ptr [rbx+0x3fffe000]; mov eax, 0x2; " +
		"mov rsp, qword ptr [rbx]; mov rbp, qword ptr [rbx+0x8]; jmp qword ptr [rbx+0x10]"
	if !strings.HasPrefix(got, want) {
		t.Errorf("trap stub: %s", got)
	}
	disassemble(t, code)
}

func TestStubTooLarge(t *testing.T) {
	s := sig(make([]abi.Type, 1<<18), nil)
	for i := range s.Params {
		s.Params[i] = i64
	}
	if _, err := emitExit(&s); err == nil {
		t.Error("a frame larger than the guard was accepted")
	}
}

// seeded is a random source whose seed is printed; WASMAOT_SEED replays.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("WASMAOT_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("WASMAOT_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func randomTypes(r *rand.Rand, n int) []abi.Type {
	all := []abi.Type{i32, i64, f32, f64, v128, abi.ExternRef}
	t := make([]abi.Type, n)
	for i := range t {
		t[i] = all[r.IntN(len(all))]
	}
	return t
}

// Values travel through both stubs of random types between the slots and the places that the convention names. In the middle is
// a function that copies its parameters to memory at toHost, calls an imported one of another type with parameters from memory at fromHost, and so
// on for the results.
func TestConvention(t *testing.T) {
	r := seeded(t)
	for round := range 60 {
		n := r.IntN(30)
		if round == 0 {
			n = 20
		}
		outer := sig(randomTypes(r, n), randomTypes(r, r.IntN(20)))
		inner := sig(randomTypes(r, r.IntN(30)), randomTypes(r, r.IntN(20)))
		checkConvention(t, r, outer, inner)
	}
}

func checkConvention(t *testing.T, r *rand.Rand, outer, inner abi.Signature) {
	const outerParams, outerResults, innerParams, innerResults = 0, 0x1000, 0x2000, 0x3000
	conv := &abi.AMD64
	g := newGuest()
	g.memory(1, 1)
	host := g.importFunc("host", inner)
	innerIn, a := conv.Params(inner.Params)
	innerOut, b := conv.Results(inner.Results)
	area := int64(max(a, b))
	frame := area + 24
	g.fn("f", outer, uint32(frame), func() {
		in, _ := conv.Params(outer.Params)
		g.places(in, frame+8, outerParams, true)
		g.places(innerIn, 0, innerParams, false)
		g.callImport(host, area+8)
		g.places(innerOut, 0, innerResults, true)
		out, _ := conv.Results(outer.Results)
		g.places(out, frame+8, outerResults, false)
	})
	args, results := randomSlots(r, outer.Params), randomSlots(r, outer.Results)
	hostArgs, hostResults := randomSlots(r, inner.Params), randomSlots(r, inner.Results)
	i := g.instance(t, env{"host": NewHostFunc("host", &inner, func(_ context.Context, _ *Instance, stack []uint64) error {
		if diff := cmp.Diff(hostArgs, stack[:len(hostArgs)]); diff != "" {
			t.Errorf("%v: host function's parameters (-want +got):\n%s", inner, diff)
		}
		copy(stack, hostResults)
		return nil
	})})
	words := func(at int, n int) []uint64 {
		return append([]uint64{}, (*[8192]uint64)(pointer(i.mems[0].rec.base))[at/8:at/8+n]...)
	}
	copy((*[8192]uint64)(pointer(i.mems[0].rec.base))[innerParams/8:], hostArgs)
	copy((*[8192]uint64)(pointer(i.mems[0].rec.base))[outerResults/8:], results)
	stack := make([]uint64, max(outer.SlotCount(), 1))
	copy(stack, args)
	if err := i.Func("f").Call(context.Background(), stack); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		want, got []uint64
	}{
		{"parameters", args, words(outerParams, len(args))},
		{"results", results, stack[:len(results)]},
		{"host function's results", hostResults, words(innerResults, len(hostResults))},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%v, %v: %s (-want +got):\n%s", outer, inner, c.what, diff)
		}
	}
}

// places copies values between their places and slots in memory 0. r11 is lost.
func (g *guest) places(places []abi.Place, outgoing, memory int64, toMemory bool) {
	store := func(t abi.Type, x uint8) form {
		switch t {
		case f32:
			return form{prefix: 0xf3, opcode: []byte{0x0f, 0x11}} // movss m32, x
		case f64:
			return movsdTo
		case v128:
			return movupsTo
		case i32:
			return form{opcode: []byte{0x89}} // mov r/m32, r32
		}
		return movStore
	}
	load := map[abi.Type]form{i32: movLoad32, f32: movss, f64: movsd, v128: movups, i64: movLoad, abi.ExternRef: movLoad}
	for pass := range 2 { // r11 is no parameter, but stack places must be done before their registers are loaded
		forEachSlot(places, func(p abi.Place, at int64) {
			if (p.Reg < 0) != (pass == 0) {
				return
			}
			if p.Reg >= 0 {
				if toMemory {
					g.mem(store(p.Type, uint8(p.Reg)), uint8(p.Reg), r15, memory+at)
				} else {
					g.mem(load[p.Type], uint8(p.Reg), r15, memory+at)
				}
				return
			}
			op, opTo := movLoad, movStore
			if p.Type.Size() == 4 {
				op, opTo = load[i32], store(i32, 0)
			}
			for k := range int64(p.Type.Slots()) {
				from, to := rsp, r15
				fromAt, toAt := outgoing+int64(p.Slot)+8*k, memory+at+8*k
				if !toMemory {
					from, to, fromAt, toAt = to, from, toAt, fromAt
				}
				g.mem(op, r11, from, fromAt)
				g.mem(opTo, r11, to, toAt)
			}
		})
	}
}

func randomSlots(r *rand.Rand, ts []abi.Type) []uint64 {
	s := []uint64{}
	for _, t := range ts {
		for range t.Slots() {
			x := r.Uint64()
			if t.Size() == 4 {
				x = uint64(uint32(x))
			}
			s = append(s, x)
		}
	}
	return s
}
