/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/elf_make.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
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

static bool narrow(enum elf_make_machine machine)
{
    return machine == ELF_MAKE_I386 || machine == ELF_MAKE_ARM;
}

enum { DATA_WORDS = 500, SLOTS = 32 };

/* Of a 32-bit library: behind its data. */
static uint64_t offset_table(const struct maker *m)
{
    return m->start[m->functions] + 4UL * DATA_WORDS;
}

static void put16(struct maker *m, uint64_t v)
{
    uint16_t half = (uint16_t)v;

    put(m, &half, 2);
}

static void put_aarch64(struct maker *m, uint64_t target, uint64_t data)
{
    uint64_t here = m->n, pages = (data >> 12) - ((here + 4) >> 12);

    put32(m, 0x94000000 | ((target - here) >> 2 & 0x3ffffff));
    put32(m, 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5);
    put32(m, 0x91000000 | (data & 0xfff) << 10);
    put32(m, 0xaa0003e0 | (draw(m) & 0x1f0000));
}

static void put_x86_64(struct maker *m, uint64_t target, uint64_t data)
{
    uint64_t here = m->n;

    put(m, "\xe8", 1);
    put32(m, target - here - 5);
    put(m, "\x48\x8d\x05", 3);
    put32(m, data - here - 12);
    put(m, "\x0f\x84", 2);
    put32(m, target - here - 18);
    put32(m, 0xc0894800 | (draw(m) & 0xff));
}

/* call; call the next; pop ebx; add ebx, the offset table; lea eax, [ebx + data]; mov edx, a number. */
static void put_386(struct maker *m, uint64_t target, uint64_t data)
{
    uint64_t here = m->n;

    put(m, "\xe8", 1);
    put32(m, target - here - 5);
    put(m, "\xe8\0\0\0\0\x5b\x81\xc3", 8);
    put32(m, offset_table(m) - here - 10);
    put(m, "\x8d\x83", 2);
    put32(m, data - offset_table(m));
    put(m, "\xba", 1);
    put32(m, draw(m) & 0xff);
}

/* jal; auipc a5; addi a5; c.li a0, a number; c.li a1, 0. */
static void put_riscv(struct maker *m, uint64_t target, uint64_t data)
{
    uint32_t d = (uint32_t)(target - m->n), far = (uint32_t)(data - m->n - 4);

    put32(m, 0xef | (d & 0xff000) | (d >> 20 & 1) << 31 | (d >> 11 & 1) << 20 | (d & 0x7fe) << 20);
    put32(m, 0x797 | ((far + 0x800) & 0xfffff000));
    put32(m, 0x78793 | (far & 0xfff) << 20);
    put16(m, 0x4501 | (draw(m) & 31) << 2);
    put16(m, 0x4581);
}

static void put_thumb_bl(struct maker *m, uint64_t target)
{
    uint32_t d = (uint32_t)(target - m->n - 4), sign = d >> 31, j1 = (d >> 23 & 1) ^ sign ^ 1,
             j2 = (d >> 22 & 1) ^ sign ^ 1;

    put16(m, 0xf000 | sign << 10 | (d >> 12 & 0x3ff));
    put16(m, 0xd000 | j1 << 13 | j2 << 11 | (d >> 1 & 0x7ff));
}

/* movw r3; movt r3: the distance of data from the pc of what follows. */
static void put_thumb_halves(struct maker *m, uint64_t data)
{
    uint32_t v = (uint32_t)(data - m->n - 12);

    for (unsigned top = 0; top < 2; top++, v >>= 16) {
        put16(m, (top != 0 ? 0xf2c0 : 0xf240) | (v >> 12 & 15) | (v >> 11 & 1) << 10);
        put16(m, (v >> 8 & 7) << 12 | 3 << 8 | (v & 255));
    }
}

/* One of n: a call, the address of data by a word in the pool behind all of them (or else by halves), and a number. */
static void put_arm(struct maker *m, bool a32, uint64_t target, uint64_t data, uint64_t word_at, uint32_t *ret_word)
{
    if (a32) {
        put32(m, 0xeb000000 | ((target - m->n - 8) >> 2 & 0xffffff));
        put32(m, 0xe59f3000 | ((word_at - m->n - 8) & 0xfff));
        *ret_word = (uint32_t)(data - m->n - 8);
        put32(m, 0xe08f3003);
        put32(m, 0xe3a02000 | (draw(m) & 0xff));
        return;
    }
    put_thumb_bl(m, target);
    put16(m, 0x2200 | (draw(m) & 0xff));
    if (draw(m) % 4 == 0) {
        put_thumb_halves(m, data);
    } else {
        put16(m, 0x4b00 | ((word_at - ((m->n + 4) & ~UINT64_C(3))) >> 2 & 0xff));
        put16(m, 0xbf00);
        *ret_word = (uint32_t)(data - m->n - 4);
    }
    put16(m, 0x447b); /* add r3, pc */
}

