package amd64

// templates has the emitter of each template.
var templates = [templateEnd]func(e *emitter){
	tMove32: (*emitter).emitLoad,
	tLoad:   (*emitter).emitLoad,
	tLoadI:  (*emitter).emitLoadI,
	tStore:  (*emitter).emitStore,
	tStoreI: (*emitter).emitStoreI,
	tTwo:    (*emitter).emitTwo,
	tOne:    (*emitter).emitOne,
	tShift:  (*emitter).emitOne,
	tShiftX: (*emitter).emitShiftX,
	tLea:    (*emitter).emitLea,
	tOffset: (*emitter).emitOffset,

	tSet:     (*emitter).emitSet,
	tSelect:  (*emitter).emitSelect,
	tSelectF: (*emitter).emitSelectF,
	tAddBit:  (*emitter).emitAddBit,
	tAddWide: (*emitter).emitAddWide,

	tDiv:   (*emitter).emitDiv,
	tDivS:  (*emitter).emitDivS,
	tRemS:  (*emitter).emitRemS,
	tMulHi: (*emitter).emitMulHi,
	tMulX:  (*emitter).emitMulX,

	tAddLimbs:    (*emitter).emitAddLimbs,
	tMulAddLimbs: (*emitter).emitMulAddLimbs,

	tBitScan: (*emitter).emitBitScan,

	tFloatTwo:  (*emitter).emitFloatTwo,
	tFloatMask: (*emitter).emitFloatMask,
	tCopysign:  (*emitter).emitCopysign,
	tMinMax:    (*emitter).emitMinMax,
	tConvU64:   (*emitter).emitConvU64,
	tTrunc:     (*emitter).emitTrunc,
	tTruncU:    (*emitter).emitTruncU,
	tTruncSat:  (*emitter).emitTrunc,
	tTruncSatU: (*emitter).emitTruncU,
	tBitcast:   (*emitter).emitBitcast,

	tVector: (*emitter).emitVector,
	tRounds: (*emitter).emitRounds,

	tCheckAddr: (*emitter).emitCheckAddr,
	tIndexMask: (*emitter).emitIndexMask,
	tMemCopy:   (*emitter).emitMemCopy,
	tMemFill:   (*emitter).emitMemFill,
	tCopyShort: (*emitter).emitCopyShort,
	tFillShort: (*emitter).emitFillShort,

	tPoison:    (*emitter).emitPoison,
	tPinned:    (*emitter).emitPinned,
	tPin:       (*emitter).emitPin,
	tCall:      (*emitter).emitCall,
	tCallOwn:   (*emitter).emitCallOwn,
	tCallDesc:  (*emitter).emitCallDesc,
	tCallTable: (*emitter).emitCallTable,
}

// slowPaths has what templates do out of line.
var slowPaths = [templateEnd]func(e *emitter, back Label){
	tRemS:      (*emitter).slowRemS,
	tConvU64:   (*emitter).slowConvU64,
	tTrunc:     (*emitter).slowTrunc,
	tTruncU:    (*emitter).slowTruncU,
	tTruncSat:  (*emitter).slowTruncSat,
	tTruncSatU: (*emitter).slowTruncSatU,
}
