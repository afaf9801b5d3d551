package arm64

import (
	"testing"

	"github.com/wasmaot/wasmaot/backend/backendtest"
)

func TestAccessRandom(t *testing.T) {
	backendtest.AccessRandom(t, &backendtest.Machine{Target: Target, Features: []uint64{Target.Baseline}, Lowered: lowered})
}
