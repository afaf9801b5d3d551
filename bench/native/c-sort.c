// Quicksort of random words, then a hash table with open addressing that counts their values.
#include "bench.h"

enum { COUNT = 1 << 20, SLOTS = 1 << 17 };

static uint32_t words[COUNT];
static struct {
	uint32_t key, count;
} table[SLOTS];

static void sort(uint32_t *a, int n) {
	while (n > 16) {
		uint32_t pivot = a[n / 2];
		int i = 0, j = n - 1;
		while (i <= j) {
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j) {
				uint32_t t = a[i];
				a[i++] = a[j];
				a[j--] = t;
			}
		}
		sort(a, j + 1);
		a += i;
		n -= i;
	}
	for (int i = 1; i < n; i++) {
		uint32_t v = a[i];
		int j = i;
		for (; j > 0 && a[j - 1] > v; j--)
			a[j] = a[j - 1];
		a[j] = v;
	}
}

static uint64_t run(void) {
	uint64_t sum = 0;
	for (int i = 0; i < COUNT; i++)
		words[i] = next_random();
	sort(words, COUNT);
	for (int i = 0; i < COUNT; i += 1000)
		sum = sum * 31 + words[i];
	for (int round = 0; round < 8; round++)
		for (int i = 0; i < COUNT; i++) {
			uint32_t key = (words[i] * 2654435761u) >> 16 | 1;
			uint32_t slot = key * 40503u % SLOTS;
			while (table[slot].key != key && table[slot].key != 0)
				slot = (slot + 1) % SLOTS;
			table[slot].key = key;
			table[slot].count++;
		}
	for (int i = 0; i < SLOTS; i++)
		sum += (uint64_t)table[i].count * table[i].key;
	return sum;
}
