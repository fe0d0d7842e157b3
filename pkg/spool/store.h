/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of segments (FORMAT.md): opens, repairs, writes durably, records deliveries, drops the oldest. Threads:
 * any, one at a time per store; readers copy the list of segments. Functions that touch files block. */
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
    /* Delivered segments kept for hf_spool_recent(); _MAX if short. */
    HF_SPOOL_PAST = 1,
    HF_SPOOL_PAST_MAX = 8,
};

enum hf_spool_full { HF_SPOOL_BLOCK, HF_SPOOL_DROP_OLDEST };

struct hf_spool_store_params {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* at opening */
    const char *dir;
    uint64_t segment_bytes; /* 0: hf_spool_segment_bytes() */
    /* All segments with the spare, three at least; not the cursor and up to four damaged segments set aside. */
    uint64_t max_bytes;
    enum hf_spool_full when_full;
    /* Must stay free on the file system: the spool is full if the next segment needs it. */
    uint64_t reserve_bytes;
    uint64_t used; /* highest sequence that left the node, or 0; new ones are higher */
    /* Opening: -EIO for an unreadable cursor, stream id, header, or part of the last segment. False: that is damage. */
    bool refuse_unreadable;
    /* The caller neither appends nor delivers. */
    bool only_drops;
};

/* Records that the disk lost: their own tags are unknown. Callers use other tags. */
#define HF_SPOOL_TAG_LOST 0u

/* A full table's last entry has all further tags. */
struct hf_spool_dropped {
    uint32_t tag;
    uint64_t records;
};

void hf_spool_dropped_add(struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS], uint32_t tag, uint64_t records);

struct hf_spool_stats {
    uint64_t next;
    uint64_t last;      /* highest durable or delivered; below next - 1 if sequences were skipped */
    uint64_t delivered; /* all up to here, or dropped */
    uint64_t bytes;
    uint64_t waiting; /* payload; an estimate */
    uint64_t segments;
    uint64_t poisoned;
    uint64_t damaged;
    uint64_t torn; /* removed at opening */
    uint64_t lost;
    /* Sequences found lost above `last` at opening. A missing newest segment counts as one record: nothing shows how
     * many it held. */
    uint64_t lost_at_end;
    uint64_t mended;
    uint64_t set_aside;
};

/* max_bytes / 16, by steps of 64 KiB, 64 KiB to 8 MiB. */
uint64_t hf_spool_segment_bytes(uint64_t max_bytes);
bool hf_spool_fits(uint64_t segment_bytes, size_t payload);

struct hf_spool_store;

/* Makes the folder, repairs it after a crash; works despite damage if possible. */
HF_MUST_USE int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                                    struct hf_err *err);
void hf_spool_store_free(struct hf_spool_store *store);
HF_DEFINE_CLEANUP(struct hf_spool_store, hf_spool_store_free)

/* Sets sequences of HF_SPOOL_MAX_WRITE records at most. The first *ret_done are durable, also after a failure; readers
 * may find some of the rest, which must not be acknowledged. -EAGAIN: full, and nothing may be dropped. -E2BIG: above a
 * segment; none is written. Others: -ENOSPC, -EIO. */
HF_MUST_USE int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n,
                                     size_t *ret_done, struct hf_err *err);

/* Up to `sequence`: a durable cursor, then removes or reuses delivered segments but HF_SPOOL_PAST. -EINVAL: not
 * written. */
HF_MUST_USE int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err);

/* Even with HF_SPOOL_BLOCK. Undelivered records: counts them (hf_spool_store_take_dropped()), saves the cursor. */
HF_MUST_USE int hf_spool_store_drop_oldest(struct hf_spool_store *store, struct hf_err *err);

/* Files seem to be missing: copies the open segment by its descriptor. Others are lost. */
HF_MUST_USE int hf_spool_store_check(struct hf_spool_store *store, struct hf_err *err);

/* A spare segment of zeros: begin (false: none needed, or no room), hf_spool_spare_make(), slow, maybe beside the
 * store, end with its result. */
struct hf_spool_spare {
    const struct hf_fs_ops *fs;
    const char *dir; /* store's */
    uint64_t bytes;
};
bool hf_spool_store_spare_begin(struct hf_spool_store *store, struct hf_spool_spare *ret_spare);
HF_MUST_USE int hf_spool_spare_make(const struct hf_spool_spare *spare, struct hf_err *err);
void hf_spool_store_spare_end(struct hf_spool_store *store, int made);

/* 32 hex digits. New after opening an emptied or damaged folder that could assign a sequence twice. */
const char *hf_spool_store_stream(const struct hf_spool_store *store);

void hf_spool_store_trim(struct hf_spool_store *store);

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store);

/* Since the last call, also lost ones (HF_SPOOL_TAG_LOST); ends at 0 records. */
void hf_spool_store_take_dropped(struct hf_spool_store *store, struct hf_spool_dropped ret[HF_SPOOL_MAX_TAGS + 1]);

struct hf_spool_extent {
    uint64_t first;
    uint64_t end;
    uint64_t limit; /* invalid from here on */
    uint32_t salt;
    bool last;
};

/* Segments that may hold sequences >= `from`, in order; returns their number. */
size_t hf_spool_store_extents(const struct hf_spool_store *store, uint64_t from, struct hf_spool_extent *ret,
                              size_t max);

/* "<dir>/<first>.seg", 16 hex digits. */
void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n);
