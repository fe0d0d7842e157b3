/* SPDX-License-Identifier: Apache-2.0 */
/* delta/delta.h - create and apply binary deltas. FORMAT.md describes the format. In the names of fields and
 * parameters, "patch" stands for the delta.
 *
 * Applying works on streams. It reads the delta once, in order, and the old file at any offset. It writes the new file
 * once, in order, and hashes the new file at the same time. The memory for applying has an upper bound that does not
 * depend on the sizes of the files (FORMAT.md, "Memory").
 *
 * Threads: the functions block, so call them only on worker threads or in command-line programs.
 *
 * This module does not check signatures: the caller first compares the delta's hash with the hash in the signed
 * release.
 *
 * The functions return the errors of their callbacks and the following errors.
 *
 * -EBADMSG: the delta is damaged or hostile.
 *
 * -ESTALE: the old file is not the one that the delta starts from.
 *
 * -EOPNOTSUPP: the version, the profile, the method or a predictor is unknown.
 *
 * -EINVAL: the checkpoint to resume from does not belong to this delta.
 *
 * -ECANCELED: the caller has cancelled the call.
 *
 * -ENOMEM: memory has run out. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/sha256.h"

/* What the creation of a delta minimizes: the size of the delta (small), or the time to create and to apply it
 * (fast). */
enum hf_delta_profile { HF_DELTA_SMALL, HF_DELTA_FAST };

/* Random access to the old file. pread() returns the number of bytes read (0 at the end) or -errno. */
struct hf_delta_old {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
    uint64_t size;
};

/* An old file in memory. In struct hf_delta_old, set `pread` to hf_delta_memory_pread and `ctx` to this struct. */
struct hf_delta_memory {
    const unsigned char *p;
    size_t n;
};
ssize_t hf_delta_memory_pread(void *memory, void *bytes, size_t n, uint64_t offset);

/* Sequential input, for the delta. read() returns the number of bytes read (0 at the end) or -errno. */
struct hf_delta_in {
    void *ctx;
    ssize_t (*read)(void *ctx, void *bytes, size_t n);
};

/* Sequential output, for the new file when applying and for the delta when creating. write() returns 0 or -errno. */
struct hf_delta_out {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};

/* Length of the fingerprints of the old file and of the body. Fingerprints only serve to find a mismatch early and to
 * report which file is wrong, so a prefix of the SHA-256 is enough. The full SHA-256 of the new file decides if the
 * result is right. */
enum { HF_DELTA_FINGERPRINT_BYTES = 4 };

struct hf_delta_info {
    unsigned version, method; /* version of the format; number of the method in FORMAT.md */
    enum hf_delta_profile profile;
    uint64_t old_size, new_size, patch_size;
    unsigned char old_fingerprint[HF_DELTA_FINGERPRINT_BYTES]; /* first bytes of the old file's SHA-256 */
    /* true for method 5, which reads nothing of the old file and has no fingerprint of it */
    bool from_any;
    unsigned char new_sha256[HF_SHA256_BYTES];
};

struct hf_delta_create_params {
    enum hf_delta_profile profile;
    /* number of threads that create the delta (0 means one for each online processor); the library uses at most 64 */
    unsigned threads;
    /* How much memory to save when applying the delta (0 to 3; small profile only). The values 1, 2 and 3 save 0.8, 1.2
     * and 1.4 MiB. Each step up makes the delta a few per cent larger. */
    unsigned lean;
    /* hf_delta_create() calls this now and then while it searches for copies. `done` and `total` are the work done so
     * far and the total work of the current pass, in the same arbitrary unit. There may be several passes. A non-zero
     * result cancels the creation with -ECANCELED. May be NULL. */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    /* hf_delta_create() calls this before a phase that reads neither file, so that the caller can release the pages of
     * mapped files. The call comes from the thread that called hf_delta_create(). May be NULL. */
    void (*on_idle)(void *ctx);
    void *on_idle_ctx;
};

/* hf_delta_create() refuses files of this size or more with -EFBIG, before any work. hf_delta_create_fits() makes that
 * check without creating a delta. Applying has no such limit. */
#define HF_DELTA_CREATE_MAX_BYTES ((size_t)INT32_MAX - 1)
HF_MUST_USE int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err);

/* Makes the delta that turns old[old_n] into new_bytes[new_n]. Deterministic: the same files, params->profile and
 * params->lean give the same bytes. If `params` is NULL, all parameters are zero. */
HF_MUST_USE int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                                const struct hf_delta_create_params *params, const struct hf_delta_out *patch,
                                struct hf_err *err);

/* A point from which applying can resume, because out.write() has received all bytes of the new file before new_offset.
 * Plain data without pointers; the numbers are in host byte order. */
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
    const atomic_bool *cancel; /* checked about every 256 KiB of output; may be NULL */
    /* checkpoint of an earlier run, from which to resume (NULL means to begin at the start of the new file) */
    const struct hf_delta_checkpoint *resume;
    /* hf_delta_apply() calls this after every 4 MiB of the new file, but not at the end. The callback can store the
     * checkpoint. Before it stores the checkpoint, it must sync the output; otherwise the checkpoint may be wrong after
     * a power cut. A negative result stops applying. May be NULL. */
    int (*checkpoint)(void *ctx, const struct hf_delta_checkpoint *checkpoint);
    void *checkpoint_ctx;
    /* True if the caller has just verified the old file's hash. Applying then does not hash the old file at the start.
     * If `resume` is set, applying does not do so either. In both cases, applying hashes the old file after a failure
     * with -EBADMSG, to find out if the old file is the cause (-ESTALE). */
    bool old_is_verified;
    /* True if the delta is part of a container that has its own hashes. Applying then ignores the SHA-256 and the two
     * fingerprints in the delta's header. */
    bool unhashed;
};

/* Makes the new file. The callbacks in *params may run on the caller's thread or on a second thread, but never two
 * callbacks at the same time. Success means that the output has the size and (unless `unhashed` is set) the SHA-256
 * that the delta's header states. */
HF_MUST_USE int hf_delta_apply(const struct hf_delta_apply_params *params, struct hf_delta_info *ret_info,
                               struct hf_err *err);

/* Reads only the header of the delta. (A delta with method 5 of FORMAT.md has no hash of the new file, so the function
 * also reads the body of such a delta, at most 32 bytes.) */
HF_MUST_USE int hf_delta_read_info(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_err *err);

/* Sizes of a delta's parts. */
struct hf_delta_parts {
    uint64_t header_bytes;
    uint64_t map_bytes; /* bytes of the match map and of the list of image pairs (0 for methods 3, 4 and 5) */
    /* number of blocks: each block makes 4 MiB of the new file, and the last block makes the remainder; methods 4 and 5
     * have at most one block */
    uint64_t blocks;
    uint64_t block_bytes; /* bytes of all blocks together */
    uint64_t largest_block_bytes;
};

/* Reads the whole delta and compares the hash of the body with the fingerprint in the header. -EBADMSG: the delta is
 * damaged. ret_info and ret_parts may be NULL. */
HF_MUST_USE int hf_delta_check(const struct hf_delta_in *patch, struct hf_delta_info *ret_info,
                               struct hf_delta_parts *ret_parts, struct hf_err *err);

/* Returns the name of a method, such as "records-cm", or "unknown". */
const char *hf_delta_method_name(unsigned method);
