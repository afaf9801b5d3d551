package wasm

import "strings"

// Features is a set of additions to Wasm 1.0.
type Features uint32

const (
	FeatureSignExtension Features = 1 << iota
	FeatureSatTrunc
	FeatureMultiValue
	FeatureBulkMemory
	FeatureReferenceTypes
	FeatureSIMD
	FeatureExtendedConst
	FeatureTailCall
	FeatureMultiMemory
	FeatureMemory64
	FeatureFunctionReferences
	FeatureExceptions
	FeatureGC
	FeatureRelaxedSIMD
	FeatureThreads

	featureEnd

	// featureOwn has the operators that only bodies of our own may have (Validator.BeginBody).
	featureOwn Features = 1 << 31
)

const (
	// Features20NoSIMD is Wasm 2.0 without vectors.
	Features20NoSIMD = FeatureSignExtension | FeatureSatTrunc | FeatureMultiValue | FeatureBulkMemory | FeatureReferenceTypes

	// Features20 is Wasm 2.0.
	Features20 = Features20NoSIMD | FeatureSIMD

	// featuresKnown are those the decoder and the validator know how to check.
	featuresKnown = Features20 | FeatureExtendedConst | FeatureTailCall | FeatureMultiMemory | FeatureMemory64 | FeatureRelaxedSIMD
)

// featureNames are in the order of the bits.
var featureNames = [...]string{
	"sign extension", "saturating truncation", "multi-value", "bulk memory", "reference types", "SIMD",
	"extended constant expressions", "tail calls", "multi-memory", "memory64", "typed function references",
	"exception handling", "garbage collection", "relaxed SIMD", "threads",
}

// String lists the names of the features.
func (f Features) String() string {
	var names []string
	for i, name := range featureNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
