package artifact

import (
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
)

// cType is the C type of a value.
func cType(t abi.Type) string {
	switch t {
	case abi.I32:
		return "uint32_t"
	case abi.I64:
		return "uint64_t"
	case abi.F32:
		return "float"
	case abi.F64:
		return "double"
	}
	return "void *" // references: cSignature lets nothing else through
}

func cDeclaration(name string, s *abi.Signature) string {
	result := "void"
	if len(s.Results) == 1 {
		result = cType(s.Results[0])
	}
	var params []string
	for _, t := range s.Params {
		params = append(params, cType(t))
	}
	if len(params) == 0 {
		params = []string{"void"}
	}
	return fmt.Sprintf("%s %s(%s);\n", result, name, strings.Join(params, ", "))
}

// header declares what an object holds and needs. Under PREFIX_IMPLEMENTATION it defines the runtime functions, in one source file of the program.
func (w *objWriter) header() string {
	m := &w.a.Module
	var b strings.Builder
	p := w.prefix
	guard := strings.ToUpper(p)
	fmt.Fprintf(&b, "/* Made by wasmaot. One source file of the program defines %s_IMPLEMENTATION before it includes this. */\n", guard)
	fmt.Fprintf(&b, "#ifndef %[1]s_H\n#define %[1]s_H\n#include <stdint.h>\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n", guard)
	fmt.Fprintf(&b, "/* Functions of the module. */\n")
	w.callable(func(name, _ string, f *Func) { b.WriteString(cDeclaration(name, &m.Types[f.Type])) })
	fmt.Fprintf(&b, "\n/* Imports of the module, which the program defines. */\n")
	for _, im := range m.Imports {
		b.WriteString(cDeclaration(p+"_import_"+cName(im.Module)+"_"+cName(im.Name), &m.Types[m.ImportedFuncTypes[im.Index]]))
	}
	pages, most := uint64(0), uint64(0)
	if len(m.Mems) == 1 {
		pages, most = m.Mems[0].Min, min(m.Mems[0].Max, max(m.Mems[0].Min, (1<<32-abi.MemoryGap)/65536))
	}
	start := ""
	if m.Start >= int64(len(m.ImportedFuncTypes)) {
		start = fmt.Sprintf("\t%s_start_function();\n", p)
	} else if m.Start >= 0 {
		im := m.Imports[m.Start]
		start = fmt.Sprintf("\t%s_import_%s_%s();\n", p, cName(im.Module), cName(im.Name))
	}
	fmt.Fprintf(&b, objHeaderText, p, guard, pages, most, abi.CtxMemBase, w.layout.Memories+abi.MemoryRecBase, w.layout.Memories+abi.MemoryRecBytes,
		w.a.ImageStart, len(w.a.Image), start)
	return b.String()
}

// objHeaderText takes: prefix, its capitals, least and most pages, offsets in the context of the memory's base, of its record's
// base and bytes, start and length of the image, calls of the start function.
const objHeaderText = `
#define %[2]s_MEMORY_PAGES %[3]d /* of 65536 bytes, at the start */

/* The instance. The address of linear memory is its first word. */
extern unsigned char %[1]s_context[];
extern const unsigned char %[1]s_image[];
extern const unsigned char %[1]s_text[];
/* Instructions that may trap: offset from %[1]s_text, reason. */
extern const struct { uint32_t offset, reason; } %[1]s_traps[];

/* Sets memory to its initial contents and runs the start function. The memory has capacity bytes, all zero, of which the
   module has %[2]s_MEMORY_PAGES pages at first; it stays where it is. Gives 0, or -1 if the capacity is too small. */
int %[1]s_init(void *memory, uint64_t capacity);

#ifdef %[2]s_IMPLEMENTATION
#include <string.h>
static uint64_t %[1]s_capacity;
static inline uint64_t *%[1]s_word(unsigned at) { return (uint64_t *)(void *)(%[1]s_context + at); }
int %[1]s_init(void *memory, uint64_t capacity) {
	if (capacity < %[3]dull * 65536) return -1;
	%[1]s_capacity = capacity;
	*%[1]s_word(%[5]d) = (uint64_t)(uintptr_t)memory;
	if (%[2]s_MEMORY_PAGES + %[4]dull > 0) {
		*%[1]s_word(%[6]d) = (uint64_t)(uintptr_t)memory;
		*%[1]s_word(%[7]d) = %[3]dull * 65536;
	}
	if (%[9]dull > 0) {
		if (%[8]dull + %[9]dull > %[3]dull * 65536) return -1;
		memcpy((char *)memory + %[8]dull, %[1]s_image, %[9]dull);
	}
%[10]s	return 0;
}
static inline char *%[1]s_range(uint64_t at, uint64_t n) {
	uint64_t size = *%[1]s_word(%[7]d);
	if (at > size || n > size - at) __builtin_trap();
	return (char *)(uintptr_t)*%[1]s_word(%[5]d) + at;
}
uint64_t %[1]s_memory_grow(uint32_t m, uint64_t pages) {
	uint64_t old = *%[1]s_word(%[7]d) / 65536, most = %[1]s_capacity / 65536;
	(void)m;
	if (most > %[4]dull) most = %[4]dull;
	if (pages > most - old) return (uint64_t)-1;
	*%[1]s_word(%[7]d) = (old + pages) * 65536;
	return old;
}
void %[1]s_memory_copy(uint32_t d, uint32_t s, uint64_t dst, uint64_t src, uint64_t n) {
	(void)d; (void)s;
	memmove(%[1]s_range(dst, n), %[1]s_range(src, n), n);
}
void %[1]s_memory_fill(uint32_t m, uint64_t dst, uint32_t value, uint64_t n) { (void)m; memset(%[1]s_range(dst, n), (int)value, n); }
void %[1]s_memory_init(uint32_t m, uint32_t s, uint64_t dst, uint32_t src, uint32_t n) {
	(void)m; (void)s;
	if (src != 0 || n != 0) __builtin_trap(); /* every segment was applied and dropped */
	%[1]s_range(dst, n);
}
void %[1]s_data_drop(uint32_t s) { (void)s; }
/* Tables have a fixed size and contents here. */
uint64_t %[1]s_table_grow(void) { return (uint64_t)-1; }
void %[1]s_table_fill(void) { __builtin_trap(); }
void %[1]s_table_copy(void) { __builtin_trap(); }
void %[1]s_table_init(void) { __builtin_trap(); }
void %[1]s_elem_drop(uint32_t s) { (void)s; }
#endif

#ifdef __cplusplus
}
#endif
#endif
`
