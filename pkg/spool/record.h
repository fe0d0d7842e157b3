/* spool/record.h - the byte formats of segment headers, records and cursor slots (FORMAT.md). Pure, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_SPOOL_SEGMENT_HEADER = 64,
    HF_SPOOL_SECTOR = 512, /* writes begin at multiples of this and so never touch a sector with durable content */
    HF_SPOOL_CONTENT = HF_SPOOL_SECTOR, /* offset of the first record */
    HF_SPOOL_RECORD_HEADER = 32,
    HF_SPOOL_MAX_PAYLOAD = 1 << 20,
    HF_SPOOL_CURSOR_SLOT = 40,
};

struct hf_spool_header {
    uint32_t salt;
    uint64_t size;
    uint64_t first;
    unsigned char stream[16];
};

struct hf_spool_record {
    uint64_t sequence;
    uint64_t unix_ns;
    uint32_t tag;
    struct hf_view payload; /* borrowed */
    bool begins;            /* first record of a write: the writer had synced everything before it */
    /* the writer skipped the numbers between the record before it and this one; they are not lost */
    bool jumps;
};

/* Returns the size of a record with this payload, padding included. */
static inline size_t hf_spool_record_bytes(size_t payload)
{
    return HF_SPOOL_RECORD_HEADER + ((payload + 7) & ~(size_t)7);
}

static inline uint64_t hf_spool_align(uint64_t offset)
{
    return (offset + HF_SPOOL_SECTOR - 1) / HF_SPOOL_SECTOR * HF_SPOOL_SECTOR;
}

void hf_spool_header_format(const struct hf_spool_header *header, unsigned char bytes[static HF_SPOOL_SEGMENT_HEADER]);
HF_MUST_USE int hf_spool_header_parse(const unsigned char bytes[static HF_SPOOL_SEGMENT_HEADER],
                                      struct hf_spool_header *ret);

/* Appends a whole record to *out: 0, -E2BIG, -ENOMEM. */
HF_MUST_USE int hf_spool_record_format(const struct hf_spool_record *record, uint32_t salt, struct hf_buf *out);

/* Parses the record at the start of bytes[n]. Returns its length with padding; 0 if it needs more bytes (*ret_need: how
 * many in all); -EBADMSG: no whole record with this salt. */
HF_MUST_USE int64_t hf_spool_record_parse(const unsigned char *bytes, size_t n, uint32_t salt,
                                          struct hf_spool_record *ret, size_t *ret_need);

/* True if these bytes look like the header of the record with this sequence, even if other bytes of the record are
 * damaged. */
bool hf_spool_record_claims(const unsigned char *bytes, size_t n, uint64_t sequence);

struct hf_spool_cursor {
    uint64_t counter;
    uint64_t delivered; /* inclusive; 0: nothing */
    uint64_t newest;    /* first sequence of the newest segment that was ever begun; 0: none */
};

void hf_spool_cursor_format(const struct hf_spool_cursor *cursor, unsigned char bytes[static HF_SPOOL_CURSOR_SLOT]);
HF_MUST_USE int hf_spool_cursor_parse(const unsigned char bytes[static HF_SPOOL_CURSOR_SLOT],
                                      struct hf_spool_cursor *ret);
