/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of jumps: told from other words, read from their start, the same whatever the windows. */
#include <stdlib.h>
#include <string.h>

#include "delta/image/refs_jump.h"
#include "support/check_main.h"

enum { CODE_AT = 0x1000, CODE_SIZE = 0x4000, DATA_AT = 0x8000, DATA_SIZE = 0x400, ADDRESS = 0x100000 };

static struct delta_image image = {
    .machine = DELTA_MACHINE_X86_64,
    .segments = {1, {{0, ADDRESS, 0x10000, 0x10000}}},
    .regions_n = 2,
    .regions = {{.offset = CODE_AT, .size = CODE_SIZE, .address = ADDRESS + CODE_AT, .kind = DELTA_REGION_CODE},
                {.offset = DATA_AT, .size = DATA_SIZE, .address = ADDRESS + DATA_AT, .kind = DELTA_REGION_RODATA}},
};

static unsigned char bytes[DELTA_SCAN_BEFORE + DATA_SIZE + DELTA_SCAN_AFTER];

static void put(unsigned at, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++, v >>= 8)
        bytes[DELTA_SCAN_BEFORE + at + i] = (unsigned char)v;
}

static size_t scan(size_t window, struct delta_ref *refs)
{
    struct delta_jumps jumps = {0};
    size_t found = 0;

    for (size_t at = 0; at < DATA_SIZE;) {
        size_t n = HF_MIN(window, DATA_SIZE - at), limit = HF_MIN(n + 16, DATA_SIZE - at), end = n;
        size_t some =
            delta_jump_scan(&image, bytes + DELTA_SCAN_BEFORE + at, n, limit, DATA_AT + at, &jumps, refs + found);
        ck_assert_uint_le(some, (n + 3) / 4);
        for (size_t i = 0; i < some; i++) {
            struct delta_ref *ref = &refs[found + i];
            ck_assert_uint_lt(ref->at, n);
            ck_assert_uint_le(ref->at + 4, limit);
            ck_assert(ref->target >= CODE_AT && ref->target < CODE_AT + CODE_SIZE);
            ck_assert_uint_eq(delta_ref_encode(ref, 0, ADDRESS + ref->target, ADDRESS + ref->base), ref->word);
            ck_assert_uint_eq(delta_ref_decode(ref, ref->word, 0, ADDRESS + ref->base, 0), ADDRESS + ref->target);
            end = HF_MAX(end, (size_t)ref->at + 4);
            ref->at += (uint32_t)at;
        }
        found += some;
        at += end;
    }
    return found;
}

START_TEST(tables)
{
    struct delta_ref refs[DATA_SIZE / 4];

    memset(bytes, 'x', sizeof(bytes));
    put(0x40, UINT32_MAX);                               /* -1: the word before itself is no code */
    put(0x44, (uint32_t)(CODE_AT - DATA_AT - 0x44 - 1)); /* just before the code */
    put(0x80, (uint32_t)(CODE_AT + CODE_SIZE - DATA_AT - 0x80));
    put(0x84, 0x80000000);
    for (unsigned i = 0; i < 50; i++)
        put(0x100 + 4 * i, (uint32_t)(CODE_AT + 64 * i - (DATA_AT + 0x100)));
    put(0x300, (uint32_t)(CODE_AT + CODE_SIZE - 1 - (DATA_AT + 0x300)));
    for (size_t window = 1; window <= 1024; window = window < 9 ? window + 1 : 2 * window) {
        ck_assert_uint_eq(scan(window, refs), 51);
        for (unsigned i = 0; i < 50; i++) {
            ck_assert_uint_eq(refs[i].at, 0x100 + 4 * i);
            ck_assert_uint_eq(refs[i].base, DATA_AT + 0x100);
            ck_assert_uint_eq(refs[i].target, CODE_AT + 64 * i);
        }
        ck_assert_uint_eq(refs[50].base, DATA_AT + 0x300);
    }
}
END_TEST

/* Any words at all, also where positions and addresses wrap. */
START_TEST(hostile)
{
    struct delta_ref refs[DATA_SIZE / 4];
    struct delta_image kept = image;
    uint32_t seed = 3;

    for (unsigned round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = i % 4 == 3 ? 0xff : (unsigned char)(seed >> 24);
            if (i % 4 == 2 && round % 2 == 0)
                bytes[i] = 0xff;
        }
        (void)scan(1 + round, refs);
        image.segments.p[0].address = round % 3 == 0 ? 0 : ADDRESS;
        image.segments.n = round % 5 == 0 ? 0 : 1;
        if (round % 3 != 0 && round % 5 != 0)
            continue;
        struct delta_jumps jumps = {round, DATA_AT};
        (void)delta_jump_scan(&image, bytes + DELTA_SCAN_BEFORE, DATA_SIZE, DATA_SIZE, DATA_AT, &jumps, refs);
        image = kept;
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, tables);
    tcase_add_test(tc, hostile);
}

HF_TEST_MAIN("delta/refs_jump", cases)
