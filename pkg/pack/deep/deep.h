/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas that look inside compressed files (pkg/pack/FORMAT.md): gzip, zip members, xz, zstd, also nested, if an
 * encoder makes the same bytes again.
 *
 * Applying unpacks old streams to a scratch file, applies an inner delta (pkg/delta), and compresses the new streams.
 * hf_deep_create() makes a plain delta where looking inside is impossible or saves nothing, except when the old file is
 * in parts. hf_deep_apply() takes both.
 *
 * Threads: functions block; workers only. Errors: those of delta/delta.h; -EOPNOTSUPP: this node's compression library
 * makes other bytes (fetch the whole file); -E2BIG: more memory, scratch space or parts than allowed. */
#pragma once

#include "delta/delta.h"

enum { HF_DEEP_MAX_PARTS = 1024 };

/* Where unpacked old streams go. The caller makes and removes it; it is written in ascending order without holes. */
struct hf_deep_scratch {
    void *ctx;
    /* NULL: keep the streams in memory */
    int (*write)(void *ctx, const void *bytes, size_t n, uint64_t offset);
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
};

/* Part of an old file, such as a blob of an image. */
struct hf_deep_part {
    uint64_t size;
    unsigned char sha256[HF_SHA256_BYTES];
};

struct hf_deep_info {
    struct hf_delta_info delta;
    bool inside;            /* false: a plain delta, and all below is 0 */
    uint64_t memory_bytes;  /* in addition to what a plain delta needs */
    uint64_t scratch_bytes; /* on disk, or in memory without a scratch file */
    uint64_t streams;
    /* recipe_bytes includes the coded part; the remainder of the delta is the inner delta */
    uint64_t header_bytes, recipe_bytes;
    unsigned inner_method; /* set by hf_deep_read_info() only */
    char libraries[96];
    size_t parts_n;
    struct hf_deep_part *parts;
};
void hf_deep_info_done(struct hf_deep_info *info);

struct hf_deep_create_params {
    struct hf_delta_create_params delta; /* progress() also gets 0 and 0, while encoders are searched */
    bool plain;
    /* fast profile: look inside all streams, not only zstd of levels 1 to 3; parts imply it */
    bool inside;
    const struct hf_deep_part *parts; /* of the old file, in order; or NULL */
    size_t parts_n;
    /* Most bytes of all unpacked streams, which need three times as much memory; 0: no limit. Above: a plain delta or,
     * with parts, -E2BIG. */
    uint64_t unpacked_max;
};

/* The same inputs give the same bytes. */
HF_MUST_USE int hf_deep_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                               const struct hf_deep_create_params *params, const struct hf_delta_out *patch,
                               struct hf_err *err);

struct hf_deep_apply_params {
    /* After each 4 MiB of unpacked output, checkpoint() gets that point or, inside a compressed stream, the start of
     * the outermost stream, unless it had that already. Treat checkpoints as opaque. Resuming may hash (unless
     * delta.old_is_verified) and unpack the old file again. */
    struct hf_delta_apply_params delta;
    struct hf_deep_scratch scratch;
    uint64_t memory_max, scratch_max; /* most that the delta may need; 0: no limit */
    /* Set it if *info decides what the old file is (archive of a folder, parts). Called after header and recipe:
     * *ret_old replaces delta.old, and its hash is checked likewise. May be NULL. */
    int (*open_old)(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err);
    void *open_old_ctx;
};
/* After success, free *ret_info (ret_info may be NULL). */
HF_MUST_USE int hf_deep_apply(const struct hf_deep_apply_params *params, struct hf_deep_info *ret_info,
                              struct hf_err *err);

enum { HF_DEEP_HEAD = 5 };
bool hf_deep_is(const unsigned char head[static HF_DEEP_HEAD]);

/* Reads the header and, of a deep delta, the recipe. After success, free *ret_info. */
HF_MUST_USE int hf_deep_read_info(const struct hf_delta_in *patch, struct hf_deep_info *ret_info, struct hf_err *err);
