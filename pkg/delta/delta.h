/* SPDX-License-Identifier: Apache-2.0 */
/* Create and apply binary deltas; FORMAT.md has the format. In names, "patch" is the delta.
 *
 * Applying reads the delta once in order and the old file anywhere, and writes and hashes the new file in order, in
 * memory that does not depend on the sizes (FORMAT.md, "Memory"). It checks no signature: first compare the delta's
 * hash with that in the signed release.
 *
 * Threads: functions block; workers only. They return the errors of their callbacks and:
 *
 *   -EBADMSG     the delta is damaged or hostile
 *   -ESTALE      not the old file that the delta starts from
 *   -EOPNOTSUPP  unknown version, profile, method or predictor
 *   -EINVAL      the checkpoint does not belong to this delta
 *   -ECANCELED   the caller cancelled
 *   -ENOMEM */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/sha256.h"

/* Minimizes the size of the delta, or the time to create and apply it. */
enum hf_delta_profile { HF_DELTA_SMALL, HF_DELTA_FAST };

/* pread() returns the bytes read (0 at the end) or -errno. */
struct hf_delta_old {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
    uint64_t size;
};

/* An old file in memory: `ctx` of hf_delta_memory_pread(). */
struct hf_delta_memory {
    const unsigned char *p;
    size_t n;
};
ssize_t hf_delta_memory_pread(void *memory, void *bytes, size_t n, uint64_t offset);

/* Reads by pieces of `piece_n` bytes. -ESTALE: the file ends before its size. */
HF_MUST_USE int hf_delta_old_hash(const struct hf_delta_old *file, void *piece, size_t piece_n,
                                  unsigned char digest[static HF_SHA256_BYTES], struct hf_err *err);

/* read() returns the bytes read (0 at the end) or -errno. */
struct hf_delta_in {
    void *ctx;
    ssize_t (*read)(void *ctx, void *bytes, size_t n);
};

/* The new file when applying, the delta when creating. */
struct hf_delta_out {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};

/* A prefix of a SHA-256, to find a mismatch early and report which file is wrong. The full SHA-256 of the new file
 * decides. */
enum { HF_DELTA_FINGERPRINT_BYTES = 4 };

struct hf_delta_info {
    unsigned version, method; /* method: number in FORMAT.md */
    enum hf_delta_profile profile;
    uint64_t old_size, new_size, patch_size;
    unsigned char old_fingerprint[HF_DELTA_FINGERPRINT_BYTES]; /* the old file's SHA-256 */
    /* method 5 reads no old file and has no fingerprint of it */
    bool from_any;
    unsigned char new_sha256[HF_SHA256_BYTES];
};

struct hf_delta_create_params {
    enum hf_delta_profile profile;
    unsigned threads; /* 0: one for each online processor; at most 64 */
    /* Memory saved when applying, 0 to 3 (small profile only): 0, 0.8, 1.2 or 1.4 MiB, each for a few per cent more
     * delta. */
    unsigned lean;
    /* Called during the search for copies with the work of the current pass, in an arbitrary unit. Not 0: -ECANCELED.
     * May be NULL. */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    /* Called in the caller's thread before a phase that reads neither file: release the pages of mapped files. May be
     * NULL. */
    void (*on_idle)(void *ctx);
    void *on_idle_ctx;
};

/* From this size on creating refuses a file with -EFBIG; applying has no limit. */
#define HF_DELTA_CREATE_MAX_BYTES ((size_t)INT32_MAX - 1)
HF_MUST_USE int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err);

/* Deterministic: the same files, profile and lean give the same bytes. `params` NULL: all zero. */
HF_MUST_USE int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                                const struct hf_delta_create_params *params, const struct hf_delta_out *patch,
                                struct hf_err *err);

/* out.write() has received the new file up to new_offset. Plain data in host byte order. */
struct hf_delta_checkpoint {
    uint64_t new_offset, patch_offset;
    unsigned char new_hash[HF_SHA256_STATE]; /* hf_sha256_save() at new_offset */
};

/* To resume: truncate the new file to resume->new_offset, pass the same delta from its first byte, append the
 * output. */
struct hf_delta_apply_params {
    struct hf_delta_old old;
    struct hf_delta_in patch;
    struct hf_delta_out out;
    const atomic_bool *cancel;                /* checked about every 256 KiB of output; may be NULL */
    const struct hf_delta_checkpoint *resume; /* NULL: from the start */
    /* Called after every 4 MiB of the new file, but not at its end. Sync the output before storing the checkpoint.
     * Negative: stops. May be NULL. */
    int (*checkpoint)(void *ctx, const struct hf_delta_checkpoint *checkpoint);
    void *checkpoint_ctx;
    /* The caller has just verified the old file: it is not hashed at the start (nor with `resume`), but after -EBADMSG,
     * to find out if it is the cause (-ESTALE). */
    bool old_is_verified;
    /* Part of a container with hashes of its own: ignore SHA-256 and fingerprints of the header. */
    bool unhashed;
};

/* Callbacks may run on a second thread, but never two at once. 0: the output has the header's size and (unless
 * `unhashed`) SHA-256. */
HF_MUST_USE int hf_delta_apply(const struct hf_delta_apply_params *params, struct hf_delta_info *ret_info,
                               struct hf_err *err);

/* Reads only the header (with method 5 also the body, at most 32 bytes). */
HF_MUST_USE int hf_delta_read_info(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_err *err);

struct hf_delta_parts {
    uint64_t header_bytes;
    uint64_t map_bytes; /* match map and image pairs; 0 for methods 3, 4 and 5 */
    /* 4 MiB of the new file, the last one less; methods 4 and 5: at most one */
    uint64_t blocks;
    uint64_t block_bytes;
    uint64_t largest_block_bytes;
};

/* Reads the whole delta and checks the body's fingerprint. ret_info and ret_parts may be NULL. */
HF_MUST_USE int hf_delta_check(const struct hf_delta_in *patch, struct hf_delta_info *ret_info,
                               struct hf_delta_parts *ret_parts, struct hf_err *err);

/* "records-cm" or "unknown" */
const char *hf_delta_method_name(unsigned method);
