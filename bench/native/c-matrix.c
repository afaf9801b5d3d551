// Multiplication of matrices of doubles, row by row.
#include "bench.h"

enum { N = 320 };

static double a[N][N], b[N][N], c[N][N];

static uint64_t run(void) {
	double trace = 0;
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			a[i][j] = (double)(next_random() % 1000);
			b[i][j] = (double)(next_random() % 1000);
		}
	for (int round = 0; round < 6; round++)
		for (int i = 0; i < N; i++)
			for (int j = 0; j < N; j++) {
				double sum = 0;
				for (int k = 0; k < N; k++)
					sum += a[i][k] * b[k][j];
				c[i][j] += sum;
			}
	for (int i = 0; i < N; i++)
		trace += c[i][i];
	return (uint64_t)trace;
}
