package leaf

import (
	"strings"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// leaf is a function with a replacement.
type leaf struct {
	name   string        // in Go's runtime; says nothing about a match
	typ    wasm.ValType  // of its three parameters and its result
	body   string        // code entry of the original
	decls  int           // length of its declarations of locals
	locals string        // declarations of the replacement: the original's, and more
	prefix func() string // instructions before the original's; made when they are wanted
}

// leaves are the same in Go 1.21 to 1.26 (internal/bytealg, *_wasm.s).
var leaves = [...]leaf{
	{
		// func(a, b, len i64) i64: 1 if equal
		name: "memeqbody",
		typ:  wasm.I64,
		body: "\x00\x20\x00\x20\x01\x51\x04\x40\x42\x01\x0f\x0b\x03\x40\x20\x02\x50\x04\x40\x42\x01\x0f\x0b\x20\x00\xa7\x31\x00\x00\x20\x01" +
			"\xa7\x31\x00\x00\x52\x04\x40\x42\x00\x0f\x0b\x20\x00\x42\x01\x7c\x21\x00\x20\x01\x42\x01\x7c\x21\x01\x20\x02\x42\x01\x7d\x21\x02" +
			"\x0c\x00\x0b\x00\x00\x0b",
		decls:  1,
		locals: "\x02\x03\x7f\x01\x7e", // p, q, n i32; x i64
		prefix: func() string {
			return `
			block
				local.get 0 local.get 1 i64.eq br_if 0
				local.get 2 i64.const 0xffffffff i64.gt_u br_if 0
				local.get 0 i32.wrap_i64 local.set 3
				local.get 1 i32.wrap_i64 local.set 4
				local.get 2 i32.wrap_i64 local.set 5
				` + equalPrefix("3", "4", "5", "6") + `
				local.get 2 local.get 5 i64.extend_i32_u local.tee 2 i64.sub local.set 6
				local.get 0 local.get 6 i64.add local.set 0
				local.get 1 local.get 6 i64.add local.set 1
			end`
		},
	},
	{
		// func(a, b, len i32) i32: difference of the first bytes that differ, or 0
		name: "memcmp",
		typ:  wasm.I32,
		body: "\x01\x02\x7f\x20\x02\x04\x7f\x03\x40\x20\x00\x2c\x00\x00\x22\x03\x20\x01\x2c\x00\x00\x22\x04\x46\x04\x40\x20\x00\x41\x01\x6a" +
			"\x21\x00\x20\x01\x41\x01\x6a\x21\x01\x41\x00\x20\x02\x41\x7f\x6a\x22\x02\x45\x0d\x03\x1a\x0c\x01\x0b\x0b\x20\x03\x41\xff\x01\x71" +
			"\x20\x04\x41\xff\x01\x71\x6b\x05\x41\x00\x0b\x0f\x00\x0b",
		decls:  3,
		locals: "\x02\x02\x7f\x01\x7e", // the original's, and x i64
		prefix: func() string { return equalPrefix("0", "1", "2", "5") },
	},
	{
		// func(s, c, len i32) i32: address of the first c, or 0
		name: "memchr",
		typ:  wasm.I32,
		body: "\x01\x02\x7f\x20\x01\x21\x04\x02\x40\x02\x40\x20\x02\x41\x00\x47\x22\x03\x20\x00\x41\x03\x71\x41\x00\x47\x71\x04\x40\x03\x40" +
			"\x20\x00\x2d\x00\x00\x20\x01\x46\x0d\x02\x20\x02\x41\x7f\x6a\x22\x02\x41\x00\x47\x22\x03\x20\x00\x41\x01\x6a\x22\x00\x41\x03\x71" +
			"\x41\x00\x47\x71\x0d\x00\x0b\x0b\x20\x03\x0d\x00\x41\x00\x21\x01\x0c\x01\x0b\x20\x00\x2d\x00\x00\x20\x04\x22\x03\x46\x04\x40\x20" +
			"\x02\x21\x01\x05\x20\x04\x41\x81\x82\x84\x08\x6c\x21\x04\x02\x40\x02\x40\x20\x02\x41\x03\x4b\x04\x40\x20\x02\x21\x01\x03\x40\x20" +
			"\x00\x28\x02\x00\x20\x04\x73\x22\x02\x41\x80\x81\x82\x84\x78\x71\x41\x80\x81\x82\x84\x78\x73\x20\x02\x41\xff\xfd\xfb\x77\x6a\x71" +
			"\x45\x04\x40\x20\x00\x41\x04\x6a\x21\x00\x20\x01\x41\x7c\x6a\x22\x01\x41\x03\x4b\x0d\x01\x0c\x03\x0b\x0b\x05\x20\x02\x21\x01\x0c" +
			"\x01\x0b\x0c\x01\x0b\x20\x01\x45\x04\x40\x41\x00\x21\x01\x0c\x03\x0b\x0b\x03\x40\x20\x00\x2d\x00\x00\x20\x03\x46\x0d\x02\x20\x00" +
			"\x41\x01\x6a\x21\x00\x20\x01\x41\x7f\x6a\x22\x01\x0d\x00\x41\x00\x21\x01\x0b\x0b\x0b\x20\x00\x41\x00\x20\x01\x1b\x0f\x00\x0b",
		decls:  3,
		locals: "\x02\x02\x7f\x01\x7b", // the original's, and c in all lanes
		prefix: func() string {
			return `
			block
				local.get 2 i32.const 16 i32.lt_u br_if 0
				local.get 1 i32.const 255 i32.gt_u br_if 0
				` + outside("0", "2") + ` br_if 0
				local.get 1 i8x16.splat local.set 5
				loop
					local.get 2 i32.const 16 i32.lt_u
					if
						local.get 2 i32.eqz br_if 2
						local.get 0 i32.const 16 local.get 2 i32.sub i32.sub local.set 0
						i32.const 16 local.set 2
					end
					local.get 0 v128.load local.get 5 i8x16.eq i8x16.bitmask local.tee 3
					if
						local.get 0 local.get 3 i32.ctz local.tee 3 i32.add local.set 0
						local.get 2 local.get 3 i32.sub local.set 2
						br 2
					end
					local.get 0 i32.const 16 i32.add local.set 0
					local.get 2 i32.const 16 i32.sub local.set 2
					br 0
				end
			end`
		},
	},
}

// outside tells whether n bytes at p reach beyond memory.
func outside(p, n string) string {
	return `local.get ` + p + ` i64.extend_i32_u local.get ` + n + ` i64.extend_i32_u i64.add
		memory.size i64.extend_i32_u i64.const 16 i64.shl i64.gt_u`
}

// equalPrefix advances p and q over equal bytes, n being what is left; x is scratch, all are numbers of locals. It stops at the first
// difference, at the end, or at once. When fewer bytes are left than are compared at a time, it goes back over
// bytes that were equal.
func equalPrefix(p, q, n, x string) string {
	return strings.NewReplacer("$p", p, "$q", q, "$n", n, "$x", x).Replace(`
		block
			local.get $n i32.const 4 i32.lt_u br_if 0
			` + outside(p, n) + ` br_if 0
			` + outside(q, n) + ` br_if 0
			local.get $n i32.const 8 i32.lt_u
			if
				local.get $p i64.load32_u local.get $q i64.load32_u i64.xor
				local.get $p local.get $n i32.add i32.const 4 i32.sub i64.load32_u
				local.get $q local.get $n i32.add i32.const 4 i32.sub i64.load32_u
				i64.xor
				local.get $n i32.const 4 i32.sub i32.const 3 i32.shl i64.extend_i32_u i64.shl
				i64.or
				i64.const 1 local.get $n i32.const 3 i32.shl i64.extend_i32_u i64.shl
				i64.or i64.ctz i64.const 3 i64.shr_u local.set $x
				local.get $p local.get $x i32.wrap_i64 i32.add local.set $p
				local.get $q local.get $x i32.wrap_i64 i32.add local.set $q
				local.get $n local.get $x i32.wrap_i64 i32.sub local.set $n
				br 1
			end
			block
				loop
					local.get $n i32.const 16 i32.lt_u br_if 1
					local.get $p v128.load local.get $q v128.load i8x16.eq i8x16.all_true i32.eqz br_if 1
					local.get $p i32.const 16 i32.add local.set $p
					local.get $q i32.const 16 i32.add local.set $q
					local.get $n i32.const 16 i32.sub local.set $n
					br 0
				end
			end
			loop
				local.get $n i32.const 8 i32.lt_u
				if
					local.get $n i32.eqz br_if 2
					local.get $p i32.const 8 local.get $n i32.sub i32.sub local.set $p
					local.get $q i32.const 8 local.get $n i32.sub i32.sub local.set $q
					i32.const 8 local.set $n
				end
				local.get $p i64.load local.get $q i64.load i64.xor local.tee $x i64.eqz
				if
					local.get $p i32.const 8 i32.add local.set $p
					local.get $q i32.const 8 i32.add local.set $q
					local.get $n i32.const 8 i32.sub local.set $n
					br 1
				end
				local.get $x i64.ctz i64.const 3 i64.shr_u local.set $x
				local.get $p local.get $x i32.wrap_i64 i32.add local.set $p
				local.get $q local.get $x i32.wrap_i64 i32.add local.set $q
				local.get $n local.get $x i32.wrap_i64 i32.sub local.set $n
			end
		end`)
}
