/* SPDX-License-Identifier: Apache-2.0 */
/* pack/deep/deep.h - deltas that look inside compressed files. pkg/pack/FORMAT.md is the format. Declares the functions
 * of deep_create.c and deep_apply.c.
 *
 * hf_deep_create() finds the compressed streams in both files (gzip, zip members, xz and zstd, also nested in each
 * other). It unpacks each stream that an encoder can compress again bit for bit. Archives (tar, cpio, ar) stay as they
 * are, because the search finds the streams in them. A deep delta contains an inner delta (pkg/delta) from the unpacked
 * old file to the unpacked new file. hf_deep_apply() unpacks the old file's streams to a scratch file, applies the
 * inner delta, and compresses the streams of the new file while it writes the new file.
 *
 * hf_deep_create() makes a plain delta (pkg/delta) instead if no stream has an encoder that makes the same bytes again,
 * if the unpacked files are too large, if looking inside could save little, or if the deep delta is not smaller than
 * the plain one. The delta from an old file in parts is always a deep delta. hf_deep_apply() applies deep and plain
 * deltas.
 *
 * The functions block: call them only on worker threads or in command-line programs. They return the errors of
 * delta/delta.h and the following errors.
 *
 * -EOPNOTSUPP: the compression library of this node makes other bytes than the library of the machine that made the
 * delta. Fetch the whole file instead.
 *
 * -E2BIG: the delta needs more memory or scratch space than the caller allows, or the old file has more than
 * HF_DEEP_MAX_PARTS parts. */
#pragma once

#include "delta/delta.h"

enum { HF_DEEP_MAX_PARTS = 1024 };

/* Storage for the unpacked streams of the old file. The caller provides the storage and removes it. hf_deep_apply()
 * writes the bytes in ascending order of offsets, without holes. */
struct hf_deep_scratch {
    void *ctx;
    /* Returns 0 or -errno. If `write` is NULL, hf_deep_apply() keeps the bytes in memory. */
    int (*write)(void *ctx, const void *bytes, size_t n, uint64_t offset);
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
};

/* One part of an old file that consists of several parts. The parts of an OCI image are its blobs. The hash of a part's
 * content identifies the part. */
struct hf_deep_part {
    uint64_t size;
    unsigned char sha256[HF_SHA256_BYTES];
};

struct hf_deep_info {
    struct hf_delta_info delta; /* sizes and hashes of the old and new file as they are on disk, not unpacked */
    bool inside;                /* false for a plain delta; all fields after this one are then 0 or empty */
    uint64_t memory_bytes;      /* bytes of memory for applying, on top of the memory that every delta needs */
    uint64_t scratch_bytes;     /* bytes of scratch space for applying, on disk or, without a scratch file, in memory */
    uint64_t streams;           /* number of compressed streams in the new file, which applying compresses again */
    /* sizes in bytes of the header and the recipe, with which the delta begins; the remainder is the inner delta */
    uint64_t header_bytes, recipe_bytes;
    unsigned inner_method; /* method of the inner delta; only hf_deep_read_info() sets it */
    /* versions of the compression libraries on which the new file's bytes depend, as in "liblzma 5.4.1, libzstd 1.5.4";
     * empty if there are none */
    char libraries[96];
    size_t parts_n;             /* number of parts of the old file (0 means that the old file is not in parts) */
    struct hf_deep_part *parts; /* the parts of the old file; free them with hf_deep_info_done() */
};
void hf_deep_info_done(struct hf_deep_info *info);

struct hf_deep_create_params {
    /* hf_deep_create() also calls delta.progress() with 0 and 0, while it looks for encoders */
    struct hf_delta_create_params delta;
    bool plain; /* true to look inside no stream: makes a plain delta, unless the old file is in parts */
    /* for the fast profile: true to look inside all streams; false to look only inside zstd streams of the levels 1 to
     * 3, which compress quickly; always true if the old file is in parts */
    bool inside;
    /* the parts of the old file, in order (NULL means that the old file is not in parts) */
    const struct hf_deep_part *parts;
    size_t parts_n;
};

/* Makes the delta and writes it to `patch`. The same inputs give the same bytes. If a plain delta may be smaller than
 * the deep delta, makes both and writes the smaller one. If the old file is in parts, always writes the deep delta. */
HF_MUST_USE int hf_deep_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                               const struct hf_deep_create_params *params, const struct hf_delta_out *patch,
                               struct hf_err *err);

struct hf_deep_apply_params {
    /* The checkpoints of a deep delta are opaque: store them without interpreting their fields. hf_deep_apply() makes a
     * checkpoint after every 4 MiB of unpacked output. If that place is inside a compressed stream of the new file, the
     * checkpoint is the start of the stream (of the outermost stream if streams are nested). If the previous checkpoint
     * was at the same start, hf_deep_apply() makes none. Resuming unpacks the old file again. */
    struct hf_delta_apply_params delta;
    struct hf_deep_scratch scratch;
    uint64_t memory_max, scratch_max; /* limits for memory_bytes and scratch_bytes of the delta (0 means no limit) */
    /* hf_deep_apply() calls open_old() after it has read the header and, of a deep delta, the recipe. It then uses
     * *ret_old instead of delta.old. Use open_old() if the old file depends on *info, that is, for an archive of a
     * folder and for a file in parts. hf_deep_apply() checks the hash of *ret_old too, unless delta.old_is_verified is
     * set. If open_old is NULL, the old file is delta.old. */
    int (*open_old)(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err);
    void *open_old_ctx;
};
/* Applies a deep or a plain delta. On success, fills *ret_info, which the caller frees with hf_deep_info_done().
 * `ret_info` may be NULL. */
HF_MUST_USE int hf_deep_apply(const struct hf_deep_apply_params *params, struct hf_deep_info *ret_info,
                              struct hf_err *err);

enum { HF_DEEP_HEAD = 5 };
/* Returns true if `head` is the start of a deep delta, and false for a plain delta. */
bool hf_deep_is(const unsigned char head[static HF_DEEP_HEAD]);

/* Reads the header and, of a deep delta, the recipe and the number of the inner method. Ignores all that follows.
 * Free *ret_info with hf_deep_info_done(). */
HF_MUST_USE int hf_deep_read_info(const struct hf_delta_in *patch, struct hf_deep_info *ret_info, struct hf_err *err);
