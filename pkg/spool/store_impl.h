/* spool/store_impl.h - what store.c, recover.c and spare.c share. Not for others. */
#pragma once

#include <stdio.h>

#include "spool/store.h"

enum { HF_SPOOL_NAME_BYTES = 40, HF_SPOOL_ZERO_STEP = 64 * 1024 };

struct segment {
    uint64_t first;
    uint64_t end;  /* durable content ends here; for segments found at open and not the last: where content could end */
    uint64_t size; /* of the file */
    uint64_t written; /* before it every block is known to be written on the disk, not only allocated */
    uint64_t payload; /* bytes of it in the content; about, for sealed segments found at open */
    uint32_t salt;
};

struct hf_spool_store {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng; /* while opening only */
    uint64_t random;               /* of the salts: writing happens on workers, which may not use rng */
    char *dir;
    uint64_t segment_bytes, max_bytes;
    enum hf_spool_full when_full;
    char stream[HF_SPOOL_STREAM_TEXT];
    bool doubt;                     /* open could not prove that no sequence is given a second time */
    int dir_fd, cursor_fd, open_fd; /* open_fd: the last segment's, -1 when there is none to write to */
    bool spare_ready, spare_coming;
    uint64_t spare_written; /* as of a segment */
    bool
        spare_was_segment; /* and the folder may still call it so after a power cut: nothing goes into it before a sync */
    bool links_count;      /* st_nlink 0 means deleted here */
    struct segment *segments; /* by first sequence; the last one is written to while open_fd is not -1 */
    size_t n, cap;
    struct hf_spool_cursor cursor;
    uint64_t next, last; /* last: durable, or delivered */
    uint64_t jump_to;    /* 0, or the sequence whose record says that those before it were passed over */
    unsigned set_aside;  /* damaged segments that lie in the folder for a person to look at */
    struct hf_buf out;
    uint64_t out_payload; /* bytes of it in `out` */
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

/* Content may go up to here: behind it is the header's copy. */
static inline uint64_t content_limit(uint64_t file_bytes)
{
    return file_bytes > HF_SPOOL_SECTOR ? file_bytes - HF_SPOOL_SECTOR : 0;
}

HF_MUST_USE int hf_spool_write_at(const struct hf_fs_ops *fs, int fd, const void *bytes, size_t n, uint64_t offset,
                                  const char *dir, struct hf_err *err);
HF_MUST_USE int hf_spool_zero(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                              struct hf_err *err);
/* Does the file system still note changes? To write to a block that was only allocated, or to give a file a name, is a change; where the
 * journal goes before it is noted, as after an error, ext4 forgets it and may say 0 to the sync all the same. So, after the sync,
 * [from, to) of the file, which is allocated already, is allocated once more: that needs the journal, and when it is there now it was
 * there during the sync. */
HF_MUST_USE int hf_spool_confirm(const struct hf_fs_ops *fs, int fd, uint64_t from, uint64_t to, const char *dir,
                                 struct hf_err *err);
bool hf_spool_is_unlinked(const struct hf_spool_store *store, int fd);
HF_MUST_USE int hf_spool_add_segment(struct hf_spool_store *store, const struct segment *segment);
HF_MUST_USE int hf_spool_sync_folder(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_read_cursor(const struct hf_fs_ops *fs, int fd, struct hf_spool_cursor *ret_cursor);
HF_MUST_USE int hf_spool_load_cursor(struct hf_spool_store *store, struct hf_err *err);
HF_MUST_USE int hf_spool_save_cursor(struct hf_spool_store *store, uint64_t delivered, struct hf_err *err);
uint64_t hf_spool_bytes_used(const struct hf_spool_store *store);

/* waiting.c: of segment i, where nothing better is known; of all that is not delivered. */
uint64_t hf_spool_payload_estimate(const struct hf_spool_store *store, size_t i);
uint64_t hf_spool_waiting_bytes(const struct hf_spool_store *store);

/* spare.c: have a spare file now, without writing zeros: nobody waits for that. */
HF_MUST_USE int hf_spool_spare_now(struct hf_spool_store *store, struct hf_err *err);

/* recover.c */
HF_MUST_USE int hf_spool_recover(struct hf_spool_store *store, uint64_t used, struct hf_err *err);
