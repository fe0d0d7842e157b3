/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of segments (FORMAT.md): opens and repairs it, writes durably, records deliveries, drops the oldest.
 * Threads: any, one at a time per store; readers work on copies of the list of segments. Functions that touch files
 * block. *err names folder and step. */
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
    /* Delivered segments kept for hf_spool_recent(); the maximum is for short ones. */
    HF_SPOOL_PAST = 1,
    HF_SPOOL_PAST_MAX = 8,
};

enum hf_spool_full { HF_SPOOL_BLOCK, HF_SPOOL_DROP_OLDEST };

struct hf_spool_store_params {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* used only while opening */
    const char *dir;
    uint64_t segment_bytes; /* 0: hf_spool_segment_bytes(max_bytes) */
    /* All segments with the spare, at least three; not of the cursor and up to four damaged segments set aside. */
    uint64_t max_bytes;
    enum hf_spool_full when_full;
    /* Must stay free on the file system: the spool is full if the next segment needs it. */
    uint64_t reserve_bytes;
    uint64_t used; /* highest sequence that has left the node; 0: none. New ones are higher */
    /* Opening fails with -EIO if the medium does not give back the cursor, a header, or a part of the last segment.
     * False: treats it as damaged. */
    bool refuse_unreadable;
    /* The caller neither appends nor delivers: nothing is written again. */
    bool only_drops;
};

/* Lost by the disk, so their own tags are unknown. Callers use other tags. */
#define HF_SPOOL_TAG_LOST 0u

/* In a table that is too short the last entry is for all further tags. */
struct hf_spool_dropped {
    uint32_t tag;
    uint64_t records;
};

void hf_spool_dropped_add(struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS], uint32_t tag, uint64_t records);

struct hf_spool_stats {
    uint64_t next;
    uint64_t last;      /* highest durable or delivered; below next - 1 if sequences were skipped */
    uint64_t delivered; /* up to here all is delivered or dropped */
    uint64_t bytes;
    uint64_t waiting; /* payload not delivered; approximate */
    uint64_t segments;
    uint64_t poisoned;
    uint64_t damaged;
    uint64_t torn;    /* torn writes removed at opening */
    uint64_t rescued; /* open segments whose file was deleted, copied to a new one */
    uint64_t lost;
    /* Sequences above `last` found lost at opening, or fewer: nothing shows how many the newest segment held. */
    uint64_t lost_at_end;
    uint64_t mended;
    uint64_t set_aside;
    uint64_t syncs;
};

/* max_bytes / 16, in steps of 64 KiB, from 64 KiB to 8 MiB. */
uint64_t hf_spool_segment_bytes(uint64_t max_bytes);
bool hf_spool_fits(uint64_t segment_bytes, size_t payload);

struct hf_spool_store;

/* Makes the folder if necessary, repairs what a crash left, and succeeds if it can work despite damage. */
HF_MUST_USE int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                                    struct hf_err *err);
void hf_spool_store_free(struct hf_spool_store *store);
HF_DEFINE_CLEANUP(struct hf_spool_store, hf_spool_store_free)

/* Sets the sequences of at most HF_SPOOL_MAX_WRITE records. The first *ret_done are durable, also after a failure.
 * -EAGAIN: full, and nothing may be dropped. -E2BIG: too large for a segment; none is written. Others: -ENOSPC, -EIO.
 * Do not acknowledge the rest; readers may find some of it. */
HF_MUST_USE int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n,
                                     size_t *ret_done, struct hf_err *err);

/* Up to `sequence`: saves the cursor durably, then removes or reuses delivered segments but HF_SPOOL_PAST. -EINVAL: not
 * written. */
HF_MUST_USE int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err);

/* Even with HF_SPOOL_BLOCK. For undelivered records saves the cursor first and counts them
 * (hf_spool_store_take_dropped()). */
HF_MUST_USE int hf_spool_store_drop_oldest(struct hf_spool_store *store, struct hf_err *err);

/* When files seem to be missing: copies the open segment through its descriptor to a new file. Other missing segments
 * are lost. */
HF_MUST_USE int hf_spool_store_check(struct hf_spool_store *store, struct hf_err *err);

/* A spare segment, full of zeros: begin (false: none is needed, or no room), hf_spool_spare_make(), which takes long
 * and may run beside the store, end with its result. */
struct hf_spool_spare {
    const struct hf_fs_ops *fs;
    const char *dir; /* borrowed from the store */
    uint64_t bytes;
};
bool hf_spool_store_spare_begin(struct hf_spool_store *store, struct hf_spool_spare *ret_spare);
HF_MUST_USE int hf_spool_spare_make(const struct hf_spool_spare *spare, struct hf_err *err);
void hf_spool_store_spare_end(struct hf_spool_store *store, int made);
HF_MUST_USE int hf_spool_store_prepare(struct hf_spool_store *store, struct hf_err *err);

/* 32 hex digits. A new one after opening an emptied or damaged folder in which a sequence could be assigned twice. */
const char *hf_spool_store_stream(const struct hf_spool_store *store);

void hf_spool_store_trim(struct hf_spool_store *store);

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store);

/* Since the last call, with those missing among them (HF_SPOOL_TAG_LOST); ends with 0 records. */
void hf_spool_store_take_dropped(struct hf_spool_store *store, struct hf_spool_dropped ret[HF_SPOOL_MAX_TAGS + 1]);

struct hf_spool_extent {
    uint64_t first;
    uint64_t end;
    uint64_t limit; /* records from this sequence on are invalid */
    uint32_t salt;
    bool last;
};

/* Those that may hold `from` or higher, in order; returns how many. */
size_t hf_spool_store_extents(const struct hf_spool_store *store, uint64_t from, struct hf_spool_extent *ret,
                              size_t max);

/* "<dir>/<first>.seg", 16 hex digits. */
void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n);
