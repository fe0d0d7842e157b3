/* SPDX-License-Identifier: Apache-2.0 */
/* Zstd frames that no encoder here makes: taken apart and made again from their decisions, alone, several, embedded,
 * and in damaged deltas. */
#include <errno.h>
#include <zstd.h>

#include "pack/deep/deep.h"
#include "pack/zstd/decisions.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"

enum { TEXT_BYTES = 120000, STREAM_STEP = 7001 };
#define BUF HF_BUF_INIT(1 << 26)

/* No level has these parameters. */
struct odd {
    const char *name;
    int level, target, window_log;
    bool size, checksum, pieces; /* pieces: flushed now and then */
};

static const struct odd odds[] = {
    {"fast", 1, 5, 17, true, false, false},      {"dfast", 3, 7, 15, true, true, false},
    {"lazy", 7, 3, 19, false, false, false},     {"lazy, pieces", 9, 3, 20, false, true, true},
    {"optimal", 16, 77, 25, true, false, false}, {"optimal, a small window", 19, 99, 14, false, true, false},
    {"ultra", 22, 55, 22, true, true, true},     {"negative", -7, 0, 16, true, false, true},
};

static void add_frame(const struct odd *odd, const struct hf_buf *text, struct hf_buf *out)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    ZSTD_outBuffer to = {.size = ZSTD_compressBound(text->n) + 4096};

    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, odd->level);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, odd->window_log);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, 9);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_chainLog, 9);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_targetLength, odd->target);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, odd->checksum);
    if (odd->size)
        (void)ZSTD_CCtx_setPledgedSrcSize(zstd, text->n);
    ck_assert_int_eq(hf_buf_reserve(out, to.size), 0);
    to.dst = out->p + out->n;
    for (size_t at = 0; at < text->n; at += STREAM_STEP) {
        ZSTD_inBuffer in = {text->p + at, HF_MIN((size_t)STREAM_STEP, text->n - at), 0};
        bool flush = odd->pieces && at % 3 == 0;
        while (in.pos < in.size || flush) {
            size_t left = ZSTD_compressStream2(zstd, &to, &in, flush ? ZSTD_e_flush : ZSTD_e_continue);
            ck_assert(!ZSTD_isError(left));
            flush = flush && left > 0;
        }
    }
    ZSTD_inBuffer none = {NULL, 0, 0};
    ck_assert_uint_eq(ZSTD_compressStream2(zstd, &to, &none, ZSTD_e_end), 0);
    out->n += to.pos;
    (void)ZSTD_freeCCtx(zstd);
}

static void text_of(unsigned seed, unsigned change, struct hf_buf *text)
{
    packs_text(text, TEXT_BYTES / 2, seed, 0);
    packs_text(text, TEXT_BYTES / 4, seed + 1, change);
    ck_assert_int_eq(hf_buf_reserve(text, TEXT_BYTES), 0);
    memset(text->p + text->n, 'r', TEXT_BYTES / 4); /* blocks of one byte */
    text->n += TEXT_BYTES / 4;
    packs_text(text, TEXT_BYTES / 4, seed + 2, 0);
}

static void one(const struct odd *odd, unsigned seed, bool changed, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf text = BUF;

    text_of(seed, changed ? 300 : 0, &text);
    add_frame(odd, &text, out);
}

static void create(const struct hf_buf *old, const struct hf_buf *new_file, const struct hf_deep_create_params *params,
                   struct hf_buf *patch)
{
    const struct hf_deep_create_params usual = {.delta = {.threads = 1}};
    const struct hf_delta_out out = delta_io_out(patch);
    struct hf_err err = HF_ERR_INIT;

    patch->n = 0;
    ck_assert_msg(
        hf_deep_create(old->p, old->n, new_file->p, new_file->n, params != NULL ? params : &usual, &out, &err) == 0,
        "%s", err.cause);
}

struct spool {
    struct hf_buf bytes;
    bool broken; /* cannot be read */
};

static int spool_write(void *ctx, const void *bytes, size_t n, uint64_t offset)
{
    struct spool *spool = ctx;

    ck_assert_uint_eq(offset, spool->bytes.n);
    return hf_buf_add(&spool->bytes, bytes, n);
}

static ssize_t spool_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct spool *spool = ctx;

    if (spool->broken)
        return -EIO;
    ck_assert_uint_lt(offset, spool->bytes.n);
    n = HF_MIN(HF_MIN(n, spool->bytes.n - (size_t)offset), (size_t)5000);
    memcpy(bytes, spool->bytes.p + offset, n);
    return (ssize_t)n;
}

