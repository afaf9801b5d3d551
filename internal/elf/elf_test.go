package elf

import (
	"debug/elf"
	"testing"
	"unsafe"
)

// TestAgainstDebugELF compares with the package whose names these are.
func TestAgainstDebugELF(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"Header64", uint64(unsafe.Sizeof(Header64{})), uint64(unsafe.Sizeof(elf.Header64{}))},
		{"Header64.Shoff", uint64(unsafe.Offsetof(Header64{}.Shoff)), uint64(unsafe.Offsetof(elf.Header64{}.Shoff))},
		{"Header64.Shstrndx", uint64(unsafe.Offsetof(Header64{}.Shstrndx)), uint64(unsafe.Offsetof(elf.Header64{}.Shstrndx))},
		{"Prog64", uint64(unsafe.Sizeof(Prog64{})), uint64(unsafe.Sizeof(elf.Prog64{}))},
		{"Prog64.Filesz", uint64(unsafe.Offsetof(Prog64{}.Filesz)), uint64(unsafe.Offsetof(elf.Prog64{}.Filesz))},
		{"Section64", uint64(unsafe.Sizeof(Section64{})), uint64(unsafe.Sizeof(elf.Section64{}))},
		{"Section64.Info", uint64(unsafe.Offsetof(Section64{}.Info)), uint64(unsafe.Offsetof(elf.Section64{}.Info))},
		{"Rela64", uint64(unsafe.Sizeof(Rela64{})), uint64(unsafe.Sizeof(elf.Rela64{}))},
		{"Sym64Size", Sym64Size, elf.Sym64Size},
		{"EM_X86_64", uint64(EM_X86_64), uint64(elf.EM_X86_64)}, {"EM_AARCH64", uint64(EM_AARCH64), uint64(elf.EM_AARCH64)},
		{"EI_CLASS", EI_CLASS, elf.EI_CLASS}, {"EI_DATA", EI_DATA, elf.EI_DATA}, {"EI_VERSION", EI_VERSION, elf.EI_VERSION},
		{"ELFCLASS64", ELFCLASS64, uint64(elf.ELFCLASS64)}, {"ELFDATA2LSB", ELFDATA2LSB, uint64(elf.ELFDATA2LSB)},
		{"EV_CURRENT", EV_CURRENT, uint64(elf.EV_CURRENT)}, {"ET_REL", ET_REL, uint64(elf.ET_REL)}, {"ET_DYN", ET_DYN, uint64(elf.ET_DYN)},
		{"PT_LOAD", PT_LOAD, uint64(elf.PT_LOAD)}, {"PT_NOTE", PT_NOTE, uint64(elf.PT_NOTE)}, {"PT_PHDR", PT_PHDR, uint64(elf.PT_PHDR)},
		{"PF_X", PF_X, uint64(elf.PF_X)}, {"PF_W", PF_W, uint64(elf.PF_W)}, {"PF_R", PF_R, uint64(elf.PF_R)},
		{"SHT_PROGBITS", uint64(SHT_PROGBITS), uint64(elf.SHT_PROGBITS)}, {"SHT_SYMTAB", uint64(SHT_SYMTAB), uint64(elf.SHT_SYMTAB)},
		{"SHT_STRTAB", uint64(SHT_STRTAB), uint64(elf.SHT_STRTAB)}, {"SHT_RELA", uint64(SHT_RELA), uint64(elf.SHT_RELA)},
		{"SHF_WRITE", uint64(SHF_WRITE), uint64(elf.SHF_WRITE)}, {"SHF_ALLOC", uint64(SHF_ALLOC), uint64(elf.SHF_ALLOC)},
		{"SHF_EXECINSTR", uint64(SHF_EXECINSTR), uint64(elf.SHF_EXECINSTR)}, {"SHF_INFO_LINK", uint64(SHF_INFO_LINK), uint64(elf.SHF_INFO_LINK)},
		{"STT_NOTYPE", uint64(STT_NOTYPE), uint64(elf.STT_NOTYPE)}, {"STT_OBJECT", uint64(STT_OBJECT), uint64(elf.STT_OBJECT)},
		{"STT_FUNC", uint64(STT_FUNC), uint64(elf.STT_FUNC)}, {"STT_SECTION", uint64(STT_SECTION), uint64(elf.STT_SECTION)},
		{"ST_INFO", uint64(ST_INFO(STB_GLOBAL, STT_FUNC)), uint64(elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC))},
		{"STB_LOCAL", uint64(STB_LOCAL), uint64(elf.STB_LOCAL)},
		{"R_X86_64_64", uint64(R_X86_64_64), uint64(elf.R_X86_64_64)}, {"R_X86_64_PC32", uint64(R_X86_64_PC32), uint64(elf.R_X86_64_PC32)},
		{"R_X86_64_PLT32", uint64(R_X86_64_PLT32), uint64(elf.R_X86_64_PLT32)}, {"R_INFO", R_INFO(3, 4), elf.R_INFO(3, 4)},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, expected %d", c.name, c.got, c.want)
		}
	}
	if ELFMAG != elf.ELFMAG {
		t.Errorf("ELFMAG is %q", ELFMAG)
	}
}
