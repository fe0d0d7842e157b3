/* SPDX-License-Identifier: Apache-2.0 */
/* spool/store_impl.h - the inside of a store, shared by store.c, folder.c, recover.c, spare.c and waiting.c. Include
 * this header from pkg/spool only.
 *
 * folder.c works on the files; recover.c and spare.c call folder.c; store.c calls all the other files. Threads: see
 * store.h. */
#pragma once

#include <stdio.h>

#include "spool/store.h"

enum { HF_SPOOL_NAME_BYTES = 40, HF_SPOOL_ZERO_STEP = 64 * 1024 };

struct segment {
    uint64_t first;
    /* File offset at which the durable content ends. For segments of an earlier process, this is the highest possible
     * end until the store opens them for writing. */
    uint64_t end;
    uint64_t size; /* size of the file in bytes */
    /* file offset below which every block of the file was written, and not only allocated */
    uint64_t written;
    /* payload bytes in the content; an estimate for segments of an earlier process, unless the segment is open for
     * writing */
    uint64_t payload;
    uint32_t salt;
    uint64_t skip_from; /* field of the header */
    /* Records with this sequence or a higher one do not count: a later segment has them, or they are left over from a
     * failed write. For segments of this process `end` says the same. */
    uint64_t limit;
};

struct hf_spool_store {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* used only while the store opens */
    /* state of the generator for salts, which does not use `rng` because workers make salts too */
    uint64_t random;
    char *dir;
    uint64_t segment_bytes, max_bytes, reserve_bytes;
    enum hf_spool_full when_full;
    bool refuse_unreadable, only_drops; /* used only while the store opens */
    char stream[HF_SPOOL_STREAM_TEXT];
    /* true if damage or loss, found while opening the store, could make this stream assign a sequence twice */
    bool doubt;
    /* open_fd is the descriptor of the last segment, or -1 if no segment is open for writing */
    int dir_fd, cursor_fd, open_fd;
    bool spare_ready, spare_coming;
    uint64_t spare_written; /* value for segment.written when the spare becomes a segment */
    /* true if the spare was a segment before. After a power cut, the folder may still list the file under the segment's
     * name. So sync the folder before writing to the file. */
    bool spare_was_segment;
    bool links_count; /* true if the file system reports st_nlink 0 for deleted files */
    /* segments in the order of their first sequences; the last segment is open for writing unless open_fd is -1 */
    struct segment *segments;
    size_t n, cap;
    struct hf_spool_cursor cursor;
    /* true if `cursor` was read from the disk and not written since then, so that a power cut may still lose it */
    bool cursor_unconfirmed;
    bool cursor_unnamed; /* true if the file was made again, and its name is not durable yet */
    /* `next` is the sequence of the next record; `last` is the highest durable or delivered sequence */
    uint64_t next, last;
    /* sequence of the next record that gets the flag `jumps` of record.h (0 means none) */
    uint64_t jump_to;
    /* sequence of the first record that a failed write may have left in a segment since the last write that succeeded;
     * 0 if there is none */
    uint64_t failed_from;
    /* place in the open segment where the rest of a torn write begins and ends; the next write to that segment wipes it
     * first. Both are 0 if there is none. If the segment ends before, `failed_from` excludes the records there. */
    uint64_t torn_from, torn_to;
    uint64_t out_first; /* sequence of the first record in `out` */
    unsigned set_aside; /* number of damaged segments that stay in the folder for a person to examine */
    struct hf_buf out;
    uint64_t out_payload; /* payload bytes in `out` */
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

/* Returns the highest file offset at which the content can end; the copy of the segment's header begins there. */
static inline uint64_t content_limit(uint64_t file_bytes)
{
    return file_bytes > HF_SPOOL_SECTOR ? file_bytes - HF_SPOOL_SECTOR : 0;
}

HF_MUST_USE int hf_spool_write_at(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                                  const char *dir, struct hf_err *err);
/* Copies [begin, end) of a segment to the same offsets of the file `to`, which may be the same file. */
HF_MUST_USE int hf_spool_copy(const struct hf_spool_store *store, int from, int to, uint64_t begin, uint64_t end,
                              struct hf_err *err);
HF_MUST_USE int hf_spool_zero(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                              struct hf_err *err);
/* Call this function after a sync, to check that the file system's journal still works. Two changes need this journal:
 * the first write to an allocated block, and a new name. If the journal stops after an error, ext4 drops such a change,
 * and fsync may still return 0. This function therefore allocates [from, to) of the file, which is already allocated, a
 * second time. The second allocation fails if the journal has stopped. If the second allocation succeeds, the journal
 * also worked during the sync. */
HF_MUST_USE int hf_spool_confirm(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                                 struct hf_err *err);
bool hf_spool_is_unlinked(const struct hf_spool_store *store, int fd);
HF_MUST_USE int hf_spool_add_segment(struct hf_spool_store *store, const struct segment *segment);
HF_MUST_USE int hf_spool_sync_folder(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_read_cursor(const struct hf_fs_ops *fs, int fd, struct hf_spool_cursor *ret_cursor);
HF_MUST_USE int hf_spool_load_cursor(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_save_cursor(struct hf_spool_store *store, uint64_t delivered, struct hf_err *err);
/* If the cursor was loaded and not written since then, writes it once more, into its slot. hf_spool_save_cursor() does
 * this first. */
HF_MUST_USE int hf_spool_confirm_cursor(struct hf_spool_store *store, struct hf_err *err);
uint64_t hf_spool_bytes_used(const struct hf_spool_store *store);

/* waiting.c: hf_spool_payload_estimate() returns an estimate of the payload bytes in segment i.
 * hf_spool_waiting_bytes() returns approximately the number of payload bytes in the whole store that are not
 * delivered. */
uint64_t hf_spool_payload_estimate(const struct hf_spool_store *store, size_t i);
uint64_t hf_spool_waiting_bytes(const struct hf_spool_store *store);

/* spare.c: returns true if at least reserve_bytes stay free on the file system after one more segment, or if the free
 * space is unknown. */
bool hf_spool_disk_has_room(const struct hf_spool_store *store);
/* spare.c: makes a spare file quickly. It allocates the file but does not fill it with zeros, because that would take
 * long. */
HF_MUST_USE int hf_spool_spare_now(struct hf_spool_store *store, struct hf_err *err);

/* recover.c: repairs what a crash left in the folder, and fills the store from the folder. `used` is the field of
 * struct hf_spool_store_params. */
HF_MUST_USE int hf_spool_recover(struct hf_spool_store *store, uint64_t used, struct hf_err *err);
