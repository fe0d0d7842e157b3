/* SPDX-License-Identifier: Apache-2.0 */
/* The engine through its public interface: files round-trip, and no damaged delta gets through. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"

static const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 65537, 150000};

START_TEST(round_trip)
{
    struct hf_buf old = text(sizes[_i]), empty = BUF, near = edited(&old, 20), far = text(sizes[_i] / 2);

    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        comes_back(&old, &old, profile, "same");
        comes_back(&old, &near, profile, "near");
        comes_back(&near, &old, profile, "near, back");
        comes_back(&old, &far, profile, "far");
        comes_back(&old, &empty, profile, "to nothing");
        comes_back(&empty, &old, profile, "from nothing");
    }
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&far);
}
END_TEST

START_TEST(wrong_old)
{
    struct hf_buf old = text(50000), near = edited(&old, 5), patch = make(&old, &near, _i), made = BUF;
    struct hf_err err = HF_ERR_INIT;

    old.p[4711] ^= 1;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -ESTALE);
    ck_assert_uint_eq(made.n, 0);
    struct delta_io from = delta_io_of(&old), in = delta_io_of(&patch);
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);
    params.old_is_verified = true;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -ESTALE);
    old.n--;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -ESTALE);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

/* Every value of one byte at a few positions, one flipped bit at every position, every length. */
START_TEST(damage)
{
    struct hf_buf old = text(30000), near = edited(&old, 40), patch = make(&old, &near, _i), made = BUF;
    struct hf_err err = HF_ERR_INIT;

    for (size_t i = 0; i < patch.n; i++) {
        char kept = patch.p[i];
        patch.p[i] ^= (char)(1u << draw() % 8);
        int r = apply(&old, &patch, &made, &err);
        ck_assert_msg(r < 0 || (made.n == near.n && memcmp(made.p, near.p, near.n) == 0), "byte %zu", i);
        ck_assert_msg(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE, "byte %zu: %d", i, r);
        patch.p[i] = kept;
    }
    for (size_t n = patch.n; n-- > 0;) {
        struct hf_buf cut = {patch.p, n, n, n};
        ck_assert_int_eq(apply(&old, &cut, &made, &err), -EBADMSG);
    }
    patch.n++;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -EBADMSG);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

START_TEST(callbacks_fail)
{
    struct hf_buf old = text(300000), near = edited(&old, 5), patch = make(&old, &near, _i), made = BUF;
    struct hf_buf small = HF_BUF_INIT(100000);
    struct delta_io from = delta_io_of(&old), in = {.p = patch.p, .n = patch.n, .step = 100, .fail_at = 80};
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);
    struct hf_err err = HF_ERR_INIT;
    atomic_bool cancel = true;

    ck_assert_int_eq(apply(&old, &patch, &small, &err), -E2BIG);
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -EIO);
    in = delta_io_of(&patch);
    params.cancel = &cancel;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -ECANCELED);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
    hf_buf_done(&small);
}
END_TEST
static void made_by_one_thread_too(const struct hf_buf *old, const struct hf_buf *near, enum hf_delta_profile profile,
                                   const struct hf_buf *patch)
{
    const struct hf_delta_create_params params = {.profile = profile, .threads = 1};
    struct hf_buf again = BUF;
    struct hf_delta_out out = delta_io_out(&again);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_create(old->p, old->n, near->p, near->n, &params, &out, &err), 0);
    ck_assert(again.n == patch->n && memcmp(again.p, patch->p, again.n) == 0);
    hf_buf_done(&again);
}

START_TEST(resume)
{
    struct hf_buf old = text((8 << 20) + 70000), near = edited(&old, 20), patch = make(&old, &near, _i), made = BUF;
    struct kept kept = {0}, ignored = {0};
    struct hf_err err = HF_ERR_INIT;
    struct delta_io from = delta_io_of(&old), in = delta_io_of(&patch);
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);

    made_by_one_thread_too(&old, &near, _i, &patch);
    params.checkpoint = keep;
    params.checkpoint_ctx = &kept;

    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
    ck_assert_uint_eq(kept.n, (near.n - 1) / (4 << 20));
    params.checkpoint_ctx = &ignored;
    for (unsigned i = 0; i < kept.n; i++) {
        in.at = 0;
        made.n = kept.points[i].new_offset;
        params.resume = &kept.points[i];
        int r = hf_delta_apply(&params, NULL, &err);
        ck_assert_msg(r == 0, "resume %u: %s", i, err.cause);
        ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
        ignored.n = 0;
    }
    struct hf_delta_checkpoint odd = kept.points[0];
    odd.new_offset++;
    params.resume = &odd;
    in.at = 0;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -EINVAL);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

START_TEST(info)
{
    struct hf_buf old = text(5000), near = edited(&old, 5), patch = make(&old, &near, _i);
    struct delta_io bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct hf_delta_info told;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_read_info(&in, &told, &err), 0);
    ck_assert_uint_eq(told.version, 1);
    ck_assert_uint_eq(told.old_size, old.n);
    ck_assert_uint_eq(told.new_size, near.n);
    ck_assert_uint_eq(told.patch_size, patch.n);
    ck_assert_uint_eq(told.profile, (unsigned)_i);
    bytes.at = 0;
    patch.p[3] = 2;
    ck_assert_int_eq(hf_delta_read_info(&in, &told, &err), -EOPNOTSUPP);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

