/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of Go images: found, read as what they are, predicted; and hostile ones, which cost bytes and nothing else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/endian.h"
#include "delta/create.h"
#include "delta/image/elf.h"
#include "delta/image/golang.h"
#include "delta/image/predict.h"
#include "delta/image/refs_go.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/draw.h"
#include "support/makers/go_make.h"
#include "support/walk.h"

enum { WINDOW = 1024, ROOM = DELTA_SCAN_BEFORE + WINDOW + 16 + DELTA_SCAN_AFTER };

struct opened {
    struct delta_memory *memory;
    struct delta_image image;
    size_t n;
};

static void open_image(struct opened *o, const struct elf_made *made)
{
    struct hf_err err = HF_ERR_INIT;

    o->memory = malloc(sizeof(*o->memory));
    delta_memory_open(o->memory, made->p, made->n);
    o->n = made->n;
    ck_assert_int_eq(delta_image_read(&o->memory->reader, 0, made->n, &o->image, &err), 0);
}

/* Scan a region as a copy of it would be; what is found must keep the promises of the interface. */
static void scan_region(struct opened *o, const struct delta_region *region, size_t window,
                        unsigned count[DELTA_REF_KINDS])
{
    static unsigned char bytes[ROOM];
    static struct delta_ref refs[(WINDOW + 3) / 4 + 4];
    struct delta_go_cursor cursor = {0};
    struct hf_err err = HF_ERR_INIT;

    for (uint64_t at = 0; at < region->size;) {
        size_t n = (size_t)HF_MIN((uint64_t)window, region->size - at), found = 0, next = 0;
        size_t limit = (size_t)HF_MIN((uint64_t)n + 16, region->size - at);
        uint64_t offset = region->offset + at;
        memset(bytes, 0, sizeof(bytes));
        ck_assert_int_eq(delta_old_read(&o->memory->reader, offset - DELTA_SCAN_BEFORE, bytes,
                                        DELTA_SCAN_BEFORE + n + 16 + DELTA_SCAN_AFTER, &err),
                         0);
        ck_assert_int_eq(delta_go_scan(&o->memory->reader, &o->image, region, bytes + DELTA_SCAN_BEFORE, n, limit,
                                       offset, &cursor, refs, &found, &err),
                         0);
        ck_assert_uint_le(found, (n + 3) / 4);
        for (size_t i = 0; i < found; i++) {
            ck_assert_uint_ge(refs[i].at, next);
            ck_assert_uint_lt(refs[i].at, n);
            next = refs[i].at + refs[i].n;
            ck_assert_uint_le(next, limit);
            ck_assert_uint_lt(refs[i].kind, DELTA_REF_KINDS);
            uint64_t base = delta_address_of(&o->image.segments, refs[i].base);
            uint64_t target = delta_address_of(&o->image.segments, refs[i].target);
            if (refs[i].kind >= DELTA_REF_GO_TEXT && refs[i].kind <= DELTA_REF_GO_TYPE &&
                refs[i].target < o->image.segments.p[0].file_size)
                ck_assert_uint_eq(delta_ref_encode(&refs[i], 0, target, base), refs[i].word);
            count[refs[i].kind]++;
        }
        at += HF_MAX(n, next);
    }
}

static void scan_all(struct opened *o, size_t window, unsigned count[DELTA_REGION_KINDS][DELTA_REF_KINDS])
{
    for (unsigned i = 0; i < o->image.regions_n; i++)
        if (delta_go_has(o->image.regions[i].kind))
            scan_region(o, &o->image.regions[i], window, count[o->image.regions[i].kind]);
}

enum { FUNCTIONS = 600 };

