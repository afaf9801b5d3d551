//go:build linux

package loader

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/arch/arm64/arm64asm"
)

func disassemble(t *testing.T, code []byte) []string {
	t.Helper()
	var lines []string
	for at := 0; at < len(code); at += 4 {
		if bytes.Equal(code[at:at+4], make([]byte, 4)) { // udf, which the decoder does not know
			continue
		}
		in, err := arm64asm.Decode(code[at:])
		if err != nil {
			t.Fatalf("after %s: %x: %v", strings.Join(lines, "; "), code[at:at+4], err)
		}
		lines = append(lines, arm64asm.GNUSyntax(in))
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
		"str x30, [x9,#8]",
		"mov sp, x9",
		"ldr w0, [x10]",
		"ldr d0, [x10,#8]",
		"ldr s1, [x10,#16]",
		"ldr x1, [x10,#24]",
		"ldr x27, [x8,#8]",
		"ldr x26, [x27]",
		"ldr x17, [x27,#56]",
		"ldr w24, [x17]",
		"ldr x16, [x8]",
		"blr x16",
		"ldr x17, [x27,#56]",
		"str w24, [x17]",
		"mov x9, sp",
		"ldr x10, [x9,#32]",
		"mov w0, w0",
		"str x0, [x10]",
		"fmov w17, s0",
		"str x17, [x10,#8]",
		"ldr x10, [x9]",
		"mov sp, x10",
		"ldr x30, [x9,#8]",
		"mov x0, #0x0",
		"ret",
	}
	wantExit := []string{
		"sub sp, sp, #0x40",
		"str x30, [sp,#48]",
		"str x27, [sp]",
		"str x26, [sp,#8]",
		"mov w0, w0",
		"str x0, [sp,#16]",
		"str d0, [sp,#24]",
		"fmov w17, s1",
		"str x17, [sp,#32]",
		"str x1, [sp,#40]",
		"mov x9, sp",
		"and x9, x9, #0xffffffffc0000000",
		"orr x9, x9, #0x3fffe000",
		"str x8, [x9,#40]",
		"str x27, [x9,#48]",
		"adr x10, .+0x24",
		"str x10, [x9,#24]",
		"mov x10, sp",
		"str x10, [x9,#16]",
		"mov x0, #0x1",
		"ldr x10, [x9]",
		"mov sp, x10",
		"ldr x10, [x9,#8]",
		"br x10",
		"ldr x10, [x9,#16]",
		"mov sp, x10",
		"ldr w0, [sp,#16]",
		"ldr s0, [sp,#24]",
		"ldr x27, [sp]",
		"ldr x26, [sp,#8]",
		"ldr x17, [x27,#56]",
		"ldr w24, [x17]",
		"ldr x30, [sp,#48]",
		"add sp, sp, #0x40",
		"ret",
	}
	if diff := cmp.Diff(wantEntry, disassemble(t, entry)); diff != "" {
		t.Errorf("entry stub (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantExit, disassemble(t, exit)); diff != "" {
		t.Errorf("exit stub (-want +got):\n%s", diff)
	}
	code, at := switchCode()
	got := disassemble(t, code[at.trap:at.preempt])
	want := []string{
		"mov x9, sp",
		"and x9, x9, #0xffffffffc0000000",
		"orr x9, x9, #0x3fffe000",
		"mov x0, #0x2",
		"ldr x10, [x9]",
		"mov sp, x10",
		"ldr x10, [x9,#8]",
		"br x10",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("trap stub (-want +got):\n%s", diff)
	}
	for _, line := range disassemble(t, code) {
		if strings.Contains(line, "x28") || strings.Contains(line, "x18") {
			t.Errorf("%s: a register that is not ours", line)
		}
	}
}
