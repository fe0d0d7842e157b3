/* SPDX-License-Identifier: Apache-2.0 */
/* Header, method numbers, and bounded readers and writers of deltas (FORMAT.md). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/sha256.h"
#include "delta/delta.h"

enum {
    DELTA_VERSION = 1,
    DELTA_HEADER_MAX = 5 + 3 * 10 + HF_SHA256_BYTES + 2 * HF_DELTA_FINGERPRINT_BYTES,
    DELTA_BYTES_MAX = HF_SHA256_BYTES,
    DELTA_BLOCK = 4 << 20,       /* bytes of the new file between resume points */
    DELTA_CANCEL_STEP = 1 << 18, /* bytes of the new file between reads of `cancel` */
};

enum delta_method {
    DELTA_METHOD_NONE = 0,
    DELTA_METHOD_RECORDS_ZSTD = 1, /* compressed by zstd or LZMA; mostly for the fast profile */
    DELTA_METHOD_RECORDS_CM = 2,   /* for the small profile */
    DELTA_METHOD_LZMA = 3,         /* the new file, compressed by LZMA2 */
    DELTA_METHOD_RUNS = 4,         /* ranges of the old file, and raw bytes; for tiny changes */
    DELTA_METHOD_BYTES = 5,        /* the new file, if no larger than its hash */
};

struct delta_header {
    unsigned version, profile, method;
    uint64_t old_size, new_size, body_size;
    unsigned char new_sha256[HF_SHA256_BYTES], old_fingerprint[HF_DELTA_FINGERPRINT_BYTES],
        body_fingerprint[HF_DELTA_FINGERPRINT_BYTES];
};

enum { DELTA_METHOD_AT = 4, DELTA_METHOD_BITS = 5 };

size_t delta_header_format(const struct delta_header *header, unsigned char *bytes);

/* Reads a delta: hashes the body, and refuses to pass its end. */
struct delta_input {
    const struct hf_delta_in *in;
    size_t pos, n;
    uint64_t left;
    uint64_t offset;
    bool in_body;
    struct hf_sha256 body_hash;
    unsigned char buffer[16384];
};

void delta_input_init(struct delta_input *input, const struct hf_delta_in *in);
/* Reads the header, and computes most fields that the format leaves out, but not new_sha256 of
 * DELTA_METHOD_BYTES. */
HF_MUST_USE int delta_header_read(struct delta_input *input, struct delta_header *ret_header, struct hf_err *err);
/* Reads the body of DELTA_METHOD_BYTES, which is the new file, and sets new_sha256. */
HF_MUST_USE int delta_bytes_read(struct delta_input *input, struct delta_header *header,
                                 unsigned char bytes[static DELTA_BYTES_MAX], struct hf_err *err);
/* Call it after the body. -EBADMSG: its fingerprint is wrong. Returns 0 if the header has none. */
HF_MUST_USE int delta_body_check(const struct delta_input *input, const struct delta_header *header,
                                 struct hf_err *err);

/* Read or skip bytes of the delta. -EBADMSG: too few are left, or a bad number. */
HF_MUST_USE int delta_input_read(struct delta_input *input, void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int delta_input_varint(struct delta_input *input, uint64_t max, uint64_t *ret_value, struct hf_err *err);
HF_MUST_USE int delta_input_skip(struct delta_input *input, uint64_t n, struct hf_err *err);

enum { DELTA_SLOT_BYTES = 8192, DELTA_SLOTS = 8 };

/* Reads the old file through a cache of aligned slots. Bytes outside the file are 0. */
struct delta_old {
    const struct hf_delta_old *file;
    uint64_t size;
    unsigned next, slots;
    uint64_t base[DELTA_SLOTS]; /* offset / DELTA_SLOT_BYTES + 1; 0: empty */
    unsigned char bytes[DELTA_SLOTS][DELTA_SLOT_BYTES];
};

void delta_old_init(struct delta_old *old, const struct hf_delta_old *file);
HF_MUST_USE int delta_old_read(struct delta_old *old, uint64_t offset, void *bytes, size_t n, struct hf_err *err);

enum { DELTA_PENDING_BYTES = 16384 };

/* Writes the new file; gathers small pieces first. */
struct delta_output {
    const struct hf_delta_out *out;
    const atomic_bool *cancel;
    uint64_t written, size, next_look;
    struct hf_sha256 hash;
    unsigned char *pending;
    size_t pending_n;
};

/* -EBADMSG: the new file gets larger than the header states. */
HF_MUST_USE int delta_output_write(struct delta_output *output, const void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int delta_output_flush(struct delta_output *output, struct hf_err *err);

/* Writes unsigned LEB128, at most 10 bytes, and returns their number. */
size_t delta_put_varint(unsigned char *bytes, uint64_t value);
/* Reads a number, and moves *p. Returns false if it passes `end`, is not in its shortest form, or exceeds 64 bits. */
bool delta_get_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret_value);

static inline uint64_t delta_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t delta_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}
