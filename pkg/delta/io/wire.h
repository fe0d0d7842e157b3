/* SPDX-License-Identifier: Apache-2.0 */
/* delta/io/wire.h - the delta's header, the method numbers, and the bounded readers and writers that all methods
 * share. FORMAT.md describes the bytes; delta.h is the public interface.
 *
 * Threads: a state belongs to one thread at a time. */
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
    /* maximum size in bytes of the new file for DELTA_METHOD_BYTES, which stores the file instead of the file's hash */
    DELTA_BYTES_MAX = HF_SHA256_BYTES,
    DELTA_BLOCK = 4 << 20,       /* bytes of output between two resume points */
    DELTA_CANCEL_STEP = 1 << 18, /* bytes of output between two checks of the cancel flag */
};

/* Methods that turn the old file into the new one. */
enum delta_method {
    DELTA_METHOD_NONE = 0,
    DELTA_METHOD_RECORDS_ZSTD = 1, /* records compressed by zstd or LZMA: mostly the fast profile */
    DELTA_METHOD_RECORDS_CM = 2,   /* records compressed by context mixing: the small profile */
    DELTA_METHOD_LZMA = 3,         /* the whole new file as LZMA2; applying ignores the old file */
    DELTA_METHOD_RUNS = 4,         /* runs of old bytes and raw bytes, for tiny changes */
    /* the bytes of the new file; used if the file is not larger than its hash */
    DELTA_METHOD_BYTES = 5,
};

struct delta_header {
    unsigned version, profile, method;
    uint64_t old_size, new_size, body_size;
    unsigned char new_sha256[HF_SHA256_BYTES], old_fingerprint[HF_DELTA_FINGERPRINT_BYTES],
        body_fingerprint[HF_DELTA_FINGERPRINT_BYTES];
};

/* Offset of the byte that holds profile and method, and the number of bits of the method in that byte. */
enum { DELTA_METHOD_AT = 4, DELTA_METHOD_BITS = 5 };

/* Formats the header into bytes[DELTA_HEADER_MAX] and returns the length. */
size_t delta_header_format(const struct delta_header *header, unsigned char *bytes);

/* ---- patch in -------------------------------------------------------------------------------------------------- */

/* Buffered reader of the delta. Counts the bytes, hashes the body, and stops at the end of the body. */
struct delta_input {
    const struct hf_delta_in *in;
    size_t pos, n;
    /* number of bytes that may still be read: the remainder of the body, or, before the body, of the longest header */
    uint64_t left;
    uint64_t offset; /* bytes read since the start of the delta */
    bool in_body;
    struct hf_sha256 body_hash;
    unsigned char buffer[16384];
};

void delta_input_init(struct delta_input *input, const struct hf_delta_in *in);
/* Reads the header and computes the fields that the header leaves out. For DELTA_METHOD_BYTES, delta_bytes_read()
 * computes new_sha256 later. */
HF_MUST_USE int delta_header_read(struct delta_input *input, struct delta_header *ret_header, struct hf_err *err);
/* Reads the whole body of a delta with DELTA_METHOD_BYTES. This body is the new file itself. Sets header->new_sha256 to
 * the hash of the new file. */
HF_MUST_USE int delta_bytes_read(struct delta_input *input, struct delta_header *header,
                                 unsigned char bytes[static DELTA_BYTES_MAX], struct hf_err *err);
/* Compares the hash of the body with the body's fingerprint in the header. Does nothing if the header has no
 * fingerprint of the body. Call after reading the body to its end. -EBADMSG: hash and fingerprint differ. */
HF_MUST_USE int delta_body_check(const struct delta_input *input, const struct delta_header *header,
                                 struct hf_err *err);

/* Reads exactly n bytes. -EBADMSG: the body or the delta has fewer bytes. */
HF_MUST_USE int delta_input_read(struct delta_input *input, void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int delta_input_varint(struct delta_input *input, uint64_t max, uint64_t *ret_value, struct hf_err *err);
HF_MUST_USE int delta_input_skip(struct delta_input *input, uint64_t n, struct hf_err *err);

/* ---- old file -------------------------------------------------------------------------------------------------- */

enum { DELTA_SLOT_BYTES = 8192, DELTA_SLOTS = 8 };

/* Reader of the old file with a cache. A slot of the cache holds DELTA_SLOT_BYTES bytes of the file, which start at a
 * multiple of DELTA_SLOT_BYTES. Positions outside the file read as bytes of value 0. */
struct delta_old {
    const struct hf_delta_old *file;
    uint64_t size;
    /* `next` is the slot to replace next; `slots` is the number of slots in use, which must not change after the first
     * read */
    unsigned next, slots;
    uint64_t base[DELTA_SLOTS]; /* for each slot: file offset / DELTA_SLOT_BYTES + 1 (0 means empty) */
    unsigned char bytes[DELTA_SLOTS][DELTA_SLOT_BYTES];
};

void delta_old_init(struct delta_old *old, const struct hf_delta_old *file);
HF_MUST_USE int delta_old_read(struct delta_old *old, uint64_t offset, void *bytes, size_t n, struct hf_err *err);

/* ---- new file out ---------------------------------------------------------------------------------------------- */

enum { DELTA_PENDING_BYTES = 16384 };

/* Buffered writer of the new file. A buffer helps because methods often make only a few bytes at a time. */
struct delta_output {
    const struct hf_delta_out *out;
    const atomic_bool *cancel;
    /* `written` is the number of bytes that the new file has so far, including the pending bytes; `size` is the final
     * size of the new file; the writer checks the cancel flag again when `written` has reached `next_look` */
    uint64_t written, size, next_look;
    struct hf_sha256 hash;  /* hash of the bytes that have left the buffer */
    unsigned char *pending; /* buffer of DELTA_PENDING_BYTES bytes */
    size_t pending_n;
};

/* Appends bytes to the output. -EBADMSG: the output would exceed the size in the header. -ECANCELED: the caller has set
 * the cancel flag. */
HF_MUST_USE int delta_output_write(struct delta_output *output, const void *bytes, size_t n, struct hf_err *err);
/* Writes the pending bytes. */
HF_MUST_USE int delta_output_flush(struct delta_output *output, struct hf_err *err);

/* ---- numbers --------------------------------------------------------------------------------------------------- */

/* Writes `value` as unsigned LEB128, at most 10 bytes. Returns the number of bytes. */
size_t delta_put_varint(unsigned char *bytes, uint64_t value);
/* Reads a number at *p, not beyond `end`, and moves *p to the byte after the number. Returns false if the number is
 * incomplete, is not in its shortest form, or has more than 64 bits. */
bool delta_get_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret_value);

static inline uint64_t delta_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t delta_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}
