/* SPDX-License-Identifier: Apache-2.0 */
/* What an ELF file says of itself: kinds of sections, and headers that say what cannot be. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/create.h"
#include "delta/image/elf.h"
#include "delta/images.h"
#include "support/check_main.h"
#include "support/makers/elf_make.h"

enum { SECTIONS_AT = 0x400, NAMES_AT = 0x200, BODY_AT = 0x2000, BODY = 0x100, NAME = 16, FILE_MAX = 0x20000 };

static unsigned char file[FILE_MAX];
static struct delta_memory memory;

static void put(unsigned char *p, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static const struct section {
    const char *name;
    uint32_t type;
    uint64_t flags, entry;
    enum delta_region_kind wide, narrow; /* in a 64-bit file, in a 32-bit one */
} sections[] = {
    {".text", SHT_PROGBITS, SHF_EXECINSTR, 0, DELTA_REGION_CODE, DELTA_REGION_CODE},
    {".rela.dyn", SHT_RELA, 0, 24, DELTA_REGION_RELA, DELTA_REGION_RELA},
    {".rela.odd", SHT_RELA, 0, 12, DELTA_REGION_PLAIN, DELTA_REGION_PLAIN},
    {".rel.dyn", SHT_REL, 0, 8, DELTA_REGION_REL, DELTA_REGION_REL},
    {".rel.odd", SHT_REL, 0, 16, DELTA_REGION_PLAIN, DELTA_REGION_PLAIN},
    {".relr.dyn", 19, 0, 8, DELTA_REGION_RELR, DELTA_REGION_RELR},
    {".ARM.exidx", 0x70000001, 0, 0, DELTA_REGION_PLAIN, DELTA_REGION_EXIDX},
    {".symtab", SHT_SYMTAB, 0, 24, DELTA_REGION_SYMBOLS, DELTA_REGION_SYMBOLS},
    {".dynsym", SHT_DYNSYM, 0, 24, DELTA_REGION_SYMBOLS, DELTA_REGION_SYMBOLS},
    {".dynamic", SHT_DYNAMIC, 0, 16, DELTA_REGION_DYNAMIC, DELTA_REGION_DYNAMIC},
    {".init", SHT_INIT_ARRAY, 0, 8, DELTA_REGION_POINTERS, DELTA_REGION_POINTERS},
    {".fini", SHT_FINI_ARRAY, 0, 8, DELTA_REGION_POINTERS, DELTA_REGION_POINTERS},
    {".bss", SHT_NOBITS, 0, 0, DELTA_REGION_PLAIN, DELTA_REGION_PLAIN},
    {".eh_frame_hdr", SHT_PROGBITS, 0, 0, DELTA_REGION_EH_HDR, DELTA_REGION_EH_HDR},
    {".eh_frame", SHT_PROGBITS, 0, 0, DELTA_REGION_EH_FRAME, DELTA_REGION_EH_FRAME},
    {".rodata", SHT_PROGBITS, 0, 0, DELTA_REGION_RODATA, DELTA_REGION_RODATA},
    {".data", SHT_PROGBITS, 0, 0, DELTA_REGION_POINTERS, DELTA_REGION_POINTERS},
    {".comment", SHT_PROGBITS, 0, 0, DELTA_REGION_PLAIN, DELTA_REGION_PLAIN},
};

/* A file with `n` sections, those above over and over, each BODY bytes; the one behind them has the names. */
static void make_file(bool narrow, unsigned n)
{
    unsigned size = narrow ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr), word = narrow ? 4 : 8;
    unsigned char *sizes = file + (narrow ? 46 : 58);

    memset(file, 0, sizeof(file));
    memcpy(file, ELFMAG, SELFMAG);
    file[EI_CLASS] = narrow ? ELFCLASS32 : ELFCLASS64;
    file[EI_DATA] = ELFDATA2LSB;
    put(file + 18, 2, narrow ? EM_ARM : EM_X86_64);
    put(file + (narrow ? 32 : 40), word, SECTIONS_AT);
    put(sizes, 2, size);
    put(sizes + 2, 2, n + 1);
    put(sizes + 4, 2, n);
    for (unsigned i = 0; i <= n; i++) {
        unsigned char *s = file + SECTIONS_AT + (size_t)i * size;
        const struct section *kind = &sections[i % HF_LEN(sections)];
        uint64_t at = i < n ? BODY_AT + (uint64_t)i * BODY : NAMES_AT;
        put(s, 4, i % HF_LEN(sections) * NAME);
        put(s + 4, 4, i < n ? kind->type : SHT_STRTAB);
        put(s + 8, word, kind->flags);
        put(s + 8 + 2 * word, word, at);
        put(s + 8 + 3 * word, word, BODY);
        put(s + size - word, word, kind->entry);
    }
    for (unsigned i = 0; i < HF_LEN(sections); i++)
        (void)snprintf((char *)file + NAMES_AT + (size_t)i * NAME, NAME, "%s", sections[i].name);
}

