package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/wasi"
)

// hostLog gives the hook that writes the calls of some groups, one line each.
func hostLog(w io.Writer, groups string) (func(wasi.Call), error) {
	chosen := strings.Split(groups, ",")
	for _, g := range chosen {
		if g != "all" && !slices.Contains(wasi.Groups, g) {
			return nil, UsageError{fmt.Errorf("--hostlogging=%s: expected all or a list of %s, found %q", groups, strings.Join(wasi.Groups, ","), g)}
		}
	}
	all := slices.Contains(chosen, "all")
	return func(c wasi.Call) {
		if all || slices.Contains(chosen, c.Group) {
			fmt.Fprintln(w, c)
		}
	}, nil
}