START_TEST(found)
{
    struct elf_made made = go_make((enum delta_go_layout)_i, FUNCTIONS, 0);
    unsigned count[DELTA_REGION_KINDS][DELTA_REF_KINDS] = {{0}}, small[DELTA_REGION_KINDS][DELTA_REF_KINDS] = {{0}};
    struct opened o;

    open_image(&o, &made);
    const struct delta_go *go = &o.image.go;
    ck_assert_int_eq(go->layout, _i);
    ck_assert_uint_eq(go->functions, FUNCTIONS);
    ck_assert_uint_eq(go->text, 0x1000);
    ck_assert_uint_gt(go->types, go->text);
    ck_assert(go->header < go->names && go->names < go->units && go->units < go->files && go->files < go->pctab &&
              go->pctab < go->rows);
    for (unsigned i = 1; i < o.image.regions_n; i++)
        ck_assert_uint_ge(o.image.regions[i].offset, o.image.regions[i - 1].offset + o.image.regions[i - 1].size);

    scan_all(&o, WINDOW, count);
    const unsigned *rows = count[DELTA_REGION_GO_ROWS], *functions = count[DELTA_REGION_GO_FUNCTIONS];
    const unsigned *types = count[DELTA_REGION_GO_TYPES];
    bool wide = _i == DELTA_GO_116;
    ck_assert_uint_eq(rows[wide ? DELTA_REF_ABS64 : DELTA_REF_GO_TEXT], FUNCTIONS + 1);
    ck_assert_uint_ge(rows[DELTA_REF_GO_FUNCTION], FUNCTIONS);
    ck_assert_uint_eq(functions[DELTA_REF_GO_NAME], FUNCTIONS);
    ck_assert_uint_eq(functions[DELTA_REF_GO_UNIT], FUNCTIONS);
    ck_assert_uint_eq(functions[DELTA_REF_GO_PC], 4 * FUNCTIONS - 1); /* the first table of all is at 0 */
    ck_assert_uint_eq(functions[wide ? DELTA_REF_ABS64 : DELTA_REF_GO_DATA], wide ? 2 * FUNCTIONS : 2 * FUNCTIONS / 3);
    ck_assert_uint_gt(types[DELTA_REF_GO_TYPE], 2 * FUNCTIONS);
    ck_assert_uint_gt(types[DELTA_REF_GO_TEXT], FUNCTIONS);
    ck_assert_uint_eq(count[DELTA_REGION_GO_OFFSETS][DELTA_REF_GO_TYPE], 200 + FUNCTIONS / 2);
    unsigned buckets = count[DELTA_REGION_GO_FIND][DELTA_REF_GO_BUCKET];
    ck_assert_uint_ge(buckets, 10);
    ck_assert_uint_eq(count[DELTA_REGION_GO_FIND][DELTA_REF_GO_PARTS], 4 * buckets);
    if (!wide) {
        ck_assert_uint_ge(count[DELTA_REGION_GO_DATA][DELTA_REF_GO_NAME], FUNCTIONS - 1);
        ck_assert_uint_ge(count[DELTA_REGION_GO_DATA][DELTA_REF_GO_TYPE], FUNCTIONS);
    }

    scan_all(&o, 64, small); /* the cursor carries from window to window */
    ck_assert_int_eq(memcmp(count, small, sizeof(count)), 0);
    free(o.memory);
    free(made.p);
}
END_TEST

/* ---- through the engine ---------------------------------------------------------------------------------------- */

static void make(const struct elf_made *old, const struct elf_made *now, enum hf_delta_profile profile,
                 struct hf_buf *patch)
{
    struct hf_delta_create_params params = {.profile = profile, .threads = 1};
    const struct hf_delta_out out = delta_io_out(patch);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_create(old->p, old->n, now->p, now->n, &params, &out, &err), 0);
}

static size_t comes_back(const struct elf_made *old, const struct elf_made *now, enum hf_delta_profile profile)
{
    _cleanup_(hf_buf_done) struct hf_buf patch = HF_BUF_INIT(1 << 24), made = HF_BUF_INIT(1 << 24);
    struct delta_io from = {.p = old->p, .n = old->n}, in;
    struct hf_err err = HF_ERR_INIT;

    make(old, now, profile, &patch);
    in = delta_io_of(&patch);
    const struct hf_delta_apply_params apply = delta_io_params(&from, &in, &made);
    int r = hf_delta_apply(&apply, NULL, &err);
    ck_assert_msg(r == 0 && made.n == now->n && memcmp(made.p, now->p, now->n) == 0, "%d: %s", r, err.cause);
    return patch.n;
}

