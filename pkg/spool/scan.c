/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the last segment's content: at a gap without a readable record, the records after the gap decide. If
 * one of them is the first record of a write, the writer had synced everything before that write; the gap is then
 * damage, and the content continues after it. Otherwise a torn write begins at the gap, and the content ends there. */
#include "spool/scan.h"

#include <errno.h>

enum { WINDOW_STEP = 64 * 1024, PAGE = 4096, MAX_BAD_PLACES = 64 };

void hf_spool_scan_init(struct hf_spool_scan *scan, const struct hf_fs_ops *fs, int fd, uint32_t salt, uint64_t offset,
                        uint64_t end)
{
    *scan = (struct hf_spool_scan){
        .fs = fs,
        .fd = fd,
        .salt = salt,
        .end = end,
        .offset = offset,
        .window = HF_BUF_INIT(2 * (HF_SPOOL_MAX_PAYLOAD + HF_SPOOL_RECORD_HEADER) + WINDOW_STEP),
        .window_at = offset,
    };
}

void hf_spool_scan_done(struct hf_spool_scan *scan)
{
    hf_buf_done(&scan->window);
}

/* Brings `need` bytes from the offset on into the window, fewer only at the end. */
static int fill(struct hf_spool_scan *scan, size_t need, struct hf_err *err)
{
    if (scan->offset < scan->window_at || scan->offset > scan->window_at + scan->window.n) {
        hf_buf_clear(&scan->window);
        scan->window_at = scan->offset;
    }
    size_t used = (size_t)(scan->offset - scan->window_at);
    if (scan->window.n - used >= need)
        return 0;
    hf_buf_consume(&scan->window, used);
    scan->window_at = scan->offset;
    while (scan->window.n < need) {
        uint64_t at = scan->window_at + scan->window.n;
        size_t want = (size_t)HF_MIN(scan->end - HF_MIN(at, scan->end),
                                     (uint64_t)HF_MAX(need - scan->window.n, (size_t)WINDOW_STEP));
        if (want == 0)
            return 0;
        if (hf_buf_reserve(&scan->window, want) < 0)
            return hf_err_set(err, ENOMEM, "read segment at %llu: not enough memory", (unsigned long long)at);
        ssize_t n = scan->fs->pread(scan->fs->ctx, scan->fd, scan->window.p + scan->window.n, want, at);
        if (n < 0)
            return hf_err_sys(err, (int)n, "read segment at %llu", (unsigned long long)at);
        if (n == 0)
            return 0;
        scan->window.n += (size_t)n;
    }
    return 0;
}

/* Returns the length of the record at the offset without moving, 0 if there is none, -errno. */
static int64_t peek(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err)
{
    size_t need = HF_SPOOL_RECORD_HEADER;

    for (;;) {
        int r = fill(scan, need, err);
        if (r < 0)
            return r;
        size_t used = (size_t)(scan->offset - scan->window_at), have = scan->window.n - used, more = 0;
        if (have < need)
            return 0;
        int64_t whole =
            hf_spool_record_parse((const unsigned char *)scan->window.p + used, have, scan->salt, ret, &more);
        if (whole != 0)
            return whole > 0 ? whole : 0;
        need = more;
    }
}

int hf_spool_scan_next(struct hf_spool_scan *scan, struct hf_spool_record *ret, struct hf_err *err)
{
    uint64_t before = scan->offset;
    int64_t whole = peek(scan, ret, err);

    if (whole == 0 && hf_spool_align(before) != before) {
        scan->offset = hf_spool_align(before);
        whole = peek(scan, ret, err);
        if (whole == 0)
            scan->offset = before;
    }
    if (whole <= 0)
        return (int)whole;
    scan->offset += (uint64_t)whole;
    return 1;
}

/* Moves the offset, in steps of 8, to the next place in the window where a record may begin, or to the last place that
 * the window has whole. Most of a segment's rest is zeros, which peek() would look at one by one. */
static void skip_in_window(struct hf_spool_scan *scan)
{
    const unsigned char *window = (const unsigned char *)scan->window.p;

    if (scan->offset < scan->window_at)
        return;
    for (size_t at = (size_t)(scan->offset - scan->window_at);
         at + 8 + HF_SPOOL_RECORD_HEADER <= scan->window.n && !hf_spool_record_begins(window + at); at += 8)
        scan->offset += 8;
}

int hf_spool_scan_resync(struct hf_spool_scan *scan, uint64_t above, struct hf_err *err)
{
    uint64_t from = scan->offset;
    struct hf_spool_record record;

    for (scan->offset += 8; scan->offset + HF_SPOOL_RECORD_HEADER <= scan->end; scan->offset += 8) {
        skip_in_window(scan);
        int64_t whole = peek(scan, &record, err);
        if (whole == -EIO && scan->bad_places < MAX_BAD_PLACES) {
            scan->bad_places++;
            scan->offset = (scan->offset + PAGE) / PAGE * PAGE - 8;
            continue;
        }
        if (whole < 0)
            return (int)whole;
        if (whole > 0 && record.sequence > above) {
            scan->skipped_bytes += scan->offset - from;
            return 1;
        }
    }
    scan->offset = from;
    return 0;
}

int hf_spool_scan_tail(struct hf_spool_scan *scan, struct hf_spool_tail *tail, struct hf_err *err)
{
    struct hf_spool_record record;
    bool open = false; /* tail->at may be the end of the content */
    uint64_t payload = 0, begins_at = scan->offset;
    int r;

    for (;;) {
        r = hf_spool_scan_next(scan, &record, err);
        if (r > 0) {
            open = open && !record.begins; /* the writer had synced everything before */
            if (record.begins)
                begins_at = scan->offset - hf_spool_record_bytes(record.payload.n);
            tail->last = HF_MAX(tail->last, record.sequence);
            tail->wipe_to = scan->offset;
            payload += record.payload.n;
            continue;
        }
        if (r < 0 && r != -EIO)
            return r;
        if (r == -EIO) /* counts even if the disk gives the place back now: this scan has not seen what it holds */
            scan->bad_places = HF_MAX(scan->bad_places, 1u);
        if (!open) {
            tail->at = scan->offset;
            tail->payload = payload;
            tail->kept = tail->last;
            tail->begins_at = HF_MIN(begins_at, tail->at);
        }
        open = true;
        r = hf_spool_scan_resync(scan, 0, err);
        if (r <= 0)
            break;
    }
    return r;
}
