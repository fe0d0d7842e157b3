/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a folder after a crash, a power cut or damage (FORMAT.md, "Recovery"). */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "os/dir.h"
#include "spool/scan.h"
#include "spool/segment.h"
#include "spool/store_impl.h"

enum { KEEP_DAMAGED = 4 };

static const char damaged_suffix[] = ".damaged";

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static int compare_segments(const void *a, const void *b)
{
    uint64_t x = ((const struct segment *)a)->first, y = ((const struct segment *)b)->first;

    return x < y ? -1 : x > y;
}

static int see_name(void *arg, const char *name, unsigned char type)
{
    struct hf_spool_store *store = arg;
    struct segment segment = {.first = hf_spool_segment_of_name(name)};
    size_t n = strlen(name);

    (void)type;
    store->set_aside +=
        n > sizeof(damaged_suffix) && strcmp(name + n + 1 - sizeof(damaged_suffix), damaged_suffix) == 0;
    if (segment.first == 0)
        return 0;
    return store->n >= HF_SPOOL_MAX_SEGMENTS ? -E2BIG : hf_spool_add_segment(store, &segment);
}

/* Fills in the segment from its header: 0, -EBADMSG, or -EOPNOTSUPP (a later version of the format). */
static int read_header(struct hf_spool_store *store, struct segment *segment)
{
    struct hf_spool_segment found;
    char name[HF_SPOOL_NAME_BYTES];

    segment_name(segment->first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, name, O_RDONLY | O_NONBLOCK, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return fd;
    int r = hf_spool_segment_read(store->fs, fd, segment->first, &found);
    (void)store->fs->close(store->fs->ctx, fd);
    if (r < 0)
        return r;
    segment->salt = found.header.salt;
    segment->size = found.file_bytes;
    segment->end = content_limit(found.file_bytes);
    segment->written = HF_SPOOL_CONTENT;
    segment->skip_from = found.header.skip_from;
    store->stats.mended += found.from_copy;
    return 0;
}

/* A segment gets its name after its header is synced, so an unreadable header is damage. Keeps the file for a person
 * to look at, unless there are too many already. */
static int set_aside(struct hf_spool_store *store, const struct segment *segment, struct hf_err *err)
{
    char name[HF_SPOOL_NAME_BYTES], aside[HF_SPOOL_NAME_BYTES + sizeof(damaged_suffix)];

    segment_name(segment->first, name);
    (void)snprintf(aside, sizeof(aside), "%s%s", name, damaged_suffix);
    bool keep = store->set_aside < KEEP_DAMAGED;
    int r = keep ? store->fs->renameat(store->fs->ctx, store->dir_fd, name, store->dir_fd, aside)
                 : store->fs->unlinkat(store->fs->ctx, store->dir_fd, name, 0);
    store->set_aside += keep && r == 0;
    store->stats.damaged++;
    store->doubt = true;
    return r < 0 ? hf_err_sys(err, r, "set aside '%s/%s'", store->dir, name) : 0;
}

static void limit_segments(struct hf_spool_store *store)
{
    uint64_t limit = UINT64_MAX;

    for (size_t i = store->n; i-- > 0;) {
        struct segment *segment = &store->segments[i];
        segment->limit = limit;
        limit = HF_MIN(limit, hf_spool_limit_before(segment->first, segment->skip_from));
    }
}

static int load_segments(struct hf_spool_store *store, struct hf_err *err)
{
    size_t kept = 0;
    int r = store->fs->list(store->fs->ctx, store->dir_fd, see_name, store);

    if (r < 0)
        return hf_err_sys(err, r, "list '%s'", store->dir);
    if (store->n > 0)
        qsort(store->segments, store->n, sizeof(*store->segments), compare_segments);
    for (size_t i = 0; i < store->n; i++) {
        struct segment segment = store->segments[i];
        r = read_header(store, &segment);
        if (r == -EBADMSG || r == -EOPNOTSUPP || (r == -EIO && !store->refuse_unreadable))
            r = set_aside(store, &segment, err);
        else if (r == 0)
            store->segments[kept++] = segment;
        else
            (void)hf_err_sys(err, r, "read a segment of '%s'", store->dir);
        if (r < 0)
            return r;
    }
    store->n = kept;
    limit_segments(store);
    return 0;
}

/* ---- the last segment -------------------------------------------------------------------------------------------- */

/* True if a damaged record begins at the tail: the writer may then have used sequences that nothing shows. */
static bool ends_in_doubt(struct hf_spool_store *store, int fd, const struct hf_spool_tail *tail)
{
    uint64_t places[] = {tail->at, hf_spool_align(tail->at)};
    unsigned char bytes[HF_SPOOL_RECORD_HEADER];
    bool doubt = false;

    for (size_t i = 0; i < HF_LEN(places); i++) {
        ssize_t n = store->fs->pread(store->fs->ctx, fd, bytes, sizeof(bytes), places[i]);
        doubt |= n < 0 || hf_spool_record_claims(bytes, (size_t)n, tail->last + 1);
    }
    return doubt;
}

/* Whole records behind the tail (the end of a torn write) would reappear behind new ones. They go only when the next
 * write comes: until then they tell each process that opens the spool which sequences are used up. */
static void cut_tail(struct hf_spool_store *store, int fd, const struct hf_spool_tail *tail)
{
    /* Nobody has read the records of a torn write. But a whole write that was damaged later looks the same, and its
     * sequences may have left the node, so skip as many sequences as one write can have. */
    bool torn = tail->wipe_to > tail->at;
    if (torn || ends_in_doubt(store, fd, tail))
        store->jump_to = tail->last + 1 + HF_SPOOL_MAX_WRITE;
    if (!torn)
        return;
    store->stats.torn++;
    store->torn.from = tail->at;
    store->torn.to = tail->wipe_to;
    store->failed_from = tail->kept + 1;
}

/* Writes the last write once more, as it is. Its process may have died before the sync, or after a sync that failed:
 * Linux then takes the pages for clean, and another sync proves nothing. All earlier writes were synced before it
 * began. */
static int write_again(struct hf_spool_store *store, int fd, const struct hf_spool_tail *tail, struct hf_err *err)
{
    return store->only_drops ? 0 : hf_spool_copy(store, fd, fd, tail->begins_at, tail->at, err);
}

static int recover_last(struct hf_spool_store *store, struct hf_err *err)
{
    struct segment *segment = last_segment(store);
    struct hf_spool_tail tail = {.last = segment->first - 1};
    struct hf_spool_scan scan;
    char name[HF_SPOOL_NAME_BYTES];

    segment_name(segment->first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, name, O_RDWR, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s/%s'", store->dir, name);
    hf_spool_scan_init(&scan, store->fs, fd, segment->salt, HF_SPOOL_CONTENT, segment->end);
    int r = hf_spool_scan_tail(&scan, &tail, err);
    bool bad_medium = r == -EIO || scan.bad_places > 0;
    hf_spool_scan_done(&scan);
    if (bad_medium && store->refuse_unreadable) {
        (void)store->fs->close(store->fs->ctx, fd);
        return hf_err_set(err, EIO, "read '%s/%s': the disk does not give back some of it", store->dir, name);
    }
    store->next = tail.last + 1;
    segment->payload = tail.payload;
    store->doubt |= bad_medium;
    /* Readers see what a killed process wrote from now on, and it counts as stored: make it durable. */
    if (r == 0 && !bad_medium)
        r = write_again(store, fd, &tail, err);
    if (r == 0 && !bad_medium && (r = store->fs->fdatasync(store->fs->ctx, fd)) < 0)
        (void)hf_err_sys(err, r, "sync '%s/%s'", store->dir, name);
    if (r == 0 && !bad_medium)
        cut_tail(store, fd, &tail);
    if (r < 0 || bad_medium) { /* do not write behind unreadable content: the next write begins a segment */
        (void)store->fs->close(store->fs->ctx, fd);
        return bad_medium ? 0 : r;
    }
    segment->end = segment->written = hf_spool_align(tail.at);
    store->open_fd = fd;
    return 0;
}

/* ---- the other files --------------------------------------------------------------------------------------------- */

static int find_spare(struct hf_spool_store *store, struct hf_err *err)
{
    struct stat st;

    int r = store->fs->unlinkat(store->fs->ctx, store->dir_fd, "coming.seg", 0); /* the job did not finish */
    if (r < 0 && r != -ENOENT)
        return hf_err_sys(err, r, "remove '%s/coming.seg'", store->dir);
    r = store->fs->fstatat(store->fs->ctx, store->dir_fd, "spare.seg", &st, 0);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return hf_err_sys(err, r, "stat '%s/spare.seg'", store->dir);
    store->spare.ready = (uint64_t)st.st_size == store->segment_bytes;
    store->spare.written = HF_SPOOL_CONTENT; /* perhaps without zeros */
    if (store->spare.ready)
        return 0;
    r = store->fs->unlinkat(store->fs->ctx, store->dir_fd, "spare.seg", 0);
    return r < 0 ? hf_err_sys(err, r, "remove '%s/spare.seg'", store->dir) : 0;
}

/* Loads the stream's id, or makes a new one if the spool could give a sequence out twice: segments or the cursor
 * disappeared while no process ran, or the end of the content is uncertain. */
static int identify(struct hf_spool_store *store, struct hf_err *err)
{
    uint64_t newest = store->n > 0 ? last_segment(store)->first : 0;

    store->doubt |= store->cursor.counter == 0 || newest < store->cursor.newest;
    int r = store->doubt ? -ENOENT : hf_spool_stream_load(store->fs, store->dir, store->stream, err);
    if (r == -ENOENT || r == -EBADMSG || (r == -EIO && !store->refuse_unreadable))
        r = hf_spool_stream_renew(store->fs, store->rng, store->dir, store->stream, err);
    return r;
}

/* Makes the cursor durable: a killed process may have left it in the page cache alone. Writes both slots of a new one
 * before the first record, so that a save needs no more room on the disk: without a cursor, the next process would take
 * a new id, and send under new keys what has been delivered. */
static int begin_cursor(struct hf_spool_store *store, struct hf_err *err)
{
    int r = store->only_drops ? 0 : hf_spool_confirm_cursor(store, err);

    while (r == 0 && !store->only_drops && store->cursor.counter < 2)
        r = hf_spool_save_cursor(store, store->cursor.delivered, err);
    return r;
}

static int begin(struct hf_spool_store *store, struct hf_err *err)
{
    int r = identify(store, err);

    return r == 0 ? begin_cursor(store, err) : r;
}

/* On a full disk the id and the cursor matter more than a spare. */
static bool give_up_spare(struct hf_spool_store *store)
{
    if (!store->spare.ready || store->fs->unlinkat(store->fs->ctx, store->dir_fd, "spare.seg", 0) < 0)
        return false;
    store->spare.ready = false;
    return true;
}

static int open_folder(struct hf_spool_store *store, struct hf_err *err)
{
    int r = hf_dir_make(store->fs, store->dir, 0700, err);

    if (r < 0)
        return r;
    store->dir_fd = store->fs->openat(store->fs->ctx, AT_FDCWD, store->dir, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    if (store->dir_fd < 0)
        return hf_err_sys(err, store->dir_fd, "open '%s'", store->dir);
    store->links_count = store->fs->links(store->fs->ctx, store->dir_fd) > 0;
    return 0;
}

/* Returns the lowest sequence behind everything that is lost at the end: segments that are missing or damaged, of which
 * the newest one had a record at least, and records up to `used`. The gap in the sequences stays and shows the loss. */
static uint64_t behind_lost(struct hf_spool_store *store, uint64_t used)
{
    uint64_t newest = store->n > 0 ? last_segment(store)->first : 0;
    uint64_t behind = HF_MAX(newest < store->cursor.newest ? store->cursor.newest : 0, used) + 1;

    store->stats.lost_at_end = behind - HF_MIN(store->last + 1, behind);
    return behind;
}

int hf_spool_recover(struct hf_spool_store *store, uint64_t used, struct hf_err *err)
{
    int r = open_folder(store, err);

    if (r == 0)
        r = hf_spool_load_cursor(store, err);
    if (r == 0)
        r = load_segments(store, err);
    if (r == 0)
        r = find_spare(store, err);
    store->next = store->cursor.delivered + 1;
    for (size_t i = 0; i < store->n; i++)
        store->segments[i].payload = hf_spool_payload_estimate(store, i);
    if (r == 0 && store->n > 0)
        r = recover_last(store, err);
    if (r == -ENOSPC && give_up_spare(store)) /* some file systems need a new block for each write */
        r = recover_last(store, err);
    store->last = HF_MAX(store->next - 1, store->cursor.delivered);
    store->next = HF_MAX(HF_MAX(store->next, behind_lost(store, used)), store->cursor.delivered + 1);
    if (store->jump_to > store->next)
        store->next = store->jump_to;
    else
        store->jump_to = 0;
    if (r == 0)
        r = hf_spool_sync_folder(store, err);
    if (r < 0)
        return r;
    r = begin(store, err);
    return r == -ENOSPC && give_up_spare(store) ? begin(store, err) : r;
}
