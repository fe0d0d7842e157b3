/* SPDX-License-Identifier: Apache-2.0 */
/* codec/sha256.h - computes SHA-256 (FIPS 180-4) piece by piece. A caller can save the state between two pieces (the
 * midstate) in a file, and continue the hash after a reboot.
 *
 * Threads: any, one at a time for one state. Memory: a state is a plain value; nothing to free. Errors: see each
 * function. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

enum {
    HF_SHA256_BYTES = 32,
    HF_SHA256_HEX = 65,    /* size of the digest as hex text, with the terminator */
    HF_SHA256_STATE = 112, /* number of bytes that hf_sha256_save() writes */
};

struct hf_sha256 {
    _Alignas(16) unsigned char opaque[128];
};

void hf_sha256_init(struct hf_sha256 *hash);
void hf_sha256_update(struct hf_sha256 *hash, const void *bytes, size_t n);
/* Ends the hash. Call hf_sha256_init() before the next use. */
void hf_sha256_final(struct hf_sha256 *hash, unsigned char digest[static HF_SHA256_BYTES]);

/* Ends the hash and returns the first eight bytes of the digest, as a fingerprint. Do not send this fingerprint to
 * other machines: its value depends on the byte order. */
uint64_t hf_sha256_final64(struct hf_sha256 *hash);

/* Save and load the midstate. The saved bytes are the same on every machine. _load returns -EBADMSG if the number of
 * hashed bytes and the number of pending bytes contradict each other; it detects no other damage. */
void hf_sha256_save(const struct hf_sha256 *hash, unsigned char state[static HF_SHA256_STATE]);
HF_MUST_USE int hf_sha256_load(struct hf_sha256 *hash, const unsigned char state[static HF_SHA256_STATE]);

/* Hashes n bytes in one call, and writes the first `kept` bytes of the digest (`kept` is at most HF_SHA256_BYTES). */
void hf_sha256_of(const void *bytes, size_t n, unsigned char *ret_digest, size_t kept);
/* Hashes n bytes in one call, writes the digest as lower-case hex, and returns `hex`. */
const char *hf_sha256_hex(const void *bytes, size_t n, char hex[static HF_SHA256_HEX]);

#ifdef HF_TEST
/* Both functions hash n whole blocks of 64 bytes and update the chaining value `h`. _plain uses portable code. _fast
 * uses the processor's SHA instructions if it has them. */
void hf_sha256_plain_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
void hf_sha256_fast_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
#endif
