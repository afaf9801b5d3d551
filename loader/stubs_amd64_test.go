//go:build linux

package loader

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/arch/x86/x86asm"
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
	entry, err := emitEntry(nil, &s)
	if err != nil {
		t.Fatal(err)
	}
	exit, err := emitExit(nil, &s)
	if err != nil {
		t.Fatal(err)
	}
	wantEntry := []string{
		"mov qword ptr [rbx], rsp",
		"lea rsp, ptr [rbx]",
		"mov edi, dword ptr [r11]",
		"movsd xmm0, qword ptr [r11+0x8]",
		"movss xmm1, dword ptr [r11+0x10]",
		"mov rsi, qword ptr [r11+0x18]",
		"mov r14, qword ptr [rax+0x8]",
		"mov r15, qword ptr [r14]",
		"mov r10, qword ptr [r14+0x38]",
		"mov ebp, dword ptr [r10]",
		"call qword ptr [rax]",
		"mov r10, qword ptr [r14+0x38]",
		"mov dword ptr [r10], ebp",
		"lea rbx, ptr [rsp]",
		"mov r11, qword ptr [rbx+0x20]",
		"mov eax, eax",
		"mov qword ptr [r11], rax",
		"movd r10d, xmm0",
		"mov qword ptr [r11+0x8], r10",
		"mov rsp, qword ptr [rbx]",
		"mov eax, 0x0",
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
		"lea r10, ptr [rip+0x17]",
		"mov qword ptr [rbx+0x18], r10",
		"mov qword ptr [rbx+0x10], rsp",
		"mov eax, 0x1",
		"mov rsp, qword ptr [rbx]",
		"pop qword ptr [rbx+0x8]",
		"jmp qword ptr [rbx+0x8]",
		"mov rsp, qword ptr [rbx+0x10]",
		"mov eax, dword ptr [rsp+0x10]",
		"movss xmm0, dword ptr [rsp+0x18]",
		"mov r14, qword ptr [rsp]",
		"mov r15, qword ptr [rsp+0x8]",
		"mov r10, qword ptr [r14+0x38]",
		"mov ebp, dword ptr [r10]",
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
		"mov rsp, qword ptr [rbx]; pop qword ptr [rbx+0x8]; jmp qword ptr [rbx+0x8]"
	if !strings.HasPrefix(got, want) {
		t.Errorf("trap stub: %s", got)
	}
	disassemble(t, code)
}
