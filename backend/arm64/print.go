package arm64

import "github.com/wasmaot/wasmaot/backend"

func lowered(m *backend.Func) string { return "" }
