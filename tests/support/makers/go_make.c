/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/go_make.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS = 2000, BASE = 0x400000, TEXT_AT = 0x1000, PART_MAX = 512 << 10 };

/* A part of the file while it is made; `at`: its offset in the file once all parts are known. */
struct part {
    unsigned char p[PART_MAX];
    size_t n;
    uint64_t at;
};

enum { TEXT, TYPES, DATA, FIND, LINKS, HEADER, NAMES, UNITS, FILES, PCTAB, ROWS, MODULE, PARTS };

struct maker {
    enum delta_go_layout layout;
    unsigned functions, types, grown;
    struct part part[PARTS];
    uint32_t start[FUNCTIONS + 1], type[FUNCTIONS + 1];
};

static void put(struct part *part, const void *bytes, size_t n)
{
    memcpy(part->p + part->n, bytes, n);
    part->n += n;
}

static void put8(struct part *part, unsigned v)
{
    part->p[part->n++] = (unsigned char)v;
}

static void put32(struct part *part, uint64_t v)
{
    for (unsigned i = 0; i < 4; i++, v >>= 8)
        put8(part, (unsigned)(v & 255));
}

static void put64(struct part *part, uint64_t v)
{
    put32(part, v);
    put32(part, v >> 32);
}

static void align(struct part *part, size_t to)
{
    while (part->n % to != 0)
        part->p[part->n++] = 0;
}

static uint32_t mixed(uint32_t a, uint32_t b)
{
    uint32_t h = (a * 0x9e3779b1u ^ b) * 0x85ebca6bu;

    return h ^ h >> 15;
}

static bool grew(const struct maker *m, unsigned i)
{
    return m->grown > 0 && i % m->grown == 0;
}

static uint64_t address(const struct maker *m, unsigned part, uint64_t at)
{
    return BASE + m->part[part].at + at;
}

static void put_text(struct maker *m)
{
    struct part *text = &m->part[TEXT];

    for (unsigned f = 0; f < m->functions; f++) {
        m->start[f] = (uint32_t)text->n;
        for (unsigned i = 0; i < 12 + f % 23 + (grew(m, f) ? 9 : 0); i++)
            put32(text, mixed(f, i) | 0x40404040);
        align(text, 16);
    }
    m->start[m->functions] = (uint32_t)text->n;
}

/* A struct type with methods, or an interface, behind its name. */
static void put_type(struct maker *m, unsigned t)
{
    struct part *types = &m->part[TYPES];
    unsigned methods = 1 + t % 5 + (grew(m, t) ? 1 : 0), interface = t % 4 == 3;
    char name[40];
    uint32_t name_at = (uint32_t)types->n;

    put(types, name, (size_t)snprintf(name, sizeof(name), "%cmain.type%u", 1, t) + 1);
    align(types, 8);
    m->type[t] = (uint32_t)types->n;
    put64(types, 24 + 8 * (t % 7));
    put64(types, 8);
    put32(types, mixed(t, 1));
    put32(types, 5u | 8u << 8 | 8u << 16 | (interface ? 20u : 25u) << 24);
    put64(types, 0);
    put64(types, 0);
    put32(types, name_at);
    put32(types, t > 0 ? m->type[mixed(t, 2) % t] : 0);
    put64(types, 0);
    put64(types, address(m, TYPES, m->type[t] + 96));
    put64(types, interface ? methods : 0);
    put64(types, interface ? methods : 0);
    put32(types, name_at);
    put32(types, interface ? 0 : methods | methods << 16);
    put32(types, 16);
    put32(types, 0);
    for (unsigned i = 0; i < methods; i++) {
        put32(types, name_at);
        put32(types, m->type[mixed(t, i) % (t + 1)]);
        if (interface)
            continue;
        put32(types, m->start[mixed(t, i + 9) % m->functions]);
        put32(types, i % 3 == 2 ? UINT32_MAX : m->start[mixed(t, i + 7) % m->functions]);
    }
    align(types, 8);
}

