package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"regexp"
	"sort"
	"strings"
)

// random is a small generator, the same everywhere.
type random uint64

func (r *random) next() uint64 {
	*r ^= *r << 13
	*r ^= *r >> 7
	*r ^= *r << 17
	return uint64(*r)
}

func hash(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

func sortMap() uint64 {
	r := random(42)
	m := map[uint64]int{}
	keys := make([]uint64, 0, 300_000)
	for i := 0; i < 300_000; i++ {
		k := r.next()
		m[k] = i
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	var sum uint64
	for i, k := range keys {
		sum = sum*31 + uint64(m[k]^i)
	}
	return sum
}

type record struct {
	ID    int               `json:"id"`
	Name  string            `json:"name"`
	Score float64           `json:"score"`
	Tags  []string          `json:"tags"`
	Attrs map[string]string `json:"attrs"`
}

func jsonRoundTrip() uint64 {
	r := random(7)
	records := make([]record, 2000)
	for i := range records {
		records[i] = record{i, fmt.Sprintf("name-%d", r.next()%1000), float64(r.next()%10000) / 8,
			[]string{"a", "bb", "ccc"}, map[string]string{"key": "value", "n": fmt.Sprint(i)}}
	}
	var sum uint64
	for round := 0; round < 8; round++ {
		b, err := json.Marshal(records)
		if err != nil {
			panic(err)
		}
		sum += hash(b)
		records = nil
		if err := json.Unmarshal(b, &records); err != nil {
			panic(err)
		}
	}
	return sum
}

func text() string {
	r := random(99)
	words := []string{"lorem", "ipsum", "dolor@sit.amet", "consectetur", "2026-11-21", "adipiscing", "elit", "alice@example.org", "sed", "do", "1987-01-02"}
	var b strings.Builder
	for b.Len() < 400_000 {
		b.WriteString(words[r.next()%uint64(len(words))])
		b.WriteByte(" \n"[r.next()%20/19])
	}
	return b.String()
}

func regexpFind() uint64 {
	t := text()
	mail := regexp.MustCompile(`[a-z]+@[a-z]+\.(org|amet)`)
	date := regexp.MustCompile(`(\d{4})-(\d\d)-(\d\d)`)
	var sum uint64
	for round := 0; round < 2; round++ {
		sum += uint64(len(mail.FindAllString(t, -1)))
		sum += hash([]byte(date.ReplaceAllString(t, "$3.$2.$1")))
	}
	return sum
}

func deflate() uint64 {
	t := []byte(strings.Repeat(text(), 8))
	var buf bytes.Buffer
	w, _ := flate.NewWriter(&buf, 6)
	w.Write(t)
	w.Close()
	out, err := io.ReadAll(flate.NewReader(&buf))
	if err != nil {
		panic(err)
	}
	return hash(out)
}

func stringOps() uint64 {
	t := text()
	var sum uint64
	for round := 0; round < 20; round++ {
		fields := strings.Fields(t)
		joined := strings.ToUpper(strings.Join(fields, ","))
		sum += uint64(strings.Count(joined, "EXAMPLE") + strings.Index(joined, "nothing here") + len(strings.ReplaceAll(joined, "LOREM", "x")))
		sum += hash([]byte(joined[:1000]))
	}
	return sum
}

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func (t *tree) count() uint64 {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.count() + t.right.count()
}

func trees() uint64 {
	const depth = 15
	long := grow(depth)
	var sum uint64
	for d := 4; d <= depth; d += 4 {
		for round := 0; round < 1<<(depth-d+4); round++ {
			sum += grow(d).count()
		}
	}
	return sum + long.count()
}
