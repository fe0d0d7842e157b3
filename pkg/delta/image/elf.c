/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/image/elf.h"

#include <elf.h>
#include <string.h>

#include "base/endian.h"
#include "delta/image/golang.h"

enum { SECTION_RELR = 19 }; /* SHT_RELR, which musl's elf.h lacks */

/* Offsets and sizes of the fields in the headers of a 64-bit and a 32-bit file. */
struct elf_layout {
    /* file header */
    unsigned word, header, segments_at, sections_at, sizes_at;
    /* program header */
    unsigned segment, s_offset, s_address, s_file_size, s_memory_size;
    /* section header */
    unsigned section, c_flags, c_address, c_offset, c_size, c_link, c_entry_size;
};

static const struct elf_layout layouts[2] = {
    {8, sizeof(Elf64_Ehdr), 32, 40, 54, sizeof(Elf64_Phdr), 8, 16, 32, 40, sizeof(Elf64_Shdr), 8, 16, 24, 32, 40, 56},
    {4, sizeof(Elf32_Ehdr), 28, 32, 42, sizeof(Elf32_Phdr), 4, 8, 16, 20, sizeof(Elf32_Shdr), 8, 12, 16, 20, 24, 36},
};

/* The part of the file to read. */
struct elf_file {
    struct delta_old *file;
    uint64_t offset, size;
    const struct elf_layout *l;
};

static uint64_t word(const struct elf_file *elf, const unsigned char *header, unsigned at)
{
    return hf_le(header + at, elf->l->word);
}

static int read_segments(const struct elf_file *elf, const unsigned char *header, struct delta_image *image,
                         struct hf_err *err)
{
    const struct elf_layout *l = elf->l;
    uint64_t at = word(elf, header, l->segments_at);
    unsigned size = (unsigned)hf_le(header + l->sizes_at, 2), n = (unsigned)hf_le(header + l->sizes_at + 2, 2);

    if (size != l->segment || at > elf->size)
        return 0;
    for (unsigned i = 0; i < n && i < 64 && image->segments.n < DELTA_SEGMENTS; i++) {
        unsigned char p[sizeof(Elf64_Phdr)];
        int r = delta_old_read(elf->file, elf->offset + at + (uint64_t)i * size, p, size, err);
        if (r < 0)
            return r;
        struct delta_segment s = {word(elf, p, l->s_offset), word(elf, p, l->s_address), word(elf, p, l->s_file_size),
                                  word(elf, p, l->s_memory_size)};
        bool sane = s.offset <= elf->size && s.file_size <= elf->size - s.offset && s.address < DELTA_MEMORY &&
                    s.memory_size < DELTA_MEMORY && s.memory_size >= s.file_size;
        s.offset += elf->offset;
        if (hf_le(p, 4) == PT_LOAD && sane)
            image->segments.p[image->segments.n++] = s;
    }
    return 0;
}

static enum delta_region_kind kind_by_name(const char *name)
{
    static const struct {
        const char *name;
        enum delta_region_kind kind;
    } names[] = {
        {".eh_frame_hdr", DELTA_REGION_EH_HDR},  {".eh_frame", DELTA_REGION_EH_FRAME},
        {".got", DELTA_REGION_POINTERS},         {".got.plt", DELTA_REGION_POINTERS},
        {".data.rel.ro", DELTA_REGION_POINTERS}, {".init_array", DELTA_REGION_POINTERS},
        {".fini_array", DELTA_REGION_POINTERS},  {".rodata", DELTA_REGION_RODATA},
        {".gopclntab", DELTA_REGION_GO_PCLN},    {".data", DELTA_REGION_POINTERS},
        {".itablink", DELTA_REGION_POINTERS},    {".noptrdata", DELTA_REGION_POINTERS},
        {".go.module", DELTA_REGION_POINTERS},
    };

    for (size_t i = 0; i < HF_LEN(names); i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].kind;
    return DELTA_REGION_PLAIN;
}

static enum delta_region_kind kind_of(const struct elf_file *elf, const unsigned char *section, const char *name)
{
    uint64_t entry = word(elf, section, elf->l->c_entry_size);

    switch (hf_le(section + 4, 4)) {
    case SHT_RELA:
        return entry == sizeof(Elf64_Rela) ? DELTA_REGION_RELA : DELTA_REGION_PLAIN;
    case SHT_REL:
        return entry == sizeof(Elf32_Rel) ? DELTA_REGION_REL : DELTA_REGION_PLAIN;
    case SECTION_RELR:
        return DELTA_REGION_RELR;
    case SHT_ARM_EXIDX:
        return elf->l->word == 4 ? DELTA_REGION_EXIDX : DELTA_REGION_PLAIN;
    case SHT_SYMTAB:
    case SHT_DYNSYM:
        return DELTA_REGION_SYMBOLS;
    case SHT_DYNAMIC:
        return DELTA_REGION_DYNAMIC;
    case SHT_INIT_ARRAY:
    case SHT_FINI_ARRAY:
        return DELTA_REGION_POINTERS;
    case SHT_NOBITS:
        return DELTA_REGION_PLAIN;
    default:
        return (word(elf, section, elf->l->c_flags) & SHF_EXECINSTR) != 0 ? DELTA_REGION_CODE : kind_by_name(name);
    }
}

