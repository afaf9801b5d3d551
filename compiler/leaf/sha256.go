package leaf

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// forms are those of crypto/sha256's blockGeneric, func(d *digest, p []byte): it adds the blocks of p to d.h, which comes first in
// digest. It is compiled, so that its form follows the compiler's version. The SHA extensions do its rounds and its schedule;
// what they take from memory is what the original takes: state, blocks, and the constants of the rounds from the
// guest's own table, be it changed or not.
//
// The only difference is below the guest's stack pointer: the original leaves the schedule and other dead values there.
var forms = []form{
	{"Go 1.21", 0xed74824e, "c03a31f658d9e6036c5357e15c8f96cbfdebbf3838b1e6d07254519e1ac4581a", "rrttrrrrr", sha256Slice},
	{"Go 1.22 and 1.23", 0xed74824e, "2d55874bdd173a0fcc2909e9a524ec78b04c8e2ff3fd5a1166a7b920704fd07a", "rrttrrrrr", sha256Slice},
	{"Go 1.24", 0xa900b873, "71500646cfd664b0d5c19dffb305e5fd6f15c99baad7d76927bd1d59ad46f9ac", "rrt", sha256Array},
	{"Go 1.25", 0xa900b873, "66dd53a8fe9d9ea986fc9b619467acbe2c7e45fd6eb79b6db991e8dc3bdff3a3", "rrt", sha256Array},
	{"Go 1.26", 0x8dc9bb0a, "ab73018fbf0e1fc69f06b56f945eb94be1bcbebab5ca10933b3d087d770a997b", "rrt", sha256Array},
}

// sha256Locals are the locals of the prefix: numbers i32, i64 and vectors.
var sha256Locals = []struct {
	typ   byte
	names []string
}{
	{0x7f, []string{"$sp", "$g", "$q", "$k"}},
	{0x7e, []string{"$m", "$digest", "$p", "$n", "$table"}},
	{0x7b, []string{"$a", "$c", "$oldA", "$oldC", "$w0", "$w1", "$w2", "$w3", "$wk"}},
}

// The constants of the rounds are an array, or behind the header of a slice.
func sha256Array(table uint64) string {
	return sha256Prefix(fmt.Sprintf("i64.const %d local.set $table", table))
}

func sha256Slice(table uint64) string {
	return sha256Prefix(fmt.Sprintf(`
		i64.const %d `+beyond(16)+` br_if 0
		i32.const %[1]d i64.load offset=8 i64.const 64 i64.lt_u br_if 0
		i32.const %[1]d i64.load local.set $table`, table))
}

// beyond tells whether n bytes at an address, a 64-bit number on the stack, do not lie in the memory of $m bytes, which is not empty.
func beyond(n int) string { return fmt.Sprintf("local.get $m i64.const %d i64.sub i64.gt_u", n) }

const (
	sha256Frame   = 1024 // more than the original's frame and the arguments of what it calls
	sha256Reserve = 0xb8 // how far from its end the original, of any version, may want its stack to be larger
	sha256Args    = 40   // return address, digest, slice
)