/* The same numbers whatever the layout, so two makings differ by addresses and by what grew. */
static void put_function(struct maker *m, enum elf_make_machine machine, unsigned f, unsigned extra)
{
    unsigned n = 10 + f % 13 + extra;
    bool a32 = f < m->functions / 4;
    uint64_t pool = (m->start[f + 1] - 4UL * n) & ~UINT64_C(15); /* good in the second pass */
    uint32_t words[64] = {0};

    m->seed = f * 7919;
    for (unsigned i = 0; i < n; i++) {
        uint64_t target = m->start[draw(m) % m->functions];
        uint64_t data = m->start[m->functions] + (narrow(machine) ? 4 : 8) * (uint64_t)(draw(m) % DATA_WORDS);
        switch (machine) {
        case ELF_MAKE_AARCH64:
            put_aarch64(m, target, data);
            break;
        case ELF_MAKE_X86_64:
            put_x86_64(m, target, data);
            break;
        case ELF_MAKE_I386:
            put_386(m, target, data);
            break;
        case ELF_MAKE_RISCV:
            put_riscv(m, target, data);
            break;
        case ELF_MAKE_ARM:
            put_arm(m, a32, target, data, pool + 4UL * i, &words[i]);
            break;
        }
    }
    align(m, 16);
    for (unsigned i = 0; machine == ELF_MAKE_ARM && i < n; i++)
        put32(m, words[i]);
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

static void finish32(struct maker *m, enum elf_make_machine machine, Elf64_Shdr *sections)
{
    static const char names[] = "\0.text\0.ARM.exidx\0.got\0.rel.dyn\0.dynsym\0.dynstr\0.data\0.shstrtab";
    Elf32_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_DYN,
                         .e_machine = (Elf32_Half)machine,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(Elf32_Ehdr),
                         .e_ehsize = sizeof(Elf32_Ehdr),
                         .e_phentsize = sizeof(Elf32_Phdr),
                         .e_phnum = 1,
                         .e_shentsize = sizeof(Elf32_Shdr),
                         .e_shnum = SECTIONS,
                         .e_shstrndx = SECTIONS - 1};
    Elf32_Phdr load = {
        .p_type = PT_LOAD, .p_filesz = (Elf32_Word)m->n, .p_memsz = (Elf32_Word)m->n + 4096, .p_align = 4096};
    uint64_t at = m->n;

    put(m, names, sizeof(names));
    section(&sections[SECTIONS - 1], sizeof(names) - 10, SHT_STRTAB, 0, at, m->n, 0);
    align(m, 8);
    header.e_shoff = (Elf32_Off)m->n;
    for (unsigned i = 0; i < SECTIONS; i++) {
        const Elf64_Shdr *s = &sections[i];
        Elf32_Shdr small = {.sh_name = s->sh_name,
                            .sh_type = s->sh_type,
                            .sh_flags = (Elf32_Word)s->sh_flags,
                            .sh_addr = (Elf32_Addr)s->sh_addr,
                            .sh_offset = (Elf32_Off)s->sh_offset,
                            .sh_size = (Elf32_Word)s->sh_size,
                            .sh_link = s->sh_link,
                            .sh_entsize = (Elf32_Word)s->sh_entsize};
        put(m, &small, sizeof(small));
    }
    memcpy(m->p, &header, sizeof(header));
    memcpy(m->p + sizeof(header), &load, sizeof(load));
}

static void put_names(struct maker *m)
{
    put(m, "", 1);
    for (unsigned f = 0; f < m->functions; f++) {
        char name[32];
        put(m, name, (size_t)snprintf(name, sizeof(name), "function_%u", f) + 1);
    }
}

static void tables32(struct maker *m, Elf64_Shdr *s)
{
    uint64_t data = m->start[m->functions], got = offset_table(m), at = data;

    for (unsigned i = 0; i < DATA_WORDS; i++)
        put32(m, i % 3 == 0 ? m->start[i % m->functions] : i);
    section(&s[7], 48, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, at, m->n, 0);
    for (unsigned i = 0; i < SLOTS; i++)
        put32(m, 0);
    section(&s[3], 18, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, got, m->n, 4);
    at = m->n;
    for (unsigned i = 0; i < DATA_WORDS; i += 3) { /* relocations */
        put32(m, data + 4UL * i);
        put32(m, 23);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        put32(m, got + 4UL * i);
        put32(m, (1 + i * 37 % (m->functions - 1)) << 8 | 21);
    }
    section(&s[4], 23, SHT_REL, SHF_ALLOC, at, m->n, 8);
    s[4].sh_link = 5;
    at = m->n;
    put_names(m);
    section(&s[6], 40, SHT_STRTAB, SHF_ALLOC, at, m->n, 0);
    align(m, 8);
    at = m->n;
    for (unsigned f = 0, name = 1; f < m->functions; f++) { /* symbols */
        put32(m, name);
        put32(m, m->start[f]);
        put32(m, m->start[f + 1] - m->start[f]);
        put32(m, 0x10012);
        name += (unsigned)strlen((char *)m->p + s[6].sh_offset + name) + 1;
    }
    section(&s[5], 32, SHT_DYNSYM, SHF_ALLOC, at, m->n, 16);
    s[5].sh_link = 6;
    at = m->n;
    for (unsigned f = 0; f < m->functions; f++) { /* how to unwind */
        put32(m, (m->start[f] - m->n) & 0x7fffffff);
        put32(m, 1);
    }
    section(&s[2], 7, SHT_ARM_EXIDX, SHF_ALLOC, at, m->n, 8);
}

static void tables(struct maker *m, Elf64_Shdr *s)
{
    uint64_t data = m->start[m->functions], at = data;

    for (unsigned i = 0; i < DATA_WORDS; i++) /* data */
        put64(m, i % 3 == 0 ? m->start[i % m->functions] : i);
    section(&s[7], 54, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, at, m->n, 0);
    at = m->n;
    for (unsigned i = 0; i < DATA_WORDS; i += 3) { /* relocations */
        put64(m, data + 8 * i);
        put64(m, 8);
        put64(m, m->start[i % m->functions]);
    }
    section(&s[4], 31, SHT_RELA, SHF_ALLOC, at, m->n, 24);
    at = m->n;
    put_names(m);
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
    if (narrow(machine)) {
        tables32(m, sections);
        finish32(m, machine, sections);
    } else {
        tables(m, sections);
        finish(m, machine, sections);
    }
    struct elf_made made = {m->p, m->n};
    free(m);
    return made;
}
