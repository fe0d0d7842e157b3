/* SPDX-License-Identifier: Apache-2.0 */
/* Only opens and reads, so a running agent may change the folder meanwhile: a segment that has disappeared is left
 * out. Sequences without a record, above the cursor and up to the newest segment's first one, are counted as
 * missing, unless the record behind them says that the writer skipped them.
 *
 * A segment's records are valid up to a limit that later segments set: a failed write may have left records whose
 * sequences another segment has. The content of the last segment ends where a torn write begins; behind damage the
 * scan looks for the next whole record. */
#include "spool/look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "spool/scan.h"
#include "spool/segment.h"
#include "spool/store_impl.h"

struct folder_names {
    uint64_t *firsts;
    uint64_t *limits; /* for each segment, sequence from which on its records do not count */
    size_t n, cap;
    uint64_t set_aside;
    bool any; /* the folder holds a file that only a spool has */
};

struct look {
    const struct hf_fs_ops *fs;
    const char *dir;
    int dir_fd;
    struct folder_names names;
    int (*visit)(void *arg, const struct hf_spool_record *record, bool waiting);
    void *arg;
    uint64_t expected; /* sequence that the next record should have */
    struct hf_spool_found found;
};

static int see_name(void *arg, const char *name, unsigned char type)
{
    static const char damaged[] = ".seg.damaged";
    struct folder_names *names = arg;
    size_t n = strlen(name);
    uint64_t first = hf_spool_segment_of_name(name);

    (void)type;
    bool is_damaged = n >= sizeof(damaged) && strcmp(name + n + 1 - sizeof(damaged), damaged) == 0;
    names->set_aside += is_damaged;
    names->any |= is_damaged || first != 0 || strcmp(name, "stream") == 0 || strcmp(name, "spare.seg") == 0;
    if (first == 0)
        return 0;
    int r = hf_array_grow(names->firsts, names->n, names->cap, HF_ARRAY_ANY);
    if (r == 0)
        names->firsts[names->n++] = first;
    return r;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static int open_dir(const struct hf_fs_ops *fs, const char *dir)
{
    return fs->openat(fs->ctx, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);
}

bool hf_spool_detect(const struct hf_fs_ops *fs, const char *dir)
{
    struct folder_names names = {0};
    int fd = open_dir(fs, dir);

    if (fd < 0)
        return false;
    bool listed = fs->list(fs->ctx, fd, see_name, &names) == 0;
    (void)fs->close(fs->ctx, fd);
    free(names.firsts);
    return listed && names.any;
}

static int read_cursor(struct look *look, struct hf_err *err)
{
    struct hf_spool_found *found = &look->found;
    int fd = look->fs->openat(look->fs->ctx, look->dir_fd, "cursor", O_RDONLY | O_NONBLOCK, 0, HF_FS_NO_SYMLINKS);

    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s/cursor'", look->dir);
    int r = hf_spool_read_cursor(look->fs, fd, &found->cursor);
    found->cursor_found = (r == 0 || r == -EIO) && found->cursor.counter > 0;
    (void)look->fs->close(look->fs->ctx, fd);
    return 0;
}

/* Counts the sequences from `expected` up to (not including) `reached` as missing. */
static void pass(struct look *look, uint64_t reached)
{
    look->found.missing += reached > look->expected ? reached - look->expected : 0;
    look->expected = HF_MAX(look->expected, reached);
}

static int take(struct look *look, const struct hf_spool_record *record)
{
    struct hf_spool_found *found = &look->found;
    bool waiting = record->sequence > found->cursor.delivered;

    found->records++;
    found->first = found->first != 0 ? found->first : record->sequence;
    found->last = record->sequence;
    if (waiting) {
        found->waiting++;
        found->oldest_unix_ns =
            found->oldest_unix_ns != 0 ? HF_MIN(found->oldest_unix_ns, record->unix_ns) : record->unix_ns;
        found->newest_unix_ns = HF_MAX(found->newest_unix_ns, record->unix_ns);
        if (!record->jumps)
            pass(look, record->sequence);
        look->expected = record->sequence + 1;
    }
    return look->visit != NULL ? look->visit(look->arg, record, waiting) : 0;
}

static int scan_records(struct look *look, struct hf_spool_scan *scan, uint64_t limit, struct hf_err *err)
{
    struct hf_spool_record record;
    int r;

    for (;;) {
        r = hf_spool_scan_next(scan, &record, err);
        if (r == -EIO || (r == 0 && scan->end - HF_MIN(scan->offset, scan->end) >= HF_SPOOL_RECORD_HEADER)) {
            r = hf_spool_scan_resync(scan, look->found.last, err);
            if (r > 0)
                continue;
        }
        if (r <= 0)
            return r;
        if (record.sequence <= look->found.last || record.sequence >= limit)
            continue;
        r = take(look, &record);
        if (r < 0)
            return r;
    }
}

/* The last segment: its content ends where a torn write begins. */
static int find_end(struct look *look, int fd, const struct hf_spool_header *header, uint64_t *end, struct hf_err *err)
{
    struct hf_spool_tail tail = {.last = header->first - 1};
    struct hf_spool_scan scan;

    hf_spool_scan_init(&scan, look->fs, fd, header->salt, HF_SPOOL_CONTENT, *end);
    int r = hf_spool_scan_tail(&scan, &tail, err);
    hf_spool_scan_done(&scan);
    if (r < 0)
        return r == -EIO ? 0 : r;
    look->found.torn_bytes = tail.wipe_to > tail.at ? tail.wipe_to - tail.at : 0;
    *end = HF_MIN(*end, tail.at);
    return 0;
}

/* Returns the sequence from which on records of the segments before this one do not count. */
static uint64_t limit_before(const struct hf_fs_ops *fs, int dir_fd, uint64_t first)
{
    struct hf_spool_segment segment;
    char name[HF_SPOOL_NAME_BYTES];

    segment_name(first, name);
    int fd = fs->openat(fs->ctx, dir_fd, name, O_RDONLY | O_NONBLOCK, 0, HF_FS_NO_SYMLINKS);
    if (fd < 0)
        return first;
    int r = hf_spool_segment_read(fs, fd, first, &segment);
    (void)fs->close(fs->ctx, fd);
    return r < 0 ? first : hf_spool_limit_before(first, segment.header.skip_from);
}

static int find_limits(struct look *look, struct hf_err *err)
{
    struct folder_names *names = &look->names;
    uint64_t limit = UINT64_MAX;

    names->limits = calloc(names->n + 1, sizeof(*names->limits));
    if (names->limits == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = names->n; i-- > 0;) {
        names->limits[i] = limit;
        limit = HF_MIN(limit, limit_before(look->fs, look->dir_fd, names->firsts[i]));
    }
    return 0;
}

static int look_at_segment(struct look *look, size_t i, struct hf_err *err)
{
    bool last = i + 1 == look->names.n;
    uint64_t limit = look->names.limits[i];
    struct hf_spool_segment segment;
    struct hf_spool_scan scan;
    char name[HF_SPOOL_NAME_BYTES];

    segment_name(look->names.firsts[i], name);
    int fd = look->fs->openat(look->fs->ctx, look->dir_fd, name, O_RDONLY | O_NONBLOCK, 0, HF_FS_NO_SYMLINKS);
    if (fd == -ENOENT) /* a running agent has just removed it */
        return 0;
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s/%s'", look->dir, name);
    int r = hf_spool_segment_read(look->fs, fd, look->names.firsts[i], &segment);
    if (r == 0) {
        uint64_t end = content_limit(segment.file_bytes);
        look->found.headers_mended += segment.from_copy;
        look->found.bytes += segment.file_bytes;
        look->found.segments++;
        if (last)
            r = find_end(look, fd, &segment.header, &end, err);
        hf_spool_scan_init(&scan, look->fs, fd, segment.header.salt, HF_SPOOL_CONTENT, end);
        if (r == 0)
            r = scan_records(look, &scan, limit, err);
        look->found.skipped_bytes += scan.skipped_bytes;
        hf_spool_scan_done(&scan);
    } else if (r == -EBADMSG || r == -EOPNOTSUPP || r == -EIO) {
        look->found.headers_lost++;
        r = 0;
    } else {
        (void)hf_err_sys(err, r, "read '%s/%s'", look->dir, name);
    }
    (void)look->fs->close(look->fs->ctx, fd);
    return r;
}

static int look_at_folder(struct look *look, struct hf_err *err)
{
    struct hf_spool_found *found = &look->found;
    int r = look->fs->list(look->fs->ctx, look->dir_fd, see_name, &look->names);

    if (r < 0)
        return hf_err_sys(err, r, "list '%s'", look->dir);
    if (!look->names.any)
        return hf_err_set(err, ENOENT, "'%s' is not a spool", look->dir);
    found->set_aside = look->names.set_aside;
    r = read_cursor(look, err);
    if (r < 0)
        return r;
    if (look->names.n > 0)
        qsort(look->names.firsts, look->names.n, sizeof(*look->names.firsts), compare);
    r = hf_spool_stream_load(look->fs, look->dir, found->stream, err);
    if (r < 0 && r != -ENOENT && r != -EBADMSG)
        return r;
    look->expected = found->cursor_found || look->names.n == 0 ? found->cursor.delivered + 1 : look->names.firsts[0];
    r = find_limits(look, err);
    for (size_t i = 0; r >= 0 && i < look->names.n; i++)
        r = look_at_segment(look, i, err);
    uint64_t newest = look->names.n > 0 ? look->names.firsts[look->names.n - 1] : 0;
    found->newest_gone = newest < found->cursor.newest;
    if (r >= 0 && newest > 0)
        pass(look, newest);
    return r < 0 ? r : 0;
}

int hf_spool_look(const struct hf_fs_ops *fs, const char *dir,
                  int (*visit)(void *arg, const struct hf_spool_record *record, bool waiting), void *arg,
                  struct hf_spool_found *ret_found, struct hf_err *err)
{
    struct look look = {.fs = fs, .dir = dir, .visit = visit, .arg = arg, .dir_fd = open_dir(fs, dir)};

    if (look.dir_fd < 0)
        return hf_err_sys(err, look.dir_fd, "open '%s'", dir);
    int r = look_at_folder(&look, err);
    (void)fs->close(fs->ctx, look.dir_fd);
    free(look.names.firsts);
    free(look.names.limits);
    if (r == 0)
        *ret_found = look.found;
    return r;
}

/* ---- the newest records ------------------------------------------------------------------------------------------ */

/* Calls `each` (may be NULL) with all records below `limit` but the first `skip`; *ret_n is their number. */
static int for_each_record(const struct hf_fs_ops *fs, int fd, const struct hf_spool_segment *segment, uint64_t limit,
                           uint64_t skip, void (*each)(void *arg, struct hf_view payload), void *arg, uint64_t *ret_n)
{
    struct hf_spool_record record;
    struct hf_spool_scan scan;
    uint64_t n = 0;
    int r;

    hf_spool_scan_init(&scan, fs, fd, segment->header.salt, HF_SPOOL_CONTENT, segment->file_bytes);
    while ((r = hf_spool_scan_next(&scan, &record, NULL)) > 0)
        if (record.sequence < limit && n++ >= skip && each != NULL)
            each(arg, record.payload);
    hf_spool_scan_done(&scan);
    *ret_n = n;
    return r;
}

/* Like for_each_record(), for the segment that begins with the record `first`. */
static int recent_of_segment(const struct hf_fs_ops *fs, const char *dir, uint64_t first, uint64_t limit, uint64_t skip,
                             void (*each)(void *arg, struct hf_view payload), void *arg, uint64_t *ret_n)
{
    struct hf_spool_segment segment;
    char path[PATH_MAX];

    hf_spool_segment_path(dir, first, path, sizeof(path));
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0, HF_FS_ANY);
    if (fd < 0)
        return fd;
    int r = hf_spool_segment_read(fs, fd, first, &segment);
    if (r >= 0)
        r = for_each_record(fs, fd, &segment, limit, skip, each, arg, ret_n);
    (void)fs->close(fs->ctx, fd);
    return r;
}

