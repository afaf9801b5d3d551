package artifact

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestBundle(t *testing.T) {
	program, settings := bytes.Repeat([]byte{1}, 5000), []string{"--dir=.", "", "--env=A=\x00é"}
	art := encode(t, sample())
	file := AppendBundle(program, art, settings)
	read := func(b []byte) (*Bundle, error) { return ReadBundle(bytes.NewReader(b), int64(len(b))) }
	b, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file[:len(program)], program) || b.Off%pageSize != 0 || !bytes.Equal(file[b.Off:b.Off+b.Size], art) || !slices.Equal(b.Settings, settings) {
		t.Errorf("bundle %+v of %d bytes", b, len(file))
	}
	for i := len(file) - trailerSize - 20; i < len(file); i++ {
		bad := bytes.Clone(file)
		bad[i] ^= 1 << (i % 8)
		if _, err := read(bad); err == nil {
			t.Errorf("byte %d from the end flipped: accepted", len(file)-i)
		}
	}
	for n := 0; n < len(file); n += 13 {
		if _, err := read(file[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were accepted", n, len(file))
		}
	}
	if _, err := read(program); !errors.Is(err, ErrNoBundle) {
		t.Errorf("a program alone: %v", err)
	}
}
