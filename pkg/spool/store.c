/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of segments. `segments` is ordered by first sequence; the last one is open for writing, unless none is.
 *
 *   write:   encode into `out` with the salt of the open segment -> pwrite -> fdatasync -> move the durable end;
 *            where blocks are allocated only, write zeros ahead in steps: records go into written blocks alone
 *   roll:    seal the open segment, rename the spare to <next>.seg under a new salt, sync the folder
 *   failed:  poison the open segment (seal it at its durable end) and write the others to a new one, once
 *   deleted: write a segment that somebody unlinked again from its open descriptor
 *   deliver: write and sync a cursor slot -> reuse the oldest segments as spare or remove them, except for the last
 * one */
#include "spool/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/hex.h"
#include "base/parse.h"
#include "os/dir.h"
#include "os/file.h"
#include "spool/scan.h"
#include "spool/segment.h"
#include "spool/store_impl.h"

enum { OUT_BYTES = 256 * 1024, SEGMENTS_OF_A_SPOOL = 16 };

/* ---- segments ---------------------------------------------------------------------------------------------------- */

/* What holds between two calls, whatever the disk did. */
static void check(struct hf_spool_store *store)
{
    HF_UNUSED const struct segment *last = last_segment(store);

    assert(store->n <= HF_SPOOL_MAX_SEGMENTS);
    if (store->open_fd >= 0) {
        assert(last != NULL && last->end >= HF_SPOOL_CONTENT && last->end <= content_limit(last->size));
        assert(last->end <= last->written || last->end == HF_SPOOL_CONTENT);
    }
    assert(store->torn.to == 0 || (store->open_fd >= 0 && store->torn.from <= store->torn.to));
    assert(last == NULL || last->first <= store->next);
    assert(store->n == 0 || store->segments != NULL);
    for (size_t i = 1; i < store->n; i++)
        assert(store->segments[i - 1].first < store->segments[i].first);
    assert(store->cursor.delivered < store->next && store->last < store->next); /* no number is used twice */
    assert(store->out.bytes.n == 0);
}

static void forget_segment(struct hf_spool_store *store, size_t i)
{
    assert(i < store->n);
    store->n--;
    memmove(store->segments + i, store->segments + i + 1, (store->n - i) * sizeof(*store->segments));
}

void hf_spool_dropped_add(struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS], uint32_t tag, uint64_t records)
{
    size_t i = 0;

    while (i + 1 < HF_SPOOL_MAX_TAGS && dropped[i].records > 0 && dropped[i].tag != tag)
        i++;
    if (dropped[i].records == 0)
        dropped[i].tag = tag;
    dropped[i].records += records;
}

