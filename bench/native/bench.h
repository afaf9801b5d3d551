// What the C programs share: each defines run, which returns a checksum; main prints what it took, in nanoseconds, and that checksum.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t run(void);

static int64_t nanoseconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint32_t random_state = 2463534242u;

// xorshift: the same numbers everywhere.
static uint32_t next_random(void) {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

int main(void) {
	int64_t start = nanoseconds();
	uint64_t sum = run();
	printf("%lld %llx\n", (long long)(nanoseconds() - start), (unsigned long long)sum);
	return 0;
}
