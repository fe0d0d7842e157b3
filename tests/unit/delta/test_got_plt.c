/* SPDX-License-Identifier: Apache-2.0 */
/* .got and .plt: relocations name symbols, and entries of one symbol belong together wherever they moved. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "delta/create.h"
#include "delta/got_plt.h"
#include "delta/image/relocation.h"
#include "support/check_main.h"

enum {
    BASE = 0x10000,
    PLT = 0x800,
    GOT = 0x1000,
    RELOCATIONS = 0x1400,
    SYMBOLS = 0x1800,
    NAMES = 0x1c00,
    TOTAL = 0x2000
};
enum { NAMES_MAX = 8, RESERVED = 3, TYPE = 7 };

/* One side: names in the order of its tables, and the distance by which the tables moved. */
struct side {
    const char *names[NAMES_MAX]; /* "": a relocation without a symbol, keyed by its function */
    uint64_t function;            /* address of that function */
    unsigned moved;
    unsigned char bytes[TOTAL];
    struct delta_image image;
};

static const struct machine {
    const char *name;
    enum delta_machine machine;
    bool narrow;
    unsigned entry; /* bytes of a .plt entry */
    unsigned site;  /* offset in an entry of the reference to its slot */
} machines[] = {
    {"x86-64", DELTA_MACHINE_X86_64, false, 16, 2},
    {"AArch64", DELTA_MACHINE_AARCH64, false, 16, 0},
    {"ARM", DELTA_MACHINE_ARM, true, 12, 0},
};

static void put(unsigned char *p, unsigned n, uint64_t v)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static void put_entry(const struct machine *m, unsigned char *p, uint64_t at, uint64_t slot)
{
    uint64_t by = slot - at;

    switch (m->machine) {
    case DELTA_MACHINE_X86_64: /* jmp *slot(%rip); push; jmp */
        put(p, 2, 0x25ff);
        put(p + 2, 4, by - 6);
        put(p + 6, 5, 0x68);
        put(p + 11, 5, 0xe9 | (uint64_t)(uint32_t)(0 - at) << 8);
        return;
    case DELTA_MACHINE_AARCH64: /* adrp x16; ldr x17, [x16]; add x16; br x17 */
        by = (slot >> 12) - (at >> 12);
        put(p, 4, 0x90000010 | (by & 3) << 29 | (by >> 2 & 0x7ffff) << 5);
        put(p + 4, 4, 0xf9400211 | (slot & 0xfff) / 8 << 10);
        put(p + 8, 4, 0x91000210 | (slot & 0xfff) << 10);
        put(p + 12, 4, 0xd61f0220);
        return;
    default: /* add ip, pc; add ip, ip; ldr pc, [ip]! */
        by -= 8;
        put(p, 4, 0xe28fc600 | (by >> 20 & 255));
        put(p + 4, 4, 0xe28cca00 | (by >> 12 & 255));
        put(p + 8, 4, 0xe5bcf000 | (by & 0xfff));
    }
}

static void put_symbol(const struct machine *m, struct side *s, unsigned i, const char *name, size_t *names_n)
{
    unsigned entry = m->narrow ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym);

    put(s->bytes + SYMBOLS + (i + 1) * entry, 4, *names_n);
    (void)snprintf((char *)s->bytes + NAMES + *names_n, 32, "%s", name);
    *names_n += strlen(name) + 1;
}

static void put_relocation(const struct machine *m, struct side *s, unsigned i, uint64_t slot)
{
    bool plain = s->names[i][0] == '\0';
    uint64_t symbol = plain ? 0 : i + 1UL, target = plain ? BASE + s->function : 0;
    unsigned char *p = s->bytes + RELOCATIONS + s->moved;

    if (m->narrow) {
        put(p + i * sizeof(Elf32_Rel), 4, BASE + slot);
        put(p + i * sizeof(Elf32_Rel) + 4, 4, symbol << 8 | TYPE);
        put(s->bytes + slot, 4, target);
    } else {
        put(p + i * sizeof(Elf64_Rela), 8, BASE + slot);
        put(p + i * sizeof(Elf64_Rela) + 8, 8, symbol << 32 | TYPE);
        put(p + i * sizeof(Elf64_Rela) + 16, 8, target);
    }
}

