/* SPDX-License-Identifier: Apache-2.0 */
/* Binary deltas (FORMAT.md); names have "patch".
 *
 * Applying reads the delta in order and the old file anywhere, writes and hashes the new file in order, in
 * memory that does not depend on the sizes (FORMAT.md, "Memory"). No signature is checked: first compare the delta's
 * hash with that in the signed release.
 *
 * Threads: functions block; workers only. They return callbacks' errors and:
 *
 *   -EBADMSG     damaged or hostile
 *   -ESTALE      another old file
 *   -EOPNOTSUPP  unknown version, profile, method or predictor
 *   -EINVAL      another delta's checkpoint
 *   -ECANCELED   by the caller
 *   -ENOMEM */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/sha256.h"

/* Smallest delta, or fastest to create and apply. */
enum hf_delta_profile { HF_DELTA_SMALL, HF_DELTA_FAST };

/* pread(): bytes read (0: the end) or -errno. */
struct hf_delta_old {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
    uint64_t size;
};

/* `ctx` of hf_delta_memory_pread(). */
struct hf_delta_memory {
    const unsigned char *p;
    size_t n;
};
ssize_t hf_delta_memory_pread(void *memory, void *bytes, size_t n, uint64_t offset);

/* Reads by pieces of `piece_n` bytes. -ESTALE: the file ends before its size. */
HF_MUST_USE int hf_delta_old_hash(const struct hf_delta_old *file, void *piece, size_t piece_n,
                                  unsigned char digest[static HF_SHA256_BYTES], struct hf_err *err);

/* read(): bytes read (0: the end) or -errno. */
struct hf_delta_in {
    void *ctx;
    ssize_t (*read)(void *ctx, void *bytes, size_t n);
};

/* Receives the new file (applying) or the delta (creating). */
struct hf_delta_out {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};

/* First bytes of a SHA-256, to find early which file is wrong. The new file's whole SHA-256 decides. */
enum { HF_DELTA_FINGERPRINT_BYTES = 4 };

struct hf_delta_info {
    unsigned version, method; /* FORMAT.md's number */
    enum hf_delta_profile profile;
    uint64_t old_size, new_size, patch_size;
    unsigned char old_fingerprint[HF_DELTA_FINGERPRINT_BYTES];
    /* method 5: no old file, no fingerprint */
    bool from_any;
    unsigned char new_sha256[HF_SHA256_BYTES];
};

struct hf_delta_create_params {
    enum hf_delta_profile profile;
    unsigned threads; /* 0: the processors; 64 at most */
    /* Small profile: memory that applying saves, 0 to 3: 0, 0.8, 1.2 or 1.4 MiB, each for a few per cent more delta. */
    unsigned lean;
    /* During the search, this pass's work in any unit. Not 0: -ECANCELED. May be NULL. */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    /* Caller's thread, before a phase that reads neither file: release mapped pages. May be NULL. */
    void (*on_idle)(void *ctx);
    void *on_idle_ctx;
};

/* -EFBIG from here on; applying has no limit. */
#define HF_DELTA_CREATE_MAX_BYTES ((size_t)INT32_MAX - 1)
HF_MUST_USE int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err);

/* Deterministic, by files, profile and lean. `params` NULL: zeros. */
HF_MUST_USE int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                                const struct hf_delta_create_params *params, const struct hf_delta_out *patch,
                                struct hf_err *err);

/* out.write() has taken all before new_offset. Plain, host byte order. */
struct hf_delta_checkpoint {
    uint64_t new_offset, patch_offset;
    unsigned char new_hash[HF_SHA256_STATE]; /* hf_sha256_save() at new_offset */
};

/* To resume: truncate the new file to resume->new_offset, pass the same delta from its first byte, append. */
struct hf_delta_apply_params {
    struct hf_delta_old old;
    struct hf_delta_in patch;
    struct hf_delta_out out;
    const atomic_bool *cancel;                /* looked at each 256 KiB; may be NULL */
    const struct hf_delta_checkpoint *resume; /* NULL: start */
    /* After 4 MiB each of the new file, not at its end. Sync the output before storing it. Negative: stops. May be
     * NULL. */
    int (*checkpoint)(void *ctx, const struct hf_delta_checkpoint *checkpoint);
    void *checkpoint_ctx;
    /* The old file was verified just now: hash it only after -EBADMSG, to see if it is the cause (-ESTALE). `resume`
     * has that effect, too. */
    bool old_is_verified;
    /* part of a container that has hashes: ignore the header's */
    bool unhashed;
};

/* Callbacks may come from a second thread, never two at once. 0: size and (unless `unhashed`) SHA-256 are the
 * header's. */
HF_MUST_USE int hf_delta_apply(const struct hf_delta_apply_params *params, struct hf_delta_info *ret_info,
                               struct hf_err *err);

/* Reads the header (method 5: also the body, 32 bytes). */
HF_MUST_USE int hf_delta_read_info(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_err *err);

struct hf_delta_parts {
    uint64_t header_bytes;
    uint64_t map_bytes; /* match map and image pairs; methods 3 to 5: 0 */
    /* of 4 MiB, the last less; methods 4 and 5: at most one */
    uint64_t blocks;
    uint64_t block_bytes;
    uint64_t largest_block_bytes;
};

/* Reads all, checks the body's fingerprint. ret_info, ret_parts may be NULL. */
HF_MUST_USE int hf_delta_check(const struct hf_delta_in *patch, struct hf_delta_info *ret_info,
                               struct hf_delta_parts *ret_parts, struct hf_err *err);

/* "records-cm" or "unknown" */
const char *hf_delta_method_name(unsigned method);
