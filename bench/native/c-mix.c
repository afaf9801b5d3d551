// Rounds of rotations, additions and choices on 32-bit words, like those of a hash function, over a buffer.
#include "bench.h"

enum { WORDS = 1 << 16 };

static uint32_t data[WORDS];

static inline uint32_t rotate(uint32_t v, int n) { return v >> n | v << (32 - n); }

static void block(uint32_t state[8], const uint32_t *in) {
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
	uint32_t w[64];
	for (int i = 0; i < 16; i++)
		w[i] = in[i];
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	for (int i = 0; i < 64; i++) {
		uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + w[i] + i * 2654435761u;
		uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
		h = g, g = f, f = e, e = d + t1;
		d = c, c = b, b = a, a = t1 + t2;
	}
	state[0] += a, state[1] += b, state[2] += c, state[3] += d;
	state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static uint64_t run(void) {
	uint32_t state[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	for (int i = 0; i < WORDS; i++)
		data[i] = next_random();
	for (int round = 0; round < 100; round++)
		for (int i = 0; i < WORDS; i += 16)
			block(state, data + i);
	return (uint64_t)state[0] << 32 | state[7];
}