/* Begins a scan of the segment's content. The caller ends it and closes *ret_fd. */
static int scan_segment(const struct hf_spool_store *store, const struct segment *segment, struct hf_spool_scan *scan,
                        int *ret_fd)
{
    char name[HF_SPOOL_NAME_BYTES];

    segment_name(segment->first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, name, O_RDONLY, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return fd;
    hf_spool_scan_init(scan, store->fs, fd, segment->salt, HF_SPOOL_CONTENT, segment->end);
    *ret_fd = fd;
    return 0;
}

/* True if the writer skipped the numbers before the segment's first record, or if that record cannot be read. */
static bool begins_with_jump(const struct hf_spool_store *store, const struct segment *segment)
{
    struct hf_spool_record record = {.jumps = true};
    struct hf_spool_scan scan;
    int fd;

    if (scan_segment(store, segment, &scan, &fd) < 0)
        return true;
    bool jumps = hf_spool_scan_next(&scan, &record, NULL) <= 0 || record.jumps || record.sequence != segment->first;
    hf_spool_scan_done(&scan);
    (void)store->fs->close(store->fs->ctx, fd);
    return jumps;
}

/* Counts by tag the records of a segment above the cursor and below `limit`, and the missing ones between them. Returns
 * the last sequence. */
static uint64_t count_segment(struct hf_spool_store *store, const struct segment *segment, uint64_t limit)
{
    struct hf_spool_scan scan;
    struct hf_spool_record record;
    uint64_t last = store->cursor.delivered, lost = 0;
    int fd;

    if (scan_segment(store, segment, &scan, &fd) < 0)
        return last;
    for (;;) {
        int r = hf_spool_scan_next(&scan, &record, NULL);
        if (r <= 0)
            r = hf_spool_scan_resync(&scan, last, NULL) == 1 ? hf_spool_scan_next(&scan, &record, NULL) : 0;
        if (r <= 0)
            break;
        if (record.sequence > last && record.sequence < limit) {
            hf_spool_dropped_add(store->dropped, record.tag, 1);
            lost += record.jumps ? 0 : record.sequence - last - 1;
            last = record.sequence;
        }
    }
    hf_spool_scan_done(&scan);
    (void)store->fs->close(store->fs->ctx, fd);
    if (lost > 0)
        hf_spool_dropped_add(store->dropped, HF_SPOOL_TAG_LOST, lost);
    return last;
}

static void seal(struct hf_spool_store *store)
{
    if (store->open_fd >= 0)
        (void)store->fs->close(store->fs->ctx, store->open_fd);
    store->open_fd = -1;
    store->torn.from = store->torn.to = 0;
}

/* Removes the oldest segment, or makes it the spare if there is none and its size is right. */
static int retire_oldest(struct hf_spool_store *store, struct hf_err *err)
{
    bool reuse = !store->spare.ready && store->segments[0].size == store->segment_bytes;
    char name[HF_SPOOL_NAME_BYTES];

    assert(store->n > 1 || store->open_fd < 0); /* never the one that is written */
    segment_name(store->segments[0].first, name);
    int r = reuse ? store->fs->renameat(store->fs->ctx, store->dir_fd, name, store->dir_fd, "spare.seg")
                  : store->fs->unlinkat(store->fs->ctx, store->dir_fd, name, 0);
    if (r < 0 && r != -ENOENT)
        return hf_err_sys(err, r, "retire '%s/%s'", store->dir, name);
    if (reuse && r == 0) {
        store->spare.ready = store->spare.was_segment = true;
        store->spare.written = store->segments[0].written;
    }
    forget_segment(store, 0);
    return 0;
}

static int drop_oldest(struct hf_spool_store *store, struct hf_err *err)
{
    uint64_t limit = store->n > 1 ? store->segments[1].first : store->next;
    uint64_t last = count_segment(store, &store->segments[0], HF_MIN(limit, store->segments[0].limit));
    if (last + 1 < limit && store->n > 1 && !begins_with_jump(store, &store->segments[1]))
        hf_spool_dropped_add(store->dropped, HF_SPOOL_TAG_LOST, limit - last - 1);

    if (store->n == 1)
        seal(store);
    int r = hf_spool_save_cursor(store, HF_MAX(HF_MAX(last, limit - 1), store->cursor.delivered), err);
    return r < 0 ? r : retire_oldest(store, err);
}

/* True if the oldest segment holds delivered records only. */
static bool oldest_is_delivered(const struct hf_spool_store *store)
{
    return store->n > 1 && store->segments[1].first <= store->cursor.delivered + 1;
}

int hf_spool_store_drop_oldest(struct hf_spool_store *store, struct hf_err *err)
{
    int r = store->n > 0 ? hf_spool_confirm_cursor(store, err) : 0;

    if (r < 0 || store->n == 0)
        return r;
    return oldest_is_delivered(store) ? retire_oldest(store, err) : drop_oldest(store, err);
}

/* Gives up the oldest segment: a delivered one first, another one only if the policy is to drop the oldest; else
 * returns `why`. */
static int give_up_oldest(struct hf_spool_store *store, int why, struct hf_err *err)
{
    if (oldest_is_delivered(store))
        return retire_oldest(store, err);
    return store->when_full == HF_SPOOL_DROP_OLDEST && store->n > 0 ? drop_oldest(store, err) : why;
}

static bool limits_allow_segment(const struct hf_spool_store *store)
{
    return hf_spool_bytes_used(store) + store->segment_bytes <= store->max_bytes && store->n < HF_SPOOL_MAX_SEGMENTS;
}

/* Makes sure that there is a spare. */
static int make_room(struct hf_spool_store *store, struct hf_err *err)
{
    int r = 0;

    while (!store->spare.ready && !limits_allow_segment(store)) {
        r = give_up_oldest(store, -EAGAIN, err);
        if (r == -EAGAIN)
            return hf_err_set(err, EAGAIN, "spool '%s' is full: %" PRIu64 " of %" PRIu64 " bytes", store->dir,
                              hf_spool_bytes_used(store), store->max_bytes);
        if (r < 0)
            return r;
    }
    while (!store->spare.ready) {
        r = hf_spool_disk_has_room(store)
                ? hf_spool_spare_now(store, err)
                : hf_err_set(err, EAGAIN, "spool '%s' is full: %" PRIu64 " bytes of its disk must stay free",
                             store->dir, store->reserve_bytes);
        if (r == -ENOSPC || r == -EAGAIN)
            r = give_up_oldest(store, r, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Writes both headers of a new segment. */
static int write_headers(struct hf_spool_store *store, int fd, const struct segment *segment, struct hf_err *err)
{
    struct hf_spool_header header = {
        .salt = segment->salt, .size = segment->size, .first = segment->first, .skip_from = segment->skip_from};
    unsigned char bytes[HF_SPOOL_SEGMENT_HEADER];

    int r = hf_hex_decode(store->stream, header.stream, sizeof(header.stream));
    assert(r == 0);
    hf_spool_header_format(&header, bytes);
    r = hf_spool_write_at(store->fs, fd, bytes, sizeof(bytes), 0, store->dir, err);
    if (r == 0)
        r = hf_spool_write_at(store->fs, fd, bytes, sizeof(bytes), content_limit(segment->size), store->dir, err);
    if (r == 0 && (r = store->fs->fdatasync(store->fs->ctx, fd)) < 0)
        (void)hf_err_sys(err, r, "sync a segment of '%s'", store->dir);
    return r;
}

/* Syncs the folder first: a power cut could give the file its old name back, and with a new header it would be a
 * damaged segment. */
static int open_spare(struct hf_spool_store *store, struct hf_err *err)
{
    int r = store->spare.was_segment ? hf_spool_sync_folder(store, err) : 0;

    if (r < 0)
        return r;
    store->spare.ready = false;
    return store->fs->openat(store->fs->ctx, store->dir_fd, "spare.seg", O_RDWR, 0, HF_FS_NO_SYMLINKS);
}

/* Seals the open segment; returns the descriptor of a new one, still named spare.seg. */
static int take_spare(struct hf_spool_store *store, struct hf_err *err)
{
    int fd = -ENOENT;

    /* somebody may have deleted the spare */
    for (int tries = 0; fd == -ENOENT && tries < 2; tries++) {
        int r = make_room(store, err);
        if (r < 0)
            return r;
        seal(store);
        fd = open_spare(store, err);
    }
    return fd < 0 ? hf_err_sys(err, fd, "open '%s/spare.seg'", store->dir) : fd;
}

/* Gives the spare (open as fd) its segment name durably. */
static int name_spare(struct hf_spool_store *store, int fd, const char *name, struct hf_err *err)
{
    int r = store->fs->renameat(store->fs->ctx, store->dir_fd, "spare.seg", store->dir_fd, name);

    if (r < 0)
        return hf_err_sys(err, r, "begin '%s/%s'", store->dir, name);
    r = hf_spool_sync_folder(store, err);
    return r < 0 ? r : hf_spool_confirm(store->fs, fd, 0, HF_SPOOL_CONTENT, store->dir, err);
}

/* Seals the open segment and begins one with the sequence `store->next`. */
static int roll(struct hf_spool_store *store, struct hf_err *err)
{
    struct segment segment = {.first = store->next,
                              .end = HF_SPOOL_CONTENT,
                              .size = store->segment_bytes,
                              .salt = (uint32_t)hf_rand_mix_u64(&store->random),
                              .skip_from = store->failed_from,
                              .limit = UINT64_MAX};
    char name[HF_SPOOL_NAME_BYTES];

    if (hf_spool_is_unlinked(store, store->open_fd) || hf_spool_is_unlinked(store, store->dir_fd))
        (void)!hf_spool_store_check(store, NULL); /* a failure shows below */
    int fd = take_spare(store, err);
    if (fd < 0)
        return fd;
    segment.written = store->spare.written;
    segment_name(segment.first, name);
    int r = write_headers(store, fd, &segment, err);
    if (r == 0)
        r = name_spare(store, fd, name, err);
    /* One of that name, of which nothing could be read, has been replaced. */
    if (r == 0 && store->n > 0 && last_segment(store)->first == segment.first)
        forget_segment(store, store->n - 1);
    if (r == 0)
        r = hf_spool_add_segment(store, &segment);
    if (r < 0) {
        (void)store->fs->close(store->fs->ctx, fd);
        return r;
    }
    assert(store->open_fd < 0);
    store->open_fd = fd;
    /* Saved before the segment's first record, so that a folder without this segment shows the loss. If it fails, only
     * that check is lost. */
    store->cursor.newest = segment.first;
    (void)!hf_spool_save_cursor(store, store->cursor.delivered, NULL);
    return 0;
}

/* ---- what was deleted under us ----------------------------------------------------------------------------------- */

/* If the folder itself was deleted, makes it again with the same stream id, because the sequences continue. */
static int revive_folder(struct hf_spool_store *store, struct hf_err *err)
{
    if (!hf_spool_is_unlinked(store, store->dir_fd))
        return 0;
    int r = hf_dir_make(store->fs, store->dir, 0700, err);
    if (r < 0)
        return r;
    int fd = store->fs->openat(store->fs->ctx, AT_FDCWD, store->dir, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", store->dir);
    (void)store->fs->close(store->fs->ctx, store->dir_fd);
    store->dir_fd = fd;
    store->spare.ready = false;
    r = hf_spool_stream_store(store->fs, store->dir, store->stream, err);
    return r < 0 ? r : hf_spool_save_cursor(store, store->cursor.delivered, err);
}

/* The open segment's file was deleted: copies its content from the open descriptor into a new file. */
static int rescue(struct hf_spool_store *store, struct hf_err *err)
{
    struct segment *segment = last_segment(store);
    char name[HF_SPOOL_NAME_BYTES];

    int r = revive_folder(store, err);
    if (r == 0 && !store->spare.ready)
        r = hf_spool_spare_now(store, err);
    if (r < 0)
        return r;
    segment_name(segment->first, name);
    int fd = open_spare(store, err);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s/spare.seg'", store->dir);
    segment->size = store->segment_bytes;
    segment->written = HF_MAX(store->spare.written, segment->end);
    r = segment->end <= content_limit(segment->size)
            ? hf_spool_copy(store, store->open_fd, fd, HF_SPOOL_CONTENT, segment->end, err)
            : -EFBIG;
    if (r == 0)
        r = write_headers(store, fd, segment, err);
    if (r == 0)
        r = name_spare(store, fd, name, err);
    if (r < 0) {
        (void)store->fs->close(store->fs->ctx, fd);
        return r;
    }
    seal(store);
    store->open_fd = fd;
    return 0;
}

/* Forgets the last segment. The next one's header must repeat what its header says of earlier segments. */
static void forget_last(struct hf_spool_store *store)
{
    uint64_t skip_from = last_segment(store)->skip_from;

    if (skip_from != 0)
        store->failed_from = store->failed_from != 0 ? HF_MIN(store->failed_from, skip_from) : skip_from;
    store->n--;
}

/* Gives up a deleted open segment that could not be copied. */
static void lose_open(struct hf_spool_store *store)
{
    store->stats.lost++;
    seal(store);
    forget_last(store);
}

/* True if the open segment's name is gone or belongs to another file. */
static bool open_is_gone(struct hf_spool_store *store)
{
    struct stat ours, theirs;
    char name[HF_SPOOL_NAME_BYTES];

    if (store->open_fd < 0)
        return false;
    segment_name(last_segment(store)->first, name);
    int r = store->fs->fstatat(store->fs->ctx, store->dir_fd, name, &theirs, 0);
    return r == -ENOENT || (r == 0 && store->fs->fstat(store->fs->ctx, store->open_fd, &ours) == 0 &&
                            (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev));
}

/* True if a sealed segment's file is gone or is another one. */
static bool sealed_is_gone(struct hf_spool_store *store, const struct segment *segment)
{
    struct hf_spool_segment found;
    char name[HF_SPOOL_NAME_BYTES];

    segment_name(segment->first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, name, O_RDONLY | O_NONBLOCK, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return fd == -ENOENT;
    int r = hf_spool_segment_read(store->fs, fd, segment->first, &found);
    (void)store->fs->close(store->fs->ctx, fd);
    return r == 0 && found.header.salt != segment->salt;
}

int hf_spool_store_check(struct hf_spool_store *store, struct hf_err *err)
{
    int r = revive_folder(store, err);

    if (open_is_gone(store)) {
        r = rescue(store, err);
        if (r < 0)
            lose_open(store);
    }
    for (size_t i = store->n; i-- > 0;) {
        bool open = i + 1 == store->n && store->open_fd >= 0;
        if (!open && sealed_is_gone(store, &store->segments[i])) {
            forget_segment(store, i);
            store->stats.lost++;
        }
    }
    return r;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Removes the last segment, which has no durable content. The cursor says so first, or the next process would take the
 * segment for lost. While the disk refuses that, the file stays, and opening finds it. */
static void remove_empty(struct hf_spool_store *store)
{
    uint64_t first = last_segment(store)->first, newest = store->cursor.newest;
    char name[HF_SPOOL_NAME_BYTES];

    forget_last(store);
    store->cursor.newest = store->n > 0 ? last_segment(store)->first : 0;
    if (hf_spool_save_cursor(store, store->cursor.delivered, NULL) < 0) {
        store->cursor.newest = newest;
        return;
    }
    segment_name(first, name);
    (void)store->fs->unlinkat(store->fs->ctx, store->dir_fd, name, 0);
}

/* After a failed write or sync the file's content is unknown (the kernel may have dropped the pages), so write nothing
 * more to it. */
static void poison(struct hf_spool_store *store)
{
    store->stats.poisoned++;
    seal(store);
    if (last_segment(store)->end == HF_SPOOL_CONTENT)
        remove_empty(store);
}

static void clear_out(struct hf_spool_store *store)
{
    hf_buf_clear(&store->out.bytes);
    store->out.payload = 0;
}

/* Writes zeros up to `end` and syncs them, before records go there. */
static int prepare_until(struct hf_spool_store *store, struct segment *segment, uint64_t end, struct hf_err *err)
{
    if (end <= segment->written)
        return 0;
    uint64_t from = segment->written, to = HF_MAX(hf_spool_align(end), from + HF_SPOOL_ZERO_STEP);
    to = HF_MIN(to, content_limit(segment->size));
    int r = hf_spool_zero(store->fs, store->open_fd, from, to, store->dir, err);
    if (r == 0 && (r = store->fs->fdatasync(store->fs->ctx, store->open_fd)) < 0)
        (void)hf_err_sys(err, r, "sync a segment of '%s'", store->dir);
    if (r == 0)
        r = hf_spool_confirm(store->fs, store->open_fd, from, to, store->dir, err);
    if (r == 0)
        segment->written = to;
    return r;
}

/* Wipes what a torn write left behind the content. */
static int wipe_torn(struct hf_spool_store *store, struct hf_err *err)
{
    if (store->torn.to == 0)
        return 0;
    int r = hf_spool_zero(store->fs, store->open_fd, store->torn.from, store->torn.to, store->dir, err);
    if (r == 0 && (r = store->fs->fdatasync(store->fs->ctx, store->open_fd)) < 0)
        (void)hf_err_sys(err, r, "sync a segment of '%s'", store->dir);
    if (r == 0)
        store->torn.from = store->torn.to = 0;
    return r;
}

/* Writes `out` durably behind the open segment's content. */
static int flush(struct hf_spool_store *store, struct hf_err *err)
{
    struct segment *segment = last_segment(store);

    if (store->out.bytes.n == 0)
        return 0;
    int r = wipe_torn(store, err);
    if (r == 0)
        r = prepare_until(store, segment, segment->end + store->out.bytes.n, err);
    if (r == 0)
        r = hf_spool_write_at(store->fs, store->open_fd, store->out.bytes.p, store->out.bytes.n, segment->end,
                              store->dir, err);
    if (r == 0) {
        r = store->fs->fdatasync(store->fs->ctx, store->open_fd);
        if (r < 0)
            (void)hf_err_sys(err, r, "sync a segment of '%s'", store->dir);
    }
    if (r < 0) {
        store->failed_from = store->failed_from != 0 ? store->failed_from : store->out.first;
        poison(store);
    } else {
        store->failed_from = 0;
        assert(segment->end + store->out.bytes.n <= segment->written); /* into written blocks alone */
        segment->end = hf_spool_align(segment->end + store->out.bytes.n);
        segment->payload += store->out.payload;
        /* Synced data in an unlinked file is not durable. */
        if (hf_spool_is_unlinked(store, store->open_fd) && (r = rescue(store, err)) < 0) {
            store->stats.poisoned++;
            lose_open(store);
        }
    }
    clear_out(store);
    return r;
}

/* True if a segment can begin and nothing has to be dropped for it. A torn tail then stays: once it is wiped, nothing
 * tells which sequences are used up, should the process end before its write. */
static bool may_begin(const struct hf_spool_store *store)
{
    return store->spare.ready || (limits_allow_segment(store) && hf_spool_disk_has_room(store));
}

static bool fits(struct hf_spool_store *store, const struct hf_spool_record *record)
{
    struct segment *segment = last_segment(store);

    if (store->torn.to != 0 && store->out.bytes.n == 0 && may_begin(store))
        return false;
    return segment != NULL && store->open_fd >= 0 &&
           segment->end + store->out.bytes.n + hf_spool_record_bytes(record->payload.n) <= content_limit(segment->size);
}

/* Writes records[*done..n); *done is the number of durable records. */
static int write_from(struct hf_spool_store *store, struct hf_spool_record *records, size_t n, size_t *done,
                      struct hf_err *err)
{
    size_t i = *done;

    clear_out(store);
    while (i < n) {
        int r = 0;
        size_t whole = hf_spool_record_bytes(records[i].payload.n);
        if (!fits(store, &records[i]) || store->out.bytes.n + whole > store->out.bytes.max) {
            r = flush(store, err);
            if (r == 0)
                *done = i;
            if (r == 0 && !fits(store, &records[i]))
                r = roll(store, err);
        }
        if (r < 0)
            return r;
        assert(store->open_fd >= 0 && store->next >= last_segment(store)->first);
        records[i].sequence = store->next;
        records[i].begins = store->out.bytes.n == 0;
        store->out.first = records[i].begins ? records[i].sequence : store->out.first;
        records[i].jumps = records[i].sequence == store->jump_to;
        r = hf_spool_record_format(&records[i], last_segment(store)->salt, &store->out.bytes);
        if (r < 0)
            return hf_err_set(err, -r, "record of %zu bytes does not fit a segment of the spool", records[i].payload.n);
        store->out.payload += records[i].payload.n;
        store->next++;
        i++;
    }
    int r = flush(store, err);
    if (r == 0)
        *done = n;
    return r;
}

int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n, size_t *ret_done,
                         struct hf_err *err)
{
    *ret_done = 0;
    if (n > HF_SPOOL_MAX_WRITE)
        return hf_err_set(err, EINVAL, "%zu records in one write are too many", n);
    for (size_t i = 0; i < n; i++)
        if (!hf_spool_fits(store->segment_bytes, records[i].payload.n))
            return hf_err_set(err, E2BIG, "record of %zu bytes does not fit a segment of the spool",
                              records[i].payload.n);
    uint64_t poisoned = store->stats.poisoned;
    uint64_t sequence = store->next;
    int r = write_from(store, records, n, ret_done, err);
    if (r < 0 && store->stats.poisoned > poisoned) {
        /* Write the others once more to a new segment, under the same sequences; a reader that finds a record in both
         * takes one. */
        uint64_t reached = store->next;
        store->next = sequence + *ret_done;
        r = write_from(store, records, n, ret_done, err);
        store->next = HF_MAX(store->next, reached);
    }
    if (r < 0 && store->next > sequence + *ret_done) /* nobody has the numbers of the records that failed: no loss */
        store->jump_to = store->next;
    if (*ret_done > 0)
        store->last = records[*ret_done - 1].sequence;
    if (store->out.bytes.cap > OUT_BYTES)
        hf_buf_done(&store->out.bytes);
    assert(*ret_done <= n && (r < 0 || *ret_done == n));
    if (r == 0)
        check(store);
    return r;
}

/* True if the store may forget the oldest segment: the segments behind it are delivered too, and hold what
 * hf_spool_recent() needs. A segment that ended with a failed write may hold next to nothing: the next one has
 * skip_from. */
static bool is_past(const struct hf_spool_store *store)
{
    size_t delivered = 0, whole = 0;

    while (delivered + 2 < store->n && store->segments[delivered + 2].first <= store->cursor.delivered + 1) {
        delivered++;
        whole += store->segments[delivered + 1].skip_from == 0;
    }
    return whole >= HF_SPOOL_PAST || delivered >= HF_SPOOL_PAST_MAX;
}

int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err)
{
    if (sequence >= store->next)
        return hf_err_set(err, EINVAL, "sequence %" PRIu64 " was never written", sequence);
    if (sequence <= store->cursor.delivered)
        return 0;
    int r = hf_spool_save_cursor(store, sequence, err);
    bool retired = false;
    while (r == 0 && is_past(store)) {
        r = retire_oldest(store, err);
        retired = true;
    }
    assert(r < 0 || store->cursor.delivered == sequence);
    if (r == 0)
        check(store);
    return r == 0 && retired ? hf_spool_sync_folder(store, err) : r;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

const char *hf_spool_store_stream(const struct hf_spool_store *store)
{
    return store->stream;
}

void hf_spool_store_trim(struct hf_spool_store *store)
{
    hf_buf_done(&store->out.bytes);
}

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store)
{
    struct hf_spool_stats stats = store->stats;

    stats.next = store->next;
    stats.last = store->last;
    stats.delivered = store->cursor.delivered;
    stats.bytes = hf_spool_bytes_used(store);
    stats.waiting = hf_spool_waiting_bytes(store);
    stats.segments = store->n;
    stats.set_aside = store->set_aside;
    return stats;
}

void hf_spool_store_take_dropped(struct hf_spool_store *store, struct hf_spool_dropped ret[HF_SPOOL_MAX_TAGS + 1])
{
    memcpy(ret, store->dropped, sizeof(store->dropped));
    ret[HF_SPOOL_MAX_TAGS] = (struct hf_spool_dropped){0};
    memset(store->dropped, 0, sizeof(store->dropped));
}

size_t hf_spool_store_extents(const struct hf_spool_store *store, uint64_t from, struct hf_spool_extent *ret,
                              size_t max)
{
    size_t found = 0;

    for (size_t i = 0; i < store->n && found < max; i++) {
        bool over = i + 1 < store->n && store->segments[i + 1].first <= from;
        if (!over)
            ret[found++] = (struct hf_spool_extent){.first = store->segments[i].first,
                                                    .end = store->segments[i].end,
                                                    .limit = store->segments[i].limit,
                                                    .salt = store->segments[i].salt,
                                                    .last = i + 1 == store->n};
    }
    return found;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

uint64_t hf_spool_segment_bytes(uint64_t max_bytes)
{
    uint64_t bytes = max_bytes / SEGMENTS_OF_A_SPOOL / HF_SPOOL_MIN_SEGMENT_BYTES * HF_SPOOL_MIN_SEGMENT_BYTES;

    return HF_MAX(HF_MIN(bytes, (uint64_t)HF_SPOOL_SEGMENT_BYTES), (uint64_t)HF_SPOOL_MIN_SEGMENT_BYTES);
}

bool hf_spool_fits(uint64_t segment_bytes, size_t payload)
{
    return payload <= HF_SPOOL_MAX_PAYLOAD &&
           HF_SPOOL_CONTENT + hf_spool_record_bytes(payload) <= content_limit(segment_bytes);
}

int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                        struct hf_err *err)
{
    uint64_t segment_bytes =
        params->segment_bytes != 0 ? params->segment_bytes : hf_spool_segment_bytes(params->max_bytes);

    if (segment_bytes < HF_SPOOL_MIN_SEGMENT_BYTES || segment_bytes % 4096 != 0 ||
        params->max_bytes < 3 * segment_bytes)
        return hf_err_set(err, EINVAL, "spool '%s': segments of %" PRIu64 " bytes do not fit %" PRIu64, params->dir,
                          segment_bytes, params->max_bytes);
    _cleanup_(hf_spool_store_freep) struct hf_spool_store *store = calloc(1, sizeof(*store));
    if (store == NULL)
        return hf_err_set(err, ENOMEM, "open spool '%s'", params->dir);
    *store = (struct hf_spool_store){
        .fs = params->fs,
        .rng = params->rng,
        .random = params->rng->u64(params->rng->ctx),
        .dir = strdup(params->dir),
        .segment_bytes = segment_bytes,
        .max_bytes = params->max_bytes,
        .reserve_bytes = params->reserve_bytes,
        .when_full = params->when_full,
        .refuse_unreadable = params->refuse_unreadable,
        .only_drops = params->only_drops,
        .dir_fd = -1,
        .cursor_fd = -1,
        .open_fd = -1,
        .out.bytes = HF_BUF_INIT(HF_MAX((size_t)OUT_BYTES, (size_t)HF_SPOOL_MAX_PAYLOAD + HF_SPOOL_RECORD_HEADER)),
    };
    if (store->dir == NULL)
        return hf_err_set(err, ENOMEM, "open spool '%s'", params->dir);
    int r = hf_spool_recover(store, params->used, err);
    if (r < 0)
        return hf_err_wrap(err, r, "open spool '%s'", params->dir);
    check(store);
    *ret_store = hf_steal(store);
    return 0;
}

static void close_fd(const struct hf_fs_ops *fs, int fd)
{
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
}

void hf_spool_store_free(struct hf_spool_store *store)
{
    if (store == NULL)
        return;
    close_fd(store->fs, store->open_fd);
    close_fd(store->fs, store->cursor_fd);
    close_fd(store->fs, store->dir_fd);
    hf_buf_done(&store->out.bytes);
    free(store->segments);
    free(store->dir);
    free(store);
}