struct apply {
    const struct hf_buf *old, *patch;
    struct spool *spool;
    uint64_t memory_max;
    const struct hf_delta_checkpoint *resume;
    int (*checkpoint)(void *ctx, const struct hf_delta_checkpoint *point);
    void *ctx;
};

static int apply(const struct apply *how, struct hf_buf *made, struct hf_deep_info *info, struct hf_err *err)
{
    struct delta_io old = {.p = how->old->p, .n = how->old->n, .step = 3000},
                    patch = {.p = how->patch->p, .n = how->patch->n, .step = 700};
    struct hf_deep_apply_params params = {.delta = {.old = delta_io_old(&old),
                                                    .patch = delta_io_in(&patch),
                                                    .out = delta_io_out(made),
                                                    .resume = how->resume,
                                                    .checkpoint = how->checkpoint,
                                                    .checkpoint_ctx = how->ctx,
                                                    .old_is_verified = true},
                                          .memory_max = how->memory_max};

    if (how->spool != NULL)
        params.scratch = (struct hf_deep_scratch){how->spool, spool_write, spool_pread};
    return hf_deep_apply(&params, info, err);
}

/* Makes the delta, which must be below a `part`-th of new, and applies it with and without a scratch file. */
static void comes_back(const char *name, const struct hf_buf *old, const struct hf_buf *new_file, size_t part,
                       uint64_t streams)
{
    _cleanup_(hf_buf_done) struct hf_buf patch = BUF, again = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    struct hf_deep_info info;

    create(old, new_file, NULL, &patch);
    ck_assert_msg(patch.n < new_file->n / part, "%s: %zu of %zu", name, patch.n, new_file->n);
    create(old, new_file, NULL, &again);
    ck_assert(again.n == patch.n && memcmp(again.p, patch.p, patch.n) == 0);
    for (unsigned i = 0; i < 2; i++) {
        struct spool spool = {.bytes = BUF};
        made.n = 0;
        int r =
            apply(&(struct apply){.old = old, .patch = &patch, .spool = i == 0 ? NULL : &spool, .memory_max = 20 << 20},
                  &made, &info, &err);
        ck_assert_msg(r == 0, "%s: %s", name, err.cause);
        ck_assert_msg(made.n == new_file->n && memcmp(made.p, new_file->p, made.n) == 0, "%s", name);
        ck_assert_uint_eq(info.streams, streams);
        ck_assert_str_eq(info.libraries, "");
        if (i > 0)
            ck_assert_uint_eq(spool.bytes.n, info.scratch_bytes);
        hf_buf_done(&spool.bytes);
        hf_deep_info_done(&info);
    }
    struct delta_io bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    ck_assert_int_eq(hf_deep_read_info(&in, &info, &err), 0);
    ck_assert_uint_ge(info.inner_method, 1);
    ck_assert_uint_lt(info.header_bytes + info.recipe_bytes, patch.n);
    hf_deep_info_done(&info);
}

START_TEST(one_frame)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF;

    one(&odds[_i], 1, false, &old);
    one(&odds[_i], 1, true, &new_file);
    comes_back(odds[_i].name, &old, &new_file, 4, 1);
}
END_TEST

/* Frames that a skippable one follows, and bytes that look like the start of one, between bytes of a program. */
static void embedded(bool changed, struct hf_buf *out)
{
    static const char skippable[] = "\x5a\x2a\x4d\x18\x03\0\0\0abc", start[] = "\x28\xb5\x2f\xfd no frame";

    packs_text(out, 9000, 50, 0);
    for (unsigned i = 0; i < 3; i++) {
        one(&odds[2 * i], 10 * (i + 1), changed && i != 1, out);
        ck_assert_int_eq(hf_buf_add(out, i == 0 ? skippable : start, 11), 0);
    }
    packs_text(out, 9000, 51, changed ? 400 : 0);
}

START_TEST(embedded_frames)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF;

    embedded(false, &old);
    embedded(true, &new_file);
    comes_back("embedded", &old, &new_file, 6, 2); /* the second frame is the same */
}
END_TEST

