package frontend

import "fmt"

// TableFact describes what is known of a table.
func (m *Module) TableFact(i uint32) string {
	t := &m.tables[i]
	return fmt.Sprintf("local=%t known=%t class=%d fixed=%t min=%d", t.local, t.known, int32(t.class), m.SSA.TableFixed[i], m.SSA.TableMin[i])
}
