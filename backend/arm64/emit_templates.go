package arm64

// templates has the emitter of each template.
var templates = [templateEnd]func(e *emitter){
	tMove32:  (*emitter).emitMove32,
	tCopy:    (*emitter).emitCopy,
	tOne:     (*emitter).emitOne,
	tTwo:     (*emitter).emitTwo,
	tThree:   (*emitter).emitThree,
	tField:   (*emitter).emitField,
	tInsert:  (*emitter).emitInsert,
	tExtract: (*emitter).emitExtract,
	tPopcnt:  (*emitter).emitPopcnt,
	tLoad:    (*emitter).emitLoad,
	tStore:   (*emitter).emitStore,
	tAddr:    (*emitter).emitAddr,

	tSet:    (*emitter).emitSet,
	tSelect: (*emitter).emitSelect,

	tCopysign: (*emitter).emitCopysign,
	tConv:     (*emitter).emitConv,
	tTrunc:    (*emitter).emitTrunc,
	tTruncSat: (*emitter).emitTruncSat,
	tBitcast:  (*emitter).emitBitcast,

	tTied:   (*emitter).emitTied,
	tVector: (*emitter).emitVector,

	tDiv: (*emitter).emitDiv,
	tRem: (*emitter).emitRem,

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