/* A frame in a frame: one of them is taken apart. A frame that old lacks. */
START_TEST(nested_and_new)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF;
    struct hf_buf inner[2] = {BUF, BUF};

    for (unsigned i = 0; i < 2; i++) {
        one(&odds[1], 3, i > 0, &inner[i]);
        packs_text(&inner[i], 30000, 77, 0);
        add_frame(&odds[2], &inner[i], i == 0 ? &old : &new_file);
        hf_buf_done(&inner[i]);
    }
    one(&odds[3], 3, true, &new_file);
    _cleanup_(hf_buf_done) struct hf_buf patch = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    create(&old, &new_file, NULL, &patch);
    ck_assert_msg(apply(&(struct apply){.old = &old, .patch = &patch}, &made, NULL, &err) == 0, "%s", err.cause);
    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
    ck_assert_uint_lt(patch.n, new_file.n);
}
END_TEST

/* Where decisions do not pay there is a plain delta, and the fast profile takes no frame apart. */
START_TEST(where_it_does_not_pay)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, plain = BUF;
    struct hf_deep_create_params params = {.delta = {.threads = 1}, .plain = true};

    one(&odds[4], 1, false, &old);
    one(&odds[4], 100, true, &new_file);
    create(&old, &new_file, NULL, &patch);
    create(&old, &new_file, &params, &plain);
    ck_assert_uint_le(patch.n, plain.n);
    params = (struct hf_deep_create_params){.delta = {.threads = 1, .profile = HF_DELTA_FAST}};
    create(&old, &old, &params, &patch);
    new_file.n = 0;
    one(&odds[4], 1, true, &new_file);
    create(&old, &new_file, &params, &patch);
    ck_assert(!hf_deep_is((const unsigned char *)patch.p));
}
END_TEST

START_TEST(limits)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    struct spool spool = {.bytes = BUF, .broken = true};

    one(&odds[4], 1, false, &old);
    one(&odds[4], 1, true, &new_file);
    create(&old, &new_file, NULL, &patch);
    ck_assert_int_eq(apply(&(struct apply){.old = &old, .patch = &patch, .memory_max = 12 << 20}, &made, NULL, &err),
                     -E2BIG);
    ck_assert_int_eq(apply(&(struct apply){.old = &old, .patch = &patch, .spool = &spool}, &made, NULL, &err), -EIO);
    hf_buf_done(&spool.bytes);
}
END_TEST

/* Deltas with flipped bits or cut short: an error with its cause, and never another file. */
START_TEST(damage)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    uint32_t x = 7;

    one(&odds[2], 1, false, &old);
    one(&odds[2], 1, true, &new_file);
    create(&old, &new_file, NULL, &patch);
    for (unsigned i = 0; i < 60; i++) {
        size_t at = 60 + (x = x * 1664525 + 1013904223) % (patch.n - 60);
        struct hf_buf less = patch;
        made.n = 0;
        err = (struct hf_err)HF_ERR_INIT;
        if (i % 4 == 0)
            less.n = at;
        else
            patch.p[at] ^= (char)(1 << (x >> 29));
        int r = apply(&(struct apply){.old = &old, .patch = &less}, &made, NULL, &err);
        ck_assert_msg((r == -EBADMSG || r == -EOPNOTSUPP || r == -E2BIG || r == -EFBIG) && err.cause[0] != '\0',
                      "byte %zu: %d %s", at, r, err.cause);
        ck_assert_uint_le(made.n, new_file.n);
        if (i % 4 != 0)
            patch.p[at] ^= (char)(1 << (x >> 29));
    }
}
END_TEST

/* ---- layers of images -------------------------------------------------------------------------------------------- */

static int open_old(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err)
{
    (void)info, (void)err;
    *ret_old = delta_io_old(ctx);
    return 0;
}

/* Makes the delta of a layer and applies it. */
static void layer_comes_back(const char *name, const struct hf_buf *old, const struct hf_buf *new_file,
                             struct hf_buf *patch, struct hf_deep_info *info)
{
    _cleanup_(hf_buf_done) struct hf_buf made = BUF;
    const struct hf_deep_part part = {.size = old->n};
    const struct hf_deep_create_params params = {.delta = {.threads = 1}, .parts = &part, .parts_n = 1};
    struct hf_err err = HF_ERR_INIT;

    create(old, new_file, &params, patch);
    struct delta_io old_bytes = delta_io_of(old), patch_bytes = delta_io_of(patch);
    const struct hf_deep_apply_params how = {.delta = {.patch = delta_io_in(&patch_bytes), .out = delta_io_out(&made)},
                                             .open_old = open_old,
                                             .open_old_ctx = &old_bytes};
    ck_assert_msg(hf_deep_apply(&how, info, &err) == 0, "%s: %s", name, err.cause);
    ck_assert_msg(made.n == new_file->n && memcmp(made.p, new_file->p, made.n) == 0, "%s", name);
}

