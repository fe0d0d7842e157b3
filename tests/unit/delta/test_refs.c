/* SPDX-License-Identifier: Apache-2.0 */
/* References in code of 32-bit ARM, 32-bit x86 and RISC-V and in tables of 32-bit files: instructions as the assembler makes them,
 * with their fields at both ends; where they are found, and where not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "delta/cm/model.h"
#include "delta/create.h"
#include "delta/image/refs.h"
#include "delta/images.h"
#include "delta/shared_context.h"
#include "support/check_main.h"
#include "support/makers/elf_make.h"

enum { SITE = 0x2000000, HERE = 512, ROOM = 8192 };

/* An instruction at SITE and the target it leads to. */
static const struct form {
    const char *name;
    enum delta_machine machine;
    unsigned kind, n, extra;
    uint32_t word;
    int64_t distance; /* target - site */
    bool alone;       /* found without others around it */
} forms[] = {
    {"bl, the next", DELTA_MACHINE_ARM, DELTA_REF_THUMB_BL, 4, 0, 0xf800f000, 4, true},
    {"bl, near backwards", DELTA_MACHINE_ARM, DELTA_REF_THUMB_BL, 4, 0, 0xfffef6ff, -0x100000, true},
    {"bl, farthest", DELTA_MACHINE_ARM, DELTA_REF_THUMB_BL, 4, 0, 0xd7fff3ff, 0x1000002, true},
    {"bl, farthest backwards", DELTA_MACHINE_ARM, DELTA_REF_THUMB_BL, 4, 0, 0xd000f400, -0xfffffc, true},
    {"blx to A32", DELTA_MACHINE_ARM, DELTA_REF_THUMB_BLX, 4, 0, 0xeff6f000, 0xff0, true},
    {"b.w", DELTA_MACHINE_ARM, DELTA_REF_THUMB_BL, 4, 0, 0xbb3cf345, 0x34567c, true},
    {"beq.w, farthest", DELTA_MACHINE_ARM, DELTA_REF_THUMB_B20, 4, 0, 0xaffff03f, 0x100002, true},
    {"bne.w, farthest backwards", DELTA_MACHINE_ARM, DELTA_REF_THUMB_B20, 4, 0, 0x8000f440, -0xffffc, true},
    {"b, farthest", DELTA_MACHINE_ARM, DELTA_REF_THUMB_NEAR, 2, 0, 0xe3ff, 0x802, true},
    {"b, farthest backwards", DELTA_MACHINE_ARM, DELTA_REF_THUMB_NEAR, 2, 0, 0xe400, -0x7fc, true},
    {"beq, farthest", DELTA_MACHINE_ARM, DELTA_REF_THUMB_NEAR, 2, 0, 0xd07f, 0x102, true},
    {"bne, farthest backwards", DELTA_MACHINE_ARM, DELTA_REF_THUMB_NEAR, 2, 0, 0xd180, -0xfc, true},
    {"cbz, farthest", DELTA_MACHINE_ARM, DELTA_REF_THUMB_NEAR, 2, 0, 0xb3fb, 0x82, true},
    {"cbnz", DELTA_MACHINE_ARM, DELTA_REF_THUMB_NEAR, 2, 0, 0xb90d, 6, true},
    {"ldr, farthest pool", DELTA_MACHINE_ARM, DELTA_REF_THUMB_LOAD, 2, 0, 0x4aff, 0x400, true},
    {"ldr.w, farthest pool", DELTA_MACHINE_ARM, DELTA_REF_THUMB_LOAD_LONG, 4, 0, 0x7ffcf8df, 0x1000, true},
    {"ldr.w, pool before", DELTA_MACHINE_ARM, DELTA_REF_THUMB_LOAD_LONG, 4, 0, 0x7ffcf85f, -0xff8, true},
    {"A32 bl, farthest", DELTA_MACHINE_ARM, DELTA_REF_ARM_B, 4, 0, 0xeb7fffff, 0x2000004, true},
    {"A32 bl, farthest backwards", DELTA_MACHINE_ARM, DELTA_REF_ARM_B, 4, 0, 0xeb800000, -0x1fffff8, true},
    {"A32 beq", DELTA_MACHINE_ARM, DELTA_REF_ARM_B, 4, 0, 0x0a000040, 0x108, true},
    {"A32 blx, a half word", DELTA_MACHINE_ARM, DELTA_REF_BLX, 4, 0, 0xfb48d158, 0x123456a, true},
    {"A32 ldr, farthest pool", DELTA_MACHINE_ARM, DELTA_REF_ARM_LOAD, 4, 0, 0xe59f7ffc, 0x1004, true},
    {"A32 ldr, pool before", DELTA_MACHINE_ARM, DELTA_REF_ARM_LOAD, 4, 0, 0xe51f7ffc, -0xff4, true},
    {"linkage, 8 bits on top", DELTA_MACHINE_ARM, DELTA_REF_PLT_HIGH, 4, 0, 0xe28fc6ab, 0xab00008, false},
    {"linkage, the middle", DELTA_MACHINE_ARM, DELTA_REF_PLT_MIDDLE, 4, 4, 0xe28ccacd, 0xcd004, false},
    {"linkage, 12 bits", DELTA_MACHINE_ARM, DELTA_REF_PLT_LOW, 4, 8, 0xe5bcfeee, 0xeee, false},
    {"jal, farthest", DELTA_MACHINE_RISCV, DELTA_REF_JAL, 4, 0, 0x7ffff0ef, 0xffffe, true},
    {"jal, farthest backwards", DELTA_MACHINE_RISCV, DELTA_REF_JAL, 4, 0, 0x8000006f, -0x100000, true},
    {"jal, every other bit", DELTA_MACHINE_RISCV, DELTA_REF_JAL, 4, 0, 0x554ab06f, 0xab554, true},
    {"beq, farthest", DELTA_MACHINE_RISCV, DELTA_REF_BRANCH, 4, 0, 0x7eb50fe3, 0xffe, true},
    {"bne, farthest backwards", DELTA_MACHINE_RISCV, DELTA_REF_BRANCH, 4, 0, 0x80b51063, -0x1000, true},
    {"beq, every other bit", DELTA_MACHINE_RISCV, DELTA_REF_BRANCH, 4, 0, 0x2ab505e3, 0xaaa, true},
    {"c.j, farthest", DELTA_MACHINE_RISCV, DELTA_REF_SHORT_JUMP, 2, 0, 0xaffd, 0x7fe, true},
    {"c.j, farthest backwards", DELTA_MACHINE_RISCV, DELTA_REF_SHORT_JUMP, 2, 0, 0xb001, -0x800, true},
    {"c.j, every other bit", DELTA_MACHINE_RISCV, DELTA_REF_SHORT_JUMP, 2, 0, 0xa46d, 0x2aa, true},
    {"c.beqz, farthest", DELTA_MACHINE_RISCV, DELTA_REF_SHORT_BRANCH, 2, 0, 0xcd7d, 0xfe, true},
    {"c.bnez, farthest backwards", DELTA_MACHINE_RISCV, DELTA_REF_SHORT_BRANCH, 2, 0, 0xf381, -0x100, true},
    {"c.bnez, every other bit", DELTA_MACHINE_RISCV, DELTA_REF_SHORT_BRANCH, 2, 0, 0xe7cd, 0xaa, true},
    {"call", DELTA_MACHINE_I386, DELTA_REF_CALL, 4, 0, 0xfffffff0, -12, false},
    {"offset table from pc", DELTA_MACHINE_I386, DELTA_REF_GOT_PC, 4, 2, 0x12345, 0x12343, false},
};