static void put_description(struct maker *m, unsigned f)
{
    struct part *rows = &m->part[ROWS], *pctab = &m->part[PCTAB], *names = &m->part[NAMES];
    char name[40];
    uint32_t name_at = (uint32_t)names->n, pc = (uint32_t)pctab->n;

    put(names, name, (size_t)snprintf(name, sizeof(name), "main.function%u", f) + 1);
    for (unsigned i = 0; i < 9 + f % 5 + (grew(m, f) ? 4 : 0); i++)
        put8(pctab, mixed(f, i) % 97 + 1);
    if (m->layout == DELTA_GO_116)
        put64(rows, address(m, TEXT, m->start[f]));
    else
        put32(rows, m->start[f]);
    put32(rows, name_at);
    put32(rows, 16);
    put32(rows, 0);
    put32(rows, pc);
    put32(rows, pc + 3);
    put32(rows, pc + 6);
    put32(rows, 2);
    put32(rows, 4 * (f / 50));
    if (m->layout == DELTA_GO_120)
        put32(rows, f);
    put32(rows, f % 3 << 24);
    put32(rows, pc + 7);
    put32(rows, 0);
    if (m->layout == DELTA_GO_116)
        align(rows, 8);
    for (unsigned i = 0; i < f % 3; i++) {
        if (m->layout == DELTA_GO_116)
            put64(rows, address(m, DATA, 8 * f));
        else
            put32(rows, i == 1 ? UINT32_MAX : 8 * f);
    }
    align(rows, 8);
}

/* Rows first, as placeholders, then what they lead to; then the rows are filled in. */
static void put_functions(struct maker *m)
{
    struct part *rows = &m->part[ROWS];
    unsigned wide = m->layout == DELTA_GO_116 ? 8 : 4;
    size_t end, at;

    rows->n = 2UL * wide * (m->functions + 1);
    for (unsigned f = 0; f <= m->functions; f++) {
        align(rows, 8);
        end = at = rows->n;
        if (f < m->functions) {
            put_description(m, f);
            end = rows->n;
        }
        rows->n = 2UL * wide * f;
        if (wide == 8)
            put64(rows, address(m, TEXT, m->start[f]));
        else
            put32(rows, m->start[f]);
        if (wide == 8)
            put64(rows, f < m->functions ? at : 0);
        else
            put32(rows, f < m->functions ? at : 0);
        rows->n = end;
    }
}

/* For each 4,096 bytes of code the function at their start, and from that one on those at each 256 bytes. */
static void put_find(struct maker *m)
{
    struct part *find = &m->part[FIND];
    unsigned f = 0, first = 0;

    for (uint32_t at = 0; at < m->part[TEXT].n; at += 256) {
        while (f + 1 < m->functions && m->start[f + 1] <= at)
            f++;
        if (at % 4096 == 0) {
            first = f;
            align(find, 4);
            put32(find, f);
        }
        put8(find, f - first);
    }
    while (find->n % 20 != 0)
        put8(find, 0);
}

/* What tracebacks know of inlined functions, layouts 118 and 120; and of a variable on the stack. */
static void put_data(struct maker *m)
{
    struct part *data = &m->part[DATA];
    char name[40];

    for (unsigned f = 0, name_at = 0; f < m->functions; f++) {
        put64(data, mixed(f, 3) % 1000);
        if (m->layout == DELTA_GO_118) {
            put32(data, 0xffff);
            put32(data, 7);
            put32(data, 40 + f % 90);
        } else {
            put32(data, 0);
        }
        put32(data, name_at);
        put32(data, 4 * (f % 50));
        if (m->layout == DELTA_GO_120)
            put32(data, f + 1);
        put32(data, UINT32_MAX - 31);
        put32(data, 24);
        put32(data, 8);
        put32(data, 8 + m->type[f % m->types]);
        name_at += (unsigned)snprintf(name, sizeof(name), "main.function%u", f) + 1;
    }
}

static void put_header(struct maker *m)
{
    static const uint32_t magic[] = {0, 0xfffffffa, 0xfffffff0, 0xfffffff1};
    struct part *header = &m->part[HEADER];

    put32(header, magic[m->layout]);
    put32(header, 1u << 16 | 8u << 24);
    put64(header, m->functions);
    put64(header, 1);
    if (m->layout != DELTA_GO_116)
        put64(header, address(m, TEXT, 0));
    for (unsigned part = NAMES; part <= ROWS; part++)
        put64(header, m->part[part].at - m->part[HEADER].at);
}

static void put_module(struct maker *m)
{
    uint64_t words[56] = {address(m, HEADER, 0), address(m, NAMES, 0)};
    unsigned types = m->layout == DELTA_GO_120 ? 37 : 35, links = types + (m->layout == DELTA_GO_116 ? 5 : 7);

    words[19] = address(m, FIND, 0);
    words[20] = words[22] = address(m, TEXT, 0);
    words[21] = address(m, TEXT, m->part[TEXT].n);
    words[types] = address(m, TYPES, 0);
    words[types + 1] = address(m, DATA, 0);
    if (m->layout != DELTA_GO_116)
        words[types + 3] = address(m, DATA, 0);
    if (m->layout != DELTA_GO_116)
        words[types + 2] = address(m, TYPES, 0);
    words[links] = address(m, LINKS, 0);
    words[links + 1] = words[links + 2] = m->types;
    for (unsigned i = 0; i < 56; i++)
        put64(&m->part[MODULE], words[i]);
}

