package main

import "testing"

func TestGiven(t *testing.T) { main() }
