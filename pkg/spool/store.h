/* SPDX-License-Identifier: Apache-2.0 */
/* spool/store.h - the folder of segments (FORMAT.md). Opens and repairs the folder, writes records durably, records
 * deliveries, and drops the oldest records.
 *
 * Threads: any thread, but only one at a time for one store (spool/spool.h passes the store from job to job). Readers
 * may run at the same time, because they work on copies of the list of segments (spool/reader.h). All functions that
 * touch files block. Memory: the store copies its parameters. Errors: *err names the folder and the step that
 * failed. */
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
    HF_SPOOL_MAX_WRITE = 512, /* maximum number of records in one write */
    /* number of fully delivered segments that the store keeps for hf_spool_recent() until it needs their space, and how
     * many it keeps at most if some of them are short, because a write to them failed */
    HF_SPOOL_PAST = 1,
    HF_SPOOL_PAST_MAX = 8,
};

enum hf_spool_full { HF_SPOOL_BLOCK, HF_SPOOL_DROP_OLDEST };

struct hf_spool_store_params {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* used only while the store opens */
    const char *dir;
    uint64_t segment_bytes; /* size of a segment (0 means hf_spool_segment_bytes(max_bytes)) */
    /* limit in bytes for all segments, including the spare one; at least three times the size of a segment. The cursor
     * and up to four damaged segments that the store sets aside do not count. */
    uint64_t max_bytes;
    enum hf_spool_full when_full;
    /* bytes that must stay free on the file system of the folder. If the next segment would take some of these bytes,
     * the spool counts as full even below max_bytes, and when_full decides what happens. */
    uint64_t reserve_bytes;
    /* the highest sequence that has left the node, as far as the caller knows (0 means none); the store gives new
     * records only higher sequences */
    uint64_t used;
    /* If true, hf_spool_store_open() fails with -EIO if the medium does not give back the cursor, a header, or a part
     * of the last segment. If false, what cannot be read counts as damaged. */
    bool refuse_unreadable;
    /* True if the caller neither appends nor delivers, and only drops segments. hf_spool_store_open() then does not
     * write again what an earlier process may not have synced, so the times of the files stay. */
    bool only_drops;
};

/* Tag of records that the disk has lost: nobody can read theirs. Callers use other tags. */
#define HF_SPOOL_TAG_LOST 0u

/* Number of records with one tag that the store dropped to make room, or that the disk has lost. If a table of these
 * structs has fewer entries than there are tags, the last entry also counts the records of all further tags. */
struct hf_spool_dropped {
    uint32_t tag;
    uint64_t records;
};

/* Adds `records` to the entry of `tag` in a table that ends at its first entry with 0 records. If the table is full
 * and has no entry of this tag, adds `records` to the last entry. */
void hf_spool_dropped_add(struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS], uint32_t tag, uint64_t records);

struct hf_spool_stats {
    uint64_t next;      /* sequence of the next record */
    uint64_t last;      /* highest durable or delivered sequence; lower than next - 1 if the store skipped sequences */
    uint64_t delivered; /* highest sequence up to which everything is delivered or dropped */
    uint64_t bytes;     /* total bytes of the segments, including the spare segment */
    /* payload bytes of records that are not delivered; approximate if a segment is delivered in part */
    uint64_t waiting;
    uint64_t segments;
    uint64_t poisoned; /* number of segments that the store closed after a failed write or sync */
    uint64_t damaged;  /* number of segments without a readable header when the store opened */
    /* number of torn writes (a power cut or a kill had interrupted them) that the store removed when it opened */
    uint64_t torn;
    /* number of open segments whose file was deleted and whose content the store copied to a new file */
    uint64_t rescued;
    uint64_t lost; /* number of segments whose file was deleted and whose content is lost */
    /* Sequences above `last` of records that opening found lost, because the newest segments are missing or damaged:
     * their number, or less, because nothing shows how many records the newest one held. */
    uint64_t lost_at_end;
    uint64_t mended;    /* number of segments with a damaged header, for which the store read the copy of the header */
    uint64_t set_aside; /* number of damaged segments that the store keeps in the folder for a person to examine */
    uint64_t syncs;     /* number of syncs after writes of records */
};

/* Returns the size in bytes of a segment for a spool of max_bytes. This is max_bytes / 16, rounded down to
 * a multiple of 64 KiB, but at least 64 KiB and at most 8 MiB. */
uint64_t hf_spool_segment_bytes(uint64_t max_bytes);
/* Returns true if a record with a payload of this many bytes fits into a segment of segment_bytes. */
bool hf_spool_fits(uint64_t segment_bytes, size_t payload);