static void add_region(struct delta_image *image, struct delta_region region)
{
    unsigned i = image->regions_n;

    if (i == DELTA_REGIONS)
        return;
    while (i > 0 && image->regions[i - 1].offset > region.offset) {
        image->regions[i] = image->regions[i - 1];
        i--;
    }
    image->regions[i] = region;
    image->regions_n++;
}

static int read_sections(const struct elf_file *elf, const unsigned char *header, struct delta_image *image,
                         struct hf_err *err)
{
    struct delta_old *file = elf->file;
    const struct elf_layout *l = elf->l;
    uint64_t at = word(elf, header, l->sections_at), base = elf->offset;
    unsigned size = (unsigned)hf_le(header + l->sizes_at + 4, 2), n = (unsigned)hf_le(header + l->sizes_at + 6, 2),
             names = (unsigned)hf_le(header + l->sizes_at + 8, 2);
    unsigned char s[sizeof(Elf64_Shdr)], names_at[8] = {0};
    int r;

    if (size != l->section || at > elf->size)
        return 0;
    at += base;
    if ((r = delta_old_read(file, at + (uint64_t)names * size + l->c_offset, names_at, l->word, err)) < 0)
        return r;
    for (unsigned i = 0; i < n && i < 256; i++) {
        char name[16] = {0};
        unsigned char link_at[8] = {0};
        if ((r = delta_old_read(file, at + (uint64_t)i * size, s, size, err)) < 0)
            return r;
        uint64_t name_at = base + hf_le(names_at, 8) + hf_le(s, 4),
                 link = at + hf_le(s + l->c_link, 4) * size + l->c_offset;
        if (name_at < file->size && (r = delta_old_read(file, name_at, name, sizeof(name) - 1, err)) < 0)
            return r;
        if ((r = delta_old_read(file, link, link_at, l->word, err)) < 0)
            return r;
        struct delta_region region = {word(elf, s, l->c_offset), word(elf, s, l->c_size), word(elf, s, l->c_address),
                                      base + hf_le(link_at, 8),  kind_of(elf, s, name),   false};
        region.linkage = strncmp(name, ".got", 4) == 0 || strncmp(name, ".plt", 4) == 0 || strcmp(name, ".iplt") == 0;
        image->go_expected = image->go_expected || (!image->narrow && strcmp(name, ".go.buildinfo") == 0);
        bool inside = region.offset <= elf->size && region.size <= elf->size - region.offset;
        region.offset += base;
        if (region.kind != DELTA_REGION_PLAIN && region.size > 0 && inside)
            add_region(image, region);
        if (inside && (strcmp(name, ".got.plt") == 0 || (strcmp(name, ".got") == 0 && image->got == 0)))
            image->got = region.offset;
    }
    return 0;
}

static enum delta_machine machine_of(const unsigned char *header, bool narrow)
{
    switch (hf_le(header + 18, 2)) {
    case EM_X86_64:
        return narrow ? DELTA_MACHINE_NONE : DELTA_MACHINE_X86_64;
    case EM_AARCH64:
        return narrow ? DELTA_MACHINE_NONE : DELTA_MACHINE_AARCH64;
    case EM_RISCV:
        return narrow ? DELTA_MACHINE_NONE : DELTA_MACHINE_RISCV;
    case EM_ARM:
        return narrow ? DELTA_MACHINE_ARM : DELTA_MACHINE_NONE;
    case EM_386:
        return narrow ? DELTA_MACHINE_I386 : DELTA_MACHINE_NONE;
    default:
        return DELTA_MACHINE_NONE;
    }
}

int delta_image_read(struct delta_old *file, uint64_t offset, uint64_t size, struct delta_image *ret_image,
                     struct hf_err *err)
{
    struct elf_file elf = {file, offset, size, &layouts[0]};
    unsigned char header[sizeof(Elf64_Ehdr)];
    int r;

    memset(ret_image, 0, sizeof(*ret_image));
    if (size < sizeof(header) || offset > file->size || size > file->size - offset || file->size > UINT32_MAX)
        return 0;
    if ((r = delta_old_read(file, offset, header, sizeof(header), err)) < 0)
        return r;
    if (memcmp(header, ELFMAG, SELFMAG) != 0 || header[EI_DATA] != ELFDATA2LSB ||
        (header[EI_CLASS] != ELFCLASS64 && header[EI_CLASS] != ELFCLASS32))
        return 0;
    ret_image->narrow = header[EI_CLASS] == ELFCLASS32;
    ret_image->machine = machine_of(header, ret_image->narrow);
    elf.l = &layouts[ret_image->narrow ? 1 : 0];
    ret_image->fixed = hf_le(header + 16, 2) == ET_EXEC;
    if ((r = read_segments(&elf, header, ret_image, err)) < 0)
        return r;
    r = read_sections(&elf, header, ret_image, err);
    return r < 0 ? r : delta_go_find(file, ret_image, err);
}