/* Nearly all that is left to say is what grew. */
START_TEST(predicted)
{
    static const size_t limit[2] = {2000, 2200};

    for (unsigned profile = 0; profile < 2; profile++) {
        struct elf_made old = go_make((enum delta_go_layout)_i, FUNCTIONS, 0),
                        now = go_make((enum delta_go_layout)_i, FUNCTIONS, 30);
        size_t n = comes_back(&old, &now, (enum hf_delta_profile)profile);
        ck_assert_msg(n < limit[profile], "layout %d, profile %u: %zu bytes", _i, profile, n);
        (void)comes_back(&now, &old, (enum hf_delta_profile)profile);
        free(old.p);
        free(now.p);
    }
}
END_TEST

/* ---- hostile --------------------------------------------------------------------------------------------------- */

static void put32(const struct elf_made *made, uint64_t at, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++, v >>= 8)
        made->p[at + i] = (unsigned char)v;
}

/* One thing wrong in each. */
enum {
    NO_FUNCTIONS,
    MANY_FUNCTIONS,
    MORE_FUNCTIONS,
    OFFSETS_TURN,
    OFFSETS_FAR,
    ROWS_SAME,
    ROWS_DESCEND,
    ROWS_FAR,
    PCDATA_MANY,
    TYPES_FAR,
    LINKS_MANY,
    METHODS_MANY,
    FIND_FAR,
    CODE_LONG,
    ENTRIES_SAME,
    HOSTILE
};

static void spoil(const struct elf_made *made, const struct delta_go *go, unsigned what)
{
    uint64_t module = 0;
    uint64_t functions = go->rows + 8 * (go->functions + 1);

    for (uint64_t at = 0; at + 8 <= made->n && module == 0; at += 8)
        if (at > go->rows && hf_le(made->p + at, 8) == 0x400000 + go->header)
            module = at;
    ck_assert_uint_gt(module, 0);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        uint64_t row = go->rows + 8UL * i + 4;
        if (what == ROWS_SAME)
            put32(made, row, (uint32_t)(functions - go->rows));
        else if (what == ROWS_DESCEND)
            put32(made, row, (uint32_t)(functions - go->rows) + 64 * (FUNCTIONS - i));
        else if (what == ROWS_FAR)
            put32(made, row, UINT32_MAX - 8 * i);
        else if (what == ENTRIES_SAME) /* the search for a part's function stops somewhere */
            put32(made, row - 4, 0);
        else if (what == PCDATA_MANY)
            put32(made, go->rows + hf_le(made->p + row, 4) + 28, UINT32_MAX);
    }
    if (what == NO_FUNCTIONS)
        put32(made, go->header + 8, 0);
    else if (what == MANY_FUNCTIONS)
        put32(made, go->header + 12, UINT32_MAX);
    else if (what == MORE_FUNCTIONS)
        put32(made, go->header + 8, FUNCTIONS + 300);
    else if (what == OFFSETS_TURN)
        put32(made, go->header + 40, 1 << 20);
    else if (what == OFFSETS_FAR)
        put32(made, go->header + 64, UINT32_MAX);
    else if (what == TYPES_FAR)
        put32(made, module + 8UL * 37, UINT32_MAX);
    else if (what == LINKS_MANY)
        memset(made->p + module + 8UL * 45, 0x3f, 16);
    else if (what == FIND_FAR)
        put32(made, module + 8UL * 19, UINT32_MAX);
    else if (what == CODE_LONG)
        put32(made, module + 8UL * 21, UINT32_MAX);
    else if (what == METHODS_MANY)
        for (uint64_t at = go->types; at < go->funcdata; at += 8)
            if (hf_le(made->p + at + 8, 8) == 16)
                put32(made, at + 4, 0x0001ffff);
}

