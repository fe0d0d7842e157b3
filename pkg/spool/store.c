/* One folder of segments. `segments` is in order of first sequence; the last one is being written, unless none is open.
 *
 *   write:   encode into `out` with the salt of the open segment -> pwrite -> fdatasync -> durable end moves
 *   roll:    open segment is sealed, the spare is renamed to <next>.seg under a new salt, folder synced
 *   failed:  the open segment is poisoned (sealed where it was last durable), the rest of the batch goes to a new one, once
 *   deliver: cursor slot written and synced -> oldest segments become the spare, or are unlinked
 */
#include "spool/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "os/file.h"
#include "spool/scan.h"

enum { OUT_BYTES = 256 * 1024, ZERO_STEP = 64 * 1024, NAME_BYTES = 32 };

struct segment {
    uint64_t first;
    uint64_t end; /* durable content ends here; for segments found at open and not the last: the file's end */
    uint32_t salt;
};

struct hf_spool_store {
    const struct hf_fs_ops *fs;
    const struct hf_rand_ops *rng;
    char *dir;
    uint64_t segment_bytes, max_bytes;
    enum hf_spool_full when_full;
    char stream[HF_SPOOL_STREAM_TEXT];
    bool doubt;                     /* open could not prove that no sequence is given a second time */
    int dir_fd, cursor_fd, open_fd; /* open_fd: the last segment's, -1 when there is none to write to */
    bool spare_ready;
    struct segment *segments;
    size_t n, cap;
    struct hf_spool_cursor cursor;
    uint64_t next;
    struct hf_buf out;
    struct hf_spool_dropped dropped[HF_SPOOL_MAX_TAGS];
    struct hf_spool_stats stats;
};

void hf_spool_segment_path(const char *dir, uint64_t first, char *path, size_t n)
{
    (void)snprintf(path, n, "%s/%016" PRIx64 ".seg", dir, first);
}

static void segment_name(uint64_t first, char name[NAME_BYTES])
{
    (void)snprintf(name, NAME_BYTES, "%016" PRIx64 ".seg", first);
}

static struct segment *last_segment(struct hf_spool_store *store)
{
    return store->n > 0 ? &store->segments[store->n - 1] : NULL;
}

static int sync_folder(struct hf_spool_store *store, struct hf_err *err)
{
    int r = store->fs->fsync(store->fs->ctx, store->dir_fd);

    return r < 0 ? hf_err_sys(err, r, "sync '%s'", store->dir) : 0;
}

static int write_at(struct hf_spool_store *store, int fd, const void *bytes, size_t n, uint64_t offset,
                    struct hf_err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = store->fs->pwrite(store->fs->ctx, fd, (const char *)bytes + done, n - done, offset + done);
        if (put <= 0)
            return hf_err_sys(err, put < 0 ? (int)put : -EIO, "write in '%s'", store->dir);
        done += (size_t)put;
    }
    return 0;
}

/* ---- segments ---------------------------------------------------------------------------------------------------- */

static int add_segment(struct hf_spool_store *store, const struct segment *segment)
{
    if (store->n == store->cap) {
        size_t cap = store->cap == 0 ? 16 : store->cap * 2;
        struct segment *more = reallocarray(store->segments, cap, sizeof(*more));
        if (more == NULL)
            return -ENOMEM;
        store->segments = more;
        store->cap = cap;
    }
    store->segments[store->n++] = *segment;
    return 0;
}

static int zero_out(struct hf_spool_store *store, int fd, uint64_t from, uint64_t to, struct hf_err *err)
{
    static const char zeros[ZERO_STEP];
    int r = 0;

    for (uint64_t at = from; r == 0 && at < to; at += ZERO_STEP)
        r = write_at(store, fd, zeros, (size_t)HF_MIN((uint64_t)ZERO_STEP, to - at), at, err);
    return r;
}

