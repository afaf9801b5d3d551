"""Runs or compiles a module with the wasmtime package from PyPI.

    wasmtime_run.py compile MODULE OUT    prints CPU and wall seconds of the compilation alone
    wasmtime_run.py run OUT [args...]     runs the precompiled module
"""
import os
import sys
import time

import wasmtime


def main():
    mode, path = sys.argv[1], sys.argv[2]
    config = wasmtime.Config()
    if os.environ.get("WASMTIME_THREADS") == "1":
        config.parallel_compilation = False
    engine = wasmtime.Engine(config)
    if mode == "compile":
        with open(path, "rb") as f:
            source = f.read()
        wall, cpu = time.monotonic(), time.process_time()
        module = wasmtime.Module(engine, source)
        print(time.process_time() - cpu, time.monotonic() - wall)
        with open(sys.argv[3], "wb") as f:
            f.write(module.serialize())
        return 0
    module = wasmtime.Module.deserialize_file(engine, path)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = sys.argv[2:]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    store.set_wasi(wasi)
    instance = linker.instantiate(store, module)
    try:
        instance.exports(store)["_start"](store)
    except wasmtime.ExitTrap as e:
        return e.code
    return 0


sys.exit(main())