/* Finds the oldest segment that is needed for `enough` records; *ret_skip is how many of its first records are too
 * many. The newest segment is needed for max_records. Counts what the medium gives back. */
static int find_start(const struct hf_fs_ops *fs, const char *dir, const struct folder_names *names, size_t max_records,
                      size_t enough, size_t *ret_start, uint64_t *ret_skip)
{
    size_t i = names->n;
    uint64_t have = 0, n = 0;

    while (i > 0 && (i == names->n || have < enough)) {
        n = 0;
        i--;
        int r = recent_of_segment(fs, dir, names->firsts[i], names->limits[i], 0, NULL, NULL, &n);
        if (r < 0 && r != -EIO && i + 1 == names->n)
            return r;
        have += n;
    }
    *ret_start = i;
    uint64_t wanted = i + 1 == names->n ? max_records : enough;
    *ret_skip = HF_MIN(n, have - HF_MIN(have, wanted));
    return 0;
}

static int recent(const struct hf_fs_ops *fs, const char *dir, const struct folder_names *names, size_t max_records,
                  size_t enough, void (*each)(void *arg, struct hf_view payload), void *arg)
{
    size_t start = 0;
    uint64_t skip = 0, n = 0;
    int r = names->n > 0 ? find_start(fs, dir, names, max_records, HF_MIN(enough, max_records), &start, &skip) : 0;
    bool unreadable = false;

    for (size_t i = start; r >= 0 && i < names->n; i++) {
        r = recent_of_segment(fs, dir, names->firsts[i], names->limits[i], i == start ? skip : 0, each, arg, &n);
        unreadable = unreadable || r == -EIO;
        if (r == -EIO || i + 1 < names->n)
            r = 0; /* a running agent has just removed it, or it is damaged */
    }
    return unreadable ? -EIO : HF_MIN(r, 0);
}

int hf_spool_recent(const struct hf_fs_ops *fs, const char *dir, size_t max_records, size_t enough,
                    void (*each)(void *arg, struct hf_view payload), void *arg)
{
    struct look look = {.fs = fs, .dir = dir, .dir_fd = open_dir(fs, dir)};
    struct folder_names *names = &look.names;

    if (look.dir_fd < 0)
        return look.dir_fd;
    int r = fs->list(fs->ctx, look.dir_fd, see_name, names);
    if (r >= 0 && names->n > 0) {
        qsort(names->firsts, names->n, sizeof(*names->firsts), compare);
        r = find_limits(&look, NULL);
    }
    (void)fs->close(fs->ctx, look.dir_fd);
    if (r >= 0)
        r = recent(fs, dir, names, max_records, enough, each, arg);
    free(names->firsts);
    free(names->limits);
    return r;
}

bool hf_spool_is_damaged(const struct hf_spool_found *found)
{
    bool used = found->segments > 0 || found->headers_lost > 0;

    return found->missing > 0 || found->skipped_bytes > 0 || found->headers_lost > 0 || found->headers_mended > 0 ||
           found->set_aside > 0 || found->newest_gone || (used && (!found->cursor_found || found->stream[0] == '\0'));
}