/* The encoder of a layer may need 11 MiB beyond its window, its worker included; above that the layer comes from
 * decisions. A file that is no layer has its encoder, which makes the smaller delta. */
START_TEST(memory_of_layers)
{
    static const struct {
        const char *command;
        unsigned times; /* content, in TEXT_BYTES */
        bool by_encoder;
    } cases[] = {
        {"zstd -q -3 -c", 1, true},
        {"zstd -q -8 --single-thread -c", 1, true},
        {"zstd -q -9 --single-thread -c", 1, false},
        {"zstd -q -1 -T1 -c", 10, true},  /* its worker makes what the encoder makes alone */
        {"zstd -q -1 -T1 -c", 20, false}, /* jobs */
        {"zstd -q -19 -c", 1, false},
    };
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, file_patch = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    struct hf_deep_info info;

    for (unsigned i = 0; i < 2; i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = BUF;
        for (unsigned k = 0; k < cases[_i].times; k++)
            text_of(3 * k, i > 0 && k == 0 ? 300 : 0, &text);
        packs_run(cases[_i].command, text.p, text.n, i == 0 ? &old : &new_file);
    }
    layer_comes_back(cases[_i].command, &old, &new_file, &patch, &info);
    ck_assert_msg((strncmp(info.libraries, "libzstd", 7) == 0) == cases[_i].by_encoder, "%s: '%s'", cases[_i].command,
                  info.libraries);
    ck_assert_uint_le(info.memory_bytes, (8 + 15) << 20); /* the window has at most 8 MiB */
    hf_deep_info_done(&info);
    create(&old, &new_file, NULL, &file_patch);
    ck_assert_int_eq(apply(&(struct apply){.old = &old, .patch = &file_patch}, &made, &info, &err), 0);
    ck_assert_msg(strncmp(info.libraries, "libzstd", 7) == 0, "%s: '%s'", cases[_i].command, info.libraries);
    ck_assert_msg(cases[_i].by_encoder || file_patch.n < patch.n, "%s: %zu, %zu", cases[_i].command, file_patch.n,
                  patch.n);
    hf_deep_info_done(&info);
}
END_TEST

/* A frame in one that is taken apart cannot be: its encoder stays, whatever it needs. Where decisions do not pay, the
 * layer is not made by such an encoder either. */
START_TEST(layers_without_decisions)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF;
    struct hf_deep_info info;

    for (unsigned i = 0; i < 2; i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = BUF, inner = BUF;
        text_of(3, i > 0 ? 300 : 0, &text);
        packs_run("zstd -q -19 -c", text.p, text.n, &inner);
        packs_text(&inner, 30000, 77, 0);
        add_frame(&odds[2], &inner, i == 0 ? &old : &new_file);
    }
    layer_comes_back("nested", &old, &new_file, &patch, &info);
    ck_assert_uint_eq(info.streams, 2);
    ck_assert_msg(strncmp(info.libraries, "libzstd", 7) == 0, "'%s'", info.libraries);
    ck_assert_uint_lt(patch.n, new_file.n / 4);
    hf_deep_info_done(&info);

    old.n = new_file.n = patch.n = 0;
    for (unsigned i = 0; i < 2; i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = BUF;
        packs_text(&text, TEXT_BYTES, 1 + 100 * i, 0);
        packs_run("zstd -q -19 -c", text.p, text.n, i == 0 ? &old : &new_file);
    }
    layer_comes_back("nothing in common", &old, &new_file, &patch, &info);
    ck_assert_str_eq(info.libraries, "");
    ck_assert_uint_lt(patch.n, new_file.n + 400);
    hf_deep_info_done(&info);
}
END_TEST

/* ---- going on after a power cut ---------------------------------------------------------------------------------- */

enum { POINTS = 16, GAP = 5 << 20 };

struct kept {
    struct hf_delta_checkpoint points[POINTS];
    size_t n;
};

static int keep(void *ctx, const struct hf_delta_checkpoint *point)
{
    struct kept *kept = ctx;

    ck_assert_uint_lt(kept->n, POINTS);
    kept->points[kept->n++] = *point;
    return 0;
}