struct room {
    unsigned char bytes[ROOM];
    struct delta_image image;
    struct delta_region region;
    struct delta_announced announced;
    struct delta_ref refs[ROOM / 2];
    size_t found;
};

/* Every address is a position. */
static void start(struct room *room, enum delta_machine machine, enum delta_region_kind kind)
{
    memset(room, 0, sizeof(*room));
    room->image.machine = machine;
    room->image.narrow = machine == DELTA_MACHINE_ARM || machine == DELTA_MACHINE_I386;
    room->image.segments = (struct delta_segments){.n = 1, .p = {{0, 0, UINT32_MAX, UINT32_MAX}}};
    room->region = (struct delta_region){.offset = SITE, .size = 1 << 20, .address = SITE, .kind = kind};
}

static void scan(struct room *room, size_t n)
{
    room->found =
        delta_refs_scan(&room->image, &room->region, room->bytes + HERE, n, n, SITE, &room->announced, room->refs);
}

/* Nothing but instructions that lead nowhere. */
static void fill(struct room *room, const struct form *f)
{
    uint32_t nothing = f->machine == DELTA_MACHINE_RISCV  ? 0x00010001
                       : f->machine == DELTA_MACHINE_I386 ? 0x90909090
                       : f->kind < DELTA_REF_THUMB_BL     ? 0xe1a00000
                                                          : 0xbf00bf00;

    for (size_t i = 0; i < ROOM; i += 4)
        hf_put_le32(room->bytes + i, nothing);
}

