/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas that look inside, gone on with from each of their checkpoints. */
#include <errno.h>

#include "pack/deep/deep.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"

enum { MEMBERS = 9, MEMBER_BYTES = 1500 << 10, BLOCK = 4 << 20, MAX_POINTS = 16 };

#define BUF HF_BUF_INIT(1 << 26)

static struct hf_buf old = BUF, new_file = BUF, patch = BUF;

static void stop(const char *what)
{
    (void)fprintf(stderr, "%s\n", what);
    abort();
}

/* A folder of compressed documents between short texts; the sixth lies in a .zst. */
static void folder(int version, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf text = BUF;

    packs_text(&text, MEMBER_BYTES, 7, 0);
    for (unsigned i = 0; i < MEMBERS; i++) {
        _cleanup_(hf_buf_done) struct hf_buf inner = BUF;
        size_t at = 1000 * (size_t)(i + 1) + (version == 0 ? 0 : 7);
        char kept = text.p[at];
        text.p[at] = '#';
        packs_text(out, 3000 + i, 40 + i, 0);
        packs_run("gzip -nc1", text.p, text.n, i == 5 ? &inner : out);
        if (i == 5)
            packs_run("zstd -qc -1", inner.p, inner.n, out);
        text.p[at] = kept;
    }
    packs_text(out, 500, 90, 0);
}

struct kept {
    struct hf_delta_checkpoint points[MAX_POINTS];
    size_t n;
    const struct hf_buf *made;
};

static struct hf_buf made = BUF;
static struct kept kept = {.made = &made};

static int keep(void *ctx, const struct hf_delta_checkpoint *point)
{
    struct kept *into = ctx;

    ck_assert_uint_lt(into->n, MAX_POINTS);
    ck_assert_uint_le(point->new_offset, into->made->n);
    ck_assert(into->n == 0 || point->new_offset > into->points[into->n - 1].new_offset);
    into->points[into->n++] = *point;
    return 0;
}

static int apply(struct hf_buf *to, const struct hf_delta_checkpoint *resume, struct kept *into, struct hf_err *err)
{
    struct delta_io old_bytes = delta_io_of(&old), patch_bytes = delta_io_of(&patch);
    const struct hf_deep_apply_params params = {.delta = {.old = delta_io_old(&old_bytes),
                                                          .patch = delta_io_in(&patch_bytes),
                                                          .out = delta_io_out(to),
                                                          .resume = resume,
                                                          .checkpoint = into != NULL ? keep : NULL,
                                                          .checkpoint_ctx = into,
                                                          .old_is_verified = true}};

    return hf_deep_apply(&params, NULL, err);
}

/* Once for all tests, before the first; the delta is applied from its start. */
static void make_files(void)
{
    const struct hf_deep_create_params params = {.delta = {.threads = 1}};
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;

    folder(0, &old);
    folder(1, &new_file);
    if (hf_deep_create(old.p, old.n, new_file.p, new_file.n, &params, &out, &err) < 0)
        stop(err.cause);
    if (!hf_deep_is((const unsigned char *)patch.p))
        stop("not one that looks inside");
    if (apply(&made, NULL, &kept, &err) < 0)
        stop(err.cause);
}

START_TEST(from_every_checkpoint)
{
    struct hf_err err = HF_ERR_INIT;

    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
    ck_assert_uint_ge(kept.n, MEMBERS * (size_t)MEMBER_BYTES / BLOCK - 1);
    for (size_t i = 0; i < kept.n; i++) {
        const struct hf_delta_checkpoint *from = &kept.points[i];
        struct kept more = {.made = &made};
        made.n = from->new_offset;
        memset(made.p + made.n, 0, new_file.n - made.n);
        int r = apply(&made, from, &more, &err);
        ck_assert_msg(r == 0, "from %llu: %s", (unsigned long long)from->new_offset, err.cause);
        ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
        /* Those that follow are the same again. */
        ck_assert_uint_eq(more.n, kept.n - i - 1);
        for (size_t k = 0; k < more.n; k++)
            ck_assert(memcmp(&more.points[k], &kept.points[i + 1 + k], sizeof(more.points[k])) == 0);
    }
}
END_TEST

/* No more is made again than a block and the stream that was open. */
START_TEST(checkpoints_are_near)
{
    for (size_t i = 0; i < kept.n; i++) {
        uint64_t block = (uint64_t)(i + 1) * BLOCK, at = kept.points[i].patch_offset;
        ck_assert_msg(at <= block && block - at <= MEMBER_BYTES + 4096 + 100000, "%zu: %llu", i,
                      (unsigned long long)at);
    }
}
END_TEST

START_TEST(what_is_no_checkpoint_of_it)
{
    struct hf_err err = HF_ERR_INIT;
    static const int64_t off[][2] = {{1, 0},    {-1, 0}, {0, 1}, {0, -1}, {INT64_MAX / 2, 0}, {0, INT64_MAX / 2},
                                     {0, 40000}};

    for (size_t i = 0; i < HF_LEN(off); i++) {
        struct hf_delta_checkpoint from = kept.points[1];
        from.new_offset += (uint64_t)off[i][0];
        from.patch_offset += (uint64_t)off[i][1];
        made.n = kept.points[1].new_offset;
        int r = apply(&made, &from, NULL, &err);
        ck_assert_msg(r == -EINVAL || r == -EBADMSG, "%zu: %d", i, r);
    }
    struct hf_delta_checkpoint from = kept.points[1];
    memset(from.new_hash, 0xff, sizeof(from.new_hash));
    ck_assert_int_eq(apply(&made, &from, NULL, &err), -EINVAL);
}
END_TEST

static void all(TCase *tc)
{
    make_files();
    tcase_add_test(tc, from_every_checkpoint);
    tcase_add_test(tc, checkpoints_are_near);
    tcase_add_test(tc, what_is_no_checkpoint_of_it);
}

HF_TEST_MAIN_CPU("pack/deep_resume", all, 120)
