package engine

import (
	"context"
	"errors"
	"sync"
)

// Pool keeps instances of a module for use by one goroutine at a time. What a user leaves in an instance's memory, tables and globals is undone when it
// gives the instance back; that costs as much as was written (memory is mapped copy-on-write). WASI descriptors are those of a new instance again; other state of the host is not touched.
type Pool struct {
	module *Module
	config PoolConfig

	mu     sync.Mutex
	idle   []*Instance
	closed bool
}

// PoolConfig configures a Pool. The zero value keeps up to 16 idle instances without WASI and imports.
type PoolConfig struct {
	// Instance is what each instance is given.
	Instance InstanceConfig
	// Prepare is called once for each new instance. What it does is part of the state that instances come back to. Nil calls Initialize.
	Prepare func(ctx context.Context, i *Instance) error
	// MaxIdle bounds the instances that are kept while not in use; 0 means 16.
	MaxIdle int
}

const defaultMaxIdle = 16

// NewPool makes a pool; c may be nil.
func NewPool(m *Module, c *PoolConfig) *Pool {
	p := &Pool{module: m}
	if c != nil {
		p.config = *c
	}
	if p.config.Prepare == nil {
		p.config.Prepare = Initialize
	}
	if p.config.MaxIdle == 0 {
		p.config.MaxIdle = defaultMaxIdle
	}
	return p
}

// Get gives an idle instance, or a new one.
func (p *Pool) Get(ctx context.Context) (*Instance, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errors.New("pool is closed")
	}
	if n := len(p.idle); n > 0 {
		i := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return i, nil
	}
	p.mu.Unlock()
	i, err := p.module.Instantiate(ctx, &p.config.Instance)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(p.config.Prepare(ctx, i), i.Checkpoint()); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

// Put sets an instance back and keeps it, or closes it if that is not possible or not needed.
func (p *Pool) Put(i *Instance) {
	if err := i.Reset(); err != nil {
		i.Close()
		return
	}
	p.mu.Lock()
	keep := !p.closed && len(p.idle) < p.config.MaxIdle
	if keep {
		p.idle = append(p.idle, i)
	}
	p.mu.Unlock()
	if !keep {
		i.Close()
	}
}

// Close closes the idle instances. Those in use are closed when they are put back.
func (p *Pool) Close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	var err error
	for _, i := range idle {
		err = errors.Join(err, i.Close())
	}
	return err
}