static int read_file(size_t n, struct delta_image *image)
{
    struct hf_err err = HF_ERR_INIT;

    delta_memory_open(&memory, file, n);
    return delta_image_read(&memory.reader, 0, n, image, &err);
}

START_TEST(kinds_of_sections)
{
    bool narrow = _i == 1;
    struct delta_image image;
    uint64_t end;

    make_file(narrow, HF_LEN(sections));
    ck_assert_int_eq(read_file(FILE_MAX, &image), 0);
    for (unsigned i = 0; i < HF_LEN(sections); i++) {
        const struct delta_region *r = delta_image_region(&image, BODY_AT + (uint64_t)i * BODY + 5, &end);
        ck_assert_msg(r->kind == (narrow ? sections[i].narrow : sections[i].wide), "%s: %d", sections[i].name,
                      (int)r->kind);
    }
    for (unsigned i = 1; i < image.regions_n; i++)
        ck_assert_uint_gt(image.regions[i].offset, image.regions[i - 1].offset);
}
END_TEST

START_TEST(more_sections_than_count)
{
    struct delta_image image;

    make_file(false, 120);
    ck_assert_int_eq(read_file(FILE_MAX, &image), 0);
    ck_assert_uint_eq(image.regions_n, DELTA_REGIONS);
}
END_TEST

START_TEST(machines)
{
    static const struct {
        unsigned number;
        enum delta_machine wide, narrow;
    } rows[] = {
        {EM_X86_64, DELTA_MACHINE_X86_64, DELTA_MACHINE_NONE}, {EM_AARCH64, DELTA_MACHINE_AARCH64, DELTA_MACHINE_NONE},
        {EM_RISCV, DELTA_MACHINE_RISCV, DELTA_MACHINE_NONE},   {EM_ARM, DELTA_MACHINE_NONE, DELTA_MACHINE_ARM},
        {EM_386, DELTA_MACHINE_NONE, DELTA_MACHINE_I386},      {EM_PPC64, DELTA_MACHINE_NONE, DELTA_MACHINE_NONE},
    };
    struct delta_image image;

    for (unsigned narrow = 0; narrow < 2; narrow++)
        for (size_t i = 0; i < HF_LEN(rows); i++) {
            make_file(narrow != 0, 1);
            put(file + 18, 2, rows[i].number);
            ck_assert_int_eq(read_file(FILE_MAX, &image), 0);
            ck_assert_int_eq(image.machine, narrow != 0 ? rows[i].narrow : rows[i].wide);
        }
}
END_TEST

/* One thing is wrong each time: nothing is known then, or what does not lie in the file is left out. */
static const struct {
    const char *name;
    unsigned at, n;
    uint64_t value;
} wrong[] = {
    {"no magic", 0, 1, 0},
    {"big endian", EI_DATA, 1, ELFDATA2MSB},
    {"no class", EI_CLASS, 1, 3},
    {"sections behind the end", 40, 8, FILE_MAX + 1},
    {"sections nowhere", 40, 8, UINT64_MAX - 8},
    {"a section header of another size", 58, 2, 60},
    {"a section that begins behind the end", SECTIONS_AT + 24, 8, UINT64_MAX},
    {"a section that ends behind the end", SECTIONS_AT + 32, 8, FILE_MAX},
    {"a name far away", SECTIONS_AT, 4, UINT32_MAX},
    {"a link far away", SECTIONS_AT + 40, 4, UINT32_MAX},
    {"names in no section", 62, 2, 0xffff},
};

START_TEST(wrong_headers)
{
    struct delta_image image;
    uint64_t end;

    make_file(false, 1);
    put(file + wrong[_i].at, wrong[_i].n, wrong[_i].value);
    ck_assert_int_eq(read_file(FILE_MAX, &image), 0);
    ck_assert_uint_le(image.regions_n, 1);
    if (image.regions_n == 1)
        ck_assert(image.regions[0].offset <= FILE_MAX && image.regions[0].size <= FILE_MAX - image.regions[0].offset);
    ck_assert_ptr_nonnull(delta_image_region(&image, BODY_AT, &end));
    ck_assert_uint_gt(end, BODY_AT);
}
END_TEST