START_TEST(encodes)
{
    const struct form *f = &forms[_i];
    uint64_t site = SITE, target = SITE + (uint64_t)f->distance, hint = target;
    struct delta_ref ref = {.kind = (uint8_t)f->kind, .n = (uint8_t)f->n, .extra = (uint8_t)f->extra, .word = f->word};

    if (!delta_ref_is_partial(f->kind))
        ck_assert_msg(delta_ref_decode(&ref, f->word, site, 0, hint) == target, "%s: decoded otherwise", f->name);
    uint32_t back = (uint32_t)delta_ref_encode(&ref, site, target, 0);
    ck_assert_msg(back == f->word, "%s: encoded as %x", f->name, back);
    ref.word = delta_ref_encode(&ref, site, site + 40, 0); /* every bit of the field is replaced */
    back = (uint32_t)delta_ref_encode(&ref, site, target, 0);
    ck_assert_msg(back == f->word, "%s: encoded as %x after another target", f->name, back);
}
END_TEST

START_TEST(is_found)
{
    const struct form *f = &forms[_i];
    struct room *room = malloc(sizeof(*room));

    if (f->alone) {
        start(room, f->machine, DELTA_REGION_CODE);
        fill(room, f);
        memcpy(room->bytes + HERE,
               &(unsigned char[4]){(unsigned char)f->word, (unsigned char)(f->word >> 8),
                                   (unsigned char)(f->word >> 16), (unsigned char)(f->word >> 24)},
               f->n);
        scan(room, 64);
        ck_assert_msg(room->found == 1 && room->refs[0].kind == f->kind && room->refs[0].at == 0, "%s: %zu found",
                      f->name, room->found);
        ck_assert_msg(room->refs[0].target == SITE + (uint64_t)f->distance, "%s: leads to %llx", f->name,
                      (unsigned long long)room->refs[0].target);
    }
    free(room);
}
END_TEST

/* Words put one after the other at HERE; what is found in them. */
struct expected {
    unsigned at, kind;
    uint64_t target;
};

static void expect(struct room *room, const char *name, const struct expected *want, size_t n)
{
    for (size_t i = 0; i < n || i < room->found; i++) {
        ck_assert_msg(i < n, "%s: one more found, at %u of kind %u", name, room->refs[i].at, room->refs[i].kind);
        ck_assert_msg(i < room->found, "%s: not found at %u", name, want[i].at);
        ck_assert_msg(room->refs[i].at == want[i].at && room->refs[i].kind == want[i].kind, "%s: at %u kind %u", name,
                      room->refs[i].at, room->refs[i].kind);
        ck_assert_msg(room->refs[i].target == want[i].target, "%s: at %u to %llx", name, want[i].at,
                      (unsigned long long)room->refs[i].target);
    }
}

