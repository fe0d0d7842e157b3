/* delta/io/wire.h - the container: header, numbers of methods, and the bounded readers and writers all methods share.
 *
 * Everything here is inside the engine; delta.h is the interface. FORMAT.md is the format.
 * Threads: a state belongs to one thread at a time. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "codec/hash.h"
#include "delta/delta.h"

enum {
    DELTA_VERSION = 1,
    DELTA_HEADER_MAX = 5 + 3 * 10 + HF_SHA256_BYTES + 2 * HF_DELTA_MARK_BYTES,
    DELTA_BYTES_MAX = HF_SHA256_BYTES, /* of new, as they are: no more than their hash would take */
    DELTA_BLOCK = 4 << 20,             /* bytes of output between two resume points */
    DELTA_CANCEL_STEP = 1 << 18,       /* bytes of output between two looks at the cancel flag */
};

/* How the body turns old into new. */
enum delta_method {
    DELTA_METHOD_NONE = 0,
    DELTA_METHOD_RECORDS_ZSTD = 1, /* records.h behind zstd: the fast profile */
    DELTA_METHOD_RECORDS_CM = 2,   /* the same records behind the context mixing coder: the small profile */
    DELTA_METHOD_LZMA = 3,         /* the whole new file, LZMA2, old is not looked at */
    DELTA_METHOD_RUNS = 4,         /* runs of old and bytes as they are, for the smallest of changes */
    DELTA_METHOD_BYTES = 5,        /* the bytes of new, instead of their hash */
};

struct delta_header {
    unsigned version, profile, method;
    uint64_t old_size, new_size, body_size;
    unsigned char new_sha256[HF_SHA256_BYTES], old_mark[HF_DELTA_MARK_BYTES], body_mark[HF_DELTA_MARK_BYTES];
};

/* Where the byte stands that tells profile and method, and the methods' part of it. */
enum { DELTA_METHOD_AT = 4, DELTA_METHOD_BITS = 5 };

/* Format into bytes[DELTA_HEADER_MAX]; returns the length. */
size_t delta_header_format(const struct delta_header *header, unsigned char *bytes);

/* ---- patch in -------------------------------------------------------------------------------------------------- */

/* Buffered reader of the patch: counts, hashes, ends at the body's end. */
struct delta_input {
    const struct hf_delta_in *in;
    size_t pos, n;
    uint64_t left;   /* bytes of the body not yet handed out */
    uint64_t offset; /* bytes handed out since the patch's first */
    bool in_body;
    struct hf_sha256 body_hash;
    unsigned char buffer[16384];
};

void delta_input_init(struct delta_input *input, const struct hf_delta_in *in);
/* What the header leaves out is filled in, but for the hash of new where it is told by its bytes. */
HF_MUST_USE int delta_header_read(struct delta_input *input, struct delta_header *ret_header, struct hf_err *err);
/* The whole body of DELTA_METHOD_BYTES; its hash becomes the header's. */
HF_MUST_USE int delta_bytes_read(struct delta_input *input, struct delta_header *header,
                                 unsigned char bytes[static DELTA_BYTES_MAX], struct hf_err *err);
/* The body, read to its end, against its own hash, where it has one. */
HF_MUST_USE int delta_body_check(const struct delta_input *input, const struct delta_header *header,
                                 struct hf_err *err);

/* Exactly n bytes. -EBADMSG when the body, or the patch, ends before. */
HF_MUST_USE int delta_input_read(struct delta_input *input, void *bytes, size_t n, struct hf_err *err);
HF_MUST_USE int delta_input_varint(struct delta_input *input, uint64_t max, uint64_t *ret_value, struct hf_err *err);
HF_MUST_USE int delta_input_skip(struct delta_input *input, uint64_t n, struct hf_err *err);

/* ---- old file -------------------------------------------------------------------------------------------------- */

enum { DELTA_SLOT_BYTES = 8192, DELTA_SLOTS = 8 };

/* The old file through a few windows; what lies outside the file reads as zero bytes. */
struct delta_old {
    const struct hf_delta_old *file;
    uint64_t size;
    unsigned next, slots;       /* how many windows are used: all, unless told otherwise before the first read */
    uint64_t base[DELTA_SLOTS]; /* offset / DELTA_SLOT_BYTES + 1, 0: empty */
    unsigned char bytes[DELTA_SLOTS][DELTA_SLOT_BYTES];
};

void delta_old_init(struct delta_old *old, const struct hf_delta_old *file);
HF_MUST_USE int delta_old_read(struct delta_old *old, uint64_t offset, void *bytes, size_t n, struct hf_err *err);

/* ---- new file out ---------------------------------------------------------------------------------------------- */

enum { DELTA_PENDING_BYTES = 16384 };

/* Small pieces are passed on together: much is made some bytes at a time. */
struct delta_output {
    const struct hf_delta_out *out;
    const atomic_bool *cancel;
    uint64_t written, size, next_look; /* `written` counts what is pending too */
    struct hf_sha256 hash;             /* of what was passed on */
    unsigned char *pending;            /* DELTA_PENDING_BYTES */
    size_t pending_n;
};

/* -EBADMSG when it would get longer than the header says, -ECANCELED. */
HF_MUST_USE int delta_output_write(struct delta_output *output, const void *bytes, size_t n, struct hf_err *err);
/* Pass on what is pending. */
HF_MUST_USE int delta_output_flush(struct delta_output *output, struct hf_err *err);

/* ---- one application ------------------------------------------------------------------------------------------- */

struct delta_apply_state {
    struct delta_header header;
    const struct hf_delta_apply_params *params;
    struct delta_input *input;
    struct delta_old *old;
    struct delta_output output;
};

/* Tell the caller that everything so far may be made durable; the coder starts anew behind this point. */
HF_MUST_USE int delta_apply_checkpoint(struct delta_apply_state *apply, struct hf_err *err);

/* When resuming: skip whole blocks until output stands where the checkpoint was taken. */
bool delta_apply_skips_block(const struct delta_apply_state *apply, uint64_t block_start);

HF_MUST_USE int delta_apply_zstd(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_cm(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_lzma(struct delta_apply_state *apply, struct hf_err *err);
HF_MUST_USE int delta_apply_runs(struct delta_apply_state *apply, struct hf_err *err);

/* ---- numbers --------------------------------------------------------------------------------------------------- */

/* LEB128, at most 10 bytes; returns bytes written. */
size_t delta_put_varint(unsigned char *bytes, uint64_t value);
/* From *p, below end; false when it does not end there or is not the shortest form. Moves *p. */
bool delta_get_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret_value);

static inline uint64_t delta_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t delta_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}
