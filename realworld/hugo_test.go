package realworld

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/engine"
)

const hugo = "github.com/gohugoio/hugo@v0.169.0"

// hugoFile is a file of Hugo's module. The module itself cannot be required: it asks for a newer Go.
func hugoFile(t *testing.T, name string) []byte {
	t.Helper()
	// The command fails where Go is too old, but has downloaded and verified the module by then.
	out, err := exec.Command("go", "mod", "download", "-json", hugo).Output()
	var module struct{ Zip, Error string }
	if json.Unmarshal(out, &module) != nil || module.Zip == "" {
		t.Fatalf("%v: %s", err, module.Error)
	}
	r, err := zip.OpenReader(module.Zip)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := r.Open(hugo + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// codec speaks the protocol of Hugo's warpc.go with an instance that runs: JSON messages and blobs, each behind a marker, its message's number and its size.
type codec struct {
	in   io.Writer
	out  *io.PipeReader
	text bytes.Buffer // of the output, without blobs
}

var blobMarker = []byte("TAK35EM1")

type (
	codecHeader struct {
		Version       uint16   `json:"version"`
		ID            uint32   `json:"id"`
		Command       string   `json:"command"`
		RequestKinds  []string `json:"requestKinds"`
		ResponseKinds []string `json:"responseKinds"`
		Err           string   `json:"err"`
	}
	codecRequest struct {
		Header codecHeader `json:"header"`
		Data   codecData   `json:"data"`
	}
	codecData struct {
		Options map[string]any `json:"options"`
		Params  map[string]any `json:"params"`
	}
	codecResponse struct {
		Header codecHeader `json:"header"`
		Data   struct {
			Params struct {
				Width, Height, Stride int
				HasAlpha              bool
			} `json:"params"`
		} `json:"data"`
	}
)

// do sends a command with a blob and gives the answer and its blob, if there is to be one.
func (c *codec) do(t *testing.T, id uint32, command string, data codecData, blob []byte, wantBlob bool) (r codecResponse, got []byte) {
	t.Helper()
	kinds := []string{"json", "blob"}
	h := codecHeader{Version: 1, ID: id, Command: command, RequestKinds: kinds, ResponseKinds: kinds[:1]}
	if wantBlob {
		h.ResponseKinds = kinds
	}
	message := new(bytes.Buffer)
	if err := json.NewEncoder(message).Encode(codecRequest{h, data}); err != nil {
		t.Fatal(err)
	}
	message.Write(blobMarker)
	binary.Write(message, binary.LittleEndian, [2]uint32{id, uint32(len(blob))})
	message.Write(blob)
	if _, err := message.WriteTo(c.in); err != nil {
		t.Fatal(err)
	}
	for answered := false; !answered || wantBlob && got == nil; {
		buf := make([]byte, 64<<10)
		n, err := c.out.Read(buf)
		if err != nil {
			t.Fatalf("%s: %v after %q", command, err, c.text.Bytes())
		}
		c.text.Write(buf[:n])
		if at := bytes.Index(c.text.Bytes(), blobMarker); at >= 0 && c.text.Len() >= at+16 {
			size := int(binary.LittleEndian.Uint32(c.text.Bytes()[at+12:]))
			for c.text.Len() < at+16+size {
				if n, err = c.out.Read(buf); err != nil {
					t.Fatal(err)
				}
				c.text.Write(buf[:n])
			}
			all := slices.Clone(c.text.Bytes())
			got = all[at+16 : at+16+size]
			c.text.Reset()
			c.text.Write(all[:at])
			c.text.Write(all[at+16+size:])
		}
		if line := c.text.Bytes(); !answered && bytes.IndexByte(line, '\n') >= 0 {
			line, _ = c.text.ReadBytes('\n')
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%s: %v: %q", command, err, line)
			}
			if answered = true; r.Header.Err != "" || r.Header.ID != id {
				t.Fatalf("%s: answer to %d: %s", command, r.Header.ID, r.Header.Err)
			}
		}
	}
	return r, got
}

// TestHugoWebp encodes and decodes images by the module that Hugo embeds, which runs as a WASI command and answers on its standard streams.
func TestHugoWebp(t *testing.T) {
	ctx := context.Background()
	m, err := wasmaot.NewRuntime(nil).Compile(ctx, "webp", hugoFile(t, "internal/warpc/wasm/webp.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() {
		code, err := m.Run(ctx, &engine.InstanceConfig{
			MaxMemory: 32 << 20, // Hugo's default
			WASI:      &engine.WASI{Input: inR, Output: outW, ErrOutput: os.Stderr},
		})
		if err == nil && code != 0 {
			err = fmt.Errorf("exit code %d", code)
		}
		outW.Close()
		done <- err
	}()
	c := &codec{in: inW, out: outR}

	const width, height = 64, 48
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(4 * x), uint8(5 * y), uint8(x * y), uint8(128 + x)})
		}
	}
	_, webp := c.do(t, 1, "encodeNRGBA", codecData{
		Options: map[string]any{"compression": "lossless", "quality": 75},
		Params:  map[string]any{"width": width, "height": height, "stride": img.Stride},
	}, img.Pix, true)
	if len(webp) < 12 || string(webp[:4]) != "RIFF" || string(webp[8:12]) != "WEBP" {
		t.Fatalf("no WebP file: %q…", webp[:min(len(webp), 16)])
	}
	config, _ := c.do(t, 2, "config", codecData{}, webp[:min(len(webp), 32)], false)
	if p := config.Data.Params; p.Width != width || p.Height != height {
		t.Errorf("config: %+v", config)
	}
	decoded, pix := c.do(t, 3, "decode", codecData{}, webp, true)
	if p := decoded.Data.Params; p.Width != width || p.Height != height || p.Stride != img.Stride || !p.HasAlpha {
		t.Errorf("decoded: %+v", decoded)
	}
	if !bytes.Equal(pix, img.Pix) {
		t.Error("an image that was encoded without loss and decoded is another")
	}
	inW.Close()
	if err := <-done; err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