static const struct sequence {
    const char *name;
    enum delta_machine machine;
    bool a32, fixed;
    uint64_t got;
    uint32_t words[8];
    unsigned n;
    struct expected want[6];
    unsigned found;
} sequences[] = {
    /* ldr r3, [pc, #16]; add r3, pc (with a nop); 3 nops; the word */
    {"a word added to pc",
     DELTA_MACHINE_ARM,
     false,
     false,
     0,
     {0xbf004b04, 0xbf00447b, 0xbf00bf00, 0xbf00bf00, 0xbf00bf00, 0x1000},
     6,
     {{0, DELTA_REF_THUMB_LOAD, SITE + 20}, {20, DELTA_REF_PC_WORD, SITE + 0x1008}},
     2},
    {"a word of the offset table",
     DELTA_MACHINE_ARM,
     false,
     false,
     0x3000000,
     {0xbf004b02, 0xbf00bf00, 0xbf00bf00, 0x120},
     4,
     {{0, DELTA_REF_THUMB_LOAD, SITE + 12}, {12, DELTA_REF_GOT_WORD, 0x3000120}},
     2},
    {"a number",
     DELTA_MACHINE_ARM,
     false,
     false,
     0x3000000,
     {0xbf004b02, 0xbf00bf00, 0xbf00bf00, 0x12345678},
     4,
     {{0, DELTA_REF_THUMB_LOAD, SITE + 12}},
     1},
    {"an address",
     DELTA_MACHINE_ARM,
     false,
     true,
     0,
     {0xbf004b02, 0xbf00bf00, 0xbf00bf00, 0x1234567},
     4,
     {{0, DELTA_REF_THUMB_LOAD, SITE + 12}, {12, DELTA_REF_ABS32, 0x1234567}},
     2},
    {"movw, movt, add pc",
     DELTA_MACHINE_ARM,
     false,
     false,
     0,
     {0x2355f641, 0x0300f2c0, 0xbf00447b},
     3,
     {{0, DELTA_REF_THUMB_MOVW, SITE + 8 + 4 + 0x1a55}, {4, DELTA_REF_THUMB_MOVT, SITE + 8 + 4 + 0x1a55}},
     2},
    {"movw, movt of a number", DELTA_MACHINE_ARM, false, false, 0, {0x2355f641, 0x0300f2c0, 0xbf00bf00}, 3, {{0}}, 0},
    {"A32: a word added to pc",
     DELTA_MACHINE_ARM,
     true,
     false,
     0,
     {0xe59f3004, 0xe08f3003, 0xe1a00000, 0xfffff000},
     4,
     {{0, DELTA_REF_ARM_LOAD, SITE + 12}, {12, DELTA_REF_PC_WORD, SITE + 12 - 0x1000}},
     2},
    {"A32: movw, movt at a fixed address",
     DELTA_MACHINE_ARM,
     true,
     true,
     0,
     {0xe3053678, 0xe3403034},
     2,
     {{0, DELTA_REF_MOVW, 0x345678}, {4, DELTA_REF_MOVT, 0x345678}},
     2},
    {"linkage",
     DELTA_MACHINE_ARM,
     true,
     false,
     0,
     {0xe28fc612, 0xe28cca34, 0xe5bcf567},
     3,
     {{0, DELTA_REF_PLT_HIGH, SITE + 8 + 0x1234567},
      {4, DELTA_REF_PLT_MIDDLE, SITE + 8 + 0x1234567},
      {8, DELTA_REF_PLT_LOW, SITE + 8 + 0x1234567}},
     3},
    {"half of linkage", DELTA_MACHINE_ARM, true, false, 0, {0xe28fc612, 0xe28cca34, 0xe1a00000}, 3, {{0}}, 0},
    /* auipc a5, 0x12345; addi a5, a5, -2048; sd a4, 2047(a5) */
    {"auipc, addi",
     DELTA_MACHINE_RISCV,
     false,
     false,
     0,
     {0x12345797, 0x80078793, 0x7ee7bfa3},
     3,
     {{0, DELTA_REF_AUIPC, SITE + 0x12344800}, {4, DELTA_REF_LOW, SITE + 0x12344800}},
     2},
    {"auipc, store",
     DELTA_MACHINE_RISCV,
     false,
     false,
     0,
     {0xfff45797, 0x7ee7bfa3, 0x80a7b027},
     3,
     {{0, DELTA_REF_AUIPC, SITE - 0xbb000 + 0x7ff},
      {4, DELTA_REF_LOW, SITE - 0xbb000 + 0x7ff},
      {8, DELTA_REF_LOW, SITE - 0xbb000 - 0x800}},
     3},
    {"auipc, jalr",
     DELTA_MACHINE_RISCV,
     false,
     false,
     0,
     {0x00000097, 0xffc080e7},
     2,
     {{0, DELTA_REF_AUIPC, SITE - 4}, {4, DELTA_REF_LOW, SITE - 4}},
     2},
    {"auipc without its register",
     DELTA_MACHINE_RISCV,
     false,
     false,
     0,
     {0x00001797, 0x80070713},
     2,
     {{0, DELTA_REF_AUIPC, SITE + 0x1000}},
     1},
    /* call; add ebx, table - pc; lea eax, [ebx - 0x1000]; mov eax, [esi + 0x10] with 4 bytes */
    {"32-bit x86",
     DELTA_MACHINE_I386,
     false,
     false,
     SITE + 0x54321,
     {0x000010e8, 0x1cc38100, 0x8d000543, 0xfff00083, 0x10868bff},
     5,
     {{1, DELTA_REF_CALL, SITE + 5 + 16},
      {7, DELTA_REF_GOT_PC, SITE + 0x54321},
      {13, DELTA_REF_GOT_OFFSET, SITE + 0x54321 - 0x1000}},
     3},
};

