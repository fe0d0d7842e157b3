/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), piece by piece. A saved state continues after a reboot. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fs.h"

enum {
    HF_SHA256_BYTES = 32,
    HF_SHA256_HEX = 65,
    HF_SHA256_STATE = 112,
};

struct hf_sha256 {
    _Alignas(16) unsigned char opaque[128];
};

void hf_sha256_init(struct hf_sha256 *hash);
void hf_sha256_update(struct hf_sha256 *hash, const void *bytes, size_t n);
void hf_sha256_final(struct hf_sha256 *hash, unsigned char digest[static HF_SHA256_BYTES]);
const char *hf_sha256_final_hex(struct hf_sha256 *hash, char hex[static HF_SHA256_HEX]);

/* First eight bytes of the digest, in this machine's byte order. */
uint64_t hf_sha256_final64(struct hf_sha256 *hash);

/* The saved state is the same on every machine. -EBADMSG: its counts of bytes contradict each other; other damage is
 * not found. */
void hf_sha256_save(const struct hf_sha256 *hash, unsigned char state[static HF_SHA256_STATE]);
HF_MUST_USE int hf_sha256_load(struct hf_sha256 *hash, const unsigned char state[static HF_SHA256_STATE]);

void hf_sha256_of(const void *bytes, size_t n, unsigned char *ret_digest, size_t kept);
const char *hf_sha256_hex(const void *bytes, size_t n, char hex[static HF_SHA256_HEX]);

#ifdef HF_TEST
void hf_sha256_plain_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
void hf_sha256_fast_for_test(const unsigned char *blocks, size_t n, uint32_t h[static 8]);
#endif
