// A byte compressor of the LZ77 kind, with hash chains of length one, and its decompressor.
#include "bench.h"
#include <string.h>

enum { SIZE = 1 << 22, HASH = 1 << 15 };

static uint8_t text[SIZE], packed[SIZE + SIZE / 8 + 16], unpacked[SIZE];
static int last[HASH];

static int compress(const uint8_t *in, int n, uint8_t *out) {
	uint8_t *start = out;
	int i = 0;
	for (int h = 0; h < HASH; h++)
		last[h] = -1;
	while (i < n) {
		int length = 0, from = -1;
		if (i + 4 <= n) {
			uint32_t four = in[i] | in[i + 1] << 8 | in[i + 2] << 16 | (uint32_t)in[i + 3] << 24;
			uint32_t h = four * 2654435761u >> 17;
			from = last[h];
			last[h] = i;
			if (from >= 0 && i - from < 65536)
				while (length < 127 && i + length < n && in[from + length] == in[i + length])
					length++;
		}
		if (length >= 4) {
			*out++ = 128 | length;
			*out++ = (i - from) & 255;
			*out++ = (i - from) >> 8;
			i += length;
		} else {
			*out++ = in[i++] & 127;
		}
	}
	return out - start;
}

static int decompress(const uint8_t *in, int n, uint8_t *out) {
	uint8_t *start = out;
	for (const uint8_t *end = in + n; in < end;) {
		int b = *in++;
		if (b < 128) {
			*out++ = b;
			continue;
		}
		const uint8_t *from = out - (in[0] | in[1] << 8);
		in += 2;
		for (int k = b & 127; k > 0; k--)
			*out++ = *from++;
	}
	return out - start;
}

static uint64_t run(void) {
	static const char *syllables[16] = {"ka", "to ", "mi", "ren ", "sol", "ba", "tem ", "ni", "or", "the ", "que", "lis ", "an", "dor ", "pe", "\n"};
	uint64_t sum = 0;
	for (int n = 0; n < SIZE;)
		for (const char *s = syllables[next_random() % 16]; *s && n < SIZE; s++)
			text[n++] = *s;
	for (int round = 0; round < 3; round++) {
		int n = compress(text, SIZE, packed);
		if (decompress(packed, n, unpacked) != SIZE || memcmp(text, unpacked, SIZE) != 0)
			return 0;
		sum = sum * 31 + n;
	}
	return sum;
}
