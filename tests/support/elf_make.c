#include "support/elf_make.h"

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SECTIONS = 9, CODE_AT = 0x1000, FUNCTION_MAX = 4096 };

struct maker {
    unsigned char *p;
    size_t n;
    uint64_t start[FUNCTION_MAX + 1]; /* of each function */
    unsigned functions;
    uint32_t seed;
};

static void put(struct maker *m, const void *bytes, size_t n)
{
    memcpy(m->p + m->n, bytes, n);
    m->n += n;
}

static void put32(struct maker *m, uint64_t v)
{
    uint32_t word = (uint32_t)v;

    put(m, &word, 4);
}

static void put64(struct maker *m, uint64_t v)
{
    put(m, &v, 8);
}

static void align(struct maker *m, size_t to)
{
    while (m->n % to != 0)
        m->p[m->n++] = 0;
}

static uint32_t draw(struct maker *m)
{
    m->seed = m->seed * 1664525 + 1013904223;
    return m->seed >> 8;
}

/* The same numbers whatever the layout, so two makings differ by addresses and by what grew. */
static void put_function(struct maker *m, enum elf_make_machine machine, unsigned f, unsigned extra)
{
    m->seed = f * 7919;
    for (unsigned i = 0; i < 10 + f % 13 + extra; i++) {
        uint64_t target = m->start[draw(m) % m->functions], data = m->start[m->functions] + 8 * (draw(m) % 500);
        uint64_t here = m->n;
        if (machine == ELF_MAKE_AARCH64) {
            put32(m, 0x94000000 | ((target - here) >> 2 & 0x3ffffff));
            uint64_t pages = (data >> 12) - ((here + 4) >> 12);
            put32(m, 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5);
            put32(m, 0x91000000 | (data & 0xfff) << 10);
            put32(m, 0xaa0003e0 | (draw(m) & 0x1f0000));
        } else {
            put(m, "\xe8", 1);
            put32(m, target - here - 5);
            put(m, "\x48\x8d\x05", 3);
            put32(m, data - here - 12);
            put(m, "\x0f\x84", 2);
            put32(m, target - here - 18);
            put32(m, 0xc0894800 | (draw(m) & 0xff));
        }
    }
    align(m, 16);
}

static void code(struct maker *m, enum elf_make_machine machine, unsigned grown)
{
    /* Twice: the first time finds where everything comes to lie. */
    for (int pass = 0; pass < 2; pass++) {
        m->n = CODE_AT;
        for (unsigned f = 0; f < m->functions; f++) {
            uint64_t start = m->n;
            put_function(m, machine, f, grown > 0 && f % grown == 0 ? 3 : 0);
            m->start[f] = start;
        }
        m->start[m->functions] = m->n;
    }
}

static void section(Elf64_Shdr *s, unsigned name, unsigned type, uint64_t flags, uint64_t from, uint64_t to,
                    uint64_t entry)
{
    *s = (Elf64_Shdr){.sh_name = name,
                      .sh_type = type,
                      .sh_flags = flags,
                      .sh_addr = from,
                      .sh_offset = from,
                      .sh_size = to - from,
                      .sh_entsize = entry};
}

static void finish(struct maker *m, enum elf_make_machine machine, Elf64_Shdr *sections)
{
    static const char names[] = "\0.text\0.eh_frame_hdr\0.eh_frame\0.rela.dyn\0.dynsym\0.dynstr\0.data\0.shstrtab";
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 1,
                         .e_shentsize = sizeof(Elf64_Shdr),
                         .e_shnum = SECTIONS,
                         .e_shstrndx = SECTIONS - 1};
    Elf64_Phdr load = {.p_type = PT_LOAD, .p_filesz = m->n, .p_memsz = m->n + 4096, .p_align = 4096};
    uint64_t at = m->n;

    put(m, names, sizeof(names));
    section(&sections[SECTIONS - 1], sizeof(names) - 10, SHT_STRTAB, 0, at, m->n, 0);
    align(m, 8);
    header.e_machine = (Elf64_Half)machine;
    header.e_shoff = m->n;
    put(m, sections, SECTIONS * sizeof(*sections));
    memcpy(m->p, &header, sizeof(header));
    memcpy(m->p + sizeof(header), &load, sizeof(load));
}

static void tables(struct maker *m, Elf64_Shdr *s)
{
    uint64_t data = m->start[m->functions], at = data;

    for (unsigned i = 0; i < 500; i++) /* data */
        put64(m, i % 3 == 0 ? m->start[i % m->functions] : i);
    section(&s[7], 54, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, at, m->n, 0);
    at = m->n;
    for (unsigned i = 0; i < 500; i += 3) { /* relocations */
        put64(m, data + 8 * i);
        put64(m, 8);
        put64(m, m->start[i % m->functions]);
    }
    section(&s[4], 31, SHT_RELA, SHF_ALLOC, at, m->n, 24);
    at = m->n;
    put(m, "", 1);
    for (unsigned f = 0; f < m->functions; f++) { /* names */
        char name[32];
        put(m, name, (size_t)snprintf(name, sizeof(name), "function_%u", f) + 1);
    }
    section(&s[6], 48, SHT_STRTAB, SHF_ALLOC, at, m->n, 0);
    align(m, 8);
    at = m->n;
    for (unsigned f = 0, name = 1; f < m->functions; f++) { /* symbols */
        put32(m, name);
        put32(m, 0x10012);
        put64(m, m->start[f]);
        put64(m, m->start[f + 1] - m->start[f]);
        name += (unsigned)strlen((char *)m->p + s[6].sh_offset + name) + 1;
    }
    section(&s[5], 41, SHT_DYNSYM, SHF_ALLOC, at, m->n, 24);
    s[5].sh_link = 6;
    at = m->n;
    put(m, "\x14\0\0\0\0\0\0\0\1zR\0\1x\x10\1\x1b\x0c\7\x08\x90\1\0\0", 24);
    for (unsigned f = 0; f < m->functions; f++) { /* unwind entries */
        put32(m, 20);
        put32(m, m->n - at);
        put32(m, m->start[f] - m->n);
        put32(m, m->start[f + 1] - m->start[f]);
        put64(m, 0);
    }
    put32(m, 0);
    section(&s[3], 21, SHT_PROGBITS, SHF_ALLOC, at, m->n, 0);
    uint64_t frames = at;
    align(m, 8);
    at = m->n;
    put32(m, 0x3b031b01);
    put32(m, frames - m->n);
    put32(m, m->functions);
    for (unsigned f = 0; f < m->functions; f++) { /* their search table */
        put32(m, m->start[f] - at);
        put32(m, frames + 24 + 24UL * f - at);
    }
    section(&s[2], 7, SHT_PROGBITS, SHF_ALLOC, at, m->n, 0);
}

struct elf_made elf_make(enum elf_make_machine machine, unsigned functions, unsigned grown)
{
    struct maker *m = calloc(1, sizeof(*m));
    Elf64_Shdr sections[SECTIONS] = {0};

    if (m == NULL || functions > FUNCTION_MAX || (m->p = calloc(1, 65536 + (size_t)functions * 1024)) == NULL)
        abort();
    m->functions = functions;
    code(m, machine, grown);
    section(&sections[1], 1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, CODE_AT, m->n, 0);
    tables(m, sections);
    finish(m, machine, sections);
    struct elf_made made = {m->p, m->n};
    free(m);
    return made;
}
