package frontend

import (
	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/ssa"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/internal/lazy"
)

// vectorLowering is the lowering of an operator on vectors with its shape.
type vectorLowering struct {
	emit  func(b *Builder, l *lowering)
	op    ssa.Op
	typ   abi.Type
	shape ssa.Shape
}

// vectorLowerings gives the operators without their shapes.
func vectorLowerings() []lowering {
	all := make([]lowering, len(vectors))
	for op, v := range vectors {
		all[op] = lowering{v.emit, v.op, v.typ}
	}
	return all
}

// vectorShapes is indexed by opcode.
var vectorShapes lazy.Value[*[opcodes]ssa.Shape]

func makeVectorShapes() *[opcodes]ssa.Shape {
	all := new([opcodes]ssa.Shape)
	for op, v := range vectors {
		all[op] = v.shape
	}
	return all
}

// shape is the current operator's.
func (b *Builder) shape() ssa.Shape { return b.shapes[b.in.Op] }

func (b *Builder) laneOperand() uint32 { return ssa.LaneOperand(b.shape(), b.in.Index2) }

// vectors are the operators on vectors.
var vectors = []vectorLowering{
	wasm.OpSHA256Rounds: {emitTernary, ssa.OpVSHA256Rounds, abi.V128, 0},
	wasm.OpSHA256Msg1:   {emitBinary, ssa.OpVSHA256Msg1, abi.V128, 0},
	wasm.OpSHA256Msg2:   {emitBinary, ssa.OpVSHA256Msg2, abi.V128, 0},

	wasm.OpV128Load:                  {emitLoad, ssa.OpLoad, abi.V128, 0},
	wasm.OpV128Load8x8S:              {emitVecLoad, ssa.OpVLoadExtS, abi.V128, ssa.I16x8},
	wasm.OpV128Load8x8U:              {emitVecLoad, ssa.OpVLoadExtU, abi.V128, ssa.I16x8},
	wasm.OpV128Load16x4S:             {emitVecLoad, ssa.OpVLoadExtS, abi.V128, ssa.I32x4},
	wasm.OpV128Load16x4U:             {emitVecLoad, ssa.OpVLoadExtU, abi.V128, ssa.I32x4},
	wasm.OpV128Load32x2S:             {emitVecLoad, ssa.OpVLoadExtS, abi.V128, ssa.I64x2},
	wasm.OpV128Load32x2U:             {emitVecLoad, ssa.OpVLoadExtU, abi.V128, ssa.I64x2},
	wasm.OpV128Load8Splat:            {emitVecLoad, ssa.OpVLoadSplat, abi.V128, ssa.I8x16},
	wasm.OpV128Load16Splat:           {emitVecLoad, ssa.OpVLoadSplat, abi.V128, ssa.I16x8},
	wasm.OpV128Load32Splat:           {emitVecLoad, ssa.OpVLoadSplat, abi.V128, ssa.I32x4},
	wasm.OpV128Load64Splat:           {emitVecLoad, ssa.OpVLoadSplat, abi.V128, ssa.I64x2},
	wasm.OpV128Store:                 {emitStore, ssa.OpStore, abi.Void, 0},
	wasm.OpV128Const:                 {emitVecConst, ssa.OpConst, abi.V128, 0},
	wasm.OpI8x16Shuffle:              {emitVecShuffle, ssa.OpVShuffle, abi.V128, 0},
	wasm.OpI8x16Swizzle:              {emitBinary, ssa.OpVSwizzle, abi.V128, 0},
	wasm.OpI8x16Splat:                {emitVecUnary, ssa.OpVSplat, abi.V128, ssa.I8x16},
	wasm.OpI16x8Splat:                {emitVecUnary, ssa.OpVSplat, abi.V128, ssa.I16x8},
	wasm.OpI32x4Splat:                {emitVecUnary, ssa.OpVSplat, abi.V128, ssa.I32x4},
	wasm.OpI64x2Splat:                {emitVecUnary, ssa.OpVSplat, abi.V128, ssa.I64x2},
	wasm.OpF32x4Splat:                {emitVecUnary, ssa.OpVSplat, abi.V128, ssa.F32x4},
	wasm.OpF64x2Splat:                {emitVecUnary, ssa.OpVSplat, abi.V128, ssa.F64x2},
	wasm.OpI8x16ExtractLaneS:         {emitVecExtract, ssa.OpVExtractS, abi.I32, ssa.I8x16},
	wasm.OpI8x16ExtractLaneU:         {emitVecExtract, ssa.OpVExtract, abi.I32, ssa.I8x16},
	wasm.OpI8x16ReplaceLane:          {emitVecReplace, ssa.OpVReplace, abi.V128, ssa.I8x16},
	wasm.OpI16x8ExtractLaneS:         {emitVecExtract, ssa.OpVExtractS, abi.I32, ssa.I16x8},
	wasm.OpI16x8ExtractLaneU:         {emitVecExtract, ssa.OpVExtract, abi.I32, ssa.I16x8},
	wasm.OpI16x8ReplaceLane:          {emitVecReplace, ssa.OpVReplace, abi.V128, ssa.I16x8},
	wasm.OpI32x4ExtractLane:          {emitVecExtract, ssa.OpVExtract, abi.I32, ssa.I32x4},
	wasm.OpI32x4ReplaceLane:          {emitVecReplace, ssa.OpVReplace, abi.V128, ssa.I32x4},
	wasm.OpI64x2ExtractLane:          {emitVecExtract, ssa.OpVExtract, abi.I64, ssa.I64x2},
	wasm.OpI64x2ReplaceLane:          {emitVecReplace, ssa.OpVReplace, abi.V128, ssa.I64x2},
	wasm.OpF32x4ExtractLane:          {emitVecExtract, ssa.OpVExtract, abi.F32, ssa.F32x4},
	wasm.OpF32x4ReplaceLane:          {emitVecReplace, ssa.OpVReplace, abi.V128, ssa.F32x4},
	wasm.OpF64x2ExtractLane:          {emitVecExtract, ssa.OpVExtract, abi.F64, ssa.F64x2},
	wasm.OpF64x2ReplaceLane:          {emitVecReplace, ssa.OpVReplace, abi.V128, ssa.F64x2},
	wasm.OpI8x16Eq:                   {emitVecBinary, ssa.OpVEq, abi.V128, ssa.I8x16},
	wasm.OpI8x16Ne:                   {emitVecBinary, ssa.OpVNe, abi.V128, ssa.I8x16},
	wasm.OpI8x16LtS:                  {emitVecBinary, ssa.OpVLtS, abi.V128, ssa.I8x16},
	wasm.OpI8x16LtU:                  {emitVecBinary, ssa.OpVLtU, abi.V128, ssa.I8x16},
	wasm.OpI8x16GtS:                  {emitVecBinary, ssa.OpVGtS, abi.V128, ssa.I8x16},
	wasm.OpI8x16GtU:                  {emitVecBinary, ssa.OpVGtU, abi.V128, ssa.I8x16},
	wasm.OpI8x16LeS:                  {emitVecBinary, ssa.OpVLeS, abi.V128, ssa.I8x16},
	wasm.OpI8x16LeU:                  {emitVecBinary, ssa.OpVLeU, abi.V128, ssa.I8x16},
	wasm.OpI8x16GeS:                  {emitVecBinary, ssa.OpVGeS, abi.V128, ssa.I8x16},
	wasm.OpI8x16GeU:                  {emitVecBinary, ssa.OpVGeU, abi.V128, ssa.I8x16},
	wasm.OpI16x8Eq:                   {emitVecBinary, ssa.OpVEq, abi.V128, ssa.I16x8},
	wasm.OpI16x8Ne:                   {emitVecBinary, ssa.OpVNe, abi.V128, ssa.I16x8},
	wasm.OpI16x8LtS:                  {emitVecBinary, ssa.OpVLtS, abi.V128, ssa.I16x8},
	wasm.OpI16x8LtU:                  {emitVecBinary, ssa.OpVLtU, abi.V128, ssa.I16x8},
	wasm.OpI16x8GtS:                  {emitVecBinary, ssa.OpVGtS, abi.V128, ssa.I16x8},
	wasm.OpI16x8GtU:                  {emitVecBinary, ssa.OpVGtU, abi.V128, ssa.I16x8},
	wasm.OpI16x8LeS:                  {emitVecBinary, ssa.OpVLeS, abi.V128, ssa.I16x8},
	wasm.OpI16x8LeU:                  {emitVecBinary, ssa.OpVLeU, abi.V128, ssa.I16x8},
	wasm.OpI16x8GeS:                  {emitVecBinary, ssa.OpVGeS, abi.V128, ssa.I16x8},
	wasm.OpI16x8GeU:                  {emitVecBinary, ssa.OpVGeU, abi.V128, ssa.I16x8},
	wasm.OpI32x4Eq:                   {emitVecBinary, ssa.OpVEq, abi.V128, ssa.I32x4},
	wasm.OpI32x4Ne:                   {emitVecBinary, ssa.OpVNe, abi.V128, ssa.I32x4},
	wasm.OpI32x4LtS:                  {emitVecBinary, ssa.OpVLtS, abi.V128, ssa.I32x4},
	wasm.OpI32x4LtU:                  {emitVecBinary, ssa.OpVLtU, abi.V128, ssa.I32x4},
	wasm.OpI32x4GtS:                  {emitVecBinary, ssa.OpVGtS, abi.V128, ssa.I32x4},
	wasm.OpI32x4GtU:                  {emitVecBinary, ssa.OpVGtU, abi.V128, ssa.I32x4},
	wasm.OpI32x4LeS:                  {emitVecBinary, ssa.OpVLeS, abi.V128, ssa.I32x4},
	wasm.OpI32x4LeU:                  {emitVecBinary, ssa.OpVLeU, abi.V128, ssa.I32x4},
	wasm.OpI32x4GeS:                  {emitVecBinary, ssa.OpVGeS, abi.V128, ssa.I32x4},
	wasm.OpI32x4GeU:                  {emitVecBinary, ssa.OpVGeU, abi.V128, ssa.I32x4},
	wasm.OpF32x4Eq:                   {emitVecBinary, ssa.OpVEq, abi.V128, ssa.F32x4},
	wasm.OpF32x4Ne:                   {emitVecBinary, ssa.OpVNe, abi.V128, ssa.F32x4},
	wasm.OpF32x4Lt:                   {emitVecBinary, ssa.OpVLtS, abi.V128, ssa.F32x4},
	wasm.OpF32x4Gt:                   {emitVecBinary, ssa.OpVGtS, abi.V128, ssa.F32x4},
	wasm.OpF32x4Le:                   {emitVecBinary, ssa.OpVLeS, abi.V128, ssa.F32x4},
	wasm.OpF32x4Ge:                   {emitVecBinary, ssa.OpVGeS, abi.V128, ssa.F32x4},
	wasm.OpF64x2Eq:                   {emitVecBinary, ssa.OpVEq, abi.V128, ssa.F64x2},
	wasm.OpF64x2Ne:                   {emitVecBinary, ssa.OpVNe, abi.V128, ssa.F64x2},
	wasm.OpF64x2Lt:                   {emitVecBinary, ssa.OpVLtS, abi.V128, ssa.F64x2},
	wasm.OpF64x2Gt:                   {emitVecBinary, ssa.OpVGtS, abi.V128, ssa.F64x2},
	wasm.OpF64x2Le:                   {emitVecBinary, ssa.OpVLeS, abi.V128, ssa.F64x2},
	wasm.OpF64x2Ge:                   {emitVecBinary, ssa.OpVGeS, abi.V128, ssa.F64x2},
	wasm.OpV128Not:                   {emitVecNot, ssa.OpVXor, abi.V128, 0},
	wasm.OpV128And:                   {emitBinary, ssa.OpVAnd, abi.V128, 0},
	wasm.OpV128Andnot:                {emitBinary, ssa.OpVAndNot, abi.V128, 0},
	wasm.OpV128Or:                    {emitBinary, ssa.OpVOr, abi.V128, 0},
	wasm.OpV128Xor:                   {emitBinary, ssa.OpVXor, abi.V128, 0},
	wasm.OpV128Bitselect:             {emitTernary, ssa.OpVBitselect, abi.V128, 0},
	wasm.OpV128AnyTrue:               {emitUnary, ssa.OpVAnyTrue, abi.I32, 0},
	wasm.OpV128Load8Lane:             {emitVecLoadLane, ssa.OpVLoadLane, abi.V128, ssa.I8x16},
	wasm.OpV128Load16Lane:            {emitVecLoadLane, ssa.OpVLoadLane, abi.V128, ssa.I16x8},
	wasm.OpV128Load32Lane:            {emitVecLoadLane, ssa.OpVLoadLane, abi.V128, ssa.I32x4},
	wasm.OpV128Load64Lane:            {emitVecLoadLane, ssa.OpVLoadLane, abi.V128, ssa.I64x2},
	wasm.OpV128Store8Lane:            {emitVecStoreLane, ssa.OpVStoreLane, abi.Void, ssa.I8x16},
	wasm.OpV128Store16Lane:           {emitVecStoreLane, ssa.OpVStoreLane, abi.Void, ssa.I16x8},
	wasm.OpV128Store32Lane:           {emitVecStoreLane, ssa.OpVStoreLane, abi.Void, ssa.I32x4},
	wasm.OpV128Store64Lane:           {emitVecStoreLane, ssa.OpVStoreLane, abi.Void, ssa.I64x2},
	wasm.OpV128Load32Zero:            {emitVecLoad, ssa.OpVLoadZero, abi.V128, ssa.I32x4},
	wasm.OpV128Load64Zero:            {emitVecLoad, ssa.OpVLoadZero, abi.V128, ssa.I64x2},
	wasm.OpF32x4DemoteF64x2Zero:      {emitVecUnary, ssa.OpVDemote, abi.V128, ssa.F32x4},
	wasm.OpF64x2PromoteLowF32x4:      {emitVecUnary, ssa.OpVPromote, abi.V128, ssa.F64x2},
	wasm.OpI8x16Abs:                  {emitVecUnary, ssa.OpVAbs, abi.V128, ssa.I8x16},
	wasm.OpI8x16Neg:                  {emitVecUnary, ssa.OpVNeg, abi.V128, ssa.I8x16},
	wasm.OpI8x16Popcnt:               {emitVecUnary, ssa.OpVPopcnt, abi.V128, ssa.I8x16},
	wasm.OpI8x16AllTrue:              {emitVecUnary, ssa.OpVAllTrue, abi.I32, ssa.I8x16},
	wasm.OpI8x16Bitmask:              {emitVecUnary, ssa.OpVBitmask, abi.I32, ssa.I8x16},
	wasm.OpI8x16NarrowI16x8S:         {emitVecBinary, ssa.OpVNarrowS, abi.V128, ssa.I8x16},
	wasm.OpI8x16NarrowI16x8U:         {emitVecBinary, ssa.OpVNarrowU, abi.V128, ssa.I8x16},
	wasm.OpF32x4Ceil:                 {emitVecUnary, ssa.OpVCeil, abi.V128, ssa.F32x4},
	wasm.OpF32x4Floor:                {emitVecUnary, ssa.OpVFloor, abi.V128, ssa.F32x4},
	wasm.OpF32x4Trunc:                {emitVecUnary, ssa.OpVTrunc, abi.V128, ssa.F32x4},
	wasm.OpF32x4Nearest:              {emitVecUnary, ssa.OpVNearest, abi.V128, ssa.F32x4},
	wasm.OpI8x16Shl:                  {emitVecBinary, ssa.OpVShl, abi.V128, ssa.I8x16},
	wasm.OpI8x16ShrS:                 {emitVecBinary, ssa.OpVShrS, abi.V128, ssa.I8x16},
	wasm.OpI8x16ShrU:                 {emitVecBinary, ssa.OpVShrU, abi.V128, ssa.I8x16},
	wasm.OpI8x16Add:                  {emitVecBinary, ssa.OpVAdd, abi.V128, ssa.I8x16},
	wasm.OpI8x16AddSatS:              {emitVecBinary, ssa.OpVAddSatS, abi.V128, ssa.I8x16},
	wasm.OpI8x16AddSatU:              {emitVecBinary, ssa.OpVAddSatU, abi.V128, ssa.I8x16},
	wasm.OpI8x16Sub:                  {emitVecBinary, ssa.OpVSub, abi.V128, ssa.I8x16},
	wasm.OpI8x16SubSatS:              {emitVecBinary, ssa.OpVSubSatS, abi.V128, ssa.I8x16},
	wasm.OpI8x16SubSatU:              {emitVecBinary, ssa.OpVSubSatU, abi.V128, ssa.I8x16},
	wasm.OpF64x2Ceil:                 {emitVecUnary, ssa.OpVCeil, abi.V128, ssa.F64x2},
	wasm.OpF64x2Floor:                {emitVecUnary, ssa.OpVFloor, abi.V128, ssa.F64x2},
	wasm.OpI8x16MinS:                 {emitVecBinary, ssa.OpVMinS, abi.V128, ssa.I8x16},
	wasm.OpI8x16MinU:                 {emitVecBinary, ssa.OpVMinU, abi.V128, ssa.I8x16},
	wasm.OpI8x16MaxS:                 {emitVecBinary, ssa.OpVMaxS, abi.V128, ssa.I8x16},
	wasm.OpI8x16MaxU:                 {emitVecBinary, ssa.OpVMaxU, abi.V128, ssa.I8x16},
	wasm.OpF64x2Trunc:                {emitVecUnary, ssa.OpVTrunc, abi.V128, ssa.F64x2},
	wasm.OpI8x16AvgrU:                {emitVecBinary, ssa.OpVAvgr, abi.V128, ssa.I8x16},
	wasm.OpI16x8ExtaddPairwiseI8x16S: {emitVecUnary, ssa.OpVExtAddS, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtaddPairwiseI8x16U: {emitVecUnary, ssa.OpVExtAddU, abi.V128, ssa.I16x8},
	wasm.OpI32x4ExtaddPairwiseI16x8S: {emitVecUnary, ssa.OpVExtAddS, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtaddPairwiseI16x8U: {emitVecUnary, ssa.OpVExtAddU, abi.V128, ssa.I32x4},
	wasm.OpI16x8Abs:                  {emitVecUnary, ssa.OpVAbs, abi.V128, ssa.I16x8},
	wasm.OpI16x8Neg:                  {emitVecUnary, ssa.OpVNeg, abi.V128, ssa.I16x8},
	wasm.OpI16x8Q15mulrSatS:          {emitVecBinary, ssa.OpVQ15Mul, abi.V128, ssa.I16x8},
	wasm.OpI16x8AllTrue:              {emitVecUnary, ssa.OpVAllTrue, abi.I32, ssa.I16x8},
	wasm.OpI16x8Bitmask:              {emitVecUnary, ssa.OpVBitmask, abi.I32, ssa.I16x8},
	wasm.OpI16x8NarrowI32x4S:         {emitVecBinary, ssa.OpVNarrowS, abi.V128, ssa.I16x8},
	wasm.OpI16x8NarrowI32x4U:         {emitVecBinary, ssa.OpVNarrowU, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtendLowI8x16S:      {emitVecUnary, ssa.OpVExtendLowS, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtendHighI8x16S:     {emitVecUnary, ssa.OpVExtendHighS, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtendLowI8x16U:      {emitVecUnary, ssa.OpVExtendLowU, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtendHighI8x16U:     {emitVecUnary, ssa.OpVExtendHighU, abi.V128, ssa.I16x8},
	wasm.OpI16x8Shl:                  {emitVecBinary, ssa.OpVShl, abi.V128, ssa.I16x8},
	wasm.OpI16x8ShrS:                 {emitVecBinary, ssa.OpVShrS, abi.V128, ssa.I16x8},
	wasm.OpI16x8ShrU:                 {emitVecBinary, ssa.OpVShrU, abi.V128, ssa.I16x8},
	wasm.OpI16x8Add:                  {emitVecBinary, ssa.OpVAdd, abi.V128, ssa.I16x8},
	wasm.OpI16x8AddSatS:              {emitVecBinary, ssa.OpVAddSatS, abi.V128, ssa.I16x8},
	wasm.OpI16x8AddSatU:              {emitVecBinary, ssa.OpVAddSatU, abi.V128, ssa.I16x8},
	wasm.OpI16x8Sub:                  {emitVecBinary, ssa.OpVSub, abi.V128, ssa.I16x8},
	wasm.OpI16x8SubSatS:              {emitVecBinary, ssa.OpVSubSatS, abi.V128, ssa.I16x8},
	wasm.OpI16x8SubSatU:              {emitVecBinary, ssa.OpVSubSatU, abi.V128, ssa.I16x8},
	wasm.OpF64x2Nearest:              {emitVecUnary, ssa.OpVNearest, abi.V128, ssa.F64x2},
	wasm.OpI16x8Mul:                  {emitVecBinary, ssa.OpVMul, abi.V128, ssa.I16x8},
	wasm.OpI16x8MinS:                 {emitVecBinary, ssa.OpVMinS, abi.V128, ssa.I16x8},
	wasm.OpI16x8MinU:                 {emitVecBinary, ssa.OpVMinU, abi.V128, ssa.I16x8},
	wasm.OpI16x8MaxS:                 {emitVecBinary, ssa.OpVMaxS, abi.V128, ssa.I16x8},
	wasm.OpI16x8MaxU:                 {emitVecBinary, ssa.OpVMaxU, abi.V128, ssa.I16x8},
	wasm.OpI16x8AvgrU:                {emitVecBinary, ssa.OpVAvgr, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtmulLowI8x16S:      {emitVecBinary, ssa.OpVExtMulLowS, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtmulHighI8x16S:     {emitVecBinary, ssa.OpVExtMulHighS, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtmulLowI8x16U:      {emitVecBinary, ssa.OpVExtMulLowU, abi.V128, ssa.I16x8},
	wasm.OpI16x8ExtmulHighI8x16U:     {emitVecBinary, ssa.OpVExtMulHighU, abi.V128, ssa.I16x8},
	wasm.OpI32x4Abs:                  {emitVecUnary, ssa.OpVAbs, abi.V128, ssa.I32x4},
	wasm.OpI32x4Neg:                  {emitVecUnary, ssa.OpVNeg, abi.V128, ssa.I32x4},
	wasm.OpI32x4AllTrue:              {emitVecUnary, ssa.OpVAllTrue, abi.I32, ssa.I32x4},
	wasm.OpI32x4Bitmask:              {emitVecUnary, ssa.OpVBitmask, abi.I32, ssa.I32x4},
	wasm.OpI32x4ExtendLowI16x8S:      {emitVecUnary, ssa.OpVExtendLowS, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtendHighI16x8S:     {emitVecUnary, ssa.OpVExtendHighS, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtendLowI16x8U:      {emitVecUnary, ssa.OpVExtendLowU, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtendHighI16x8U:     {emitVecUnary, ssa.OpVExtendHighU, abi.V128, ssa.I32x4},
	wasm.OpI32x4Shl:                  {emitVecBinary, ssa.OpVShl, abi.V128, ssa.I32x4},
	wasm.OpI32x4ShrS:                 {emitVecBinary, ssa.OpVShrS, abi.V128, ssa.I32x4},
	wasm.OpI32x4ShrU:                 {emitVecBinary, ssa.OpVShrU, abi.V128, ssa.I32x4},
	wasm.OpI32x4Add:                  {emitVecBinary, ssa.OpVAdd, abi.V128, ssa.I32x4},
	wasm.OpI32x4Sub:                  {emitVecBinary, ssa.OpVSub, abi.V128, ssa.I32x4},
	wasm.OpI32x4Mul:                  {emitVecBinary, ssa.OpVMul, abi.V128, ssa.I32x4},
	wasm.OpI32x4MinS:                 {emitVecBinary, ssa.OpVMinS, abi.V128, ssa.I32x4},
	wasm.OpI32x4MinU:                 {emitVecBinary, ssa.OpVMinU, abi.V128, ssa.I32x4},
	wasm.OpI32x4MaxS:                 {emitVecBinary, ssa.OpVMaxS, abi.V128, ssa.I32x4},
	wasm.OpI32x4MaxU:                 {emitVecBinary, ssa.OpVMaxU, abi.V128, ssa.I32x4},
	wasm.OpI32x4DotI16x8S:            {emitVecBinary, ssa.OpVDot, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtmulLowI16x8S:      {emitVecBinary, ssa.OpVExtMulLowS, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtmulHighI16x8S:     {emitVecBinary, ssa.OpVExtMulHighS, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtmulLowI16x8U:      {emitVecBinary, ssa.OpVExtMulLowU, abi.V128, ssa.I32x4},
	wasm.OpI32x4ExtmulHighI16x8U:     {emitVecBinary, ssa.OpVExtMulHighU, abi.V128, ssa.I32x4},
	wasm.OpI64x2Abs:                  {emitVecUnary, ssa.OpVAbs, abi.V128, ssa.I64x2},
	wasm.OpI64x2Neg:                  {emitVecUnary, ssa.OpVNeg, abi.V128, ssa.I64x2},
	wasm.OpI64x2AllTrue:              {emitVecUnary, ssa.OpVAllTrue, abi.I32, ssa.I64x2},
	wasm.OpI64x2Bitmask:              {emitVecUnary, ssa.OpVBitmask, abi.I32, ssa.I64x2},
	wasm.OpI64x2ExtendLowI32x4S:      {emitVecUnary, ssa.OpVExtendLowS, abi.V128, ssa.I64x2},
	wasm.OpI64x2ExtendHighI32x4S:     {emitVecUnary, ssa.OpVExtendHighS, abi.V128, ssa.I64x2},
	wasm.OpI64x2ExtendLowI32x4U:      {emitVecUnary, ssa.OpVExtendLowU, abi.V128, ssa.I64x2},
	wasm.OpI64x2ExtendHighI32x4U:     {emitVecUnary, ssa.OpVExtendHighU, abi.V128, ssa.I64x2},
	wasm.OpI64x2Shl:                  {emitVecBinary, ssa.OpVShl, abi.V128, ssa.I64x2},
	wasm.OpI64x2ShrS:                 {emitVecBinary, ssa.OpVShrS, abi.V128, ssa.I64x2},
	wasm.OpI64x2ShrU:                 {emitVecBinary, ssa.OpVShrU, abi.V128, ssa.I64x2},
	wasm.OpI64x2Add:                  {emitVecBinary, ssa.OpVAdd, abi.V128, ssa.I64x2},
	wasm.OpI64x2Sub:                  {emitVecBinary, ssa.OpVSub, abi.V128, ssa.I64x2},
	wasm.OpI64x2Mul:                  {emitVecBinary, ssa.OpVMul, abi.V128, ssa.I64x2},
	wasm.OpI64x2Eq:                   {emitVecBinary, ssa.OpVEq, abi.V128, ssa.I64x2},
	wasm.OpI64x2Ne:                   {emitVecBinary, ssa.OpVNe, abi.V128, ssa.I64x2},
	wasm.OpI64x2LtS:                  {emitVecBinary, ssa.OpVLtS, abi.V128, ssa.I64x2},
	wasm.OpI64x2GtS:                  {emitVecBinary, ssa.OpVGtS, abi.V128, ssa.I64x2},
	wasm.OpI64x2LeS:                  {emitVecBinary, ssa.OpVLeS, abi.V128, ssa.I64x2},
	wasm.OpI64x2GeS:                  {emitVecBinary, ssa.OpVGeS, abi.V128, ssa.I64x2},
	wasm.OpI64x2ExtmulLowI32x4S:      {emitVecBinary, ssa.OpVExtMulLowS, abi.V128, ssa.I64x2},
	wasm.OpI64x2ExtmulHighI32x4S:     {emitVecBinary, ssa.OpVExtMulHighS, abi.V128, ssa.I64x2},
	wasm.OpI64x2ExtmulLowI32x4U:      {emitVecBinary, ssa.OpVExtMulLowU, abi.V128, ssa.I64x2},
	wasm.OpI64x2ExtmulHighI32x4U:     {emitVecBinary, ssa.OpVExtMulHighU, abi.V128, ssa.I64x2},
	wasm.OpF32x4Abs:                  {emitVecUnary, ssa.OpVAbs, abi.V128, ssa.F32x4},
	wasm.OpF32x4Neg:                  {emitVecUnary, ssa.OpVNeg, abi.V128, ssa.F32x4},
	wasm.OpF32x4Sqrt:                 {emitVecUnary, ssa.OpVSqrt, abi.V128, ssa.F32x4},
	wasm.OpF32x4Add:                  {emitVecBinary, ssa.OpVAdd, abi.V128, ssa.F32x4},
	wasm.OpF32x4Sub:                  {emitVecBinary, ssa.OpVSub, abi.V128, ssa.F32x4},
	wasm.OpF32x4Mul:                  {emitVecBinary, ssa.OpVMul, abi.V128, ssa.F32x4},
	wasm.OpF32x4Div:                  {emitVecBinary, ssa.OpVDiv, abi.V128, ssa.F32x4},
	wasm.OpF32x4Min:                  {emitVecBinary, ssa.OpVMin, abi.V128, ssa.F32x4},
	wasm.OpF32x4Max:                  {emitVecBinary, ssa.OpVMax, abi.V128, ssa.F32x4},
	wasm.OpF32x4Pmin:                 {emitVecBinary, ssa.OpVPmin, abi.V128, ssa.F32x4},
	wasm.OpF32x4Pmax:                 {emitVecBinary, ssa.OpVPmax, abi.V128, ssa.F32x4},
	wasm.OpF64x2Abs:                  {emitVecUnary, ssa.OpVAbs, abi.V128, ssa.F64x2},
	wasm.OpF64x2Neg:                  {emitVecUnary, ssa.OpVNeg, abi.V128, ssa.F64x2},
	wasm.OpF64x2Sqrt:                 {emitVecUnary, ssa.OpVSqrt, abi.V128, ssa.F64x2},
	wasm.OpF64x2Add:                  {emitVecBinary, ssa.OpVAdd, abi.V128, ssa.F64x2},
	wasm.OpF64x2Sub:                  {emitVecBinary, ssa.OpVSub, abi.V128, ssa.F64x2},
	wasm.OpF64x2Mul:                  {emitVecBinary, ssa.OpVMul, abi.V128, ssa.F64x2},
	wasm.OpF64x2Div:                  {emitVecBinary, ssa.OpVDiv, abi.V128, ssa.F64x2},
	wasm.OpF64x2Min:                  {emitVecBinary, ssa.OpVMin, abi.V128, ssa.F64x2},
	wasm.OpF64x2Max:                  {emitVecBinary, ssa.OpVMax, abi.V128, ssa.F64x2},
	wasm.OpF64x2Pmin:                 {emitVecBinary, ssa.OpVPmin, abi.V128, ssa.F64x2},
	wasm.OpF64x2Pmax:                 {emitVecBinary, ssa.OpVPmax, abi.V128, ssa.F64x2},
	wasm.OpI32x4TruncSatF32x4S:       {emitVecUnary, ssa.OpVTruncSatS, abi.V128, ssa.F32x4},
	wasm.OpI32x4TruncSatF32x4U:       {emitVecUnary, ssa.OpVTruncSatU, abi.V128, ssa.F32x4},
	wasm.OpF32x4ConvertI32x4S:        {emitVecUnary, ssa.OpVConvS, abi.V128, ssa.F32x4},
	wasm.OpF32x4ConvertI32x4U:        {emitVecUnary, ssa.OpVConvU, abi.V128, ssa.F32x4},
	wasm.OpI32x4TruncSatF64x2SZero:   {emitVecUnary, ssa.OpVTruncSatS, abi.V128, ssa.F64x2},
	wasm.OpI32x4TruncSatF64x2UZero:   {emitVecUnary, ssa.OpVTruncSatU, abi.V128, ssa.F64x2},
	wasm.OpF64x2ConvertLowI32x4S:     {emitVecUnary, ssa.OpVConvS, abi.V128, ssa.F64x2},
	wasm.OpF64x2ConvertLowI32x4U:     {emitVecUnary, ssa.OpVConvU, abi.V128, ssa.F64x2},
}

func emitVecConst(b *Builder, _ *lowering) { b.result(uint32(b.f.VecConst(b.in.Vec))) }

// ones is a vector of ones, which XOR makes NOT of.
var ones = [16]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func emitVecNot(b *Builder, l *lowering) {
	b.result(b.emit(l.op, l.typ, b.v.Args()[0], uint32(b.f.VecConst(ones)), 0))
}

func emitVecUnary(b *Builder, l *lowering) {
	b.result(b.emit(l.op, l.typ, b.v.Args()[0], uint32(b.shape()), 0))
}

func emitVecBinary(b *Builder, l *lowering) {
	a := b.v.Args()
	b.result(b.emit(l.op, l.typ, a[0], a[1], uint32(b.shape())))
}

func emitTernary(b *Builder, l *lowering) {
	a := b.v.Args()
	b.result(b.emit(l.op, l.typ, a[0], a[1], a[2]))
}

func emitVecExtract(b *Builder, l *lowering) {
	b.result(b.emit(l.op, l.typ, b.v.Args()[0], b.laneOperand(), 0))
}

func emitVecReplace(b *Builder, l *lowering) {
	a := b.v.Args()
	b.result(b.emit(l.op, l.typ, a[0], a[1], b.laneOperand()))
}

func emitVecShuffle(b *Builder, l *lowering) {
	a := b.v.Args()
	b.result(b.emit(l.op, l.typ, a[0], a[1], uint32(b.f.VecConst(b.in.Vec))))
}

func emitVecLoad(b *Builder, l *lowering) {
	b.result(b.emit(l.op, l.typ, b.address(b.v.Args()[0]), uint32(b.shape()), 0))
}

func emitVecLoadLane(b *Builder, l *lowering) {
	a := b.v.Args()
	b.result(b.emit(l.op, l.typ, b.address(a[0]), a[1], b.laneOperand()))
}

func emitVecStoreLane(b *Builder, l *lowering) {
	a := b.v.Args()
	b.emit(l.op, abi.Void, b.address(a[0]), a[1], b.laneOperand())
}