static uint64_t slot_of(const struct machine *m, const struct side *s, unsigned i)
{
    return GOT + s->moved + (RESERVED + (uint64_t)i) * (m->narrow ? 4 : 8);
}

static uint64_t entry_of(const struct machine *m, const struct side *s, unsigned i)
{
    return PLT + s->moved + (i + 1UL) * m->entry;
}

static void lay_out(const struct machine *m, struct side *s)
{
    unsigned n = 0, word = m->narrow ? 4 : 8, relocation = m->narrow ? sizeof(Elf32_Rel) : sizeof(Elf64_Rela);
    size_t names_n = 1;

    memset(s->bytes, 0, sizeof(s->bytes));
    for (; n < NAMES_MAX && s->names[n] != NULL; n++) {
        put_symbol(m, s, n, s->names[n], &names_n);
        put_relocation(m, s, n, slot_of(m, s, n));
        put_entry(m, s->bytes + entry_of(m, s, n), entry_of(m, s, n), slot_of(m, s, n));
    }
    put_entry(m, s->bytes + PLT + s->moved, PLT + s->moved, GOT + s->moved);
    s->image = (struct delta_image){.machine = m->machine, .narrow = m->narrow, .regions_n = 4};
    s->image.segments = (struct delta_segments){1, {{0, BASE, TOTAL, TOTAL}}};
    struct delta_region *r = s->image.regions;
    r[0] =
        (struct delta_region){PLT + s->moved, (n + 1UL) * m->entry, BASE + PLT + s->moved, 0, DELTA_REGION_CODE, true};
    r[1] = (struct delta_region){
        GOT + s->moved, (n + RESERVED) * word, BASE + GOT + s->moved, 0, DELTA_REGION_POINTERS, true};
    r[2] = (struct delta_region){RELOCATIONS + s->moved,
                                 n * relocation,
                                 BASE + RELOCATIONS + s->moved,
                                 SYMBOLS,
                                 m->narrow ? DELTA_REGION_REL : DELTA_REGION_RELA,
                                 false};
    r[3] = (struct delta_region){SYMBOLS, NAMES - SYMBOLS, BASE + SYMBOLS, NAMES, DELTA_REGION_SYMBOLS, false};
}

/* Returns the old position from which the byte at `at` of the new file is copied; UINT64_MAX: none. */
static uint64_t source_of(const struct delta_copies *copies, uint64_t at)
{
    for (size_t i = 0; i < copies->n; i++)
        if (at >= copies->p[i].new_pos && at - copies->p[i].new_pos < copies->p[i].len)
            return copies->p[i].old_pos + (at - copies->p[i].new_pos);
    return UINT64_MAX;
}

static unsigned index_of(const struct side *s, const char *name)
{
    unsigned i = 0;

    while (i < NAMES_MAX && s->names[i] != NULL && strcmp(s->names[i], name) != 0)
        i++;
    return i < NAMES_MAX && s->names[i] != NULL ? i : NAMES_MAX;
}

static struct side old_side = {.names = {"open", "read", "write", "", "close", "exit"}, .function = 0x400};
static struct side new_side = {
    .names = {"abort", "close", "open", "write", "", "exit", "read"}, .function = 0x500, .moved = 0x80};

static void match(struct delta_make *make)
{
    struct delta_pair pair = {0, TOTAL, 0, TOTAL};
    struct hf_err err = HF_ERR_INIT;

    *make = (struct delta_make){.old = old_side.bytes,
                                .new_bytes = new_side.bytes,
                                .old_n = TOTAL,
                                .new_n = TOTAL,
                                .pairs = &pair,
                                .old_images = &old_side.image,
                                .new_images = &new_side.image,
                                .pairs_n = 1};
    /* A string matcher would move everything by the distance of the function, whatever its symbol. */
    ck_assert_int_eq(delta_copies_add(&make->copies, (struct delta_copy){0x500, 0x400, 0x100}), 0);
    ck_assert_int_eq(delta_copies_add(&make->copies, (struct delta_copy){PLT, PLT - 0x80, SYMBOLS - PLT}), 0);
    ck_assert_int_eq(delta_got_plt_match(make, &err), 0);
    for (size_t i = 1; i < make->copies.n; i++)
        ck_assert_uint_ge(make->copies.p[i].new_pos, make->copies.p[i - 1].new_pos + make->copies.p[i - 1].len);
}