/* Two frames between long texts. */
static void long_file(bool changed, struct hf_buf *out)
{
    for (unsigned i = 0; i < 3; i++) {
        packs_text(out, GAP, 60 + i, changed ? 300000 : 0);
        if (i < 2)
            one(&odds[i], 20 * (i + 1), changed, out);
    }
}

START_TEST(resumes)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    struct kept kept = {.n = 0};

    long_file(false, &old);
    long_file(true, &new_file);
    create(&old, &new_file, NULL, &patch);
    ck_assert(hf_deep_is((const unsigned char *)patch.p));
    struct apply how = {.old = &old, .patch = &patch, .checkpoint = keep, .ctx = &kept};
    ck_assert_msg(apply(&how, &made, NULL, &err) == 0, "%s", err.cause);
    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
    ck_assert_uint_ge(kept.n, 2);
    ck_assert_uint_lt(kept.points[0].new_offset, GAP + 1);
    ck_assert_uint_gt(kept.points[kept.n - 1].new_offset, 2 * GAP); /* behind the last frame */
    for (size_t i = 0; i < kept.n; i++) {
        /* None lies where a frame has been made and another one has not. */
        ck_assert(kept.points[i].new_offset <= GAP || kept.points[i].new_offset > 2 * GAP);
        struct kept more = {.n = 0};
        how.resume = &kept.points[i];
        how.ctx = &more;
        made.n = how.resume->new_offset;
        ck_assert_msg(apply(&how, &made, NULL, &err) == 0, "%s", err.cause);
        ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
    }
    struct hf_delta_checkpoint between = kept.points[kept.n - 1];
    between.patch_offset = GAP + TEXT_BYTES + 200000; /* in the text between both frames */
    how = (struct apply){.old = &old, .patch = &patch, .resume = &between};
    ck_assert_int_eq(apply(&how, &made, NULL, &err), -EINVAL);
}
END_TEST

/* ---- the encoder alone ------------------------------------------------------------------------------------------- */

static int drop(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    (void)ctx, (void)bytes, (void)n, (void)err;
    return 0;
}

START_TEST(setups_from_outside)
{
    static const struct {
        unsigned char descriptor, window;
        unsigned params_n;
    } bad[] = {{8, 0, 2}, {3, 0, 2}, {0, 0xff, 2}, {0, 0, 1}, {0, 0, 3}};
    struct hf_buf stored = BUF;
    const struct pack_store store = pack_store_buf(&stored);
    const struct pack_sink sink = {NULL, drop};
    struct hf_err err = HF_ERR_INIT;
    void *shared, *state;

    ck_assert_int_eq(pack_zdecisions_ops.shared->make(&store, 0, 0, &shared, &err), 0);
    for (size_t i = 0; i < HF_LEN(bad); i++) {
        struct pack_setup setup = {.codec = PACK_CODEC_ZSTD_DECISIONS,
                                   .params_n = bad[i].params_n,
                                   .params = {bad[i].descriptor, bad[i].window},
                                   .plain_n = 1000,
                                   .shared = shared};
        ck_assert_int_eq(pack_zdecisions_ops.make(&setup, &sink, &state, &err), -EBADMSG);
        ck_assert_uint_eq(pack_zdecisions_ops.memory(&setup), UINT64_MAX);
    }
    /* No state to share; and no more content than 32 MiB is kept, whatever the frame says. */
    struct pack_setup setup = {
        .codec = PACK_CODEC_ZSTD_DECISIONS, .params_n = 2, .params = {0, 17 << 3}, .plain_n = UINT64_C(1) << 40};
    ck_assert_int_eq(pack_zdecisions_ops.make(&setup, &sink, &state, &err), -EBADMSG);
    ck_assert_uint_le(pack_zdecisions_ops.memory(&setup), 51 << 20);
    pack_zdecisions_ops.shared->done(shared);
    hf_buf_done(&stored);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, one_frame, 0, HF_LEN(odds));
    tcase_add_test(tc, embedded_frames);
    tcase_add_test(tc, nested_and_new);
    tcase_add_test(tc, where_it_does_not_pay);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, damage);
    tcase_add_loop_test(tc, memory_of_layers, 0, 6);
    tcase_add_test(tc, layers_without_decisions);
    tcase_add_test(tc, resumes);
    tcase_add_test(tc, setups_from_outside);
}

HF_TEST_MAIN_CPU("pack/deep_zstd", all, 120)
