package realworld

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/embed"

	"github.com/wasmaot/wasmaot"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/engine"
)

// sqliteHost has the host functions of github.com/ncruces/go-sqlite3 that a database in memory uses (its vfs package), with the meaning that they have
// there. Any other fails the call that needs it.
func sqliteHost(t *testing.T, m *engine.Module) *engine.HostModule {
	h := engine.NewHostModule("env")
	for _, im := range m.Imports() {
		if im.Module == "env" && im.Kind == artifact.KindFunc {
			h.Add(im.Name, engine.HostFunc(im.Name, *im.Func, func(context.Context, *engine.Instance, []uint64) error {
				t.Errorf("unexpected call of %s", im.Name)
				return nil
			}))
		}
	}
	// 1 if there is a VFS of that name in Go: there is none but the module's own.
	h.Add("go_vfs_find", engine.Host1("go_vfs_find", func(engine.Caller, uint32) (uint32, error) { return 0, nil }))
	h.Add("go_randomness", engine.Host3("go_randomness", func(c engine.Caller, _, n, at uint32) (uint32, error) {
		b, err := c.Memory().Slice(uint64(at), uint64(n))
		if err == nil {
			rand.Read(b)
		}
		return n, err
	}))
	h.Add("go_current_time_64", engine.Host2("go_current_time_64", func(c engine.Caller, _, at uint32) (uint32, error) {
		const julianEpoch = 210866760000000 // ms from the beginning of the Julian period to 1970
		c.Memory().SetUint64(uint64(at), uint64(time.Now().UnixMilli()+julianEpoch))
		return 0, nil
	}))
	return h
}

// database is a connection, called as go-sqlite3 calls the module.
type database struct {
	*testing.T
	i      *engine.Instance
	handle uint64
}

func (d *database) call(name string, args ...uint64) uint64 {
	d.Helper()
	f := d.i.Func(name)
	if f == nil {
		d.Fatalf("no function %s", name)
	}
	stack := make([]uint64, f.Signature().SlotCount())
	copy(stack, args)
	if err := f.Call(context.Background(), stack); err != nil {
		d.Fatalf("%s: %v", name, err)
	}
	if len(stack) == 0 {
		return 0
	}
	return stack[0]
}

// text copies a string with its NUL into the guest's memory.
func (d *database) text(s string) uint64 {
	at := d.call("sqlite3_malloc64", uint64(len(s)+1))
	if err := d.i.Memory().WriteString(at, s+"\x00"); err != nil {
		d.Fatal(err)
	}
	return at
}

// query runs a statement and gives the integers of its first column.
func (d *database) query(sql string) (values []int64) {
	d.Helper()
	at, out := d.text(sql), d.call("sqlite3_malloc64", 8)
	if code := uint32(d.call("sqlite3_prepare_v3", d.handle, at, uint64(len(sql)+1), 0, out, out+4)); code != 0 {
		d.Fatalf("%s: code %d", sql, code)
	}
	stmt, _ := d.i.Memory().Uint32(out)
	for {
		switch code := uint32(d.call("sqlite3_step", uint64(stmt))); code {
		case 100: // SQLITE_ROW
			values = append(values, int64(d.call("sqlite3_column_int64", uint64(stmt), 0)))
		case 101: // SQLITE_DONE
			d.call("sqlite3_finalize", uint64(stmt))
			d.call("sqlite3_free", at)
			d.call("sqlite3_free", out)
			return values
		default:
			d.Fatalf("%s: code %d", sql, code)
		}
	}
}

func TestSQLite(t *testing.T) {
	ctx := context.Background()
	m, err := wasmaot.NewRuntime(nil).Compile(ctx, "sqlite3.wasm", sqlite3.Binary)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	i, err := m.Instantiate(ctx, &engine.InstanceConfig{Imports: []engine.Importer{sqliteHost(t, m)}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	d := &database{T: t, i: i}
	if err := engine.Initialize(ctx, i); err != nil {
		t.Fatal(err)
	}
	name, out := d.text(":memory:"), d.call("sqlite3_malloc64", 4)
	const readWriteCreate = 2 | 4
	if code := uint32(d.call("sqlite3_open_v2", name, out, readWriteCreate, 0)); code != 0 {
		t.Fatalf("sqlite3_open_v2: code %d", code)
	}
	handle, _ := i.Memory().Uint32(out)
	d.handle = uint64(handle)
	d.query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
	d.query("WITH RECURSIVE n(k) AS (VALUES(1) UNION ALL SELECT k+1 FROM n WHERE k < 1000) INSERT INTO users SELECT k, 'user ' || k FROM n")
	if got := d.query("SELECT sum(id) FROM users"); len(got) != 1 || got[0] != 500500 {
		t.Errorf("sum: %v", got)
	}
	if got := d.query("SELECT id FROM users WHERE name LIKE '%99' ORDER BY id DESC LIMIT 3"); len(got) != 3 || got[0] != 999 || got[1] != 899 || got[2] != 799 {
		t.Errorf("names: %v", got)
	}
}
