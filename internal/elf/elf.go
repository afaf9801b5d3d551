// Package elf has the structures and numbers of 64-bit ELF files that this module writes (System V ABI, generic and AMD64 supplement),
// named as in package debug/elf. That package also reads debug information and compressed sections, and makes the tables for it at the
// start of every program that links it; here nothing is initialised.
package elf

// ELFMAG is what a file begins with.
const ELFMAG = "\177ELF"

// Places in Header64.Ident, and what stands there.
const (
	EI_CLASS   = 4
	EI_DATA    = 5
	EI_VERSION = 6

	ELFCLASS64  = 2
	ELFDATA2LSB = 1
	EV_CURRENT  = 1
)

// File types.
const (
	ET_REL = 1
	ET_DYN = 3
)

// Machine is a processor.
type Machine uint16

// Machines.
const (
	EM_X86_64  Machine = 62
	EM_AARCH64 Machine = 183
)

// Header64 is the file's header.
type Header64 struct {
	Ident                                                [16]byte
	Type, Machine                                        uint16
	Version                                              uint32
	Entry, Phoff, Shoff                                  uint64
	Flags                                                uint32
	Ehsize, Phentsize, Phnum, Shentsize, Shnum, Shstrndx uint16
}

// Prog64 is a program header.
type Prog64 struct {
	Type, Flags                             uint32
	Off, Vaddr, Paddr, Filesz, Memsz, Align uint64
}

// Types and flags of program headers.
const (
	PT_LOAD = 1
	PT_NOTE = 4
	PT_PHDR = 6

	PF_X = 1
	PF_W = 2
	PF_R = 4
)

// Section64 is a section header.
type Section64 struct {
	Name, Type             uint32
	Flags, Addr, Off, Size uint64
	Link, Info             uint32
	Addralign, Entsize     uint64
}

// SectionType says what a section holds.
type SectionType uint32

// Section types.
const (
	SHT_PROGBITS SectionType = 1
	SHT_SYMTAB   SectionType = 2
	SHT_STRTAB   SectionType = 3
	SHT_RELA     SectionType = 4
)

// SectionFlag is flags of a section.
type SectionFlag uint64

// Section flags.
const (
	SHF_WRITE     SectionFlag = 1
	SHF_ALLOC     SectionFlag = 2
	SHF_EXECINSTR SectionFlag = 4
	SHF_INFO_LINK SectionFlag = 0x40
)

// Sym64Size is the size of a symbol: name, info, other, section, value, size.
const Sym64Size = 24

// SymBind says who sees a symbol.
type SymBind uint8

// Bindings.
const (
	STB_LOCAL  SymBind = 0
	STB_GLOBAL SymBind = 1
)

// SymType says what a symbol names.
type SymType uint8

// Symbol types.
const (
	STT_NOTYPE  SymType = 0
	STT_OBJECT  SymType = 1
	STT_FUNC    SymType = 2
	STT_SECTION SymType = 3
)

// ST_INFO is a symbol's info.
func ST_INFO(b SymBind, t SymType) uint8 { return uint8(b)<<4 | uint8(t) }

// Rela64 is a relocation.
type Rela64 struct {
	Off, Info uint64
	Addend    int64
}

// R_X86_64 is a kind of relocation.
type R_X86_64 uint32

// Relocations.
const (
	R_X86_64_64    R_X86_64 = 1
	R_X86_64_PC32  R_X86_64 = 2
	R_X86_64_PLT32 R_X86_64 = 4
)

// R_INFO is a relocation's info.
func R_INFO(sym, typ uint32) uint64 { return uint64(sym)<<32 | uint64(typ) }
