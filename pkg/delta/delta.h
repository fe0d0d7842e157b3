/* delta/delta.h - create and apply binary deltas. FORMAT.md describes the format; "patch" in names is the delta file.
 *
 * Applying streams: it reads the delta once and in order, the old file at random, and writes the new file once and in
 * order, hashing it on the way. Memory is constant (FORMAT.md, "Memory").
 *
 * Threads: both directions block; call them from worker threads and command lines only.
 *
 * This module does not check signatures: the caller first compares the delta's own hash with the one in the signed
 * release.
 *
 * Errors: -EBADMSG damaged or hostile delta, -ESTALE the old file is not the one that the delta starts from,
 * -EOPNOTSUPP an unknown version, method, coder or predictor, -ECANCELED, and the errors of the callbacks. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/sha256.h"

enum hf_delta_profile { HF_DELTA_SMALL, HF_DELTA_FAST };

/* Random access to the old file. Returns the number of bytes read (0 at the end) or -errno. */
struct hf_delta_old {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
    uint64_t size;
};

/* An old file in memory: set `pread` to hf_delta_memory_pread and `ctx` to one of these. */
struct hf_delta_memory {
    const unsigned char *p;
    size_t n;
};
ssize_t hf_delta_memory_pread(void *memory, void *bytes, size_t n, uint64_t offset);

/* Sequential input: the delta. Returns the number of bytes read (0 at the end) or -errno. */
struct hf_delta_in {
    void *ctx;
    ssize_t (*read)(void *ctx, void *bytes, size_t n);
};

/* Sequential output: the new file, or the delta when creating. Returns 0 or -errno. */
struct hf_delta_out {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};

/* Length of the fingerprints of the old file and of the body. They only find a mismatch early and tell which file is
 * wrong, so a prefix of the SHA-256 is enough; the full hash of the new file decides. */
enum { HF_DELTA_FINGERPRINT_BYTES = 4 };

struct hf_delta_info {
    unsigned version, method; /* method: its number in FORMAT.md */
    enum hf_delta_profile profile;
    uint64_t old_size, new_size, patch_size;
    unsigned char old_fingerprint[HF_DELTA_FINGERPRINT_BYTES]; /* first bytes of the old file's SHA-256 */
    bool from_any; /* the delta reads nothing of the old file, and has no fingerprint of it */
    unsigned char new_sha256[HF_SHA256_BYTES];
};

struct hf_delta_create_params {
    enum hf_delta_profile profile;
    unsigned threads; /* 0: one for each processor */
    /* Small profile only: 1, 2 and 3 save 0.8, 1.2 and 1.4 MiB of memory when applying; each step costs a few per
     * cent more bytes. */
    unsigned lean;
    /* Called now and then with the work done so far and the work in total, in any unit. A non-zero return cancels.
     * May be NULL. */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    /* Called before a phase that reads neither file, so that the caller can give back the pages of mapped files. May
     * be NULL; any thread may call it. */
    void (*on_idle)(void *ctx);
    void *on_idle_ctx;
};

/* hf_delta_create() refuses files of this size and above with -EFBIG before it does any work. Applying has no such
 * limit. */
#define HF_DELTA_CREATE_MAX_BYTES ((size_t)INT32_MAX - 1)
HF_MUST_USE int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err);

/* Makes the delta that turns old[old_n] into new_bytes[new_n]. Deterministic: the same inputs and profile give the
 * same bytes. A NULL `params` stands for all zero. */
HF_MUST_USE int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                                const struct hf_delta_create_params *params, const struct hf_delta_out *patch,
                                struct hf_err *err);

/* A point from which applying can resume: everything before new_offset is written. Plain data; the numbers are in
 * host byte order. */
struct hf_delta_checkpoint {
    uint64_t new_offset, patch_offset;
    unsigned char new_hash[HF_SHA256_STATE]; /* hf_sha256_save() over the new file up to new_offset */
};

/* To resume, truncate the new file to resume->new_offset, pass the same delta from its first byte, and append the
 * output. */
struct hf_delta_apply_params {
    struct hf_delta_old old;
    struct hf_delta_in patch;
    struct hf_delta_out out;
    const atomic_bool *cancel; /* checked at least every 256 KiB of output; may be NULL */
    /* resume point of an earlier run; NULL: begin at the start of the new file */
    const struct hf_delta_checkpoint *resume;
    /* Called at each resume point (every 4 MiB of output) but not at the end. The caller syncs its output, then
     * stores the checkpoint. May be NULL; a negative result stops. */
    int (*checkpoint)(void *ctx, const struct hf_delta_checkpoint *checkpoint);
    void *checkpoint_ctx;
    /* The caller has just verified the old file's hash: do not hash it again before starting. Applying still hashes
     * it after a failure, to name the cause. */
    bool old_is_verified;
    /* The delta is part of a container that has its own hashes: ignore the three in the header. */
    bool unhashed;
};

/* Rebuilds the new file. A second thread may read `old`, but never calls one of the caller's functions while another
 * call runs. Success means that the output has the size and the SHA-256 in the delta's header. */
HF_MUST_USE int hf_delta_apply(const struct hf_delta_apply_params *params, struct hf_delta_info *ret_info,
                               struct hf_err *err);

/* Reads only the header. */
HF_MUST_USE int hf_delta_read_info(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_err *err);

/* Sizes of a delta's parts. */
struct hf_delta_parts {
    uint64_t header_bytes;
    uint64_t map_bytes;   /* match map and pairs of images; 0 for methods 3 and 4 */
    uint64_t blocks;      /* each makes 4 MiB of the new file; applying can resume between them; 1 for method 4 */
    uint64_t block_bytes; /* sum over all blocks */
    uint64_t largest_block_bytes;
};

/* Reads the whole delta and compares it with its own hash: -EBADMSG if it is damaged. Both outputs may be NULL. */
HF_MUST_USE int hf_delta_check(const struct hf_delta_in *patch, struct hf_delta_info *ret_info,
                               struct hf_delta_parts *ret_parts, struct hf_err *err);

/* Returns "records-cm", ..., or "unknown". */
const char *hf_delta_method_name(unsigned method);
