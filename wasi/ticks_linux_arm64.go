package wasi

// counterName is what the kernel calls the counter (drivers/clocksource/arm_arch_timer.c).
const counterName = "arch_sys_counter"
