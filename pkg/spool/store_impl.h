/* SPDX-License-Identifier: Apache-2.0 */
/* For pkg/spool only. */
#pragma once

#include <stdio.h>

#include "spool/store.h"

enum { HF_SPOOL_NAME_BYTES = 40, HF_SPOOL_ZERO_STEP = 64 * 1024 };

struct segment {
    uint64_t first;
    /* end of the durable content; for a sealed segment of an earlier process, the highest possible */
    uint64_t end;
    uint64_t size;
    uint64_t written; /* all bytes below were written, not only allocated */
    uint64_t payload;
    uint32_t salt;
    uint64_t skip_from;
    /* Records from this sequence on are invalid; UINT64_MAX: no limit. */
    uint64_t limit;
};

struct spare {
    bool ready, coming;
    uint64_t written;
    /* After a power cut the file may have its old name: sync the folder before writing. */
    bool was_segment;
};

/* The bytes that a torn write left in the open segment, or 0. The next write wipes them, or begins a new segment. */
struct torn {
    uint64_t from, to;
};

struct batch {
    struct hf_buf bytes;
    uint64_t first;
    uint64_t payload;
};

struct hf_spool_store {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng;
    uint64_t random;
    char *dir;
    uint64_t segment_bytes, max_bytes, reserve_bytes;
    enum hf_spool_full when_full;
    bool refuse_unreadable, only_drops;
    char stream[HF_SPOOL_STREAM_TEXT];
    bool doubt;                     /* damage: this stream could assign a sequence twice */
    int dir_fd, cursor_fd, open_fd; /* open_fd: last segment; -1: none is open to write */
    struct spare spare;
    bool links_count;
    struct segment *segments;
    size_t n, cap;
    struct hf_spool_cursor cursor;
    bool cursor_unconfirmed; /* read but not written since: a power cut may lose it */
    bool cursor_unnamed;
    /* sequence of the next record; highest durable or delivered sequence */
    uint64_t next, last;
    uint64_t jump_to;     /* sequence of the record that gets `jumps`, or 0 */
    uint64_t failed_from; /* sequence of the first record that a failed write may have left, or 0 */
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
HF_MUST_USE int hf_spool_copy(const struct hf_spool_store *store, int from, int to, uint64_t begin, uint64_t end,
                              struct hf_err *err);
HF_MUST_USE int hf_spool_zero(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                              struct hf_err *err);
/* Allocates [from, to) once more after a sync: only this fails if the file system's journal has stopped (folder.c). */
HF_MUST_USE int hf_spool_confirm(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                                 struct hf_err *err);
bool hf_spool_is_unlinked(const struct hf_spool_store *store, int fd);
HF_MUST_USE int hf_spool_add_segment(struct hf_spool_store *store, const struct segment *segment);
HF_MUST_USE int hf_spool_sync_folder(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_read_cursor(const struct hf_fs_ops *fs, int fd, struct hf_spool_cursor *ret_cursor);
HF_MUST_USE int hf_spool_load_cursor(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_save_cursor(struct hf_spool_store *store, uint64_t delivered, struct hf_err *err);
HF_MUST_USE int hf_spool_confirm_cursor(struct hf_spool_store *store, struct hf_err *err);
uint64_t hf_spool_bytes_used(const struct hf_spool_store *store);

uint64_t hf_spool_payload_estimate(const struct hf_spool_store *store, size_t i);
uint64_t hf_spool_waiting_bytes(const struct hf_spool_store *store);

bool hf_spool_disk_has_room(const struct hf_spool_store *store);
HF_MUST_USE int hf_spool_spare_now(struct hf_spool_store *store, struct hf_err *err);

HF_MUST_USE int hf_spool_recover(struct hf_spool_store *store, uint64_t used, struct hf_err *err);
