// What the Rust programs share: each defines run, which returns a checksum; main prints what it took, in nanoseconds, and that checksum.

// xorshift: the same numbers everywhere.
struct Random(u32);

impl Random {
    fn new() -> Random {
        Random(2463534242)
    }

    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

fn main() {
    let start = std::time::Instant::now();
    let sum = run();
    println!("{} {:x}", start.elapsed().as_nanos(), sum);
}