struct hf_spool_store;

/* Opens the folder (making it if necessary) and repairs what a crash left behind. If the store can work despite
 * damage, the function succeeds, and hf_spool_store_stats() reports the damage. */
HF_MUST_USE int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                                    struct hf_err *err);
void hf_spool_store_free(struct hf_spool_store *store);
HF_DEFINE_CLEANUP(struct hf_spool_store, hf_spool_store_free)

/* Writes n records durably (at most HF_SPOOL_MAX_WRITE) and fills in their sequences. After the call the first
 * *ret_done records are durable, even if the function fails. Returns 0 if all n records are durable, -EAGAIN if the
 * spool is full and has nothing that it may drop, -E2BIG if a record is too large for a segment (no record is then
 * written), or another -errno (-ENOSPC, -EIO, ...). After an error, do not acknowledge the records that follow the
 * first *ret_done. Readers may later find some of these following records nevertheless, so the store never reuses
 * their sequences. */
HF_MUST_USE int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n,
                                     size_t *ret_done, struct hf_err *err);

/* Marks all records up to `sequence` (inclusive) as delivered. Saves the cursor durably, then removes or reuses the
 * files of segments in which every record is delivered, except for the newest of these segments (HF_SPOOL_PAST).
 * -EINVAL: the store has not written this sequence. */
HF_MUST_USE int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err);

/* Drops the oldest segment with all its records, even if when_full is HF_SPOOL_BLOCK. If some of these records are not
 * delivered, saves the cursor durably before it removes the file, and counts these records for
 * hf_spool_store_take_dropped(). Does nothing if the store has no segment. */
HF_MUST_USE int hf_spool_store_drop_oldest(struct hf_spool_store *store, struct hf_err *err);

/* Call this function when files seem to be missing. If somebody deleted the file of the segment that is open for
 * writing, the store reads the content through the open descriptor and copies it to a new file. Any other segment
 * whose file is missing is lost. */
HF_MUST_USE int hf_spool_store_check(struct hf_spool_store *store, struct hf_err *err);

/* Describes a spare segment, a file full of zeros that the store uses when it next needs a segment. Preparing a spare
 * segment takes three steps. (1) hf_spool_store_spare_begin() fills in this struct. If it returns false, the store
 * needs no spare now or has no room for one; skip the other steps. (2) hf_spool_spare_make() writes the file, which
 * takes long; other functions of the store may run at the same time. (3) hf_spool_store_spare_end() gets the result of
 * step 2 as `made`. Steps 1 and 3 use the store, so no other thread may use the store during these steps. */
struct hf_spool_spare {
    const struct hf_fs_ops *fs;
    const char *dir; /* borrowed from the store */
    uint64_t bytes;
};
bool hf_spool_store_spare_begin(struct hf_spool_store *store, struct hf_spool_spare *ret_spare);
HF_MUST_USE int hf_spool_spare_make(const struct hf_spool_spare *spare, struct hf_err *err);
void hf_spool_store_spare_end(struct hf_spool_store *store, int made);
/* Prepares a spare segment in one call, which runs the three steps of struct hf_spool_spare. */
HF_MUST_USE int hf_spool_store_prepare(struct hf_spool_store *store, struct hf_err *err);

/* Returns the stream's id, 32 hex digits. The id survives restarts. When the store opens an emptied or damaged folder
 * in which it might assign a sequence twice, it takes a new id. */
const char *hf_spool_store_stream(const struct hf_spool_store *store);

/* Frees the buffer for writes. */
void hf_spool_store_trim(struct hf_spool_store *store);

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store);

/* Fills `ret` with the numbers of records that the store has dropped since the last call, and of records that were
 * missing among them (HF_SPOOL_TAG_LOST). An entry with 0 records ends the list. */
void hf_spool_store_take_dropped(struct hf_spool_store *store, struct hf_spool_dropped ret[HF_SPOOL_MAX_TAGS + 1]);

/* The part of a segment that a reader may read. */
struct hf_spool_extent {
    uint64_t first;
    uint64_t end;   /* file offset at which the durable bytes end */
    uint64_t limit; /* records with this sequence or a higher one do not count */
    uint32_t salt;
    bool last; /* true for the newest segment */
};

/* Copies to `ret` the extents that may hold records with a sequence of `from` or higher, in order of sequence, at most
 * `max` extents. Returns the number of copied extents. */
size_t hf_spool_store_extents(const struct hf_spool_store *store, uint64_t from, struct hf_spool_extent *ret,
                              size_t max);

/* Writes "<dir>/<first>.seg" to path[n]. The name of the file has `first` as 16 hex digits. */
void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n);
