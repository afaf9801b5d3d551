// Kernels of which the hot loops are compared. They are compiled to WebAssembly, and from there by wasmaot, and by
// wasm2c and clang.

typedef unsigned char u8;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;

#define KERNEL(name) __attribute__((export_name(#name), noinline, used))

KERNEL(fnv) u32 fnv(const u8 *p, u32 n) {
	u32 h = 2166136261u;
	for (u32 i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

KERNEL(mix) u32 mix(const u32 *p, u32 n) {
	u32 s = 0;
	for (u32 i = 0; i < n; i++)
		s += p[i] ^ (s >> 3);
	return s;
}

KERNEL(dot) double dot(const double *a, const double *b, u32 n) {
	double s = 0;
	for (u32 i = 0; i < n; i++)
		s += a[i] * b[i];
	return s;
}

KERNEL(sieve) u32 sieve(u8 *p, u32 n) {
	u32 c = 0;
	for (u32 i = 2; i < n; i++) {
		if (p[i])
			continue;
		c++;
		for (u32 k = i + i; k < n; k += i)
			p[k] = 1;
	}
	return c;
}

KERNEL(collatz) u32 collatz(u64 n) {
	u32 c = 0;
	while (n != 1) {
		n = n & 1 ? 3 * n + 1 : n >> 1;
		c++;
	}
	return c;
}

KERNEL(crc) u32 crc(const u32 *t, const u8 *p, u32 n) {
	u32 c = ~0u;
	for (u32 i = 0; i < n; i++)
		c = t[(c ^ p[i]) & 255] ^ (c >> 8);
	return ~c;
}

struct node {
	const struct node *next;
	u32 a, b;
};

KERNEL(list) u32 list(const struct node *p) {
	u32 s = 0;
	for (; p; p = p->next)
		s += p->a * p->b;
	return s;
}

KERNEL(search) i32 search(const i32 *a, i32 n, i32 x) {
	i32 lo = 0, hi = n;
	while (lo < hi) {
		i32 m = (u32)(lo + hi) >> 1;
		if (a[m] < x)
			lo = m + 1;
		else
			hi = m;
	}
	return lo;
}

KERNEL(insertion) void insertion(i32 *a, i32 n) {
	for (i32 i = 1; i < n; i++) {
		i32 x = a[i], k = i - 1;
		while (k >= 0 && a[k] > x) {
			a[k + 1] = a[k];
			k--;
		}
		a[k + 1] = x;
	}
}

KERNEL(matvec) void matvec(double *y, const double *m, const double *x, u32 n) {
	for (u32 i = 0; i < n; i++) {
		double s = 0;
		for (u32 k = 0; k < n; k++)
			s += m[i * n + k] * x[k];
		y[i] = s;
	}
}

KERNEL(decimal) u32 decimal(u8 *p, u32 x) {
	u32 n = 0;
	do {
		p[n++] = '0' + x % 10;
		x /= 10;
	} while (x);
	return n;
}

KERNEL(particles) void particles(double *p, u32 n, double dt) {
	for (u32 i = 0; i < n; i++) {
		double *q = p + 6 * i;
		q[0] += dt * q[3];
		q[1] += dt * q[4];
		q[2] += dt * q[5];
	}
}
