/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas that look inside: what is made comes back, small; nothing damaged gets through. */
#include <errno.h>

#include "delta/cm/model.h"
#include "delta/shared_context.h"
#include "pack/deep/deep.h"
#include "pack/deep/recipe.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"
#include "support/walk.h"

#define BUF HF_BUF_INIT(1 << 26)

static void add_run(struct hf_buf *out, const char *command, const struct hf_buf *in)
{
    packs_run(command, in->p, in->n, out);
}

/* Files as they are met, old (0) and new (1): the same but for some words. */
static void text_of(int version, struct hf_buf *out)
{
    packs_text(out, 60000, 11, 0);
    packs_text(out, 30000, 12, version == 0 ? 0 : 400);
    packs_text(out, 60000, 13, 0);
}

static void one(int version, const char *command, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf text = BUF;

    text_of(version, &text);
    add_run(out, command, &text);
}

/* .gz in a tar-like frame in .xz beside a .zst that stays the same. */
static void nested(int version, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf tar = BUF, text = BUF;

    ck_assert_int_eq(hf_buf_add(&tar, "head of it ", 11), 0);
    one(version, "gzip -nc9", &tar);
    packs_text(&tar, 5000, 20, version == 0 ? 0 : 90);
    one(version, "gzip -nc6", &tar);
    ck_assert_int_eq(hf_buf_add(&tar, "tail", 4), 0);
    ck_assert_int_eq(hf_buf_add(out, "!<arch>\n", 8), 0);
    packs_text(&text, 40000, 30, 0);
    add_run(out, "zstd -qc", &text);
    add_run(out, "xz -1 -T2 -c", &tar);
    ck_assert_int_eq(hf_buf_add(out, "end", 3), 0);
}

static const struct {
    const char *name, *command; /* NULL: nested */
    bool inside;
    size_t max; /* bytes of the delta */
} cases[] = {
    {"gzip", "gzip -nc6", true, 1200},
    {"gzip with a name", "cat >/tmp/holdfast-t.$$; gzip -c /tmp/holdfast-t.$$; rm /tmp/holdfast-t.$$", true, 1300},
    {"two members", "gzip -nc1; printf x | gzip -nc", true, 1500},
    {"sync flushes",
     "python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,31,8); d=sys.stdin.buffer.read();"
     "o=[c.compress(d[i:i+9000])+c.flush(2) for i in range(0,len(d),9000)]; "
     "sys.stdout.buffer.write(b\"\".join(o)+c.flush())'",
     true, 6000},
    {"another match finder",
     "python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,31,3); sys.stdout.buffer.write("
     "c.compress(sys.stdin.buffer.read())+c.flush())'",
     true, 9000},
    {"xz", "xz -2 -T2 -c", true, 1400},
    {"zstd", "zstd -qc -3", true, 1400},
    {"zip",
     "python3 -c 'import sys,zipfile,io; b=io.BytesIO(); z=zipfile.ZipFile(b,\"w\",zipfile.ZIP_DEFLATED);"
     "z.writestr(zipfile.ZipInfo(\"a\"),sys.stdin.buffer.read(),zipfile.ZIP_DEFLATED); z.close();"
     "sys.stdout.buffer.write(b.getvalue())'",
     true, 1400},
    {"nested", NULL, true, 3000},
    {"plain", "cat", false, 1000},
    {"gzip in gzip", "gzip -nc6 | gzip -nc9", true, 1400},
    {"three", "gzip -nc6 | gzip -nc9 | gzip -nc6", true, 1500},
    {"in zstd", "gzip -nc6 | gzip -nc9 | zstd -qc", true, 1500},
};

static void make_pair(int i, struct hf_buf *old, struct hf_buf *new_file)
{
    for (int version = 0; version < 2; version++) {
        struct hf_buf *out = version == 0 ? old : new_file;
        if (cases[i].command == NULL)
            nested(version, out);
        else
            one(version, cases[i].command, out);
    }
}

static void create(const struct hf_buf *old, const struct hf_buf *new_file, struct hf_buf *patch)
{
    const struct hf_deep_create_params params = {.delta = {.threads = 1}};
    const struct hf_delta_out out = delta_io_out(patch);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_deep_create(old->p, old->n, new_file->p, new_file->n, &params, &out, &err);

    ck_assert_msg(r == 0, "%s", err.cause);
}

struct spool {
    struct hf_buf bytes;
    size_t fail_at;
};

static int spool_write(void *ctx, const void *bytes, size_t n, uint64_t offset)
{
    struct spool *spool = ctx;

    ck_assert_uint_eq(offset, spool->bytes.n);
    if (spool->fail_at > 0 && spool->bytes.n + n > spool->fail_at)
        return -ENOSPC;
    return hf_buf_add(&spool->bytes, bytes, n);
}

