/* delta/delta.h - make and apply binary deltas; FORMAT.md is the format.
 *
 * Applying streams: the patch is read once in order, the old file at random, the new file is written once in order with its
 * SHA-256 taken on the way; memory is a constant (see FORMAT.md). Both block: worker threads and command lines only.
 * Signatures are not this module's business: whoever applies checks the patch's own hash, which the signed release names,
 * before the first byte is parsed.
 * Errors: -EBADMSG damaged or hostile patch, -ESTALE the old file is not the one the patch was made from, -EOPNOTSUPP a
 * number (version, coder, predictor) this build does not know, -ECANCELED, and what the callbacks return. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "codec/hash.h"

enum hf_delta_profile { HF_DELTA_SMALL, HF_DELTA_FAST };

/* Bytes by position: the old file. Returns bytes read (0 at the end) or -errno. */
struct hf_delta_old {
    void *ctx;
    ssize_t (*pread)(void *ctx, void *bytes, size_t n, uint64_t offset);
    uint64_t size;
};

/* An old file that lies in memory: `pread` is hf_delta_memory_pread and `ctx` one of these. */
struct hf_delta_memory {
    const unsigned char *p;
    size_t n;
};
ssize_t hf_delta_memory_pread(void *memory, void *bytes, size_t n, uint64_t offset);

/* Bytes in order: the patch. Returns bytes read (0 at the end) or -errno. */
struct hf_delta_in {
    void *ctx;
    ssize_t (*read)(void *ctx, void *bytes, size_t n);
};

/* Bytes out in order: the new file, or the patch when creating. 0 or -errno. */
struct hf_delta_out {
    void *ctx;
    int (*write)(void *ctx, const void *bytes, size_t n);
};

/* The hash of new judges. Those of old and of the body only tell sooner, and whose fault it is: their first bytes are enough. */
enum { HF_DELTA_MARK_BYTES = 4 };

struct hf_delta_info {
    unsigned version, method; /* FORMAT.md: methods */
    enum hf_delta_profile profile;
    uint64_t old_size, new_size, patch_size;
    unsigned char old_mark[HF_DELTA_MARK_BYTES]; /* the first bytes of old's SHA-256 */
    bool from_any;                               /* old is not looked at, but for its size, and has no mark */
    unsigned char new_sha256[HF_SHA256_BYTES];
};

struct hf_delta_create_params {
    enum hf_delta_profile profile;
    unsigned threads; /* 0: as many as there are processors */
    unsigned lean;    /* small: applying takes 0.8, 1.2, 1.4 MiB less with 1, 2, 3, for some per cent more bytes each */
    /* Called now and then with work done and to do, any unit; may be NULL. A non-zero return cancels. */
    int (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
    /* Called where neither file is read for a while: pages of mapped ones can be given back. May be NULL; any thread calls. */
    void (*rest)(void *ctx);
    void *rest_ctx;
};

/* Files of that size and more are refused by hf_delta_create(): -EFBIG, before anything is done. Applying has no such limit. */
#define HF_DELTA_CREATE_MAX_BYTES ((size_t)INT32_MAX - 1)
HF_MUST_USE int hf_delta_create_fits(size_t old_n, size_t new_n, struct hf_err *err);

/* Make the patch that turns old[old_n] into new[new_n]. Deterministic: same inputs and profile, same bytes.
 * `params`: NULL is all zero. */
HF_MUST_USE int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                                const struct hf_delta_create_params *params, const struct hf_delta_out *patch,
                                struct hf_err *err);

/* A point from which applying can go on: everything before new_offset is written. Plain data, host byte order only in the
 * two numbers. */
struct hf_delta_checkpoint {
    uint64_t new_offset, patch_offset;
    unsigned char new_hash[HF_SHA256_STATE]; /* hf_sha256_save() over new[0..new_offset) */
};

/* To resume, cut what is written of the new file to resume->new_offset, give the same patch from its first byte again, and
 * write from there on. */
struct hf_delta_apply_params {
    struct hf_delta_old old;
    struct hf_delta_in patch;
    struct hf_delta_out out;
    const atomic_bool *cancel;                /* looked at at least every 256 KiB of output; may be NULL */
    const struct hf_delta_checkpoint *resume; /* NULL: from the start */
    /* Called at each resume point (4 MiB of output), not at the end; the caller makes its output durable, then keeps the
     * checkpoint. May be NULL. Negative returns stop. */
    int (*checkpoint)(void *ctx, const struct hf_delta_checkpoint *checkpoint);
    void *checkpoint_ctx;
    /* The caller has just seen that the old file's hash is the right one: it is not read a second time before the start. It is
     * read then only to name the cause, when the result is wrong. */
    bool old_is_verified;
    /* The delta is a part of something that has hashes of its own for what it checks: the header's three are not looked at. */
    bool unhashed;
};

/* Rebuild the new file. `old` may be read from another thread; never are two of the caller's functions called at once. Success means that size and SHA-256 of what was written are those of the patch's header. */
HF_MUST_USE int hf_delta_apply(const struct hf_delta_apply_params *params, struct hf_delta_info *ret_info,
                               struct hf_err *err);

/* Read the header only. */
HF_MUST_USE int hf_delta_read_info(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_err *err);

/* What a delta's bytes went into. */
struct hf_delta_parts {
    uint64_t header_bytes;
    uint64_t map_bytes;   /* where parts of old went, which images belong together; 0 for methods 3 and 4 */
    uint64_t blocks;      /* of 4 MiB of the new file; applying can resume between them; method 4: one for all */
    uint64_t block_bytes; /* in all of them */
    uint64_t largest_block_bytes;
};

/* Read the whole patch and hold it against its own hash: -EBADMSG when it is damaged. Both outputs may be NULL. */
HF_MUST_USE int hf_delta_check(const struct hf_delta_in *patch, struct hf_delta_info *ret_info,
                               struct hf_delta_parts *ret_parts, struct hf_err *err);

/* "records-cm", ... ; "unknown" when it is. */
const char *hf_delta_method_name(unsigned method);