/* Sizes depend on nothing but the recipe, so the second time everything's place is known. */
static void lay_out(struct maker *m)
{
    uint64_t at = TEXT_AT;

    for (unsigned part = 0; part < PARTS; part++) {
        m->part[part].at = at;
        at = (at + m->part[part].n + 31) & ~UINT64_C(31);
        m->part[part].n = 0;
    }
    put_text(m);
    for (unsigned t = 0; t < m->types; t++)
        put_type(m, t);
    put_data(m);
    put_find(m);
    for (unsigned t = 0; t < m->types; t++)
        put32(&m->part[LINKS], m->type[(t * 7) % m->types]);
    for (unsigned i = 0; i < 200; i++)
        put32(&m->part[UNITS], 10 * i);
    for (unsigned i = 0; i < 200; i++)
        put(&m->part[FILES], "source.go", 10);
    put_functions(m);
    put_header(m);
    put_module(m);
}

struct section {
    const char *name;
    unsigned first, last; /* parts */
    uint64_t flags;
};

struct elf_made go_make(enum delta_go_layout layout, unsigned functions, unsigned grown)
{
    static const struct section sections[] = {{".text", TEXT, TEXT, SHF_ALLOC | SHF_EXECINSTR},
                                              {".rodata", TYPES, FIND, SHF_ALLOC},
                                              {".typelink", LINKS, LINKS, SHF_ALLOC},
                                              {".gopclntab", HEADER, ROWS, SHF_ALLOC},
                                              {".noptrdata", MODULE, MODULE, SHF_ALLOC | SHF_WRITE},
                                              {".go.buildinfo", MODULE + 1, MODULE, SHF_ALLOC}};
    enum { N = sizeof(sections) / sizeof(sections[0]) + 2 };
    struct maker *m = calloc(1, sizeof(*m));
    Elf64_Shdr table[N] = {0};
    char names[128] = "";
    size_t names_n = 1;

    if (m == NULL || functions > FUNCTIONS)
        abort();
    m->layout = layout;
    m->functions = functions;
    m->types = functions / 2;
    m->grown = grown;
    for (unsigned pass = 0; pass < 3; pass++)
        lay_out(m);
    uint64_t end = m->part[MODULE].at + m->part[MODULE].n;
    for (unsigned i = 1; i < N; i++) {
        const struct section *s = &sections[i - 1];
        const char *name = i + 1 < N ? s->name : ".shstrtab";
        table[i] = (Elf64_Shdr){.sh_name = (Elf64_Word)names_n, .sh_type = SHT_PROGBITS};
        memcpy(names + names_n, name, strlen(name) + 1);
        names_n += strlen(name) + 1;
        if (i + 1 == N || s->first > s->last)
            continue;
        table[i].sh_flags = s->flags;
        table[i].sh_offset = m->part[s->first].at;
        table[i].sh_addr = BASE + table[i].sh_offset;
        table[i].sh_size = m->part[s->last].at + m->part[s->last].n - m->part[s->first].at;
    }
    table[N - 1].sh_offset = end;
    table[N - 1].sh_size = names_n;
    uint64_t sections_at = (end + names_n + 7) & ~UINT64_C(7);
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_shoff = sections_at,
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 1,
                         .e_shentsize = sizeof(Elf64_Shdr),
                         .e_shnum = N,
                         .e_shstrndx = N - 1};
    Elf64_Phdr load = {.p_type = PT_LOAD, .p_vaddr = BASE, .p_filesz = end, .p_memsz = end + 4096, .p_align = 4096};
    struct elf_made made = {calloc(1, sections_at + sizeof(table)), sections_at + sizeof(table)};
    if (made.p == NULL)
        abort();
    memcpy(made.p, &header, sizeof(header));
    memcpy(made.p + sizeof(header), &load, sizeof(load));
    for (unsigned part = 0; part < PARTS; part++)
        memcpy(made.p + m->part[part].at, m->part[part].p, m->part[part].n);
    memcpy(made.p + end, names, names_n);
    memcpy(made.p + sections_at, table, sizeof(table));
    free(m);
    return made;
}
