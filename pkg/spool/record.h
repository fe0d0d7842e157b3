/* SPDX-License-Identifier: Apache-2.0 */
/* spool/record.h - the byte formats of segment headers, records and cursor slots (FORMAT.md). Pure, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_SPOOL_SEGMENT_HEADER = 64,
    /* size of a sector in bytes; every write begins at a multiple of this size, so no write touches a sector with
     * durable content */
    HF_SPOOL_SECTOR = 512,
    HF_SPOOL_CONTENT = HF_SPOOL_SECTOR, /* offset of the first record */
    HF_SPOOL_RECORD_HEADER = 32,
    HF_SPOOL_MAX_PAYLOAD = 1 << 20,
    HF_SPOOL_CURSOR_SLOT = 40,
};

struct hf_spool_header {
    /* random number, new for each use of a file; the CRC of each record covers it, so that old records in a reused file
     * do not count */
    uint32_t salt;
    uint64_t size;
    uint64_t first;
    unsigned char stream[16];
    /* records of earlier segments with this sequence or a higher one are left over from a write that failed, and nobody
     * may deliver them; 0 means that there are none */
    uint64_t skip_from;
};

struct hf_spool_record {
    uint64_t sequence;
    uint64_t unix_ns;
    uint32_t tag;
    struct hf_view payload; /* content of the record; borrowed */
    /* true for the first record of a write; such a record proves that all earlier writes are durable, because the
     * writer syncs each write before it starts the next one */
    bool begins;
    /* true if the writer never assigned the sequences between the previous record and this record; the gap is then no
     * loss */
    bool jumps;
};

/* Returns the size in bytes, with padding, of a record whose payload has `payload` bytes. */
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

/* Appends a whole record to *out. Returns 0, -E2BIG or -ENOMEM. */
HF_MUST_USE int hf_spool_record_format(const struct hf_spool_record *record, uint32_t salt, struct hf_buf *out);

/* Parses the record at the start of bytes[n]. Returns the record's length with padding, 0 if n is too small (*ret_need
 * is then the number of bytes needed), or -EBADMSG if the bytes are damaged or are not a record with this salt. */
HF_MUST_USE int64_t hf_spool_record_parse(const unsigned char *bytes, size_t n, uint32_t salt,
                                          struct hf_spool_record *ret, size_t *ret_need);

/* Returns true if a record may begin with these 4 bytes. */
bool hf_spool_record_begins(const unsigned char *bytes);

/* Returns true if bytes[n] look like the header of the record with this sequence, even if the record is damaged
 * elsewhere. */
bool hf_spool_record_claims(const unsigned char *bytes, size_t n, uint64_t sequence);

struct hf_spool_cursor {
    /* grows with each save; of the two slots on disk, the one with the higher counter is valid */
    uint64_t counter;
    uint64_t delivered; /* highest sequence up to which everything is delivered or dropped (0 means nothing) */
    uint64_t newest;    /* first sequence of the newest segment that the spool ever began (0 means none) */
};

void hf_spool_cursor_format(const struct hf_spool_cursor *cursor, unsigned char bytes[static HF_SPOOL_CURSOR_SLOT]);
HF_MUST_USE int hf_spool_cursor_parse(const unsigned char bytes[static HF_SPOOL_CURSOR_SLOT],
                                      struct hf_spool_cursor *ret);