/* A whole segment of zeros under the spare's name, allocated: later writes change no metadata. */
static int make_spare(struct hf_spool_store *store, struct hf_err *err)
{
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, "spare.seg", O_RDWR | O_CREAT | O_TRUNC, 0600,
                               HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return hf_err_sys(err, fd, "make '%s/spare.seg'", store->dir);
    int r = store->fs->fallocate(store->fs->ctx, fd, 0, store->segment_bytes);
    if (r == -EOPNOTSUPP)
        r = 0; /* writing the zeros allocates as well */
    if (r < 0)
        (void)hf_err_sys(err, r, "allocate %" PRIu64 " bytes for '%s/spare.seg'", store->segment_bytes, store->dir);
    else
        r = zero_out(store, fd, 0, store->segment_bytes, err);
    if (r == 0) {
        r = store->fs->fsync(store->fs->ctx, fd);
        if (r < 0)
            (void)hf_err_sys(err, r, "sync '%s/spare.seg'", store->dir);
    }
    (void)store->fs->close(store->fs->ctx, fd);
    if (r < 0)
        (void)store->fs->unlinkat(store->fs->ctx, store->dir_fd, "spare.seg", 0);
    store->spare_ready = r == 0;
    return r;
}

static uint64_t bytes_used(const struct hf_spool_store *store)
{
    return (store->n + (store->spare_ready ? 1 : 0)) * store->segment_bytes;
}

int hf_spool_store_prepare(struct hf_spool_store *store, struct hf_err *err)
{
    if (store->spare_ready || bytes_used(store) + store->segment_bytes > store->max_bytes)
        return 0;
    return make_spare(store, err);
}

static void count_dropped(struct hf_spool_store *store, uint32_t tag)
{
    for (size_t i = 0; i < HF_SPOOL_MAX_TAGS; i++) {
        bool free_entry = store->dropped[i].records == 0;
        if (!free_entry && store->dropped[i].tag != tag && i + 1 < HF_SPOOL_MAX_TAGS)
            continue;
        if (free_entry)
            store->dropped[i].tag = tag;
        store->dropped[i].records++;
        return;
    }
}