static ssize_t spool_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct spool *spool = ctx;

    ck_assert_uint_lt(offset, spool->bytes.n);
    n = HF_MIN(n, spool->bytes.n - (size_t)offset);
    memcpy(bytes, spool->bytes.p + offset, n);
    return (ssize_t)n;
}

/* Everything that a test may want to be otherwise. */
struct apply {
    const struct hf_buf *old, *patch;
    size_t step;
    struct spool *spool;
    uint64_t memory_max, scratch_max;
    bool verified;
};

static int apply(const struct apply *how, struct hf_buf *made, struct hf_deep_info *info, struct hf_err *err)
{
    struct delta_io old = {.p = how->old->p, .n = how->old->n, .step = how->step},
                    patch = {.p = how->patch->p, .n = how->patch->n, .step = how->step};
    struct hf_deep_apply_params params = {.delta = {.old = delta_io_old(&old),
                                                    .patch = delta_io_in(&patch),
                                                    .out = delta_io_out(made),
                                                    .old_is_verified = how->verified},
                                          .memory_max = how->memory_max,
                                          .scratch_max = how->scratch_max};

    if (how->spool != NULL)
        params.scratch = (struct hf_deep_scratch){how->spool, spool_write, spool_pread};
    return hf_deep_apply(&params, info, err);
}

START_TEST(comes_back)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, again = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    struct hf_deep_info info;

    make_pair(_i, &old, &new_file);
    create(&old, &new_file, &patch);
    ck_assert_msg(patch.n <= cases[_i].max, "%s: %zu bytes of %zu", cases[_i].name, patch.n, new_file.n);
    create(&old, &new_file, &again);
    ck_assert_msg(again.n == patch.n && memcmp(again.p, patch.p, patch.n) == 0, "%s: another delta", cases[_i].name);
    for (size_t step = 0; step < 20; step += 19) {
        struct spool spool = {.bytes = BUF};
        struct apply how = {&old, &patch, step, step > 0 ? &spool : NULL, 0, 0, step > 0};
        hf_buf_clear(&made);
        int r = apply(&how, &made, &info, &err);
        ck_assert_msg(r == 0, "%s: %s", cases[_i].name, err.cause);
        ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
        ck_assert(info.inside == cases[_i].inside && info.delta.new_size == new_file.n);
        ck_assert_uint_eq(info.delta.patch_size, patch.n);
        if (step > 0)
            ck_assert_uint_eq(spool.bytes.n, info.scratch_bytes);
        hf_buf_done(&spool.bytes);
        hf_deep_info_done(&info);
    }
    struct delta_io bytes = {.p = patch.p, .n = patch.n, .step = 5};
    const struct hf_delta_in in = delta_io_in(&bytes);
    ck_assert_int_eq(hf_deep_read_info(&in, &info, &err), 0);
    ck_assert(info.inside == cases[_i].inside && info.delta.old_size == old.n);
    hf_deep_info_done(&info);
}
END_TEST

/* What the delta between the unpacked forms says of its model. */
static unsigned lean_of(const struct hf_buf *patch)
{
    struct delta_io bytes = delta_io_of(patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct delta_shared_context shared = {.old_size = UINT32_MAX, .new_size = UINT32_MAX};
    static struct delta_input input;
    static struct delta_cm cm;
    struct hf_err err = HF_ERR_INIT;
    struct hf_deep_info info;
    uint64_t n;

    ck_assert_int_eq(hf_deep_read_info(&in, &info, &err), 0);
    ck_assert_uint_eq(info.inner_method, DELTA_METHOD_RECORDS_CM);
    bytes.at = (size_t)(info.header_bytes + info.recipe_bytes) + 1;
    delta_input_init(&input, &in);
    input.left = patch->n - bytes.at;
    ck_assert_int_eq(delta_input_varint(&input, input.left, &n, &err), 0);
    delta_cm_start_decoding(&cm, &input, n, &err);
    ck_assert_int_eq(delta_shared_context_code(&cm, &shared, &err), 0);
    delta_shared_context_done(&shared);
    hf_deep_info_done(&info);
    return shared.lean;
}

/* Encoders that are open at once leave the model less memory; beside a library's that would be in vain. */
START_TEST(lean_beside_encoders)
{
    static const struct {
        int which;
        unsigned lean;
    } expected[] = {{0, 1}, {10, 3}, {11, 3}, {12, 0}};
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF;

    make_pair(expected[_i].which, &old, &new_file);
    create(&old, &new_file, &patch);
    ck_assert_uint_eq(lean_of(&patch), expected[_i].lean);
}
END_TEST

/* The whole file has nothing to do with the old one: no worse than a plain delta. */
START_TEST(never_much_larger)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, text = BUF, new_file = BUF, patch = BUF, made = BUF;
    struct apply how = {&old, &patch, 0, NULL, 0, 0, false};
    struct hf_err err = HF_ERR_INIT;

    packs_text(&old, 50000, 1, 0);
    packs_text(&text, 100000, 99, 0);
    add_run(&new_file, "xz -6 -c", &text);
    create(&old, &new_file, &patch);
    ck_assert_uint_le(patch.n, new_file.n + 400);
    ck_assert_int_eq(apply(&how, &made, NULL, &err), 0);
    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
}
END_TEST

