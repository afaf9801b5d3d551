package wasi

// counterName is what the kernel calls the counter (arch/x86/kernel/tsc.c).
const counterName = "tsc"
