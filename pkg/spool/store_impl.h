/* SPDX-License-Identifier: Apache-2.0 */
/* A store's inside, for pkg/spool. Threads: store.h. */
#pragma once

#include <stdio.h>

#include "spool/store.h"

enum { HF_SPOOL_NAME_BYTES = 40, HF_SPOOL_ZERO_STEP = 64 * 1024 };

struct segment {
    uint64_t first;
    /* end of the durable content; of an earlier process's segment the highest possible, until opened for writing */
    uint64_t end;
    uint64_t size;
    uint64_t written; /* each block below was written, not only allocated */
    /* may be an estimate */
    uint64_t payload;
    uint32_t salt;
    uint64_t skip_from;
    /* Invalid from here on: in a later segment, or a failed write's. UINT64_MAX: begun by this process. */
    uint64_t limit;
};

/* Next segment, allocated ahead. */
struct spare {
    bool ready, coming;
    uint64_t written;
    /* After a power cut the folder may have its old name: sync that before writing. */
    bool was_segment;
};

/* Of a torn write in the open segment, or 0. The next write wipes it, or begins a new segment: then `failed_from`
 * excludes it. */
struct torn {
    uint64_t from, to;
};

/* Formatted, for a write. */
struct batch {
    struct hf_buf bytes;
    uint64_t first; /* sequence */
    uint64_t payload;
};

struct hf_spool_store {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* at opening, as the flags below */
    uint64_t random;               /* state that gives salts: workers may not use `rng` */
    char *dir;
    uint64_t segment_bytes, max_bytes, reserve_bytes;
    enum hf_spool_full when_full;
    bool refuse_unreadable, only_drops;
    char stream[HF_SPOOL_STREAM_TEXT];
    bool doubt;                     /* damage: this stream could assign a sequence twice */
    int dir_fd, cursor_fd, open_fd; /* open_fd: last segment; or -1: none is open to write */
    struct spare spare;
    bool links_count;         /* st_nlink is 0 for deleted files */
    struct segment *segments; /* in order; the last is open to write unless open_fd is -1 */
    size_t n, cap;
    struct hf_spool_cursor cursor;
    bool cursor_unconfirmed; /* read, not written since: a power cut may lose it */
    bool cursor_unnamed;     /* new, its name not durable yet */
    /* sequence of the next record; highest durable or delivered one */
    uint64_t next, last;
    uint64_t jump_to;     /* gets `jumps`; or 0 */
    uint64_t failed_from; /* first record that a failed write may have left since the last good one; or 0 */
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
/* Maybe the same file. */
HF_MUST_USE int hf_spool_copy(const struct hf_spool_store *store, int from, int to, uint64_t begin, uint64_t end,
                              struct hf_err *err);
HF_MUST_USE int hf_spool_zero(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                              struct hf_err *err);
/* For after a sync: allocates [from, to) once more; -errno if the file system's journal has stopped (folder.c). */
HF_MUST_USE int hf_spool_confirm(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                                 struct hf_err *err);
bool hf_spool_is_unlinked(const struct hf_spool_store *store, int fd);
HF_MUST_USE int hf_spool_add_segment(struct hf_spool_store *store, const struct segment *segment);
HF_MUST_USE int hf_spool_sync_folder(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_read_cursor(const struct hf_fs_ops *fs, int fd, struct hf_spool_cursor *ret_cursor);
HF_MUST_USE int hf_spool_load_cursor(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_save_cursor(struct hf_spool_store *store, uint64_t delivered, struct hf_err *err);
/* A loaded cursor, not written since: writes it into its slot. Saving does this first. */
HF_MUST_USE int hf_spool_confirm_cursor(struct hf_spool_store *store, struct hf_err *err);
uint64_t hf_spool_bytes_used(const struct hf_spool_store *store);

/* waiting.c: payload of segment i; of all undelivered records. Estimates. */
uint64_t hf_spool_payload_estimate(const struct hf_spool_store *store, size_t i);
uint64_t hf_spool_waiting_bytes(const struct hf_spool_store *store);

/* spare.c: reserve_bytes stay free after another segment, or unknown. */
bool hf_spool_disk_has_room(const struct hf_spool_store *store);
/* spare.c: without zeros, which are slow. */
HF_MUST_USE int hf_spool_spare_now(struct hf_spool_store *store, struct hf_err *err);

HF_MUST_USE int hf_spool_recover(struct hf_spool_store *store, uint64_t used, struct hf_err *err);
