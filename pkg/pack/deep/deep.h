/* pack/deep/deep.h - deltas that look inside compressed files; pkg/pack/FORMAT.md is the format.
 *
 * Both inputs are unpacked as far as they can be put together again bit for bit (gzip, zip members, xz, zstd, one in another; tar,
 * cpio and ar need nothing, what lies in them is found by itself), and a delta of pkg/delta is made between the unpacked forms.
 * Applying unpacks the old file's streams into a scratch file, applies the delta, and packs on the way out. Where looking inside
 * does not pay, or cannot be undone exactly, the result is a plain delta: whoever applies calls hf_deep_apply() for all of them.
 *
 * Blocks: worker threads and command lines only. Errors as in delta/delta.h; and -EOPNOTSUPP: this node's compression library
 * makes other bytes than the one the delta was made with (the whole file has to be taken), -E2BIG: more memory or scratch space is
 * needed than the caller allows. */
#pragma once

#include "delta/delta.h"

enum { HF_DEEP_MAX_PARTS = 1024 };

/* Where unpacked old bytes go: a file the caller opens and removes. Offsets are written in ascending order, without holes. */
struct hf_deep_scratch {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n, uint64_t offset); /* 0 or -errno; NULL: it is kept in memory */
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
};

/* A piece that old is put together from, known by its content (images: blobs). */
struct hf_deep_part {
    uint64_t size;
    unsigned char sha256[HF_SHA256_BYTES];
};

struct hf_deep_info {
    struct hf_delta_info delta;          /* of the whole: sizes and hashes of the files as they are */
    bool inside;                         /* false: a plain delta, the rest is 0 */
    uint64_t memory_bytes;               /* needed beside what every delta needs */
    uint64_t scratch_bytes;              /* needed on disk (or in memory, when there is no scratch file) */
    uint64_t streams;                    /* compressed streams that are put together */
    uint64_t header_bytes, recipe_bytes; /* of the delta; what is left is the delta between the unpacked forms */
    unsigned inner_method;               /* of that; hf_deep_read_info() only */
    char libraries[96];                  /* those whose version matters, "liblzma 5.4.1, libzstd 1.5.4"; "" none */
    size_t parts_n;                      /* 0: old is one file */
    struct hf_deep_part *parts;          /* hf_deep_info_done() */
};
void hf_deep_info_done(struct hf_deep_info *info);

struct hf_deep_create_params {
    struct hf_delta_create_params delta;
    bool plain;                       /* do not look inside */
    bool inside;                      /* fast: inside all that is compressed, not only what is quickly packed again */
    const struct hf_deep_part *parts; /* what old is put together from, in order; NULL: one file */
    size_t parts_n;
};

/* Make the delta; deterministic. Tries what pays: the smaller of both ways is written. */
HF_MUST_USE int hf_deep_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                               const struct hf_deep_create_params *params, const struct hf_delta_out *patch,
                               struct hf_err *err);

/* May a zstd frame begin somewhere in there? Where none does in new, the fast profile (without `inside`) has nothing to look inside of. */
bool hf_deep_may_hold_zstd(const void *bytes, size_t n);
/* The same for the small profile. */
bool hf_deep_may_hold_packed(const void *bytes, size_t n);

struct hf_deep_apply_params {
    /* Checkpoints of a delta that looks inside are opaque: they lie where no compressed stream is open, so that more than 4 MiB may be
     * between two. Resuming unpacks the old file again. */
    struct hf_delta_apply_params delta;
    struct hf_deep_scratch scratch;
    uint64_t memory_max, scratch_max; /* 0: no limit */
    /* Asked for old once the head of the delta is read, in place of delta.old (its hash is checked as ever): old may be a folder's
     * archive, or put together from parts. NULL: delta.old is it. */
    int (*open_old)(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err);
    void *open_old_ctx;
};
/* *ret_info (may be NULL) is filled on success; hf_deep_info_done() it. */
HF_MUST_USE int hf_deep_apply(const struct hf_deep_apply_params *params, struct hf_deep_info *ret_info,
                              struct hf_err *err);

enum { HF_DEEP_HEAD = 5 };
/* Does the delta that begins so look inside? */
bool hf_deep_is(const unsigned char head[static HF_DEEP_HEAD]);

/* What a delta says of itself; reads no further than that. */
HF_MUST_USE int hf_deep_read_info(const struct hf_delta_in *patch, struct hf_deep_info *ret_info, struct hf_err *err);