/* The number of threads does not change a byte; progress can cancel. */
static int stop(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)done;
    (void)total;
    return 1;
}

START_TEST(threads)
{
    struct hf_buf old = text(400000), near = edited(&old, 30), out[2] = {BUF, BUF};
    struct hf_err err = HF_ERR_INIT;

    for (unsigned i = 0; i < 2; i++) {
        struct hf_delta_create_params params = {.threads = i == 0 ? 1 : 3};
        struct hf_delta_out sink = delta_io_out(&out[i]);
        ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &sink, &err), 0);
    }
    ck_assert(out[0].n == out[1].n && memcmp(out[0].p, out[1].p, out[0].n) == 0);
    struct hf_delta_create_params params = {.progress = stop};
    struct hf_delta_out sink = delta_io_out(&out[0]);
    ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &sink, &err), -ECANCELED);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&out[0]);
    hf_buf_done(&out[1]);
}
END_TEST

struct listener {
    unsigned calls, stop_at;
};

static int listen(void *ctx, uint64_t done, uint64_t total)
{
    struct listener *l = ctx;

    ck_assert_uint_le(done, total);
    return ++l->calls == l->stop_at;
}

/* Cancels at each report, one for each 64 KiB and variant; close files without images have more variants in the fast
 * profile. */
START_TEST(canceled)
{
    struct hf_buf old = text(200000), near = edited(&old, 30), patch = BUF;
    struct listener l = {0};
    struct hf_delta_create_params params = {.profile = _i, .progress = listen, .progress_ctx = &l};
    struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err;
    int r;

    do {
        l.calls = 0;
        l.stop_at++;
        hf_buf_clear(&patch);
        r = hf_delta_create(old.p, old.n, near.p, near.n, &params, &out, &err);
        ck_assert_int_eq(r, l.calls >= l.stop_at ? -ECANCELED : 0);
    } while (r != 0);
    ck_assert_uint_eq(l.calls, near.n / 65536 * (_i == HF_DELTA_FAST ? 2 : 1));
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

START_TEST(check)
{
    struct hf_buf old = text(90000), near = edited(&old, 9), patch = make(&old, &near, _i);
    struct delta_io bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct hf_delta_info told;
    struct hf_delta_parts parts;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_check(&in, &told, &parts, &err), 0);
    ck_assert_uint_eq(parts.header_bytes + parts.map_bytes + parts.block_bytes, patch.n);
    ck_assert_uint_eq(parts.blocks, 1);
    ck_assert_str_ne(hf_delta_method_name(told.method), "unknown");
    ck_assert_str_eq(hf_delta_method_name(99), "unknown");
    bytes.at = 0;
    patch.p[patch.n - 1] ^= 1;
    ck_assert_int_eq(hf_delta_check(&in, NULL, NULL, &err), -EBADMSG);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

/* The check finds a change in the body of a delta of a few bytes, as applying does. */
START_TEST(check_of_few_bytes)
{
    struct hf_buf old = text(5), near = text(9), patch = make(&old, &near, HF_DELTA_SMALL);
    struct hf_delta_info told;
    struct hf_err err = HF_ERR_INIT;

    for (size_t i = patch.n - near.n; i < patch.n; i++) {
        struct delta_io bytes = delta_io_of(&patch);
        const struct hf_delta_in in = delta_io_in(&bytes);
        ck_assert_int_eq(hf_delta_check(&in, &told, NULL, &err), 0);
        ck_assert_str_eq(hf_delta_method_name(told.method), "bytes");
        bytes.at = 0;
        patch.p[i] ^= 1;
        ck_assert_msg(hf_delta_check(&in, NULL, NULL, &err) == -EBADMSG, "byte %zu of %zu", i, patch.n);
        patch.p[i] ^= 1;
    }
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

/* Refuses before it reads a byte. */
START_TEST(too_large)
{
    static const size_t sizes_of[][2] = {
        {HF_DELTA_CREATE_MAX_BYTES, 1}, {1, HF_DELTA_CREATE_MAX_BYTES}, {(size_t)5 << 30, (size_t)3 << 30}};
    const struct hf_delta_create_params params = {.profile = HF_DELTA_FAST, .threads = 1};
    struct hf_buf patch = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);

    for (size_t i = 0; i < HF_LEN(sizes_of); i++) {
        struct hf_err err = HF_ERR_INIT;
        int r = hf_delta_create("", sizes_of[i][0], "", sizes_of[i][1], &params, &out, &err);
        ck_assert(r == -EFBIG && strstr(err.cause, "below 2 GiB") != NULL && patch.n == 0);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, too_large);
    tcase_add_loop_test(tc, round_trip, 0, HF_LEN(sizes));
    tcase_add_loop_test(tc, wrong_old, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, damage, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, callbacks_fail, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, resume, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_test(tc, threads);
    tcase_add_loop_test(tc, canceled, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, check, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_test(tc, check_of_few_bytes);
    tcase_add_loop_test(tc, info, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
}

HF_TEST_MAIN_CPU("delta", cases, 300)
