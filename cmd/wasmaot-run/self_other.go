//go:build !linux

package main

import (
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/loader"
)

func open() (*artifact.Artifact, []string, error) { return nil, nil, loader.ErrUnsupported }
