/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "spool/scan.h"

/* Returns the descriptor of the extent's segment; -ENOENT if the file is gone or holds another segment by now. */
static int open_extent(const struct hf_fs_ops *fs, const char *dir, const struct hf_spool_extent *extent,
                       struct hf_err *err)
{
    unsigned char bytes[HF_SPOOL_SEGMENT_HEADER];
    struct hf_spool_header header;
    char path[PATH_MAX];

    hf_spool_segment_path(dir, extent->first, path, sizeof(path));
    int fd = fs->openat(fs->ctx, AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0, HF_FS_ANY);
    if (fd == -ENOENT)
        return fd;
    if (fd < 0)
        return hf_err_sys(err, fd, "open '%s'", path);
    ssize_t n = fs->pread(fs->ctx, fd, bytes, sizeof(bytes), 0);
    /* A header that does not parse proves nothing; the salt of each record shows which segment it belongs to. */
    bool other = n == (ssize_t)sizeof(bytes) && hf_spool_header_parse(bytes, &header) == 0 &&
                 (header.salt != extent->salt || header.first != extent->first);
    if (!other)
        return fd;
    (void)fs->close(fs->ctx, fd);
    return -ENOENT;
}

/* Notes that the sequences before `to` are missing. */
static void miss(struct hf_spool_read *read, struct hf_spool_place *place, uint64_t to)
{
    read->missing += to - place->next;
    hf_spool_losses_add(&read->gaps, place->next, to);
    place->next = to;
}

/* Copies a record into the read: 1, 0 if the read is full, or -ENOMEM. `hole`: the medium did not give back what is
 * before this record, so its jump does not explain the whole gap. */
static int take(struct hf_spool_read *read, struct hf_spool_place *place, const struct hf_spool_record *record,
                bool hole)
{
    bool full = read->n == read->max || read->gaps.n == HF_SPOOL_GAPS - 1; /* one is left for what misses at the end */
    int r = full ? -E2BIG : hf_buf_add(&read->bytes, record->payload.p, record->payload.n);

    if (r < 0) /* a read that is full splits a batch that was sent before: it is not the same as no memory */
        return r == -ENOMEM ? r : 0;
    read->records[read->n++] = *record;
    if (!record->jumps || hole)
        miss(read, place, record->sequence);
    place->next = record->sequence + 1;
    return 1;
}

/* Reads the records of one extent below the sequence `limit`, where the next segment begins, or what a failed write
 * left over: after a failed sync the writer repeats records in the next segment, and only that one holds all of them.
 * *hole is true while the medium has not given back something between the last record and here. Returns 1 if the read
 * is full, 0 at the end of the extent, -errno. */
static int read_extent(const struct hf_fs_ops *fs, int fd, const struct hf_spool_extent *extent, uint64_t limit,
                       struct hf_spool_place *place, struct hf_spool_read *read, bool *hole, struct hf_err *err)
{
    bool known = place->segment == extent->first && place->offset >= HF_SPOOL_CONTENT;
    struct hf_spool_record record;
    struct hf_spool_scan scan;
    int r, full = 0;

    hf_spool_scan_init(&scan, fs, fd, extent->salt, known ? place->offset : HF_SPOOL_CONTENT, extent->end);
    for (;;) {
        uint64_t before = scan.offset;
        r = hf_spool_scan_next(&scan, &record, err);
        *hole = *hole || r == -EIO;
        read->unreadable |= r == -EIO;
        if (r == -EIO || (r == 0 && extent->end - scan.offset >= HF_SPOOL_RECORD_HEADER)) {
            unsigned bad_places = scan.bad_places;
            r = hf_spool_scan_resync(&scan, place->next - 1, err);
            *hole = *hole || scan.bad_places > bad_places;
            if (r > 0)
                continue;
        }
        if (r <= 0)
            break;
        if (record.sequence >= place->next && record.sequence < limit) {
            int taken = take(read, place, &record, *hole);
            if (taken <= 0) {
                scan.offset = before;
                full = taken == 0;
                r = taken < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
                break;
            }
            *hole = false;
        }
    }
    place->segment = extent->first;
    place->offset = scan.offset;
    read->unreadable |= scan.bad_places > 0;
    hf_spool_scan_done(&scan);
    return r < 0 ? r : full;
}

/* Appending may move the buffer, so this sets the pointers into it at the end. */
static void settle(struct hf_spool_read *read)
{
    size_t at = 0;

    for (size_t i = 0; i < read->n; i++) {
        read->records[i].payload.p = hf_buf_str(&read->bytes) + at;
        at += read->records[i].payload.n;
    }
}

int hf_spool_read_records(const struct hf_fs_ops *fs, const char *dir, const struct hf_spool_extent *extents,
                          size_t n_extents, uint64_t durable, struct hf_spool_place *place, struct hf_spool_read *read,
                          struct hf_err *err)
{
    bool hole = false;
    int r = 0;

    read->n = 0;
    read->missing = 0;
    read->gaps = (struct hf_spool_losses){.n = 0};
    read->unreadable = read->gone = false;
    hf_buf_clear(&read->bytes);
    for (size_t i = 0; r == 0 && i < n_extents; i++) {
        int fd = open_extent(fs, dir, &extents[i], err);
        if (fd == -ENOENT) {
            read->gone = true;
            continue;
        }
        if (fd < 0) {
            r = fd;
            break;
        }
        uint64_t limit = i + 1 < n_extents ? extents[i + 1].first : UINT64_MAX;
        r = read_extent(fs, fd, &extents[i], HF_MIN(limit, extents[i].limit), place, read, &hole, err);
        (void)fs->close(fs->ctx, fd);
    }
    if (r == 0 && !read->gone && place->next <= durable)
        miss(read, place, durable + 1);
    read->next = place->next;
    settle(read);
    return r < 0 ? r : 0;
}