/* Reading old fails at any of its reads: said, and nothing else. */
static unsigned reads, fails_at;

static ssize_t failing(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    return ++reads == fails_at ? -EIO : hf_delta_memory_pread(ctx, bytes, n, offset);
}

START_TEST(reading_fails)
{
    struct hf_delta_memory bytes = {file, FILE_MAX};
    const struct hf_delta_old old = {&bytes, failing, FILE_MAX};
    static struct delta_old reader;
    struct hf_err err = HF_ERR_INIT;
    struct delta_image image;
    int r = -EIO;

    make_file(_i == 1, 100);
    put(file + SECTIONS_AT, 4, FILE_MAX - NAMES_AT - 20); /* a name in another window of the reader */
    put(file + (_i == 1 ? 28 : 32), 4, FILE_MAX / 2);     /* segments as well */
    put(file + (_i == 1 ? 42 : 54), 2, _i == 1 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr));
    put(file + (_i == 1 ? 44 : 56), 2, 3);
    for (fails_at = 1; r != 0; fails_at++) {
        reads = 0;
        delta_old_init(&reader, &old);
        r = delta_image_read(&reader, 0, FILE_MAX, &image, &err);
        ck_assert_msg(r == (reads < fails_at ? 0 : -EIO), "read %u: %d", fails_at, r);
    }
    ck_assert_uint_gt(fails_at, 4);
}
END_TEST

/* What is looked for in code is blanked in it, and nothing outside of code is touched. */
START_TEST(blanked)
{
    static const enum elf_make_machine kinds[] = {ELF_MAKE_X86_64, ELF_MAKE_AARCH64, ELF_MAKE_ARM, ELF_MAKE_RISCV,
                                                  ELF_MAKE_I386};
    struct elf_made elf = elf_make(kinds[_i], 60, 0);
    struct delta_found found = {0};
    struct hf_err err = HF_ERR_INIT;
    unsigned char *blank = NULL;
    unsigned changed = 0;
    uint64_t end;

    ck_assert_int_eq(delta_images_find(elf.p, elf.n, &found, &err), 0);
    ck_assert_uint_eq(found.n, 1);
    ck_assert_int_eq(delta_images_blank(&found, elf.p, elf.n, &blank, &err), 0);
    for (size_t i = 0; i < elf.n; i++) {
        changed += blank[i] != elf.p[i];
        ck_assert(blank[i] == elf.p[i] || delta_image_region(&found.p[0].image, i, &end)->kind == DELTA_REGION_CODE);
    }
    ck_assert_uint_gt(changed, 60);
    delta_found_done(&found);
    free(blank);
    free(elf.p);
}
END_TEST

