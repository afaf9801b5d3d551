package wasm

import (
	"bytes"
	"unicode/utf8"
)

const (
	magic            = "\x00asm"
	version          = 1
	versionComponent = 0x1000d // version 13, layer 1 (component model, "Binary")
)

// foreign are the beginnings of files that are given by mistake.
var foreign = []struct{ magic, what string }{
	{"\x7fELF", "an ELF file, native code"},
	{"MZ", "a Windows executable"},
	{"\xcf\xfa\xed\xfe", "a Mach-O file, native code"},
	{"!<arch>\n", "an archive"},
	{"PK\x03\x04", "a zip file"},
	{"\x1f\x8b", "compressed by gzip"},
	{"\x28\xb5\x2f\xfd", "compressed by zstd"},
	{"BC\xc0\xde", "LLVM bitcode"},
	{"(module", "WebAssembly text, which has to be converted to the binary format first"},
	{"(component", "WebAssembly text, which has to be converted to the binary format first"},
}

func (r *reader) header() {
	n := min(len(r.src), len(magic))
	switch {
	case len(r.src) == 0:
		r.failAt(0, "unexpected end: the file is empty")
		return
	case string(r.src[:n]) != magic[:n]:
		r.failAt(0, "magic header not detected: not a WebAssembly module but %s", describe(r.src))
		return
	case len(r.src) < 8:
		r.failAt(len(r.src), "unexpected end: the file is cut off after %d bytes, a module's header has 8", len(r.src))
		return
	}
	r.pos = 4
	switch v := r.le32(); v {
	case version:
	case versionComponent:
		r.failAt(4, "unknown binary version: a WebAssembly component, expected a core module (version 1)")
	default:
		r.failAt(4, "unknown binary version: expected 1, found %d", v)
	}
}

// describe guesses what a file without the magic header is.
func describe(src []byte) string {
	trimmed := bytes.TrimLeft(src[:min(len(src), 256)], " \t\r\n")
	for _, f := range foreign {
		if bytes.HasPrefix(src, []byte(f.magic)) || bytes.HasPrefix(trimmed, []byte(f.magic)) {
			return f.what
		}
	}
	if isText(src[:min(len(src), 256)]) {
		return "a text file"
	}
	return "something else: expected the bytes 00 61 73 6d, found " + hex(src[:min(len(src), 4)])
}

func isText(b []byte) bool {
	for len(b) > 0 {
		c, n := utf8.DecodeRune(b)
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax {
			return false
		}
		b = b[n:]
	}
	return true
}

func hex(b []byte) string {
	const digits = "0123456789abcdef"
	var s []byte
	for i, c := range b {
		if i > 0 {
			s = append(s, ' ')
		}
		s = append(s, digits[c>>4], digits[c&15])
	}
	return string(s)
}
