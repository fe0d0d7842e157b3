/* pack/deep/deep.h - deltas that look inside compressed files. pkg/pack/FORMAT.md is the format. Declares
 * deep_create.c, deep_apply.c and quick.c.
 *
 * The delta unpacks both inputs as far as it can compress their streams again bit for bit: gzip, zip members, xz and
 * zstd, also nested. tar, cpio and ar need no unpacking: the search finds streams in them. A delta of pkg/delta goes
 * from the unpacked old to the unpacked new file. Applying unpacks the old file's streams to a scratch file, applies
 * that delta, and compresses on the way out. If looking inside does not pay, or no encoder is known, the result is a
 * plain delta; hf_deep_apply() applies both kinds.
 *
 * Blocks: worker threads and command lines only. Errors are those of delta/delta.h, and -EOPNOTSUPP: this node's
 * compression library makes other bytes than the library that made the delta (fetch the whole file); -E2BIG: the
 * delta needs more memory or scratch space than the caller allows. */
#pragma once

#include "delta/delta.h"

enum { HF_DEEP_MAX_PARTS = 1024 };

/* Storage for the unpacked streams of the old file, which the caller opens and removes. Writes come in ascending
 * order, without holes. */
struct hf_deep_scratch {
    void *ctx;
    /* Returns 0 or -errno. NULL: keep the bytes in memory. */
    int (*write)(void *ctx, const void *bytes, size_t n, uint64_t offset);
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
};

/* One part of an old file that consists of several parts, such as a blob of a container image. The hash of its
 * content identifies it. */
struct hf_deep_part {
    uint64_t size;
    unsigned char sha256[HF_SHA256_BYTES];
};

struct hf_deep_info {
    struct hf_delta_info delta; /* the whole delta: sizes and hashes of the files themselves */
    bool inside;                /* false: a plain delta; the values below are 0 */
    uint64_t memory_bytes;      /* bytes of memory on top of what every delta needs */
    uint64_t scratch_bytes;     /* bytes of scratch space: on disk, or in memory if there is no scratch file */
    uint64_t streams;           /* number of streams that applying compresses */
    /* sizes of the first two parts of the delta; the remainder is the inner delta */
    uint64_t header_bytes, recipe_bytes;
    unsigned inner_method;      /* method of the inner delta; only hf_deep_read_info() sets it */
    char libraries[96];         /* libraries whose version matters, "liblzma 5.4.1, libzstd 1.5.4"; "": none */
    size_t parts_n;             /* number of parts of the old file; 0: old is one file */
    struct hf_deep_part *parts; /* free with hf_deep_info_done() */
};
void hf_deep_info_done(struct hf_deep_info *info);

struct hf_deep_create_params {
    struct hf_delta_create_params delta;
    bool plain;                       /* do not look inside */
    bool inside;                      /* fast profile: look inside all streams, not only those that compress quickly */
    const struct hf_deep_part *parts; /* the parts of old, in order; NULL: old is one file */
    size_t parts_n;
};

/* Makes the delta; deterministic. If a plain delta may be smaller, makes that, too, and writes the smaller one. */
HF_MUST_USE int hf_deep_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                               const struct hf_deep_create_params *params, const struct hf_delta_out *patch,
                               struct hf_err *err);

/* Returns false if no zstd frame begins in the bytes. Then the fast profile (without `inside`) has nothing to look
 * inside. */
bool hf_deep_may_hold_zstd(const void *bytes, size_t n);
/* Returns false if no compressed stream begins in the bytes. Then the small profile has nothing to look inside. */
bool hf_deep_may_hold_packed(const void *bytes, size_t n);

struct hf_deep_apply_params {
    /* Checkpoints of a deep delta are opaque. They lie where no compressed stream is open, so more than 4 MiB may
     * lie between two of them. Resuming unpacks the old file again. */
    struct hf_delta_apply_params delta;
    struct hf_deep_scratch scratch;
    uint64_t memory_max, scratch_max; /* 0: no limit */
    /* Opens the old file once the head of the delta is known, and replaces delta.old: the old file may be the
     * archive of a folder, or consist of parts. hf_deep_apply() checks its hash as always. NULL: old is delta.old. */
    int (*open_old)(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err);
    void *open_old_ctx;
};
/* On success, fills *ret_info (may be NULL); free it with hf_deep_info_done(). */
HF_MUST_USE int hf_deep_apply(const struct hf_deep_apply_params *params, struct hf_deep_info *ret_info,
                              struct hf_err *err);

enum { HF_DEEP_HEAD = 5 };
/* Returns true if the delta that begins with these bytes looks inside. */
bool hf_deep_is(const unsigned char head[static HF_DEEP_HEAD]);

/* Reads the description of a delta and nothing behind it. */
HF_MUST_USE int hf_deep_read_info(const struct hf_delta_in *patch, struct hf_deep_info *ret_info, struct hf_err *err);
