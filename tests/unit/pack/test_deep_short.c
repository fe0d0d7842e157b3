/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz_pack_apply is fed gets where it is to get: a delta in short, and each seed that pack-seeds made, does all that applying does,
 * up to the hash that it does not have. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "pack/deep/deep.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/deep_short.h"

#define BUF HF_BUF_INIT(1 << 20)

/* Applying a delta in short makes all of new, and fails then. */
static void apply_whole(const char *name, const struct hf_buf *in_short, struct hf_buf *made)
{
    _cleanup_(hf_buf_done) struct hf_buf patch = BUF;
    struct hf_err err = HF_ERR_INIT;
    uint64_t new_n;

    deep_short_expand((const uint8_t *)in_short->p, in_short->n, &patch, &new_n);
    struct delta_io old = delta_io_of(deep_short_old()), in = delta_io_of(&patch);
    struct hf_deep_apply_params params = {.delta = delta_io_params(&old, &in, made)};
    params.delta.old_is_verified = true;
    ck_assert_int_eq(hf_deep_apply(&params, NULL, &err), -EBADMSG);
    ck_assert_msg(strstr(err.cause, "sha256") != NULL, "%s: %s", name, err.cause);
    ck_assert_uint_eq(made->n, new_n);
}

START_TEST(short_form_is_the_delta)
{
    const struct hf_deep_create_params params = {.delta = {.profile = _i, .threads = 1}, .inside = true};
    _cleanup_(hf_buf_done) struct hf_buf new_file = BUF, patch = BUF, in_short = BUF, made = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);
    const struct hf_buf *old = deep_short_old();
    struct hf_err err = HF_ERR_INIT;

    deep_short_file(5, &new_file);
    ck_assert_int_eq(hf_deep_create(old->p, old->n, new_file.p, new_file.n, &params, &out, &err), 0);
    ck_assert(deep_short_of(&patch, &in_short));
    apply_whole("made now", &in_short, &made);
    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
}
END_TEST

START_TEST(seeds_are_of_this_format)
{
    glob_t seeds;

    ck_assert_int_eq(glob("tests/fuzz/corpus/fuzz_pack_apply/every-*", 0, NULL, &seeds), 0);
    for (size_t i = 0; i < seeds.gl_pathc; i++) {
        _cleanup_(hf_buf_done) struct hf_buf seed = BUF, made = BUF;
        char bytes[8192];
        FILE *file = fopen(seeds.gl_pathv[i], "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(hf_buf_add(&seed, bytes, fread(bytes, 1, sizeof(bytes), file)), 0);
        (void)fclose(file);
        apply_whole(seeds.gl_pathv[i], &seed, &made);
    }
    globfree(&seeds);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, short_form_is_the_delta, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_test(tc, seeds_are_of_this_format);
}

HF_TEST_MAIN("pack/deep short", cases)