START_TEST(each_with_its_own)
{
    const struct machine *m = &machines[_i];
    struct delta_make make;

    lay_out(m, &old_side);
    lay_out(m, &new_side);
    match(&make);
    for (unsigned i = 0; new_side.names[i] != NULL; i++) {
        unsigned was = index_of(&old_side, new_side.names[i]);
        uint64_t slot = source_of(&make.copies, slot_of(m, &new_side, i));
        uint64_t entry = source_of(&make.copies, entry_of(m, &new_side, i) + m->site);
        was = was < NAMES_MAX ? was : 0; /* a new entry continues the one before it; here the table's head */
        ck_assert_msg(slot == slot_of(m, &old_side, was), "%s: slot of '%s' from %#jx", m->name, new_side.names[i],
                      (uintmax_t)slot);
        ck_assert_msg(entry == entry_of(m, &old_side, was) + m->site, "%s: entry of '%s' from %#jx", m->name,
                      new_side.names[i], (uintmax_t)entry);
    }
    /* Position identifies entries without a relocation; other regions keep their copies. */
    ck_assert_uint_eq(source_of(&make.copies, GOT + new_side.moved), GOT);
    ck_assert_uint_eq(source_of(&make.copies, RELOCATIONS + new_side.moved), RELOCATIONS);
    delta_copies_done(&make.copies);
}
END_TEST

/* Does nothing if the old file has no relocations, or if a .plt ends the file: the scanner reads beyond it. */
START_TEST(not_known)
{
    struct delta_make make;

    lay_out(&machines[0], &old_side);
    lay_out(&machines[0], &new_side);
    if (_i == 0) {
        old_side.image.regions[2].size = 0;
    } else {
        new_side.image.regions[0].offset = TOTAL - 32;
        new_side.image.regions[0].size = 32;
    }
    match(&make);
    ck_assert_uint_eq(source_of(&make.copies, PLT + new_side.moved + 20), PLT + 20);
    delta_copies_done(&make.copies);
}
END_TEST

START_TEST(keys)
{
    const struct machine *m = &machines[_i];
    struct side *s = &old_side;
    unsigned step = m->narrow ? sizeof(Elf32_Rel) : sizeof(Elf64_Rela), info = m->narrow ? 4 : 8;
    unsigned char again[sizeof(Elf64_Rela)];
    const struct delta_region *r = &s->image.regions[2];
    uint64_t key[6];

    lay_out(m, s);
    for (unsigned i = 0; i < 6; i++) {
        key[i] = delta_relocation_key(&s->image, r, s->bytes, TOTAL, s->bytes + r->offset + i * step);
        ck_assert_msg((key[i] == 0) == (s->names[i][0] == '\0'), "%s: '%s'", m->name, s->names[i]);
        for (unsigned k = 0; k < i; k++)
            ck_assert_uint_ne(key[k], key[i]);
    }
    memcpy(again, s->bytes + r->offset, step);
    again[info]++; /* another type */
    ck_assert_uint_ne(delta_relocation_key(&s->image, r, s->bytes, TOTAL, again), key[0]);
    memset(again + (m->narrow ? 5 : 12), 0xff, 3); /* a symbol beyond the file */
    ck_assert_uint_eq(delta_relocation_key(&s->image, r, s->bytes, TOTAL, again), 0);
    /* A name that begins behind the file's end counts as none; one that reaches it ends there. */
    put(s->bytes + SYMBOLS + (m->narrow ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym)), 4, TOTAL);
    ck_assert_uint_ne(delta_relocation_key(&s->image, r, s->bytes, TOTAL, s->bytes + r->offset), key[0]);
    s->image.regions[3].kind = DELTA_REGION_PLAIN; /* without symbols no names */
    ck_assert_uint_eq(delta_relocation_key(&s->image, r, s->bytes, TOTAL, s->bytes + r->offset), 0);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, each_with_its_own, 0, HF_LEN(machines));
    tcase_add_loop_test(tc, not_known, 0, 2);
    tcase_add_loop_test(tc, keys, 0, HF_LEN(machines));
}

HF_TEST_MAIN("delta/got_plt", cases)