START_TEST(follows)
{
    const struct sequence *q = &sequences[_i];
    struct room *room = malloc(sizeof(*room));

    start(room, q->machine, DELTA_REGION_CODE);
    fill(room, &(struct form){.machine = q->machine, .kind = q->a32 ? DELTA_REF_ARM_B : DELTA_REF_THUMB_BL});
    room->image.fixed = q->fixed;
    room->image.got = q->got;
    for (unsigned i = 0; i < q->n; i++)
        hf_put_le32(room->bytes + HERE + 4UL * i, q->words[i]);
    scan(room, 4UL * q->n);
    expect(room, q->name, q->want, q->found);
    for (size_t i = 0; i < room->found; i++) { /* what is found encodes as it stands there */
        const struct delta_ref *ref = &room->refs[i];
        uint64_t word = delta_ref_encode(ref, SITE + ref->at, ref->target, ref->base);
        ck_assert_msg(word == ref->word, "%s: at %u encoded as %llx, not %llx", q->name, ref->at,
                      (unsigned long long)word, (unsigned long long)ref->word);
        if (!delta_ref_is_partial(ref->kind))
            ck_assert_msg(delta_ref_decode(ref, word, SITE + ref->at, ref->base, ref->target) == ref->target,
                          "%s: at %u decoded otherwise", q->name, ref->at);
    }
    free(room);
}
END_TEST