/* Count what the segment still holds above the cursor; what cannot be read is not counted by tag. */
static uint64_t count_segment(struct hf_spool_store *store, const struct segment *segment)
{
    char name[NAME_BYTES];
    struct hf_spool_scan scan;
    struct hf_spool_record record;
    uint64_t last = store->cursor.delivered;

    segment_name(segment->first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, name, O_RDONLY, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return last;
    hf_spool_scan_init(&scan, store->fs, fd, segment->salt, HF_SPOOL_CONTENT, segment->end);
    for (;;) {
        int r = hf_spool_scan_next(&scan, &record, NULL);
        if (r == 0)
            r = hf_spool_scan_resync(&scan, last, NULL) == 1 ? hf_spool_scan_next(&scan, &record, NULL) : 0;
        if (r <= 0)
            break;
        if (record.sequence > last) {
            count_dropped(store, record.tag);
            last = record.sequence;
        }
    }
    hf_spool_scan_done(&scan);
    (void)store->fs->close(store->fs->ctx, fd);
    return last;
}

/* Take the oldest segment away: it becomes the spare when there is none. */
static int retire_oldest(struct hf_spool_store *store, struct hf_err *err)
{
    char name[NAME_BYTES];

    segment_name(store->segments[0].first, name);
    int r = store->spare_ready ? store->fs->unlinkat(store->fs->ctx, store->dir_fd, name, 0)
                               : store->fs->renameat(store->fs->ctx, store->dir_fd, name, store->dir_fd, "spare.seg");
    if (r < 0 && r != -ENOENT)
        return hf_err_sys(err, r, "retire '%s/%s'", store->dir, name);
    if (r == 0)
        store->spare_ready = true;
    store->n--;
    memmove(store->segments, store->segments + 1, store->n * sizeof(*store->segments));
    return 0;
}

static int save_cursor(struct hf_spool_store *store, uint64_t delivered, struct hf_err *err)
{
    struct hf_spool_cursor cursor = {store->cursor.counter + 1, delivered, store->cursor.newest};
    unsigned char slot[HF_SPOOL_CURSOR_SLOT];

    hf_spool_cursor_format(&cursor, slot);
    int r = write_at(store, store->cursor_fd, slot, sizeof(slot), (cursor.counter & 1) * HF_SPOOL_CURSOR_STRIDE, err);
    if (r < 0)
        return r;
    r = store->fs->fdatasync(store->fs->ctx, store->cursor_fd);
    if (r < 0)
        return hf_err_sys(err, r, "sync '%s/cursor'", store->dir);
    store->cursor = cursor;
    return 0;
}

static int drop_oldest(struct hf_spool_store *store, struct hf_err *err)
{
    uint64_t last = count_segment(store, &store->segments[0]);
    uint64_t before_next = store->n > 1 ? store->segments[1].first - 1 : store->next - 1;
    int r = save_cursor(store, HF_MAX(HF_MAX(last, before_next), store->cursor.delivered), err);

    return r < 0 ? r : retire_oldest(store, err);
}

/* Room for one more segment, by the bound or by dropping. */
static int make_room(struct hf_spool_store *store, struct hf_err *err)
{
    if (store->spare_ready)
        return 0;
    while (bytes_used(store) + store->segment_bytes > store->max_bytes || store->n >= HF_SPOOL_MAX_SEGMENTS) {
        if (store->when_full == HF_SPOOL_BLOCK || store->n == 0)
            return hf_err_set(err, EAGAIN, "spool '%s' is full: %" PRIu64 " of %" PRIu64 " bytes", store->dir,
                              bytes_used(store), store->max_bytes);
        int r = drop_oldest(store, err);
        if (r < 0)
            return r;
        if (store->spare_ready)
            return 0;
    }
    int r = make_spare(store, err);
    if (r == -ENOSPC && store->when_full == HF_SPOOL_DROP_OLDEST && store->n > 1)
        r = drop_oldest(store, err);
    return r;
}

static void seal(struct hf_spool_store *store)
{
    if (store->open_fd >= 0)
        (void)store->fs->close(store->fs->ctx, store->open_fd);
    store->open_fd = -1;
}

/* Seal what is open and begin a segment with sequence `store->next`. */
static int roll(struct hf_spool_store *store, struct hf_err *err)
{
    struct segment segment = {
        .first = store->next, .end = HF_SPOOL_CONTENT, .salt = (uint32_t)store->rng->u64(store->rng->ctx)};
    struct hf_spool_header header = {.salt = segment.salt, .size = store->segment_bytes, .first = segment.first};
    unsigned char bytes[HF_SPOOL_SEGMENT_HEADER];
    char name[NAME_BYTES];

    int r = make_room(store, err);
    if (r < 0)
        return r;
    seal(store);
    segment_name(segment.first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, "spare.seg", O_RDWR, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0) {
        store->spare_ready = false;
        return hf_err_sys(err, fd, "open '%s/spare.seg'", store->dir);
    }
    r = hf_hex_decode(store->stream, header.stream, sizeof(header.stream));
    assert(r == 0);
    hf_spool_header_format(&header, bytes);
    r = write_at(store, fd, bytes, sizeof(bytes), 0, err);
    if (r == 0) {
        r = store->fs->fdatasync(store->fs->ctx, fd);
        if (r < 0)
            (void)hf_err_sys(err, r, "sync '%s/spare.seg'", store->dir);
    }
    if (r == 0) {
        r = store->fs->renameat(store->fs->ctx, store->dir_fd, "spare.seg", store->dir_fd, name);
        if (r < 0)
            (void)hf_err_sys(err, r, "begin '%s/%s'", store->dir, name);
        store->spare_ready = r < 0;
    }
    if (r == 0)
        r = sync_folder(store, err);
    if (r == 0)
        r = add_segment(store, &segment);
    if (r < 0) {
        (void)store->fs->close(store->fs->ctx, fd);
        return r;
    }
    store->open_fd = fd;
    /* Before its first record: who finds the folder without this segment then knows. Failing costs only that knowledge. */
    store->cursor.newest = segment.first;
    (void)!save_cursor(store, store->cursor.delivered, NULL);
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* What a failed write or sync left is unknown for good (the kernel may have dropped the pages): nothing more goes into this
 * file. A segment without durable content makes place for its successor, which takes over its name. */
static void poison(struct hf_spool_store *store)
{
    store->stats.poisoned++;
    seal(store);
    if (last_segment(store)->end == HF_SPOOL_CONTENT)
        store->n--;
}

/* Make what is in `out` durable behind the open segment's content. */
static int flush(struct hf_spool_store *store, struct hf_err *err)
{
    struct segment *segment = last_segment(store);

    if (store->out.n == 0)
        return 0;
    int r = write_at(store, store->open_fd, store->out.p, store->out.n, segment->end, err);
    if (r == 0) {
        r = store->fs->fdatasync(store->fs->ctx, store->open_fd);
        store->stats.syncs++;
        if (r < 0)
            (void)hf_err_sys(err, r, "sync a segment of '%s'", store->dir);
    }
    if (r == 0)
        segment->end = hf_spool_align(segment->end + store->out.n);
    else
        poison(store);
    hf_buf_clear(&store->out);
    return r;
}

static bool fits(struct hf_spool_store *store, const struct hf_spool_record *record)
{
    struct segment *segment = last_segment(store);

    return segment != NULL && store->open_fd >= 0 &&
           segment->end + store->out.n + hf_spool_record_bytes(record->payload.n) <= store->segment_bytes;
}

/* Write records[*done..n); *done says how many are durable. */
static int write_from(struct hf_spool_store *store, struct hf_spool_record *records, size_t n, size_t *done,
                      struct hf_err *err)
{
    size_t i = *done;

    hf_buf_clear(&store->out);
    while (i < n) {
        int r = 0;
        size_t whole = hf_spool_record_bytes(records[i].payload.n);
        if (!fits(store, &records[i]) || store->out.n + whole > store->out.max) {
            r = flush(store, err);
            if (r == 0)
                *done = i;
            if (r == 0 && !fits(store, &records[i]))
                r = roll(store, err);
        }
        if (r < 0)
            return r;
        records[i].sequence = store->next;
        r = hf_spool_record_format(&records[i], last_segment(store)->salt, &store->out);
        if (r < 0)
            return hf_err_set(err, -r, "record of %zu bytes does not fit the spool", records[i].payload.n);
        store->next++;
        i++;
    }
    int r = flush(store, err);
    if (r == 0)
        *done = n;
    return r;
}

int hf_spool_store_write(struct hf_spool_store *store, struct hf_spool_record *records, size_t n, struct hf_err *err)
{
    size_t done = 0;

    for (size_t i = 0; i < n; i++)
        if (HF_SPOOL_CONTENT + hf_spool_record_bytes(records[i].payload.n) > store->segment_bytes ||
            records[i].payload.n > HF_SPOOL_MAX_PAYLOAD)
            return hf_err_set(err, E2BIG, "record of %zu bytes does not fit the spool", records[i].payload.n);
    uint64_t poisoned = store->stats.poisoned;
    uint64_t sequence = store->next;
    int r = write_from(store, records, n, &done, err);
    if (r < 0 && store->stats.poisoned > poisoned) {
        /* Once more into a fresh segment, under the same sequences: a reader that finds a record in both takes one. */
        uint64_t reached = store->next;
        store->next = sequence + done;
        r = write_from(store, records, n, &done, err);
        store->next = HF_MAX(store->next, reached);
    }
    return r;
}

int hf_spool_store_deliver(struct hf_spool_store *store, uint64_t sequence, struct hf_err *err)
{
    if (sequence >= store->next)
        return hf_err_set(err, EINVAL, "sequence %" PRIu64 " was never written", sequence);
    if (sequence <= store->cursor.delivered)
        return 0;
    int r = save_cursor(store, sequence, err);
    bool retired = false;
    while (r == 0 && store->n > 1 && store->segments[1].first <= sequence + 1) {
        r = retire_oldest(store, err);
        retired = true;
    }
    return r == 0 && retired ? sync_folder(store, err) : r;
}

const char *hf_spool_store_stream(const struct hf_spool_store *store)
{
    return store->stream;
}

struct hf_spool_stats hf_spool_store_stats(const struct hf_spool_store *store)
{
    struct hf_spool_stats stats = store->stats;

    stats.next = store->next;
    stats.delivered = store->cursor.delivered;
    stats.bytes = bytes_used(store);
    stats.segments = store->n;
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
            ret[found++] = (struct hf_spool_extent){store->segments[i].first, store->segments[i].end,
                                                    store->segments[i].salt, i + 1 == store->n};
    }
    return found;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static int compare_segments(const void *a, const void *b)
{
    uint64_t x = ((const struct segment *)a)->first, y = ((const struct segment *)b)->first;

    return x < y ? -1 : x > y;
}

static int see_name(void *arg, const char *name, unsigned char type)
{
    struct hf_spool_store *store = arg;
    struct segment segment = {0};
    char again[NAME_BYTES];
    char *end;

    (void)type;
    segment.first = strtoull(name, &end, 16);
    segment_name(segment.first, again);
    if (strcmp(name, again) != 0)
        return 0;
    return store->n >= HF_SPOOL_MAX_SEGMENTS ? -E2BIG : add_segment(store, &segment);
}

/* Read the header: 0 and the salt, or -EBADMSG. */
static int read_header(struct hf_spool_store *store, struct segment *segment)
{
    unsigned char bytes[HF_SPOOL_SEGMENT_HEADER];
    struct hf_spool_header header;
    struct stat st;
    char name[NAME_BYTES];

    segment_name(segment->first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, name, O_RDONLY | O_NONBLOCK, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return fd;
    int r = store->fs->fstat(store->fs->ctx, fd, &st);
    ssize_t n = r < 0 ? r : store->fs->pread(store->fs->ctx, fd, bytes, sizeof(bytes), 0);
    (void)store->fs->close(store->fs->ctx, fd);
    if (n < 0)
        return (int)n;
    if (n != (ssize_t)sizeof(bytes) || hf_spool_header_parse(bytes, &header) < 0 || header.first != segment->first)
        return -EBADMSG;
    segment->salt = header.salt;
    segment->end = (uint64_t)st.st_size;
    return 0;
}

/* A header is synced before its segment gets its name, so an unreadable one is damage: kept for a person to look at. */
static int set_aside(struct hf_spool_store *store, const struct segment *segment, struct hf_err *err)
{
    char name[NAME_BYTES], aside[NAME_BYTES + 16];

    segment_name(segment->first, name);
    (void)snprintf(aside, sizeof(aside), "%s.damaged", name);
    int r = store->fs->renameat(store->fs->ctx, store->dir_fd, name, store->dir_fd, aside);
    store->stats.damaged++;
    store->doubt = true;
    return r < 0 ? hf_err_sys(err, r, "set aside '%s/%s'", store->dir, name) : 0;
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
        if (r == -EBADMSG)
            r = set_aside(store, &segment, err);
        else if (r == 0)
            store->segments[kept++] = segment;
        else
            (void)hf_err_sys(err, r, "read a segment of '%s'", store->dir);
        if (r < 0)
            return r;
    }
    store->n = kept;
    return 0;
}

/* Go through the last segment: where its content ends, and the next sequence. Old records of the same salt behind the tail
 * (a batch that was torn in the middle) are wiped, or they would come to life behind new ones. */
static int recover_last(struct hf_spool_store *store, struct hf_err *err)
{
    struct segment *segment = last_segment(store);
    struct hf_spool_scan scan;
    struct hf_spool_record record;
    char name[NAME_BYTES];
    uint64_t last = segment->first - 1, tail;
    int r;

    segment_name(segment->first, name);
    int fd = store->fs->openat(store->fs->ctx, store->dir_fd, name, O_RDWR, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s/%s'", store->dir, name);
    hf_spool_scan_init(&scan, store->fs, fd, segment->salt, HF_SPOOL_CONTENT, segment->end);
    while ((r = hf_spool_scan_next(&scan, &record, err)) > 0)
        last = HF_MAX(last, record.sequence);
    tail = scan.offset;
    uint64_t wipe_to = tail;
    while (r == 0 && (r = hf_spool_scan_resync(&scan, 0, err)) > 0) {
        r = hf_spool_scan_next(&scan, &record, err);
        last = HF_MAX(last, record.sequence);
        wipe_to = scan.offset;
        r = HF_MIN(r, 0);
    }
    hf_spool_scan_done(&scan);
    if (r == 0 && wipe_to > tail) {
        store->stats.torn++;
        store->doubt = true;
        r = zero_out(store, fd, tail, wipe_to, err);
        if (r == 0 && (r = store->fs->fdatasync(store->fs->ctx, fd)) < 0)
            (void)hf_err_sys(err, r, "sync '%s/%s'", store->dir, name);
    }
    if (r < 0) {
        (void)store->fs->close(store->fs->ctx, fd);
        return r;
    }
    segment->end = hf_spool_align(tail);
    store->open_fd = fd;
    store->next = last + 1;
    return 0;
}

static int load_cursor(struct hf_spool_store *store, struct hf_err *err)
{
    store->cursor_fd =
        store->fs->openat(store->fs->ctx, store->dir_fd, "cursor", O_RDWR | O_CREAT, 0600, HF_FS_NO_SYMLINKS);
    if (store->cursor_fd < 0)
        return hf_err_sys(err, store->cursor_fd, "open '%s/cursor'", store->dir);
    for (uint64_t slot = 0; slot < 2; slot++) {
        unsigned char bytes[HF_SPOOL_CURSOR_SLOT];
        struct hf_spool_cursor cursor;
        ssize_t n =
            store->fs->pread(store->fs->ctx, store->cursor_fd, bytes, sizeof(bytes), slot * HF_SPOOL_CURSOR_STRIDE);
        if (n < 0)
            return hf_err_sys(err, (int)n, "read '%s/cursor'", store->dir);
        if (n == (ssize_t)sizeof(bytes) && hf_spool_cursor_parse(bytes, &cursor) == 0 &&
            cursor.counter >= store->cursor.counter)
            store->cursor = cursor;
    }
    return 0;
}

static int find_spare(struct hf_spool_store *store, struct hf_err *err)
{
    struct stat st;
    int r = store->fs->fstatat(store->fs->ctx, store->dir_fd, "spare.seg", &st, 0);

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return hf_err_sys(err, r, "stat '%s/spare.seg'", store->dir);
    store->spare_ready = (uint64_t)st.st_size == store->segment_bytes;
    if (store->spare_ready)
        return 0;
    r = store->fs->unlinkat(store->fs->ctx, store->dir_fd, "spare.seg", 0);
    return r < 0 ? hf_err_sys(err, r, "remove '%s/spare.seg'", store->dir) : 0;
}

/* The stream's name, another one where a sequence might be given a second time: segments or the cursor went away while nobody
 * looked, or the end of the content is not known for sure. */
static int identify(struct hf_spool_store *store, struct hf_err *err)
{
    uint64_t newest = store->n > 0 ? last_segment(store)->first : 0;

    store->doubt |= store->cursor.counter == 0 || newest < store->cursor.newest;
    int r = store->doubt ? -ENOENT : hf_spool_stream_load(store->fs, store->dir, store->stream, err);
    if (r == -ENOENT || r == -EBADMSG)
        r = hf_spool_stream_renew(store->fs, store->rng, store->dir, store->stream, err);
    return r;
}

static int open_folder(struct hf_spool_store *store, uint64_t used, struct hf_err *err)
{
    int r = hf_dir_make(store->fs, store->dir, 0700, err);

    if (r < 0)
        return r;
    store->dir_fd = store->fs->openat(store->fs->ctx, AT_FDCWD, store->dir, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
    if (store->dir_fd < 0)
        return hf_err_sys(err, store->dir_fd, "open '%s'", store->dir);
    r = load_cursor(store, err);
    if (r == 0)
        r = load_segments(store, err);
    if (r == 0)
        r = find_spare(store, err);
    store->next = store->cursor.delivered + 1;
    if (r == 0 && store->n > 0)
        r = recover_last(store, err);
    store->next = HF_MAX(HF_MAX(store->next, store->cursor.newest), HF_MAX(store->cursor.delivered, used) + 1);
    if (r == 0)
        r = sync_folder(store, err);
    return r == 0 ? identify(store, err) : r;
}

int hf_spool_store_open(const struct hf_spool_store_params *params, struct hf_spool_store **ret_store,
                        struct hf_err *err)
{
    uint64_t segment_bytes = params->segment_bytes != 0 ? params->segment_bytes : HF_SPOOL_SEGMENT_BYTES;

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
        .dir = strdup(params->dir),
        .segment_bytes = segment_bytes,
        .max_bytes = params->max_bytes,
        .when_full = params->when_full,
        .dir_fd = -1,
        .cursor_fd = -1,
        .open_fd = -1,
        .out = HF_BUF_INIT(HF_MAX((size_t)OUT_BYTES, (size_t)HF_SPOOL_MAX_PAYLOAD + HF_SPOOL_RECORD_HEADER)),
    };
    if (store->dir == NULL)
        return hf_err_set(err, ENOMEM, "open spool '%s'", params->dir);
    int r = open_folder(store, params->used, err);
    if (r < 0)
        return hf_err_wrap(err, r, "open spool '%s'", params->dir);
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
    hf_buf_done(&store->out);
    free(store->segments);
    free(store->dir);
    free(store);
}
