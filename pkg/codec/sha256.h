/* codec/sha256.h - SHA-256 (FIPS 180-4), streaming, with a state that can be written to disk and taken up again.
 *
 * Threads: a state belongs to one thread at a time. Memory: plain value, nothing to free. */
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
void hf_sha256_final(struct hf_sha256 *hash,
                     unsigned char digest[static HF_SHA256_BYTES]); /* hash must be inited again after */

/* The first eight bytes of the digest, for telling things apart on this machine. */
uint64_t hf_sha256_final64(struct hf_sha256 *hash);

/* Midstate, same bytes on every machine. _load: -EBADMSG when it cannot be one. */
void hf_sha256_save(const struct hf_sha256 *hash, unsigned char state[static HF_SHA256_STATE]);
HF_MUST_USE int hf_sha256_load(struct hf_sha256 *hash, const unsigned char state[static HF_SHA256_STATE]);

/* One-shot: the first `kept` bytes of the digest, at most all. */
void hf_sha256_of(const void *bytes, size_t n, unsigned char *ret_digest, size_t kept);
/* One-shot, as lower case hex. Returns hex. */
const char *hf_sha256_hex(const void *bytes, size_t n, char hex[static HF_SHA256_HEX]);

/* Whole content of open file `fd` from offset 0. Blocks: worker threads only. Also returns the size read (may be NULL). */
HF_MUST_USE int hf_sha256_file(const struct hf_fs_ops *fs, int fd, char hex[static HF_SHA256_HEX], uint64_t *ret_size,
                               struct hf_err *err);

#ifdef HF_TEST
/* The portable and the processor's own way over whole 64-byte blocks, from chaining value h. */
void hf_sha256_plain_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
void hf_sha256_fast_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
#endif
