//go:build !linux

package cli

import (
	"context"
	"errors"
	"net/netip"
	"os"
)

func listenOn(string) (*os.File, string, error) { return nil, "", errors.ErrUnsupported }

func exchange(context.Context, netip.AddrPort, []byte, []byte) (int, error) {
	return 0, errors.ErrUnsupported
}