static const struct {
    const char *name;
    enum delta_machine machine;
    enum delta_region_kind kind;
    uint32_t words[8];
    unsigned n;
    struct expected want[4];
    unsigned found;
} tables[] = {
    {"relocations without addend",
     DELTA_MACHINE_ARM,
     DELTA_REGION_REL,
     {0x1000, 0x17, 0x2000, 0x515},
     4,
     {{0, DELTA_REF_ABS32, 0x1000}, {8, DELTA_REF_ABS32, 0x2000}, {12, DELTA_REF_SYMBOL, 0x500000 + 5 * 16}},
     3},
    {"relocations",
     DELTA_MACHINE_RISCV,
     DELTA_REGION_RELA,
     {0x1000, 0, 3, 7, 0x2000, 0},
     6,
     {{0, DELTA_REF_ABS64, 0x1000}, {12, DELTA_REF_SYMBOL, 0x500000 + 7 * 24}, {16, DELTA_REF_ADDEND, 0x2000}},
     3},
    {"unwinding",
     DELTA_MACHINE_ARM,
     DELTA_REGION_EXIDX,
     {0x7ffff000, 1, 0x100, 0x80b0b0b0, 0x200, 0x300},
     6,
     {{0, DELTA_REF_SELF31, SITE - 0x1000},
      {8, DELTA_REF_SELF31, SITE + 8 + 0x100},
      {16, DELTA_REF_SELF31, SITE + 16 + 0x200},
      {20, DELTA_REF_SELF31, SITE + 20 + 0x300}},
     4},
    {"addresses and bitmaps",
     DELTA_MACHINE_X86_64,
     DELTA_REGION_RELR,
     {0x1000, 0, 0xf1, 0, 0x2000, 0},
     6,
     {{0, DELTA_REF_ABS64, 0x1000}, {16, DELTA_REF_ABS64, 0x2000}},
     2},
    {"addresses and bitmaps, 32 bit",
     DELTA_MACHINE_ARM,
     DELTA_REGION_RELR,
     {0x1000, 0xf1, 0x2000},
     3,
     {{0, DELTA_REF_ABS32, 0x1000}, {8, DELTA_REF_ABS32, 0x2000}},
     2},
    {"symbols",
     DELTA_MACHINE_I386,
     DELTA_REGION_SYMBOLS,
     {0x11, 0x1000, 8, 0x12},
     4,
     {{0, DELTA_REF_NAME, 0x500011}, {4, DELTA_REF_ABS32, 0x1000}},
     2},
    {"pointers",
     DELTA_MACHINE_I386,
     DELTA_REGION_POINTERS,
     {0x1000, 0, 0x2000},
     3,
     {{0, DELTA_REF_ABS32, 0x1000}, {8, DELTA_REF_ABS32, 0x2000}},
     2},
};

START_TEST(table)
{
    struct room *room = malloc(sizeof(*room));

    start(room, tables[_i].machine, tables[_i].kind);
    room->region.link = 0x500000;
    for (unsigned i = 0; i < tables[_i].n; i++)
        hf_put_le32(room->bytes + HERE + 4UL * i, tables[_i].words[i]);
    scan(room, 4UL * tables[_i].n);
    expect(room, tables[_i].name, tables[_i].want, tables[_i].found);
    for (size_t i = 0; i < room->found; i++) {
        const struct delta_ref *ref = &room->refs[i];
        uint64_t word = delta_ref_encode(ref, SITE + ref->at, ref->target, ref->base);
        ck_assert_msg(word == ref->word, "%s: at %u", tables[_i].name, ref->at);
        ck_assert(delta_ref_decode(ref, word, SITE + ref->at, ref->base, 0) == ref->target);
    }
    free(room);
}
END_TEST

/* Any bytes: at most one site per two bytes, in order, none over another, none beyond the end. */
START_TEST(anything)
{
    static const enum delta_machine machines[] = {DELTA_MACHINE_ARM, DELTA_MACHINE_I386, DELTA_MACHINE_RISCV};
    struct room *room = malloc(sizeof(*room));
    uint32_t x = (uint32_t)_i + 1;

    for (unsigned round = 0; round < 300; round++) {
        start(room, machines[_i % 3], DELTA_REGION_CODE);
        room->image.got = SITE + 0x1000;
        room->image.fixed = round % 2 != 0;
        room->region.offset = room->region.address = SITE - 0x1001;
        for (size_t i = 0; i < ROOM; i++) {
            x = x * 1664525 + 1013904223;
            room->bytes[i] = (unsigned char)((x >> 13) & (round % 3 == 0 ? 0xff : 0xf7));
        }
        size_t n = 1 + x % 1024, end = 0;
        uint64_t offset = SITE + (x >> 20);
        room->found = delta_refs_scan(&room->image, &room->region, room->bytes + HERE, n, n + x % 9, offset,
                                      round % 5 == 0 ? NULL : &room->announced, room->refs);
        ck_assert_uint_le(room->found, (n + 1) / 2);
        for (size_t i = 0; i < room->found; i++) {
            ck_assert_msg(room->refs[i].at >= end && room->refs[i].at < n, "round %u: %zu", round, i);
            end = room->refs[i].at + room->refs[i].n;
            ck_assert_uint_le(end, n + x % 9);
        }
    }
    free(room);
}
END_TEST

