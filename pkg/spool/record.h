/* SPDX-License-Identifier: Apache-2.0 */
/* Segment headers, records, cursor slots (FORMAT.md). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/macros.h"

enum {
    HF_SPOOL_SEGMENT_HEADER = 64,
    /* Writes begin at multiples: none touches a sector with durable content. */
    HF_SPOOL_SECTOR = 512,
    HF_SPOOL_CONTENT = HF_SPOOL_SECTOR, /* of the first record */
    HF_SPOOL_RECORD_HEADER = 32,
    HF_SPOOL_MAX_PAYLOAD = 1 << 20,
    HF_SPOOL_CURSOR_SLOT = 40,
};

struct hf_spool_header {
    /* Random for each use of a file, in records' CRCs: a reused file's old records are invalid. */
    uint32_t salt;
    uint64_t size;
    uint64_t first;
    unsigned char stream[16];
    /* Earlier segments' records from here on are a failed write's, not to be delivered. */
    uint64_t skip_from;
};

struct hf_spool_record {
    uint64_t sequence;
    uint64_t unix_ns;
    uint32_t tag;
    struct hf_view payload; /* borrowed */
    /* First of a write: proves that all earlier writes are durable, because each is synced before the next. */
    bool begins;
    /* The writer skipped the sequences before it: no loss. */
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

/* Appends. -E2BIG, -ENOMEM. */
HF_MUST_USE int hf_spool_record_format(const struct hf_spool_record *record, uint32_t salt, struct hf_buf *out);

/* Its length with padding; 0: *ret_need bytes are needed; -EBADMSG: damaged, or another salt. */
HF_MUST_USE int64_t hf_spool_record_parse(const unsigned char *bytes, size_t n, uint32_t salt,
                                          struct hf_spool_record *ret, size_t *ret_need);

bool hf_spool_record_begins(const unsigned char *bytes);

/* Begins like `sequence`'s record, which may be damaged elsewhere. */
bool hf_spool_record_claims(const unsigned char *bytes, size_t n, uint64_t sequence);

struct hf_spool_cursor {
    uint64_t counter;   /* grows by saves: the higher slot is valid */
    uint64_t delivered; /* all up to here, or dropped; 0: nothing */
    uint64_t newest;    /* newest segment ever begun, by first sequence */
};

void hf_spool_cursor_format(const struct hf_spool_cursor *cursor, unsigned char bytes[static HF_SPOOL_CURSOR_SLOT]);
HF_MUST_USE int hf_spool_cursor_parse(const unsigned char bytes[static HF_SPOOL_CURSOR_SLOT],
                                      struct hf_spool_cursor *ret);