START_TEST(damage_is_named)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;

    /* Small, so that a walk can go to every bit. */
    for (int version = 0; version < 2; version++) {
        _cleanup_(hf_buf_done) struct hf_buf text = BUF;
        packs_text(&text, 3000, 5, version == 0 ? 0 : 100);
        struct hf_buf *out = version == 0 ? &old : &new_file;
        add_run(out, "gzip -nc6", &text);
        add_run(out, "zstd -qc -1", &text);
    }
    create(&old, &new_file, &patch);
    ck_assert(hf_deep_is((const unsigned char *)patch.p));
    uint64_t place = 0, drawn = hf_walk_next("damage", 0);
    for (size_t i = 0; i < patch.n; i++) {
        for (unsigned bit = 0; bit < 8; bit += _i == 0 ? 1 : 3) {
            if (++place < drawn)
                continue;
            drawn = hf_walk_next("damage", place);
            struct apply how = {&old, &patch, 0, NULL, 0, 0, _i == 1};
            patch.p[i] ^= (char)(1u << bit);
            hf_buf_clear(&made);
            int r = apply(&how, &made, NULL, &err);
            /* The profile says nothing for applying; and old's hash nothing when the caller has seen to it. */
            bool idle = i == 4 || (_i == 1 && i < 60);
            ck_assert_msg(r < 0 || (idle && made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0),
                          "byte %zu bit %u: %d", i, bit, r);
            ck_assert_msg(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || r == -E2BIG || r == -EFBIG,
                          "byte %zu bit %u: %d %s", i, bit, r, err.cause);
            ck_assert(r == 0 || err.cause[0] != '\0');
            patch.p[i] ^= (char)(1u << bit);
        }
    }
    for (uint64_t n = hf_walk_next("cuts", 0); n <= patch.n; n = hf_walk_next("cuts", n)) {
        struct hf_buf less = {.p = patch.p, .n = n - 1};
        struct apply how = {&old, &less, 0, NULL, 0, 0, true};
        hf_buf_clear(&made);
        ck_assert_int_eq(apply(&how, &made, NULL, &err), -EBADMSG);
    }
    ck_assert_int_eq(hf_buf_add(&patch, "x", 1), 0);
    struct apply more = {&old, &patch, 0, NULL, 0, 0, false};
    ck_assert_int_eq(apply(&more, &made, NULL, &err), -EBADMSG);
}
END_TEST

START_TEST(limits_and_wrong_files)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, made = BUF;
    struct hf_err err = HF_ERR_INIT;
    struct hf_deep_info info;
    size_t scratch;

    make_pair(8, &old, &new_file);
    create(&old, &new_file, &patch);
    struct apply how = {&old, &patch, 0, NULL, 0, 0, false};
    ck_assert_int_eq(apply(&how, &made, &info, &err), 0);
    ck_assert_uint_gt(info.scratch_bytes, 400000);
    ck_assert_uint_gt(info.memory_bytes, 1 << 20);
    ck_assert_uint_eq(info.streams, 3);
    ck_assert_ptr_nonnull(strstr(info.libraries, "liblzma "));
    scratch = info.scratch_bytes;
    hf_deep_info_done(&info);
    how.memory_max = 1 << 20;
    ck_assert_int_eq(apply(&how, &made, NULL, &err), -E2BIG);
    how.memory_max = 0;
    how.scratch_max = 400000;
    ck_assert_int_eq(apply(&how, &made, NULL, &err), -E2BIG);
    how.scratch_max = 0;
    hf_buf_clear(&made);
    old.p[100] ^= 1;
    ck_assert_int_eq(apply(&how, &made, NULL, &err), -ESTALE);
    ck_assert_uint_eq(made.n, 0);
    old.p[100] ^= 1;
    old.n--;
    ck_assert_int_eq(apply(&how, &made, NULL, &err), -ESTALE);
    old.n++;
    /* A full disk, at every place where it may become so. */
    for (size_t at = 1; at < scratch; at += 70000) {
        struct spool spool = {.bytes = BUF, .fail_at = at};
        how.spool = &spool;
        ck_assert_int_eq(apply(&how, &made, NULL, &err), -ENOSPC);
        hf_buf_done(&spool.bytes);
    }
    how.spool = NULL;
    struct hf_buf short_made = HF_BUF_INIT(1000);
    ck_assert_int_eq(apply(&how, &short_made, NULL, &err), -E2BIG);
    hf_buf_done(&short_made);
}
END_TEST

