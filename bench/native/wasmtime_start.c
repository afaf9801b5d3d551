// Runs a precompiled WASI command with Wasmtime's C interface and nothing else, so that its start and its memory are not those of a Python:
//
//	wasmtime_start LIBRARY FILE
//
// The library is opened by name: its headers are not needed. Of a wasmtime_func_t only the size matters here.
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef void *ptr;

static ptr need(ptr lib, const char *name) {
	ptr p = dlsym(lib, name);
	if (!p)
		fprintf(stderr, "%s is missing\n", name);
	return p;
}

int main(int argc, char **argv) {
	ptr lib = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	if (!lib) {
		fprintf(stderr, "%s\n", argc == 3 ? dlerror() : "expected LIBRARY FILE");
		return 1;
	}
#define FUNC(result, name, ...)                                 \
	result (*name)(__VA_ARGS__) = need(lib, #name); \
	if (!name)                                              \
		return 1;
	FUNC(ptr, wasm_engine_new, void)
	FUNC(ptr, wasmtime_store_new, ptr, ptr, ptr)
	FUNC(ptr, wasmtime_store_context, ptr)
	FUNC(ptr, wasmtime_module_deserialize_file, ptr, const char *, ptr *)
	FUNC(ptr, wasmtime_linker_new, ptr)
	FUNC(ptr, wasmtime_linker_define_wasi, ptr)
	FUNC(ptr, wasi_config_new, void)
	FUNC(void, wasi_config_inherit_stdout, ptr)
	FUNC(ptr, wasmtime_context_set_wasi, ptr, ptr)
	FUNC(ptr, wasmtime_linker_module, ptr, ptr, const char *, size_t, ptr)
	FUNC(ptr, wasmtime_linker_get_default, ptr, ptr, const char *, size_t, ptr)
	FUNC(ptr, wasmtime_func_call, ptr, ptr, ptr, size_t, ptr, size_t, ptr *)

	ptr engine = wasm_engine_new(), store = wasmtime_store_new(engine, NULL, NULL);
	ptr context = wasmtime_store_context(store), linker = wasmtime_linker_new(engine);
	ptr module = NULL, trap = NULL, wasi = wasi_config_new();
	uint64_t start[4];
	wasi_config_inherit_stdout(wasi);
	if (wasmtime_module_deserialize_file(engine, argv[2], &module) || wasmtime_linker_define_wasi(linker) ||
	    wasmtime_context_set_wasi(context, wasi) || wasmtime_linker_module(linker, context, "", 0, module) ||
	    wasmtime_linker_get_default(linker, context, "", 0, start)) {
		fprintf(stderr, "%s cannot be run\n", argv[2]);
		return 1;
	}
	// A call of proc_exit comes back as an error; hello makes it with 0.
	wasmtime_func_call(context, start, NULL, 0, NULL, 0, &trap);
	return trap != NULL;
}