START_TEST(hostile)
{
    struct elf_made made = go_make(DELTA_GO_120, FUNCTIONS, 0), now = go_make(DELTA_GO_120, FUNCTIONS, 20);
    unsigned count[DELTA_REGION_KINDS][DELTA_REF_KINDS] = {{0}};
    struct opened o;

    open_image(&o, &made);
    spoil(&made, &o.image.go, (unsigned)_i);
    free(o.memory);
    open_image(&o, &made);
    scan_all(&o, WINDOW, count);
    (void)comes_back(&made, &now, HF_DELTA_SMALL);
    free(o.memory);
    free(made.p);
    free(now.p);
}
END_TEST

/* Bytes changed all over, most of them where the tables say how long something is; and files that end early. */
START_TEST(damaged)
{
    struct elf_made whole = go_make(DELTA_GO_118, 200, 0);
    struct opened o;

    open_image(&o, &whole);
    struct delta_go go = o.image.go;
    free(o.memory);
    for (unsigned round = 0; round < 100; round++) {
        unsigned count[DELTA_REGION_KINDS][DELTA_REF_KINDS] = {{0}};
        struct elf_made made = {malloc(whole.n), whole.n};
        memcpy(made.p, whole.p, whole.n);
        for (unsigned i = 0; i < 1 + draw() % 30; i++) {
            uint64_t from = draw() % 3 == 0 ? go.header : draw() % 2 == 0 ? go.rows : go.types;
            made.p[(from + draw() % 4000) % made.n] = (unsigned char)(draw() % 2 == 0 ? 0xff : draw());
        }
        if (round % 4 == 0) /* the section's headers stay */
            memset(made.p + go.types + draw() % 20000, 0, 5000);
        open_image(&o, &made);
        scan_all(&o, WINDOW, count);
        free(o.memory);
        free(made.p);
    }
    free(whole.p);
}
END_TEST

/* A patch that is wrong in any one byte leads the predictors anywhere, and never out of their bounds. */
START_TEST(patch_damaged)
{
    _cleanup_(hf_buf_done) struct hf_buf patch = HF_BUF_INIT(1 << 24), made = HF_BUF_INIT(1 << 24);
    struct elf_made old = go_make(DELTA_GO_118, 80, 0), now = go_make(DELTA_GO_118, 80, 7);
    struct delta_io from = {.p = old.p, .n = old.n};
    struct hf_err err = HF_ERR_INIT;

    make(&old, &now, (enum hf_delta_profile)_i, &patch);
    char *bytes = malloc(patch.n);
    for (uint64_t at = hf_walk_next("patch damaged", 7); at < patch.n; at = hf_walk_next("patch damaged", at)) {
        memcpy(bytes, patch.p, patch.n);
        bytes[at] = (char)(bytes[at] ^ 1 << draw() % 8);
        hf_buf_clear(&made);
        struct delta_io in = {.p = bytes, .n = patch.n};
        struct hf_delta_apply_params apply = delta_io_params(&from, &in, &made);
        apply.old_is_verified = true;
        int r = hf_delta_apply(&apply, NULL, &err);
        ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE ||
                          (r == 0 && made.n == now.n && memcmp(made.p, now.p, now.n) == 0),
                      "byte %llu: %d %s", (unsigned long long)at, r, err.cause);
    }
    free(bytes);
    free(old.p);
    free(now.p);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, found, DELTA_GO_116, DELTA_GO_120 + 1);
    tcase_add_loop_test(tc, predicted, DELTA_GO_116, DELTA_GO_120 + 1);
    tcase_add_loop_test(tc, hostile, 0, HOSTILE);
    tcase_add_test(tc, damaged);
    tcase_add_loop_test(tc, patch_damaged, 0, 2);
}

HF_TEST_MAIN("delta/golang", cases)
