/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes and decodes segment headers, records and cursor slots (FORMAT.md). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_SPOOL_SEGMENT_HEADER = 64,
    /* writes begin at multiples of this, so no write touches a sector with durable content */
    HF_SPOOL_SECTOR = 512,
    HF_SPOOL_CONTENT = HF_SPOOL_SECTOR,
    HF_SPOOL_RECORD_HEADER = 32,
    HF_SPOOL_MAX_PAYLOAD = 1 << 20,
    HF_SPOOL_CURSOR_SLOT = 40,
};

struct hf_spool_header {
    /* Random for each use of a file, and part of records' CRCs: old records of a reused file are invalid. */
    uint32_t salt;
    uint64_t size;
    uint64_t first;
    unsigned char stream[16];
    /* From this sequence on, records of earlier segments are left from a failed write, and invalid; 0: no record is. */
    uint64_t skip_from;
};

struct hf_spool_record {
    uint64_t sequence;
    uint64_t unix_ns;
    uint32_t tag;
    struct hf_view payload; /* borrowed */
    /* The first record of a write. All earlier writes are durable. */
    bool begins;
    /* The writer skipped the sequences before this record, so they are not lost. */
    bool jumps;
};

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

/* Appends a record. -E2BIG, -ENOMEM. */
HF_MUST_USE int hf_spool_record_format(const struct hf_spool_record *record, uint32_t salt, struct hf_buf *out);

/* Returns the record's length. 0: *ret_need bytes are needed. -EBADMSG: damaged, or another salt. */
HF_MUST_USE int64_t hf_spool_record_parse(const unsigned char *bytes, size_t n, uint32_t salt,
                                          struct hf_spool_record *ret, size_t *ret_need);

bool hf_spool_record_begins(const unsigned char *bytes);

/* Whether the bytes begin like record `sequence`, which may be damaged elsewhere. */
bool hf_spool_record_claims(const unsigned char *bytes, size_t n, uint64_t sequence);

struct hf_spool_cursor {
    uint64_t counter;   /* the slot with the higher counter is valid */
    uint64_t delivered; /* all up to here are delivered or dropped; 0: none */
    uint64_t newest;    /* first sequence of the newest segment ever begun */
};

void hf_spool_cursor_format(const struct hf_spool_cursor *cursor, unsigned char bytes[static HF_SPOOL_CURSOR_SLOT]);
HF_MUST_USE int hf_spool_cursor_parse(const unsigned char bytes[static HF_SPOOL_CURSOR_SLOT],
                                      struct hf_spool_cursor *ret);
