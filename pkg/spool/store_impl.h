/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a store, for pkg/spool only. Threads: store.h. */
#pragma once

#include <stdio.h>

#include "spool/store.h"

enum { HF_SPOOL_NAME_BYTES = 40, HF_SPOOL_ZERO_STEP = 64 * 1024 };

struct segment {
    uint64_t first;
    /* End of the durable content; in a segment of an earlier process the highest possible, until it is opened for
     * writing. */
    uint64_t end;
    uint64_t size;
    uint64_t written; /* below, every block was written, not only allocated */
    /* payload in the content; may be an estimate */
    uint64_t payload;
    uint32_t salt;
    uint64_t skip_from;
    /* Invalid from this sequence on: in a later segment, or left over from a failed write. `end` says the same for this
     * process. */
    uint64_t limit;
};

/* The next segment, allocated ahead. */
struct spare {
    bool ready, coming;
    uint64_t written; /* segment.written */
    /* After a power cut the folder may still list it under its old name: sync the folder before writing to it. */
    bool was_segment;
};

/* Rest of a torn write in the open segment, which the next write wipes first; 0: none. If the segment ends before,
 * `failed_from` excludes it. */
struct torn {
    uint64_t from, to;
};

/* Formatted records, for the next write. */
struct batch {
    struct hf_buf bytes;
    uint64_t first; /* sequence */
    uint64_t payload;
};

struct hf_spool_store {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* used only while opening, like the flags below */
    uint64_t random;               /* for salts; not `rng`, because workers make salts too */
    char *dir;
    uint64_t segment_bytes, max_bytes, reserve_bytes;
    enum hf_spool_full when_full;
    bool refuse_unreadable, only_drops;
    char stream[HF_SPOOL_STREAM_TEXT];
    bool doubt;                     /* damage could make this stream assign a sequence twice */
    int dir_fd, cursor_fd, open_fd; /* open_fd: the last segment; -1: none is open for writing */
    struct spare spare;
    bool links_count;         /* st_nlink is 0 for deleted files */
    struct segment *segments; /* in order; the last is open for writing unless open_fd is -1 */
    size_t n, cap;
    struct hf_spool_cursor cursor;
    bool cursor_unconfirmed; /* read from the disk, not written since: a power cut may lose it */
    bool cursor_unnamed;     /* made again, its name not durable yet */
    /* `next`: the next record; `last`: highest durable or delivered */
    uint64_t next, last;
    uint64_t jump_to;     /* gets `jumps` of record.h; 0: none */
    uint64_t failed_from; /* first record that a failed write may have left since the last good one; 0: none */
    struct torn torn;
    struct batch out;
    unsigned set_aside;
    struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS];
    struct hf_spool_stats stats;
};

static inline void segment_name(uint64_t first, char name[HF_SPOOL_NAME_BYTES])
{
    (void)snprintf(name, HF_SPOOL_NAME_BYTES, "%016llx.seg", (unsigned long long)first);
}

static inline struct segment *last_segment(struct hf_spool_store *store)
{
    return store->n > 0 ? &store->segments[store->n - 1] : NULL;
}

/* Where content ends at the latest: the header's copy begins there. */
static inline uint64_t content_limit(uint64_t file_bytes)
{
    return file_bytes > HF_SPOOL_SECTOR ? file_bytes - HF_SPOOL_SECTOR : 0;
}

HF_MUST_USE int hf_spool_write_at(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                                  const char *dir, struct hf_err *err);
/* May be the same file. */
HF_MUST_USE int hf_spool_copy(const struct hf_spool_store *store, int from, int to, uint64_t begin, uint64_t end,
                              struct hf_err *err);
HF_MUST_USE int hf_spool_zero(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                              struct hf_err *err);
/* After a sync: -errno if the file system's journal has stopped (folder.c). Allocates [from, to) once more. */
HF_MUST_USE int hf_spool_confirm(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                                 struct hf_err *err);
bool hf_spool_is_unlinked(const struct hf_spool_store *store, int fd);
HF_MUST_USE int hf_spool_add_segment(struct hf_spool_store *store, const struct segment *segment);
HF_MUST_USE int hf_spool_sync_folder(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_read_cursor(const struct hf_fs_ops *fs, int fd, struct hf_spool_cursor *ret_cursor);
HF_MUST_USE int hf_spool_load_cursor(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_save_cursor(struct hf_spool_store *store, uint64_t delivered, struct hf_err *err);
/* A loaded cursor that was not written since: writes it again, into its slot. Saving does this first. */
HF_MUST_USE int hf_spool_confirm_cursor(struct hf_spool_store *store, struct hf_err *err);
uint64_t hf_spool_bytes_used(const struct hf_spool_store *store);

/* waiting.c: the payload of segment i, and what of all is undelivered; estimates. */
uint64_t hf_spool_payload_estimate(const struct hf_spool_store *store, size_t i);
uint64_t hf_spool_waiting_bytes(const struct hf_spool_store *store);

/* spare.c: reserve_bytes stay free after one more segment, or it is unknown. */
bool hf_spool_disk_has_room(const struct hf_spool_store *store);
/* spare.c: allocates without filling with zeros, which takes long. */
HF_MUST_USE int hf_spool_spare_now(struct hf_spool_store *store, struct hf_err *err);

HF_MUST_USE int hf_spool_recover(struct hf_spool_store *store, uint64_t used, struct hf_err *err);