/* A library that packs otherwise is refused by its name; one of another version that packs the same is not. */
START_TEST(other_library)
{
    struct recipe_setup setup = {.setup = {.codec = PACK_CODEC_ZSTD, .params_n = 2, .params = {3, 2}},
                                 .version = "libzstd 1.4.2"};
    const struct recipe recipe = {.memory_bytes = 1 << 26, .setups = &setup, .setups_n = 1};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(pack_encoder_fingerprint(&setup.setup, setup.fingerprint, &err), 0);
    ck_assert_int_eq(recipe_check_libraries(&recipe, &err), 0);
    setup.fingerprint[3] ^= 1;
    ck_assert_int_eq(recipe_check_libraries(&recipe, &err), -EOPNOTSUPP);
    ck_assert_ptr_nonnull(strstr(err.cause, "libzstd 1.4.2"));
    ck_assert_ptr_nonnull(strstr(err.cause, "whole file"));
    (void)snprintf(setup.version, sizeof(setup.version), "%s", pack_codec_version(PACK_CODEC_ZSTD));
    ck_assert_int_eq(recipe_check_libraries(&recipe, &err), 0);
}
END_TEST

/* Old put together from parts: the delta names them. */
static int open_old(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err)
{
    (void)err;
    ck_assert_uint_eq(info->parts_n, 2);
    ck_assert_uint_eq(info->parts[0].size, 1000);
    ck_assert_uint_eq(info->parts[1].sha256[0], 0xab);
    *ret_old = delta_io_old(ctx);
    return 0;
}

/* One byte less than the streams of both files have, and as many. Without parts there is always a plain delta. */
START_TEST(room_for_what_is_unpacked)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF;
    struct hf_deep_part parts_of[1] = {{.size = 0}};
    struct hf_deep_create_params params = {.delta = {.threads = 1}};
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;
    struct hf_deep_info info;

    make_pair(0, &old, &new_file);
    parts_of[0].size = old.n;
    for (params.unpacked_max = 1;; params.unpacked_max *= 2) {
        params.parts_n = 0;
        patch.n = 0;
        ck_assert_int_eq(hf_deep_create(old.p, old.n, new_file.p, new_file.n, &params, &out, &err), 0);
        struct delta_io io = delta_io_of(&patch);
        const struct hf_delta_in in = delta_io_in(&io);
        ck_assert_int_eq(hf_deep_read_info(&in, &info, NULL), 0);
        bool inside = info.inside;
        hf_deep_info_done(&info);
        params.parts = parts_of;
        params.parts_n = 1;
        patch.n = 0;
        int r = hf_deep_create(old.p, old.n, new_file.p, new_file.n, &params, &out, &err);
        ck_assert_msg(r == (inside ? 0 : -E2BIG), "%llu: %d", (unsigned long long)params.unpacked_max, r);
        ck_assert_msg(inside || strstr(err.cause, "unpacked") != NULL, "%s", err.cause);
        if (inside)
            break;
    }
    ck_assert_uint_gt(params.unpacked_max, 1000);
}
END_TEST

START_TEST(parts)
{
    _cleanup_(hf_buf_done) struct hf_buf old = BUF, new_file = BUF, patch = BUF, made = BUF;
    struct hf_deep_part parts_of[2] = {{.size = 1000}, {.sha256 = {0xab}}};
    const struct hf_deep_create_params params = {.parts = parts_of, .parts_n = 2};
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;

    make_pair(9, &old, &new_file);
    parts_of[1].size = old.n - 1000;
    ck_assert_int_eq(hf_deep_create(old.p, old.n, new_file.p, new_file.n, &params, &out, &err), 0);
    struct delta_io old_bytes = delta_io_of(&old), patch_bytes = delta_io_of(&patch);
    const struct hf_deep_apply_params how = {.delta = {.patch = delta_io_in(&patch_bytes), .out = delta_io_out(&made)},
                                             .open_old = open_old,
                                             .open_old_ctx = &old_bytes};
    ck_assert_msg(hf_deep_apply(&how, NULL, &err) == 0, "%s", err.cause);
    ck_assert(made.n == new_file.n && memcmp(made.p, new_file.p, made.n) == 0);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, comes_back, 0, HF_LEN(cases));
    tcase_add_loop_test(tc, lean_beside_encoders, 0, 4);
    tcase_add_test(tc, never_much_larger);
    tcase_add_loop_test(tc, damage_is_named, 0, 2);
    tcase_add_test(tc, limits_and_wrong_files);
    tcase_add_test(tc, other_library);
    tcase_add_test(tc, room_for_what_is_unpacked);
    tcase_add_test(tc, parts);
}

HF_TEST_MAIN_CPU("pack/deep", all, 120)
