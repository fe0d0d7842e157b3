/* SPDX-License-Identifier: Apache-2.0 */
/* Deltas that look inside compressed files (pkg/pack/FORMAT.md): gzip, zip members, xz, zstd, also nested, if an
 * encoder makes the same bytes again.
 *
 * Applying unpacks old streams to a scratch file, applies an inner delta (pkg/delta), and compresses new streams.
 * hf_deep_create() makes a plain delta if that is no larger or looking inside is impossible, but never of an old file
 * in parts. hf_deep_apply() takes both.
 *
 * Threads: functions block; workers only. Errors: delta/delta.h's; -EOPNOTSUPP: this node's compression library makes
 * other bytes (fetch the whole file); -E2BIG: more memory, scratch space or parts than allowed. */
#pragma once

#include "delta/delta.h"

enum { HF_DEEP_MAX_PARTS = 1024 };

/* For the unpacked old streams; the caller makes and removes it. Written in ascending order without holes. */
struct hf_deep_scratch {
    void *ctx;
    /* NULL: in memory. */
    int (*write)(void *ctx, const void *bytes, size_t n, uint64_t offset);
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
};

/* Part of an old file, such as an image's blob. */
struct hf_deep_part {
    uint64_t size;
    unsigned char sha256[HF_SHA256_BYTES];
};

struct hf_deep_info {
    struct hf_delta_info delta; /* files as on disk */
    bool inside;                /* false: a plain delta, all below is 0 */
    uint64_t memory_bytes;      /* on top of a delta's */
    uint64_t scratch_bytes;     /* on disk; without a file, in memory */
    uint64_t streams;
    uint64_t header_bytes, recipe_bytes; /* with the coded part; the remainder: inner delta */
    unsigned inner_method;               /* by hf_deep_read_info() alone */
    char libraries[96];                  /* which decide the new bytes */
    size_t parts_n;                      /* the old file's; or 0 */
    struct hf_deep_part *parts;          /* hf_deep_info_done() frees */
};
void hf_deep_info_done(struct hf_deep_info *info);

struct hf_deep_create_params {
    struct hf_delta_create_params delta; /* progress(): also 0 and 0, while encoders are searched */
    bool plain;                          /* a plain delta, unless in parts */
    bool inside;                         /* fast profile: inside all, not only zstd 1 to 3; always if in parts */
    const struct hf_deep_part *parts;    /* in order; or NULL */
    size_t parts_n;
    uint64_t unpacked_max; /* bytes of all streams, unpacked at one time, which take some three times as many; 0: any.
                              More: a plain delta; in parts, -E2BIG */
};

/* The same inputs give the same bytes. */
HF_MUST_USE int hf_deep_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                               const struct hf_deep_create_params *params, const struct hf_delta_out *patch,
                               struct hf_err *err);

struct hf_deep_apply_params {
    /* Checkpoints are opaque, after 4 MiB each of unpacked output; inside a compressed stream: the outermost one's
     * start, never twice. Resuming unpacks the old file again. */
    struct hf_delta_apply_params delta;
    struct hf_deep_scratch scratch;
    uint64_t memory_max, scratch_max; /* delta's; 0: no limit */
    /* If *info decides the old file (archive of a folder, parts): after header and recipe, *ret_old replaces delta.old;
     * its hash is checked unless delta.old_is_verified. May be NULL. */
    int (*open_old)(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err);
    void *open_old_ctx;
};
/* On success free *ret_info (may be NULL). */
HF_MUST_USE int hf_deep_apply(const struct hf_deep_apply_params *params, struct hf_deep_info *ret_info,
                              struct hf_err *err);

enum { HF_DEEP_HEAD = 5 };
bool hf_deep_is(const unsigned char head[static HF_DEEP_HEAD]);

/* Reads header and, if deep, recipe. Free *ret_info. */
HF_MUST_USE int hf_deep_read_info(const struct hf_delta_in *patch, struct hf_deep_info *ret_info, struct hf_err *err);