/* The same instructions that lead to two places; what is between them leads nowhere. */
static const struct blank {
    const char *name;
    enum delta_machine machine;
    uint32_t nothing, one[3], other[3];
} blanks[] = {
    {"call", DELTA_MACHINE_X86_64, 0x90909090, {0x000010e8, 0x90909000}, {0x000020e8, 0x90909000}},
    {"bl", DELTA_MACHINE_AARCH64, 0xd503201f, {0x94000004}, {0x94000008}},
    {"b.eq", DELTA_MACHINE_AARCH64, 0xd503201f, {0x54000040}, {0x54000080}},
    {"ldr literal", DELTA_MACHINE_AARCH64, 0xd503201f, {0x18000041}, {0x18000081}},
    {"tbz", DELTA_MACHINE_AARCH64, 0xd503201f, {0x36080041}, {0x36080081}},
    {"adr", DELTA_MACHINE_AARCH64, 0xd503201f, {0x10000041}, {0x10000081}},
    {"adrp, add", DELTA_MACHINE_AARCH64, 0xd503201f, {0x90000001, 0x91004021}, {0xb0000001, 0x91008021}},
    {"A32 bl", DELTA_MACHINE_ARM, 0xe1a00000, {0xeb000004}, {0xeb000008}},
    {"A32 blx", DELTA_MACHINE_ARM, 0xe1a00000, {0xfa000004}, {0xfb000008}},
    {"A32 ldr", DELTA_MACHINE_ARM, 0xe1a00000, {0xe59f7010}, {0xe59f7020}},
    {"A32 movw, movt", DELTA_MACHINE_ARM, 0xe1a00000, {0xe3013040, 0xe3403000}, {0xe3023080, 0xe3403000}},
    {"A32 linkage",
     DELTA_MACHINE_ARM,
     0xe1a00000,
     {0xe28fc600, 0xe28cca00, 0xe5bcf040},
     {0xe28fc600, 0xe28cca01, 0xe5bcf080}},
    {"bl", DELTA_MACHINE_ARM, 0xbf00bf00, {0xf804f000}, {0xf808f000}},
    {"blx", DELTA_MACHINE_ARM, 0xbf00bf00, {0xe804f000}, {0xe808f000}},
    {"beq.w", DELTA_MACHINE_ARM, 0xbf00bf00, {0x8004f000}, {0x8008f000}},
    {"ldr", DELTA_MACHINE_ARM, 0xbf00bf00, {0xbf004b04}, {0xbf004b08}},
    {"ldr.w", DELTA_MACHINE_ARM, 0xbf00bf00, {0x7010f8df}, {0x7020f8df}},
    {"b", DELTA_MACHINE_ARM, 0xbf00bf00, {0xbf00e004}, {0xbf00e008}},
    {"beq", DELTA_MACHINE_ARM, 0xbf00bf00, {0xbf00d004}, {0xbf00d008}},
    {"cbz", DELTA_MACHINE_ARM, 0xbf00bf00, {0xbf00b110}, {0xbf00b118}},
    {"movw, movt", DELTA_MACHINE_ARM, 0xbf00bf00, {0x1340f241, 0x0300f2c0}, {0x2380f242, 0x0300f2c0}},
    {"jal", DELTA_MACHINE_RISCV, 0x00010001, {0x010000ef}, {0x020000ef}},
    {"beq", DELTA_MACHINE_RISCV, 0x00010001, {0x00b50463}, {0x00b50863}},
    {"c.j", DELTA_MACHINE_RISCV, 0x00010001, {0x0001a021}, {0x0001a041}},
    {"c.beqz", DELTA_MACHINE_RISCV, 0x00010001, {0x0001c111}, {0x0001c119}},
    {"auipc, addi", DELTA_MACHINE_RISCV, 0x00010001, {0x00000517, 0x04050513}, {0x00001517, 0x08050513}},
    {"auipc, sd", DELTA_MACHINE_RISCV, 0x00010001, {0x00000517, 0x04b53023}, {0x00001517, 0x08b530a3}},
};

static unsigned char *blank_of(const struct blank *b, const uint32_t words[static 3])
{
    enum { CODE_AT = 0x1000, CODE = 0x400, HERE = 0x1200, ALL = 0x4000 };
    struct delta_found_image one = {.size = ALL};
    const struct delta_found found = {&one, 1, 1};
    struct hf_err err = HF_ERR_INIT;
    unsigned char *blank = NULL;

    memset(file, 0, ALL);
    for (size_t i = 0; i < CODE; i += 4)
        put(file + CODE_AT + i, 4, b->nothing);
    for (size_t i = 0; i < 3 && words[i] != 0; i++)
        put(file + HERE + 4 * i, 4, words[i]);
    one.image = (struct delta_image){.machine = b->machine, .fixed = true, .narrow = b->machine == DELTA_MACHINE_ARM};
    one.image.segments = (struct delta_segments){1, {{0, 0, ALL, ALL}}};
    one.image.regions[one.image.regions_n++] =
        (struct delta_region){CODE_AT, CODE, CODE_AT, 0, DELTA_REGION_CODE, false};
    ck_assert_int_eq(delta_images_blank(&found, file, ALL, &blank, &err), 0);
    ck_assert_int_ne(memcmp(blank, file, ALL), 0);
    return blank;
}

START_TEST(blank_wherever_it_leads)
{
    const struct blank *b = &blanks[_i];
    unsigned char *one = blank_of(b, b->one), *other = blank_of(b, b->other);

    ck_assert_msg(memcmp(one, other, 0x4000) == 0, "%s: %02x%02x%02x%02x and %02x%02x%02x%02x", b->name, one[0x1203],
                  one[0x1202], one[0x1201], one[0x1200], other[0x1203], other[0x1202], other[0x1201], other[0x1200]);
    free(one);
    free(other);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, kinds_of_sections, 0, 2);
    tcase_add_test(tc, more_sections_than_count);
    tcase_add_test(tc, machines);
    tcase_add_loop_test(tc, wrong_headers, 0, HF_LEN(wrong));
    tcase_add_loop_test(tc, reading_fails, 0, 2);
    tcase_add_loop_test(tc, blanked, 0, 5);
    tcase_add_loop_test(tc, blank_wherever_it_leads, 0, HF_LEN(blanks));
}

HF_TEST_MAIN("delta/image", cases)
