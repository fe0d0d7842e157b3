/* SPDX-License-Identifier: Apache-2.0 */
/* The new file alone, because the old one does not help: every byte of such a delta wrong, every length of it, and
 * resuming at its first border. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "delta/create.h"
#include "delta/io/wire.h"
#include "support/check_main.h"
#include "support/delta_io.h"

enum { OLD = 1000, SMALL = 3000, LARGE = DELTA_BLOCK + 5000 };

static struct hf_buf words(size_t n)
{
    struct hf_buf buf = HF_BUF_INIT(16 << 20);
    uint32_t seed = 1;

    while (buf.n < n) {
        seed = seed * 1664525 + 1013904223;
        ck_assert_int_eq(hf_buf_addf(&buf, "%x %s ", seed >> 20, (seed >> 9 & 1) != 0 ? "kelp" : "rock"), 0);
    }
    buf.n = n;
    return buf;
}

static unsigned char old_bytes[OLD];

static int apply(struct hf_view patch, const struct hf_delta_out *out, const struct hf_delta_checkpoint *resume,
                 int (*keep)(void *ctx, const struct hf_delta_checkpoint *checkpoint), void *kept)
{
    struct delta_io old = {.p = old_bytes, .n = OLD}, in = {.p = patch.p, .n = patch.n};
    const struct hf_delta_apply_params params = {.old = delta_io_old(&old),
                                                 .patch = delta_io_in(&in),
                                                 .out = *out,
                                                 .resume = resume,
                                                 .checkpoint = keep,
                                                 .checkpoint_ctx = kept};
    struct hf_err err = HF_ERR_INIT;
    int r = hf_delta_apply(&params, NULL, &err);

    ck_assert(r == 0 || err.cause[0] != '\0');
    return r;
}

static void digest(const void *bytes, size_t n, unsigned char *ret_digest, size_t kept)
{
    unsigned char whole[HF_SHA256_BYTES];
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, bytes, n);
    hf_sha256_final(&hash, whole);
    memcpy(ret_digest, whole, kept);
}

/* Uses this method, even if another would be smaller. */
static void make(const struct hf_buf *now, struct hf_buf *patch)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(8 << 20);
    const struct delta_make make = {.new_bytes = (const unsigned char *)now->p, .new_n = now->n};
    struct delta_header header = {
        .version = DELTA_VERSION, .method = DELTA_METHOD_LZMA, .old_size = OLD, .new_size = now->n};
    unsigned char head[DELTA_HEADER_MAX];
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(delta_make_lzma(&make, &body, &err), 0);
    header.body_size = body.n;
    digest(old_bytes, OLD, header.old_fingerprint, sizeof(header.old_fingerprint));
    digest(now->p, now->n, header.new_sha256, sizeof(header.new_sha256));
    digest(body.p, body.n, header.body_fingerprint, sizeof(header.body_fingerprint));
    ck_assert_int_eq(hf_buf_add(patch, head, delta_header_format(&header, head)), 0);
    ck_assert_int_eq(hf_buf_add(patch, body.p, body.n), 0);
}

START_TEST(wrong)
{
    _cleanup_(hf_buf_done) struct hf_buf now = words(SMALL), patch = HF_BUF_INIT(1 << 20), out = HF_BUF_INIT(1 << 20);
    const struct hf_delta_out to = delta_io_out(&out);

    make(&now, &patch);
    for (size_t n = 0; n < patch.n; n++) {
        hf_buf_clear(&out);
        ck_assert_int_eq(apply((struct hf_view){patch.p, n}, &to, NULL, NULL, NULL), -EBADMSG);
    }
    for (size_t at = 0; at < patch.n; at++) {
        hf_buf_clear(&out);
        patch.p[at] ^= (char)(1 + at % 255);
        ck_assert_msg(apply(hf_buf_view(&patch), &to, NULL, NULL, NULL) < 0, "byte %zu", at);
        patch.p[at] ^= (char)(1 + at % 255);
        ck_assert_uint_le(out.n, SMALL);
    }
    hf_buf_clear(&out);
    ck_assert_int_eq(apply(hf_buf_view(&patch), &to, NULL, NULL, NULL), 0);
    ck_assert(out.n == now.n && memcmp(out.p, now.p, now.n) == 0);
}
END_TEST

static int keep_one(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    *(struct hf_delta_checkpoint *)ctx = *checkpoint;
    return 0;
}

static int stop(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    (void)ctx;
    (void)checkpoint;
    return -EINTR;
}

static int full(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    (void)bytes;
    (void)n;
    return -ENOSPC;
}

START_TEST(two_blocks)
{
    _cleanup_(hf_buf_done) struct hf_buf now = words(LARGE), patch = HF_BUF_INIT(8 << 20), out = HF_BUF_INIT(8 << 20);
    const struct hf_delta_out to = delta_io_out(&out);
    struct hf_delta_checkpoint checkpoint = {0};

    make(&now, &patch);
    ck_assert_int_eq(apply(hf_buf_view(&patch), &to, NULL, keep_one, &checkpoint), 0);
    ck_assert(out.n == now.n && memcmp(out.p, now.p, now.n) == 0);
    ck_assert_uint_eq(checkpoint.new_offset, DELTA_BLOCK);
    out.n = DELTA_BLOCK;
    ck_assert_int_eq(apply(hf_buf_view(&patch), &to, &checkpoint, NULL, NULL), 0);
    ck_assert(out.n == now.n && memcmp(out.p, now.p, now.n) == 0);
    hf_buf_clear(&out);
    ck_assert_int_eq(apply(hf_buf_view(&patch), &to, NULL, stop, NULL), -EINTR);
    ck_assert_uint_eq(out.n, DELTA_BLOCK);
    ck_assert_int_eq(apply(hf_buf_view(&patch), &(struct hf_delta_out){NULL, full}, NULL, NULL, NULL), -ENOSPC);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, wrong);
    tcase_add_test(tc, two_blocks);
}

HF_TEST_MAIN_CPU("delta/whole_lzma", cases, 300)