// sha256Prefix is what comes before the original. It leaves everything to it that is not the ordinary case: resumption, a
// stack that must grow, nil, parts of blocks, anything outside memory, anything that the original would overwrite in its frame.
func sha256Prefix(table string) string {
	var s strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&s, format+"\n", args...) }
	add("block")
	add("local.get 0 br_if 0")
	add("memory.size i32.eqz br_if 0")
	add("memory.size i64.extend_i32_u i64.const 16 i64.shl local.set $m")
	add("global.get 2 i32.wrap_i64 local.tee $g i64.extend_i32_u %s br_if 0", beyond(20))
	add("global.get 0 local.tee $sp i64.extend_i32_u %s br_if 0", beyond(sha256Args))
	add("local.get $sp i32.const %d i32.lt_u br_if 0", sha256Frame)
	add("local.get $sp i64.extend_i32_u local.get $g i64.load32_u offset=16 i64.const %d i64.add i64.le_u br_if 0", sha256Reserve)
	add("local.get $sp i64.load offset=8 local.tee $digest i64.eqz br_if 0")
	add("local.get $digest %s br_if 0", beyond(32))
	add("local.get $sp i64.load offset=24 local.tee $n local.get $m i64.gt_u br_if 0")
	add("local.get $n i64.eqz br_if 0")
	add("local.get $sp i64.load offset=32 local.get $n i64.lt_s br_if 0") // a capacity below the length: the original stays in place
	add("local.get $n i64.const 63 i64.and i64.const 0 i64.ne br_if 0")
	add("local.get $sp i64.load offset=16 local.tee $p local.get $m local.get $n i64.sub i64.gt_u br_if 0")
	add(table)
	add("local.get $table %s br_if 0", beyond(256))
	for _, r := range []struct{ at, n string }{{"$digest", "i64.const 32"}, {"$p", "local.get $n"}, {"$table", "i64.const 256"}} {
		add("local.get %s local.get $sp i64.extend_i32_u i64.const %d i64.add i64.lt_u", r.at, sha256Args)
		add("local.get %s %s i64.add local.get $sp i64.extend_i32_u i64.const %d i64.sub i64.gt_u", r.at, r.n, sha256Frame)
		add("i32.and br_if 0")
	}

	// The vectors hold, from the lowest lane, F, E, B, A and H, G, D, C.
	add("local.get $p i32.wrap_i64 local.set $q local.get $table i32.wrap_i64 local.set $k")
	add("local.get $digest i32.wrap_i64 local.tee $g v128.load local.tee $w0 local.get $g v128.load offset=16 local.tee $w1")
	add("%s local.set $a local.get $w0 local.get $w1 %s local.set $c", shuffleWords(5, 4, 1, 0), shuffleWords(7, 6, 3, 2))
	add("loop")
	add("local.get $a local.set $oldA local.get $c local.set $oldC")
	for i := range 4 {
		add("local.get $q v128.load offset=%d local.tee $w%d local.get $w%[2]d i8x16.shuffle 3 2 1 0 7 6 5 4 11 10 9 8 15 14 13 12 local.set $w%[2]d", 16*i, i)
	}
	for i := range 16 { // four rounds each
		w := func(n int) string { return fmt.Sprintf("$w%d", (i+n)%4) }
		add("local.get $c local.get $a local.get %s local.get $k v128.load offset=%d i32x4.add local.tee $wk i32x4.sha256_rounds local.set $c", w(0), 16*i)
		add("local.get $a local.get $c local.get $wk local.get $wk %s i32x4.sha256_rounds local.set $a", shuffleWords(2, 3, 2, 3))
		if i < 12 {
			add("local.get %s local.get %s i32x4.sha256_msg1", w(0), w(1))
			add("local.get %s local.get %s %s i32x4.add", w(2), w(3), shuffleWords(1, 2, 3, 4))
			add("local.get %s i32x4.sha256_msg2 local.set %s", w(3), w(0))
		}
	}
	add("local.get $a local.get $oldA i32x4.add local.set $a local.get $c local.get $oldC i32x4.add local.set $c")
	add("local.get $q i32.const 64 i32.add local.set $q")
	add("local.get $n i64.const 64 i64.sub local.tee $n i64.const 0 i64.ne br_if 0")
	add("end")
	add("local.get $g local.get $a local.get $c %s v128.store", shuffleWords(3, 2, 7, 6))
	add("local.get $g local.get $a local.get $c %s v128.store offset=16", shuffleWords(1, 0, 5, 4))
	add("local.get $sp i32.const 8 i32.add global.set 0")
	add("i32.const 0 return")
	add("end")
	return s.String()
}

// shuffleWords takes four words from those of two vectors.
func shuffleWords(words ...int) string {
	s := "i8x16.shuffle"
	for _, w := range words {
		for i := range 4 {
			s += fmt.Sprintf(" %d", 4*w+i)
		}
	}
	return s
}

// body puts the prefix before a function's own instructions, with locals of its own behind the function's.
func (f *form) body(fn *wasm.Func, table uint64) Body {
	groups, at := binary.Uvarint(fn.Body)
	decls, locals := at, uint64(1) // the parameter
	for range groups {
		n, size := binary.Uvarint(fn.Body[decls:])
		decls += size + 1 // and the type
		locals += n
	}
	code := binary.AppendUvarint(nil, groups+uint64(len(sha256Locals)))
	code = append(code, fn.Body[at:decls]...)
	names := map[string]string{}
	for _, l := range sha256Locals {
		code = append(binary.AppendUvarint(code, uint64(len(l.names))), l.typ)
		for _, name := range l.names {
			names[name] = strconv.FormatUint(locals, 10)
			locals++
		}
	}
	words := strings.Fields(f.prefix(table))
	for i, w := range words {
		if number, ok := names[w]; ok {
			words[i] = number
		}
	}
	code = append(code, assemble(strings.Join(words, " "))...)
	return Body{Code: append(code, fn.Body[decls:]...), Skip: uint32(len(code)), Decls: uint32(decls)}
}