/* Predictors of a later version, and models, are refused by their number. */
START_TEST(later_predictors)
{
    struct hf_buf part = HF_BUF_INIT(4096);
    struct delta_cm *cm = calloc(1, sizeof(*cm));
    struct delta_shared_context shared = {.lean = DELTA_LEAN_MAX + 1};
    struct hf_err err = HF_ERR_INIT;

    delta_cm_start_encoding(cm, &part);
    ck_assert_int_eq(delta_shared_context_code(cm, &shared, &err), -EOPNOTSUPP);
    ck_assert_ptr_nonnull(strstr(err.cause, "predictor"));
    delta_shared_context_done(&shared);
    hf_buf_done(&part);
    free(cm);
}
END_TEST

enum { PART = 64 };

/* Code stays where it is, in short copies; with `misled`, one long copy tells of it elsewhere. */
static unsigned predictors_of(enum elf_make_machine machine, bool misled)
{
    struct elf_made elf = elf_make(machine, 60, 0);
    size_t n = elf.n, code = n / 2 & ~(size_t)63;
    unsigned char *now = malloc(n + code);
    struct delta_make make = {.old = elf.p, .old_n = n, .new_bytes = now, .new_n = n + code};
    struct delta_found old_found = {0}, new_found = {0};
    struct delta_memory *memory = malloc(sizeof(*memory));
    struct delta_shared_context shared = {0};
    struct hf_buf body = HF_BUF_INIT(1 << 20);
    struct hf_err err = HF_ERR_INIT;

    memcpy(now, elf.p, n);
    memcpy(now + n, elf.p, code);
    for (size_t at = 0; at + PART <= n; at += PART)
        ck_assert_int_eq(delta_copies_add(&make.copies, (struct delta_copy){at, at, PART}), 0);
    if (misled)
        ck_assert_int_eq(delta_copies_add(&make.copies, (struct delta_copy){n, 0, code}), 0);
    ck_assert_int_eq(delta_images_find(elf.p, n, &old_found, &err), 0);
    ck_assert_int_eq(delta_images_find(now, n + code, &new_found, &err), 0);
    ck_assert_int_eq(delta_images_pair(&make, &old_found, &new_found, &err), 0);
    ck_assert_uint_eq(make.pairs_n, 1);
    ck_assert_int_eq(delta_shared_context_make(&make, memory, &shared, &body, &err), 0);
    unsigned predictors = shared.predictors;
    delta_shared_context_done(&shared);
    delta_found_done(&old_found);
    delta_found_done(&new_found);
    delta_copies_done(&make.copies);
    hf_buf_done(&body);
    free(make.pairs);
    free(make.old_images);
    free(make.new_images);
    free(memory);
    free(now);
    free(elf.p);
    return predictors;
}

static const struct {
    enum elf_make_machine machine;
    unsigned predictor;
} optional[] = {
    {ELF_MAKE_ARM, DELTA_PREDICT_ARM}, {ELF_MAKE_I386, DELTA_PREDICT_I386}, {ELF_MAKE_RISCV, DELTA_PREDICT_RISCV}};

START_TEST(pays)
{
    ck_assert_uint_eq(predictors_of(optional[_i].machine, false), DELTA_PREDICT_REFERENCES | optional[_i].predictor);
    ck_assert_uint_eq(predictors_of(optional[_i].machine, true), DELTA_PREDICT_REFERENCES);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, pays, 0, HF_LEN(optional));
    tcase_add_loop_test(tc, encodes, 0, HF_LEN(forms));
    tcase_add_loop_test(tc, is_found, 0, HF_LEN(forms));
    tcase_add_loop_test(tc, follows, 0, HF_LEN(sequences));
    tcase_add_loop_test(tc, table, 0, HF_LEN(tables));
    tcase_add_loop_test(tc, anything, 0, 6);
    tcase_add_test(tc, later_predictors);
}

HF_TEST_MAIN("delta/refs", cases)
