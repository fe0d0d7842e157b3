/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of segments (FORMAT.md): opens and repairs it, writes durably, records deliveries, drops the oldest.
 * Threads: any, one at a time per store. Functions that touch files block. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "spool/record.h"
#include "spool/stream.h"

enum {
    HF_SPOOL_SEGMENT_BYTES = 8 << 20,
    HF_SPOOL_MIN_SEGMENT_BYTES = 64 << 10,
    HF_SPOOL_MAX_SEGMENTS = 4096,
    HF_SPOOL_MAX_TAGS = 64,
    HF_SPOOL_MAX_WRITE = 512,
    /* Delivered segments kept for hf_spool_recent(), up to _MAX if they are short. */
    HF_SPOOL_PAST = 1,
    HF_SPOOL_PAST_MAX = 8,
};

enum hf_spool_full { HF_SPOOL_BLOCK, HF_SPOOL_DROP_OLDEST };

struct hf_spool_store_params {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng;
    const char *dir;
    uint64_t segment_bytes; /* 0: hf_spool_segment_bytes() */
    /* most bytes of all segments with the spare; three must fit */
    uint64_t max_bytes;
    enum hf_spool_full when_full;
    /* bytes to leave free on the file system */
    uint64_t reserve_bytes;
    uint64_t used; /* highest sequence that left the node, or 0 */
    /* True: opening fails with -EIO if cursor, stream, a header or the last segment is unreadable. False: unreadable
     * parts count as damaged. */
    bool refuse_unreadable;
    bool only_drops;
};

/* Tag of records that the disk lost; callers use other tags. */
#define HF_SPOOL_TAG_LOST 0u

/* Dropped records of one tag. The last entry of a full table counts all further tags. */
struct hf_spool_dropped {
    uint32_t tag;
    uint64_t records;
};

void hf_spool_dropped_add(struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS], uint32_t tag, uint64_t records);

struct hf_spool_stats {
    uint64_t next;
    uint64_t last; /* highest durable or delivered sequence; below next - 1 if some were skipped */
    uint64_t delivered;
    uint64_t bytes;
    uint64_t waiting; /* undelivered payload; an estimate */
    uint64_t segments;
    uint64_t poisoned;
    uint64_t damaged;
    uint64_t torn;
    uint64_t lost;
    /* Sequences lost above `last`, found at opening. A missing newest segment counts as one. */
    uint64_t lost_at_end;
    uint64_t mended;
    uint64_t set_aside;
};

/* Returns max_bytes / 16 in steps of 64 KiB, 64 KiB to 8 MiB. */
uint64_t hf_spool_segment_bytes(uint64_t max_bytes);
bool hf_spool_fits(uint64_t segment_bytes, size_t payload);

struct hf_spool_store;

/* Opens the folder, makes it if absent, repairs it after a crash. */
HF_MUST_USE int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                                    struct hf_err *err);
void hf_spool_store_free(struct hf_spool_store *store);
HF_DEFINE_CLEANUP(struct hf_spool_store, hf_spool_store_free)

/* Writes at most HF_SPOOL_MAX_WRITE records, and sets their sequences. The first *ret_done are durable, also after a
 * failure; the others must not be acknowledged, though readers may find them. -EAGAIN: the store is full, and may drop
 * nothing. -E2BIG: a record does not fit a segment; nothing is written. */
HF_MUST_USE int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n,
                                     size_t *ret_done, struct hf_err *err);

/* Saves the cursor at `sequence`, then removes or reuses delivered segments above HF_SPOOL_PAST. -EINVAL: `sequence` is
 * not written yet. */
HF_MUST_USE int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err);

/* Drops the oldest segment, even with HF_SPOOL_BLOCK. hf_spool_store_take_dropped() returns its undelivered records. */
HF_MUST_USE int hf_spool_store_drop_oldest(struct hf_spool_store *store, struct hf_err *err);

/* Call it when files seem to be missing: tries to restore the open segment from its descriptor; other missing segments
 * are lost. */
HF_MUST_USE int hf_spool_store_check(struct hf_spool_store *store, struct hf_err *err);

/* To make a spare segment of zeros, call hf_spool_store_spare_begin() (false: none needed, or no room),
 * hf_spool_spare_make(), which is slow but may run beside the store, and hf_spool_store_spare_end() with its result. */
struct hf_spool_spare {
    const struct hf_fs_ops *fs;
    const char *dir;
    uint64_t bytes;
};
bool hf_spool_store_spare_begin(struct hf_spool_store *store, struct hf_spool_spare *ret_spare);
HF_MUST_USE int hf_spool_spare_make(const struct hf_spool_spare *spare, struct hf_err *err);
void hf_spool_store_spare_end(struct hf_spool_store *store, int made);

/* Returns the stream, 32 hex digits. Opening makes a new stream if the folder could assign a sequence twice. */
const char *hf_spool_store_stream(const struct hf_spool_store *store);

void hf_spool_store_trim(struct hf_spool_store *store);

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store);

/* Returns what was dropped or lost (HF_SPOOL_TAG_LOST) since the last call; the list ends at 0 records. */
void hf_spool_store_take_dropped(struct hf_spool_store *store, struct hf_spool_dropped ret[HF_SPOOL_MAX_TAGS + 1]);

struct hf_spool_extent {
    uint64_t first;
    uint64_t end;
    uint64_t limit; /* records from here on are invalid */
    uint32_t salt;
    bool last;
};

/* Lists the segments that may hold sequences >= `from`, in order; returns their number. */
size_t hf_spool_store_extents(const struct hf_spool_store *store, uint64_t from, struct hf_spool_extent *ret,
                              size_t max);

/* Writes "<dir>/<first>.seg", 16 hex digits. */
void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n);
