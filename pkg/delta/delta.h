/* SPDX-License-Identifier: Apache-2.0 */
/* Binary deltas (FORMAT.md), "patch" in names.
 *
 * Applying reads the delta in order and the old file anywhere, writes and hashes the new file in order, in
 * bounded memory (FORMAT.md, "Memory"). It checks no signature: first compare the delta's
 * hash with that in the signed release.
 *
 * Threads: functions block; workers only. Errors: those of callbacks, -ENOMEM, -EFBIG, and
 *
 *   -EBADMSG     the delta is damaged or hostile
 *   -ESTALE      the old file is another, or too short
 *   -EOPNOTSUPP  unknown version, profile, method or predictor
 *   -EINVAL      the checkpoint is of another delta
 *   -ECANCELED   the caller cancelled */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/sha256.h"

enum hf_delta_profile { HF_DELTA_SMALL, HF_DELTA_FAST };

/* pread() returns the bytes read (0: the end) or -errno. */
struct hf_delta_old {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
    uint64_t size;
};

struct hf_delta_memory {
    const unsigned char *p;
    size_t n;
};
ssize_t hf_delta_memory_pread(void *memory, void *bytes, size_t n, uint64_t offset);

/* Hashes a file in pieces of `piece_n` bytes. -ESTALE: the file ends before its size. */
HF_MUST_USE int hf_delta_old_hash(const struct hf_delta_old *file, void *piece, size_t piece_n,
                                  unsigned char digest[static HF_SHA256_BYTES], struct hf_err *err);

/* read() returns the bytes read (0: the end) or -errno. */
struct hf_delta_in {
    void *ctx;
    ssize_t (*read)(void *ctx, void *bytes, size_t n);
};

/* Receives the new file (when applying) or the delta (when creating). */
struct hf_delta_out {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};

/* First bytes of a SHA-256, which show whether the old file or the delta is wrong. The whole SHA-256 of the new file
 * decides. */
enum { HF_DELTA_FINGERPRINT_BYTES = 4 };

struct hf_delta_info {
    unsigned version, method;
    enum hf_delta_profile profile;
    uint64_t old_size, new_size, patch_size;
    unsigned char old_fingerprint[HF_DELTA_FINGERPRINT_BYTES];
    /* method 5: the old file counts only by its size, and has no fingerprint */
    bool from_any;
    unsigned char new_sha256[HF_SHA256_BYTES];
};

struct hf_delta_create_params {
    enum hf_delta_profile profile;
    unsigned threads; /* 64 at most; 0: one for each processor */
    /* Small profile: 1, 2 or 3 save 0.8, 1.2 or 1.4 MiB of memory when applying; each makes the delta a few per cent
     * larger. */
    unsigned lean;
    /* Called during the search; `done` and `total` have no unit. Not 0: cancel (-ECANCELED). May be NULL. */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    /* Called in the caller's thread before a phase that reads neither file, to release mapped pages. May be NULL. */
    void (*on_idle)(void *ctx);
    void *on_idle_ctx;
};

/* Creating fails with -EFBIG from this size on; applying has no limit. */
#define HF_DELTA_CREATE_MAX_BYTES ((size_t)INT32_MAX - 1)
HF_MUST_USE int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err);

/* The delta depends only on the files, profile and lean. `params` NULL: all zeros. */
HF_MUST_USE int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                                const struct hf_delta_create_params *params, const struct hf_delta_out *patch,
                                struct hf_err *err);

/* A resume point: out.write() has taken all bytes before new_offset. Plain data in host byte order. */
struct hf_delta_checkpoint {
    uint64_t new_offset, patch_offset;
    unsigned char new_hash[HF_SHA256_STATE];
};

/* To resume, truncate the new file to resume->new_offset, pass the same delta from its first byte, and append. */
struct hf_delta_apply_params {
    struct hf_delta_old old;
    struct hf_delta_in patch;
    struct hf_delta_out out;
    const atomic_bool *cancel;                /* read every 256 KiB; may be NULL */
    const struct hf_delta_checkpoint *resume; /* NULL: from the start */
    /* Called after each 4 MiB of the new file, except at its end. Sync the output before storing the checkpoint. A
     * negative result stops. May be NULL. */
    int (*checkpoint)(void *ctx, const struct hf_delta_checkpoint *checkpoint);
    void *checkpoint_ctx;
    /* The old file was verified just now: it is hashed at most after -EBADMSG, to see if it is the cause (-ESTALE).
     * `resume` has the same effect. */
    bool old_is_verified;
    /* ignore the header's hashes: a container has its own */
    bool unhashed;
};

/* Callbacks may come from a second thread, never two at once. After success, size and (unless `unhashed`) SHA-256 are
 * those of the header. */
HF_MUST_USE int hf_delta_apply(const struct hf_delta_apply_params *params, struct hf_delta_info *ret_info,
                               struct hf_err *err);

/* Reads the header, and with method 5 the body. */
HF_MUST_USE int hf_delta_read_info(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_err *err);

struct hf_delta_parts {
    uint64_t header_bytes;
    uint64_t map_bytes;
    /* each makes 4 MiB, except the last; methods 4 and 5 have at most one */
    uint64_t blocks;
    uint64_t block_bytes;
    uint64_t largest_block_bytes;
};

/* Reads the whole delta, and checks the fingerprint of its body. ret_info, ret_parts may be NULL. */
HF_MUST_USE int hf_delta_check(const struct hf_delta_in *patch, struct hf_delta_info *ret_info,
                               struct hf_delta_parts *ret_parts, struct hf_err *err);

/* Returns "records-cm", for instance, or "unknown". */
const char *hf_delta_method_name(unsigned method);
