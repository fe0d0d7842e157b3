/* codec/sha256.h - SHA-256 (FIPS 180-4), streaming, with a midstate that a file can keep over a reboot.
 *
 * Threads: one thread at a time uses a state. Memory: plain value, nothing to free. Errors: as each function says. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

enum {
    HF_SHA256_BYTES = 32,
    HF_SHA256_HEX = 65,    /* with the terminator */
    HF_SHA256_STATE = 112, /* bytes of hf_sha256_save() */
};

struct hf_sha256 {
    _Alignas(16) unsigned char opaque[128];
};

void hf_sha256_init(struct hf_sha256 *hash);
void hf_sha256_update(struct hf_sha256 *hash, const void *bytes, size_t n);
/* Ends the hash: call init before the next use. */
void hf_sha256_final(struct hf_sha256 *hash, unsigned char digest[static HF_SHA256_BYTES]);

/* Returns the first eight bytes of the digest, as a fingerprint for use on this machine. */
uint64_t hf_sha256_final64(struct hf_sha256 *hash);

/* Midstate, the same bytes on every machine. _load: -EBADMSG for bytes that no _save wrote. */
void hf_sha256_save(const struct hf_sha256 *hash, unsigned char state[static HF_SHA256_STATE]);
HF_MUST_USE int hf_sha256_load(struct hf_sha256 *hash, const unsigned char state[static HF_SHA256_STATE]);

/* Hashes at once; writes the first `kept` bytes of the digest, at most all. */
void hf_sha256_of(const void *bytes, size_t n, unsigned char *ret_digest, size_t kept);
/* Hashes at once; writes lower-case hex and returns it. */
const char *hf_sha256_hex(const void *bytes, size_t n, char hex[static HF_SHA256_HEX]);

/* Hashes the open file `fd` from offset 0. Blocks: worker threads only. *ret_size (may be NULL): the bytes read. */
HF_MUST_USE int hf_sha256_file(const struct hf_fs_ops *fs, int fd, char hex[static HF_SHA256_HEX], uint64_t *ret_size,
                               struct hf_err *err);

#ifdef HF_TEST
/* The portable code and the processor's instructions, over whole 64-byte blocks from chaining value h. */
void hf_sha256_plain_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
void hf_sha256_fast_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
#endif
