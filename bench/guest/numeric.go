package main

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/big"
)

func fannkuch() uint64 {
	const n = 10
	var perm, perm1, count [n]int
	for i := range perm1 {
		perm1[i] = i
	}
	maxFlips, sum, nperm, r := 0, 0, 0, n
	for {
		for ; r != 1; r-- {
			count[r-1] = r
		}
		perm = perm1
		flips := 0
		for k := perm[0]; k != 0; k = perm[0] {
			for i, j := 0, k; i < j; i, j = i+1, j-1 {
				perm[i], perm[j] = perm[j], perm[i]
			}
			flips++
		}
		maxFlips = max(maxFlips, flips)
		if nperm&1 == 0 {
			sum += flips
		} else {
			sum -= flips
		}
		for {
			if r == n {
				return uint64(sum)<<8 | uint64(maxFlips)
			}
			first := perm1[0]
			copy(perm1[:r], perm1[1:r+1])
			perm1[r] = first
			count[r]--
			if count[r] > 0 {
				break
			}
			r++
		}
		nperm++
	}
}

type body struct{ x, y, z, vx, vy, vz, mass float64 }

func nbody() uint64 {
	const solar = 4 * math.Pi * math.Pi
	const year = 365.24
	bodies := []body{
		{mass: solar},
		{4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.00166007664274403694 * year, 0.00769901118419740425 * year, -0.0000690460016972063023 * year, 0.000954791938424326609 * solar},
		{8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -0.00276742510726411 * year, 0.00499852801234917238 * year, 0.0000230417297573763929 * year, 0.000285885980666130812 * solar},
		{12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 0.00296460137564761618 * year, 0.00237847173959480950 * year, -0.0000296589568540237556 * year, 0.0000436624404335156298 * solar},
		{15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.00268067772490389322 * year, 0.00162824170038242295 * year, -0.0000951592254519715870 * year, 0.0000515138902046611451 * solar},
	}
	var energy float64
	for round := 0; round < 1_000_000; round++ {
		for i := range bodies {
			a := &bodies[i]
			for j := i + 1; j < len(bodies); j++ {
				b := &bodies[j]
				dx, dy, dz := a.x-b.x, a.y-b.y, a.z-b.z
				d2 := dx*dx + dy*dy + dz*dz
				mag := 0.001 / (d2 * math.Sqrt(d2))
				a.vx -= dx * b.mass * mag
				a.vy -= dy * b.mass * mag
				a.vz -= dz * b.mass * mag
				b.vx += dx * a.mass * mag
				b.vy += dy * a.mass * mag
				b.vz += dz * a.mass * mag
			}
		}
		for i := range bodies {
			b := &bodies[i]
			b.x += 0.001 * b.vx
			b.y += 0.001 * b.vy
			b.z += 0.001 * b.vz
		}
	}
	for i := range bodies {
		b := &bodies[i]
		energy += 0.5 * b.mass * (b.vx*b.vx + b.vy*b.vy + b.vz*b.vz)
	}
	return math.Float64bits(energy) >> 16 // the last bits depend on fused multiply-add
}

func spectral() uint64 {
	const n = 1400
	a := func(i, j int) float64 { return 1 / float64((i+j)*(i+j+1)/2+i+1) }
	u, v, tmp := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range u {
		u[i] = 1
	}
	mul := func(dst, src []float64, transposed bool) {
		for i := range dst {
			var s float64
			for j := range src {
				if transposed {
					s += a(j, i) * src[j]
				} else {
					s += a(i, j) * src[j]
				}
			}
			dst[i] = s
		}
	}
	for round := 0; round < 10; round++ {
		mul(tmp, u, false)
		mul(v, tmp, true)
		mul(tmp, v, false)
		mul(u, tmp, true)
	}
	var uv, vv float64
	for i := range u {
		uv += u[i] * v[i]
		vv += v[i] * v[i]
	}
	return math.Float64bits(math.Sqrt(uv/vv)) >> 16
}

func mandelbrot() uint64 {
	const n = 1400
	var inside uint64
	for py := 0; py < n; py++ {
		for px := 0; px < n; px++ {
			cr, ci := 2*float64(px)/n-1.5, 2*float64(py)/n-1
			var zr, zi, tr, ti float64
			i := 0
			for ; i < 50 && tr+ti <= 4; i++ {
				zi = 2*zr*zi + ci
				zr = tr - ti + cr
				tr, ti = zr*zr, zi*zi
			}
			if tr+ti <= 4 {
				inside++
			}
		}
	}
	return inside
}

func sha() uint64 {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * 7)
	}
	var sum [32]byte
	for round := 0; round < 150; round++ {
		sum = sha256.Sum256(data)
		copy(data, sum[:])
	}
	return binary.LittleEndian.Uint64(sum[:])
}

func matmul() uint64 {
	const n = 300
	var a, b, c [n * n]int32
	for i := range a {
		a[i], b[i] = int32(i%97), int32(i%89)
	}
	for round := 0; round < 6; round++ {
		for i := 0; i < n; i++ {
			for j := 0; j < n; j++ {
				var s int32
				for k := 0; k < n; k++ {
					s += a[i*n+k] * b[k*n+j]
				}
				c[i*n+j] = s
			}
		}
		a[0] = c[n*n-1]
	}
	var h uint64
	for _, v := range c {
		h = h*31 + uint64(uint32(v))
	}
	return h
}

func bigint() uint64 {
	a, b := big.NewInt(1), big.NewInt(1)
	for round := 0; round < 30000; round++ {
		a.Add(a, b)
		a, b = b, a
	}
	mod := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 1024), big.NewInt(643))
	x := big.NewInt(3)
	for round := 0; round < 20; round++ {
		x.Exp(x, new(big.Int).Rsh(b, 19000), mod)
	}
	return x.Xor(x, b).Uint64()
}

//go:noinline
func fibonacci(n int) int {
	if n < 2 {
		return n
	}
	return fibonacci(n-1) + fibonacci(n-2)
}

func fib() uint64 { return uint64(fibonacci(38)) }

//go:noinline
func deep(n int, p *int) int {
	if n == 0 {
		return *p
	}
	return deep(n-1, p) + 1
}

func recursion() uint64 {
	s := 0
	for round := 0; round < 20; round++ {
		s += deep(100_000, &s)
	}
	return uint64(s)
}
