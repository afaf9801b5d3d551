package wasm

// Codes of types in the binary format (spec, "Binary Format", "Types").
const (
	codeI32       = 0x7f
	codeI64       = 0x7e
	codeF32       = 0x7d
	codeF64       = 0x7c
	codeV128      = 0x7b
	codeFuncRef   = 0x70
	codeExternRef = 0x6f
	codeRefNull   = 0x63
	codeRef       = 0x64
	codeExnRef    = 0x69
	codeNoExnRef  = 0x74
	codeFunc      = 0x60
	codeEmpty     = 0x40 // as a block type
)

// typeCode is what stands behind the one-byte code of a value type.
type typeCode struct {
	t    ValType // Bottom if the decoder does not know the type
	need Features
	name string
}

var typeCodes = [0x80]typeCode{
	codeI32:       {t: I32},
	codeI64:       {t: I64},
	codeF32:       {t: F32},
	codeF64:       {t: F64},
	codeV128:      {V128, FeatureSIMD, "v128"},
	codeFuncRef:   {FuncRef, FeatureReferenceTypes, "funcref"},
	codeExternRef: {ExternRef, FeatureReferenceTypes, "externref"},
	codeRefNull:   {need: FeatureFunctionReferences, name: "a reference type (ref null …)"},
	codeRef:       {need: FeatureFunctionReferences, name: "a reference type (ref …)"},
	codeExnRef:    {need: FeatureExceptions, name: "exnref"},
	codeNoExnRef:  {need: FeatureExceptions, name: "nullexnref"},
	0x73:          {need: FeatureGC, name: "nullfuncref"},
	0x72:          {need: FeatureGC, name: "nullexternref"},
	0x71:          {need: FeatureGC, name: "nullref"},
	0x6e:          {need: FeatureGC, name: "anyref"},
	0x6d:          {need: FeatureGC, name: "eqref"},
	0x6c:          {need: FeatureGC, name: "i31ref"},
	0x6b:          {need: FeatureGC, name: "structref"},
	0x6a:          {need: FeatureGC, name: "arrayref"},
	0x78:          {need: FeatureGC, name: "i8"},
	0x77:          {need: FeatureGC, name: "i16"},
}

// valType reads a value type.
func (r *reader) valType(enabled Features) ValType {
	pos := r.pos
	b := r.byte()
	if b < 0x80 {
		if c := typeCodes[b]; c.t != Bottom || c.need != 0 {
			if c.need&^enabled != 0 {
				r.need(enabled, c.need, pos, c.name)
			}
			return c.t
		}
	}
	r.failAt(pos, "malformed value type 0x%02x", b)
	return Bottom
}

// refType reads a reference type.
func (r *reader) refType(enabled Features) ValType {
	pos := r.pos
	// Wasm 1.0 has funcref, but only as the type of tables.
	if t := r.valType(enabled | FeatureReferenceTypes); t.IsRef() || r.err != nil {
		if t != FuncRef {
			r.need(enabled, FeatureReferenceTypes, pos, t.String())
		}
		return t
	}
	r.failAt(pos, "malformed reference type 0x%02x", r.src[pos])
	return FuncRef
}

// heapType reads the type of ref.null's result.
func (r *reader) heapType(enabled Features) ValType {
	pos := r.pos
	if h := r.s33(); h >= 0 {
		r.need(enabled, FeatureFunctionReferences, pos, "ref.null of a type index")
		r.failAt(pos, "unknown heap type %d", h)
		return FuncRef
	}
	if r.err != nil {
		return FuncRef
	}
	r.pos = pos
	return r.refType(enabled)
}
