/* SPDX-License-Identifier: Apache-2.0 */
/* A delta that looks inside, with any byte wrong or cut short (HF_CORRUPT=1: all of them): as for plain ones, and what a recipe
 * claims is never more memory or scratch space than the caller allows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack/deep/deep.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"
#include "support/makers/wrong_byte.h"

#define BUF HF_BUF_INIT(1 << 22)

/* What a plain delta may hold (delta/FORMAT.md), and what deltas that look inside hold beside it. */
enum { ALLOWED = 9 << 20, SCRATCH = 1 << 16, MEMORY_MAX = (5 << 19) + ALLOWED + SCRATCH + (2 << 20) };

/* Text, a gzip member, text: most words are others in the new version. */
static void file_of(unsigned version, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf text = BUF;

    packs_text(out, 3000, 5, version == 0 ? 0 : 4);
    packs_text(&text, 20000, 6, version == 0 ? 0 : 4);
    packs_run("gzip -nc6", text.p, text.n, out);
    packs_text(out, 2000, 7, version == 0 ? 0 : 4);
}

static int apply_wrong(const struct wrong_byte *w, const struct hf_delta_in *in, const struct hf_delta_out *out,
                       struct hf_err *err)
{
    const struct hf_buf *file = w->ctx;
    struct delta_io old = delta_io_of(file);
    const struct hf_deep_apply_params params = {
        .delta = {.old = delta_io_old(&old), .patch = *in, .out = *out, .old_is_verified = true},
        .memory_max = ALLOWED,
        .scratch_max = SCRATCH};

    return hf_deep_apply(&params, NULL, err);
}

START_TEST(corrupted)
{
    static const int also[] = {E2BIG, EFBIG, ENOMEM, ENOSPC, 0};
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, right = BUF, patch = BUF;
    enum hf_delta_profile profile = (unsigned)_i / wrong_byte_parts();
    const struct hf_deep_create_params params = {.delta = {.profile = profile, .threads = 1}, .inside = true};
    const struct hf_delta_out out = delta_io_out(&patch);
    struct delta_io bytes;
    struct hf_deep_info info;
    struct hf_err err = HF_ERR_INIT;

    file_of(0, &old);
    file_of(1, &right);
    ck_assert_int_eq(hf_deep_create(old.p, old.n, right.p, right.n, &params, &out, &err), 0);
    bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    ck_assert(hf_deep_read_info(&in, &info, &err) == 0 && info.inside);
    hf_deep_info_done(&info);
    ck_assert_msg(patch.n >= 1200 && patch.n <= 4000, "the patch has %zu bytes", patch.n);
    wrong_byte_try(&(struct wrong_byte){.name = profile == HF_DELTA_SMALL ? "inside, small" : "inside, fast",
                                        .patch = &patch,
                                        .right = &right,
                                        .apply = apply_wrong,
                                        .ctx = &old,
                                        .also = also,
                                        .memory_max = MEMORY_MAX},
                   (unsigned)_i % wrong_byte_parts());
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, corrupted, 0, (int)((HF_DELTA_FAST + 1) * wrong_byte_parts()));
}

HF_TEST_MAIN_CPU("pack/deep faults", cases, getenv("HF_CORRUPT") != NULL ? 14400 : 300)
