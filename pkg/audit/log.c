/* SPDX-License-Identifier: Apache-2.0 */
/* The chain, the batches and the segments of the audit log.
 *
 * Order: hf_audit_log_add() appends a line to `pending`, chained to the line before; one write brings all pending lines
 * to disk. Only then do `size` and `durable` move. A segment begins with SegmentStarted: the hash of the last line of
 * the one before, and how many entries rotation has removed. The oldest segment goes after the new one is durable.
 *
 * Power cuts: pad() lengthens the last line of a write to the end of a sector, so that the next write begins at a new
 * one (audit/write.h). Where durable lines end inside a sector all the same, after a cut or without memory for the
 * blanks, replace() writes the whole segment to another file. The same where the lines of an earlier process of this
 * boot may be in the cache alone: after a failed sync Linux takes their pages for clean, so that a sync brings nothing
 * to the disk.
 *
 * Opening: the chain goes on after the last good line. Good lines behind damaged ones count only if a later write
 * brought them: then the damage is no torn write, and stays for audit/check.h to find. A damaged end goes to the file
 * `torn`, and an entry TornLine says so. A newest segment that stays unreadable for HF_AUDIT_UNREAD_NS is left to
 * rotation: a new chain begins above every number that it can have.
 *
 * Not on pkg/spool, whose segments are preallocated binary files that are reused: the log's files are lines of text
 * that a group may read with any tool, a check names the file and the line that somebody changed, and damage is
 * evidence, which the spool repairs. */
#include "audit/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "os/dir.h"
#include "os/file.h"

/* Range of the time above which an entry shows the range. */
#define HF_AUDIT_DELAY_NS (2 * HF_NS_PER_S)
#define SURE_NS (600 * HF_NS_PER_S)

enum {
    READ_MAX = 2 * HF_AUDIT_SEGMENT_BYTES,
    TORN_MAX = 64 << 10,
    PATH = PATH_MAX - HF_AUDIT_NAME,
};

struct hf_audit_log {
    struct hf_audit_log_params params;
    char dir[PATH];
    char boot[HF_AUDIT_BOOT];
    struct hf_audit_calm calm;
    /* the chain, with the entries that wait */
    uint64_t seq;
    char hash[HF_SHA256_HEX];
    struct hf_audit_head durable;
    /* the newest segment */
    uint64_t segment; /* number of its first entry; 0: there is none */
    uint64_t size;    /* bytes that are durable */
    bool is_new;      /* the file may not exist yet */
    uint64_t oldest;  /* first entry of the oldest segment */
    bool has_unread;  /* some lines of the log cannot be read */
    struct hf_buf pending;
    uint64_t batch; /* number of the first entry in `pending` */
    size_t last;    /* where the last line in `pending` begins */
    bool failing;   /* the last write failed */
    /* An earlier process of this boot wrote the last lines of the newest segment, so they may be in the cache alone. A
     * sync would not help: Linux takes a page for clean once its write has failed. */
    bool unsynced;
    uint64_t due_ns;      /* next write; HF_NEVER: nothing waits */
    uint64_t lost, noted; /* events lost, and how many of them the log mentions */
    uint64_t note_ns;     /* monotonic time from which the log may mention more of them */
};

/* ---- adding ------------------------------------------------------------------------------------------------------ */

static void stamp(const struct hf_audit_log *log, struct hf_audit_entry *entry)
{
    struct hf_time_range range = hf_clock_range(log->params.clock);
    bool sure = range.agreement == HF_TIME_AGREED ||
                (range.latest_unix_ns != HF_NEVER && range.latest_unix_ns - range.earliest_unix_ns <= SURE_NS);

    entry->unix_ns = range.estimate_unix_ns;
    entry->mono_ms = hf_mono_ns(log->params.clock) / HF_NS_PER_MS;
    (void)snprintf(entry->boot, sizeof(entry->boot), "%s", log->boot);
    if (sure)
        return;
    entry->earliest_unix_ns = range.earliest_unix_ns;
    entry->latest_unix_ns = range.latest_unix_ns == HF_NEVER ? 0 : range.latest_unix_ns;
}

static int append_line(struct hf_audit_log *log, struct hf_audit_entry *entry)
{
    size_t before = log->pending.n;

    entry->seq = log->seq + 1;
    entry->batch = before == 0 ? entry->seq : log->batch;
    memcpy(entry->prev, log->hash, sizeof(entry->prev));
    stamp(log, entry);
    int r = hf_audit_entry_format(entry, &log->pending);
    if (r == 0) {
        char hash[HF_SHA256_HEX];
        (void)hf_sha256_hex(log->pending.p + before, log->pending.n - before, hash);
        r = hf_buf_add(&log->pending, "\n", 1);
        if (r == 0 && log->pending.n > HF_AUDIT_PENDING_BYTES)
            r = -E2BIG;
        if (r == 0)
            memcpy(log->hash, hash, sizeof(hash));
    }
    if (r < 0) {
        log->pending.n = before;
        return r;
    }
    log->batch = entry->batch;
    log->last = before;
    log->seq = entry->seq;
    assert(log->batch <= log->seq && log->durable.entries < log->seq);
    if (log->due_ns == HF_NEVER)
        log->due_ns = hf_mono_ns(log->params.clock) + HF_AUDIT_DELAY_NS;
    return 0;
}

/* Returns the first entry that stays when a new segment begins. */
static uint64_t oldest_after(const struct hf_audit_log *log, uint64_t first)
{
    struct hf_audit_segments found;

    if (hf_audit_segments_list(log->params.fs, log->dir, &found, NULL) < 0 || found.n == 0)
        return first;
    return found.n < HF_AUDIT_SEGMENTS ? found.first[0] : found.first[found.n - (HF_AUDIT_SEGMENTS - 1)];
}

/* Begins a segment. No entry waits. */
static int begin_segment(struct hf_audit_log *log)
{
    struct hf_audit_entry entry = {.count = 1};
    uint64_t first = log->seq + 1;
    char text[96];

    assert(log->pending.n == 0 && first > log->segment);
    log->oldest = oldest_after(log, first);
    entry.dropped = log->oldest - 1;
    (void)snprintf(text, sizeof(text), "older segments held %" PRIu64 " %s gone", entry.dropped,
                   hf_noun(entry.dropped, "entry, which is", "entries, which are"));
    hf_audit_event_set(&entry.event, HF_AUDIT_SEGMENT_STARTED, "", "", entry.dropped > 0 ? text : "");
    int r = append_line(log, &entry);
    if (r == 0) {
        log->segment = first;
        log->size = 0;
        log->is_new = true;
    }
    return r;
}

static int append(struct hf_audit_log *log, const struct hf_audit_event *event, uint64_t count)
{
    struct hf_audit_entry entry = {.event = *event, .count = count};
    int r = 0;

    if (log->segment == 0 || log->size + log->pending.n + HF_AUDIT_LINE_MAX > HF_AUDIT_SEGMENT_BYTES) {
        r = hf_audit_log_flush(log, NULL);
        if (r == 0)
            r = begin_segment(log);
    } else if (log->pending.n + HF_AUDIT_LINE_MAX > HF_AUDIT_PENDING_BYTES && !log->failing) {
        r = hf_audit_log_flush(log, NULL);
    }
    if (r == 0)
        r = append_line(log, &entry);
    if (r == 0 && log->params.added != NULL)
        log->params.added(log->params.arg, event->kind);
    return r;
}

/* Adds the number of lost events. A flood loses events without an end, so there is one such entry in
 * HF_AUDIT_WINDOW_NS, and a last one when the process ends. */
static void note_lost(struct hf_audit_log *log, bool ends)
{
    uint64_t lost = log->lost, now_ns = hf_mono_ns(log->params.clock);
    struct hf_audit_event event;
    char text[64];

    if (lost == log->noted)
        return;
    if (now_ns < log->note_ns && !ends) {
        log->due_ns = HF_MIN(log->due_ns, log->note_ns);
        return;
    }
    (void)snprintf(text, sizeof(text), "%" PRIu64 " %s lost", lost - log->noted,
                   hf_noun(lost - log->noted, "entry", "entries"));
    hf_audit_event_set(&event, HF_AUDIT_ENTRIES_LOST, "", "", text);
    if (append(log, &event, lost - log->noted) < 0)
        return;
    log->noted = lost;
    log->note_ns = now_ns + HF_AUDIT_WINDOW_NS;
}

void hf_audit_log_add(struct hf_audit_log *log, enum hf_audit_kind kind, const char *subject, const char *reason,
                      const char *message)
{
    struct hf_audit_event event;

    if (log == NULL)
        return;
    hf_audit_event_set(&event, kind, subject, reason, message);
    enum hf_audit_verdict verdict = hf_audit_calm_see(&log->calm, &event, hf_mono_ns(log->params.clock));
    if (verdict == HF_AUDIT_COUNTED)
        return;
    if (verdict == HF_AUDIT_WRITE && append(log, &event, 1) == 0)
        return;
    uint64_t delay_ns = verdict == HF_AUDIT_LOST ? HF_AUDIT_WINDOW_NS : HF_AUDIT_RETRY_NS;
    log->lost++;
    log->due_ns = HF_MIN(log->due_ns, hf_mono_ns(log->params.clock) + delay_ns);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static struct hf_audit_place place_of(const struct hf_audit_log *log)
{
    return (struct hf_audit_place){.fs = log->params.fs, .dir = log->dir, .group = log->params.group};
}

/* Lengthens the last line, so that the write ends where a sector ends and the next write begins at a new sector. Does
 * nothing if there is no memory for that; the next flush then replaces the segment. */
static void pad(struct hf_audit_log *log)
{
    size_t over = (size_t)((log->size + log->pending.n) % HF_AUDIT_SECTOR);

    if (over == 0 || hf_audit_entry_pad(&log->pending, log->last, HF_AUDIT_SECTOR - over) < 0)
        return;
    (void)hf_sha256_hex(log->pending.p + log->last, log->pending.n - log->last - 1, log->hash);
}

/* The durable lines end inside a sector, because an older agent wrote them or a power cut tore the write that brought
 * them; or they may not be durable. So they move to a new file, together with the lines that wait. */
static int replace(const struct hf_audit_log *log, const struct hf_audit_place *place, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(READ_MAX);
    int r = hf_audit_segment_read(place->fs, log->dir, log->segment, &text, err);

    if (r < 0)
        return r;
    text.n = HF_MIN(text.n, (size_t)log->size); /* a write that failed may have left bytes behind the durable lines */
    r = hf_buf_add(&text, log->pending.p, log->pending.n);
    return r < 0 ? hf_err_set(err, -r, "add %zu bytes to a segment of %zu bytes", log->pending.n, text.n)
                 : hf_audit_write_replace(place, log->segment, text.p, text.n, err);
}

/* The new segment is durable first. If the power goes in between, one segment too many stays until the next one. */
static void drop_oldest(struct hf_audit_log *log)
{
    const struct hf_fs_ops *fs = log->params.fs;
    struct hf_audit_segments found;
    char path[PATH_MAX];

    if (hf_audit_segments_list(fs, log->dir, &found, NULL) < 0)
        return;
    for (size_t i = 0; i + HF_AUDIT_SEGMENTS < found.n; i++)
        if (hf_audit_segment_path(log->dir, found.first[i], path, NULL) == 0)
            (void)fs->unlinkat(fs->ctx, AT_FDCWD, path, 0);
}

static int flush(struct hf_audit_log *log, struct hf_err *err)
{
    struct hf_audit_place place = place_of(log);
    int r;

    if (log->pending.n > 0)
        pad(log);
    if (log->size % HF_AUDIT_SECTOR == 0 && !log->unsynced)
        r = hf_audit_write_append(&place, log->segment, log->is_new, log->size, log->pending.p, log->pending.n, err);
    else
        r = replace(log, &place, err);
    if (r == -ENOENT) { /* somebody removed the segment, and a check of the log will find the gap */
        log->is_new = true;
        log->unsynced = false;
        log->size = 0;
        (void)!hf_audit_write_folder(&place, NULL);
    }
    return r;
}

int hf_audit_log_flush(struct hf_audit_log *log, struct hf_err *err)
{
    if (log->pending.n == 0 && !log->unsynced) {
        log->due_ns = HF_NEVER;
        return 0;
    }
    int r = flush(log, err);
    if (r < 0) {
        log->due_ns = hf_mono_ns(log->params.clock) + HF_AUDIT_RETRY_NS;
        log->failing = true;
        return r;
    }
    bool was_new = log->is_new;
    log->size += log->pending.n;
    assert(log->size <= READ_MAX); /* the next process can read it */
    log->is_new = log->failing = log->unsynced = false;
    log->due_ns = HF_NEVER;
    hf_buf_done(&log->pending);
    log->durable.entries = log->seq;
    memcpy(log->durable.hash, log->hash, sizeof(log->hash));
    if (was_new)
        drop_oldest(log);
    return 0;
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void add_counted(struct hf_audit_log *log, uint64_t now_ns)
{
    struct hf_audit_event event;
    uint64_t n;

    while ((n = hf_audit_calm_take(&log->calm, now_ns, &event)) > 0)
        if (append(log, &event, n) < 0)
            log->lost += n;
}

uint64_t hf_audit_log_due_ns(const struct hf_audit_log *log)
{
    return log == NULL ? HF_NEVER : HF_MIN(log->due_ns, hf_audit_calm_due_ns(&log->calm));
}

int hf_audit_log_work(struct hf_audit_log *log, struct hf_err *err)
{
    if (log == NULL)
        return 0;
    uint64_t now_ns = hf_mono_ns(log->params.clock);
    add_counted(log, now_ns);
    if (now_ns < log->due_ns)
        return 0;
    int r = hf_audit_log_flush(log, err);
    if (r == 0)
        note_lost(log, false);
    return r;
}

int hf_audit_log_end(struct hf_audit_log *log, struct hf_err *err)
{
    if (log == NULL)
        return 0;
    add_counted(log, HF_NEVER);
    int r = hf_audit_log_flush(log, err);
    if (r < 0 || log->lost == log->noted)
        return r;
    note_lost(log, true);
    return hf_audit_log_flush(log, err);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static void pass_on(const struct hf_audit_log *log, const struct hf_audit_line *line)
{
    if (line->r == 0 && log->params.has != NULL)
        log->params.has(log->params.arg, &line->entry);
}

static int visit_older(void *arg, const struct hf_audit_line *line)
{
    struct hf_audit_log *log = arg;

    log->has_unread = log->has_unread || line->r < 0;
    pass_on(log, line);
    return 0;
}

/* Passes on the entries of all segments but the newest, of which resume() passes on what stays. */
static void read_older(struct hf_audit_log *log, const struct hf_audit_segments *found)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(READ_MAX);

    for (size_t i = 0; log->params.has != NULL && i + 1 < found->n; i++)
        (void)!hf_audit_segment_visit(log->params.fs, log->dir, found->first[i], &text, visit_older, log);
}

/* How far the newest segment is usable. */
struct tail {
    size_t used;              /* bytes to keep: up to the end of the last good line */
    uint64_t seq;             /* of that line; 0: there is none */
    char hash[HF_SHA256_HEX]; /* of that line */
    char boot[HF_AUDIT_BOOT]; /* of that line */
};

/* Finds the last good line of the segment that begins with entry `first`. Lines after a damaged one count only if a
 * later write brought them: then the damage is no power cut, and hf_audit_check_see() must find it. */
static struct tail find_tail(const struct hf_audit_log *log, struct hf_view text, uint64_t first)
{
    struct hf_audit_line line = {.segment = ""};
    struct tail tail = {0};
    const char *begin = text.p;
    bool damaged = false;

    while (hf_audit_line_next(&text, &line)) {
        uint64_t next = tail.seq != 0 ? tail.seq + 1 : first;
        damaged = damaged || line.r < 0 || line.entry.seq != next;
        if (line.r < 0 || (damaged && line.entry.batch <= next))
            continue;
        damaged = false;
        pass_on(log, &line);
        tail.used = (size_t)(text.p - begin);
        tail.seq = line.entry.seq;
        memcpy(tail.hash, line.hash, sizeof(tail.hash));
        (void)snprintf(tail.boot, sizeof(tail.boot), "%s", line.entry.boot);
    }
    return tail;
}

static int keep_torn(const struct hf_audit_log *log, struct hf_view torn, struct hf_err *err)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/torn", log->dir);
    return hf_file_replace(log->params.fs, path, torn.p, HF_MIN(torn.n, (size_t)TORN_MAX), 0600, err);
}

/* Sets the damaged end of a segment aside; a segment without a good line goes away as a whole. */
static int repair(struct hf_audit_log *log, uint64_t first, struct hf_view text, const struct tail *tail,
                  struct hf_err *err)
{
    struct hf_view torn = {text.p + tail->used, text.n - tail->used};
    struct hf_audit_place place = place_of(log);
    char path[PATH_MAX];
    int r = torn.n > 0 ? keep_torn(log, torn, err) : 0;

    if (r < 0)
        return r;
    if (tail->seq != 0)
        return hf_audit_write_replace(&place, first, text.p, tail->used, err);
    r = hf_audit_segment_path(log->dir, first, path, err);
    return r < 0 ? r : hf_file_remove(log->params.fs, path, err);
}

static void note_torn(struct hf_audit_log *log, size_t bytes)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "%zu bytes at the end of the log were damaged; they are in the file 'torn'",
                   bytes);
    hf_audit_log_add(log, HF_AUDIT_TORN_LINE, "", "", text);
}

/* Such an error says nothing about a segment. */
static bool is_lack(int r)
{
    return r == -ENOMEM || r == -ENOSPC || r == -EDQUOT || r == -EROFS || r == -EMFILE || r == -ENFILE;
}

/* Returns true if the newest segment has been unreadable for so long that the log goes on without it. `r` is the result
 * of this try to read it. */
static bool gives_up(const struct hf_audit_log *log, int r)
{
    uint64_t *since = log->params.unread_ns, now_ns = hf_mono_ns(log->params.clock);

    if (since == NULL || is_lack(r))
        return false;
    if (r == 0)
        *since = 0;
    else if (*since == 0)
        *since = HF_MAX(now_ns, (uint64_t)1);
    return *since != 0 && now_ns - *since >= HF_AUDIT_UNREAD_NS;
}

/* Begins a new chain above the segment that begins with `first`. Each entry in that segment has more than one byte, so
 * no number repeats. Nothing is on disk before the first flush: after a power cut, the next process waits again. */
static void begin_above(struct hf_audit_log *log, uint64_t first, int r)
{
    char name[HF_AUDIT_NAME], text[160];

    log->has_unread = true;
    log->seq = HF_MAX(log->seq, first + HF_AUDIT_SEGMENT_BYTES - 1);
    (void)snprintf(text, sizeof(text),
                   "the entries from %" PRIu64 " on cannot be read (%s); the numbers go on at %" PRIu64, first,
                   strerror(-r), log->seq + 1);
    hf_audit_log_add(log, HF_AUDIT_TORN_LINE, hf_audit_segment_name(first, name), "Unreadable", text);
}

/* Continues the chain at the last good line of the segment that begins with `first`, or begins a new one if the segment
 * stays unreadable. Returns 1 if the segment has no good line. */
static int resume(struct hf_audit_log *log, uint64_t first, size_t *torn, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(READ_MAX);
    struct tail tail = {0};
    int r = hf_audit_segment_read(log->params.fs, log->dir, first, &text, err);

    if (gives_up(log, r == -E2BIG ? 0 : r)) {
        begin_above(log, first, r);
        return 0;
    }
    if (r < 0 && r != -E2BIG)
        return r;
    bool oversized = r == -E2BIG; /* not ours: nothing of it is used */
    if (!oversized)
        tail = find_tail(log, (struct hf_view){hf_buf_str(&text), text.n}, first);
    bool repairs = oversized || tail.used < text.n || tail.seq == 0;
    if (repairs) {
        *torn += oversized ? READ_MAX : text.n - tail.used;
        r = repair(log, first, (struct hf_view){hf_buf_str(&text), text.n}, &tail, err);
        if (r < 0)
            return r;
    }
    if (tail.seq == 0)
        return 1;
    log->segment = first;
    log->size = tail.used;
    log->seq = tail.seq;
    log->unsynced = !repairs && (log->boot[0] == '\0' || strcmp(tail.boot, log->boot) == 0);
    memcpy(log->hash, tail.hash, sizeof(log->hash));
    return 0;
}

static int load(struct hf_audit_log *log, struct hf_err *err)
{
    struct hf_audit_segments found;
    size_t torn = 0;
    int r = hf_audit_segments_list(log->params.fs, log->dir, &found, err);

    if (r < 0)
        return r;
    log->oldest = found.n > 0 ? found.first[0] : 1;
    /* Numbers never repeat, even if no line of the log is readable. */
    log->seq = found.n > 0 ? found.first[found.n - 1] - 1 : 0;
    read_older(log, &found);
    for (r = 1; r == 1 && found.n > 0; found.n--)
        r = resume(log, found.first[found.n - 1], &torn, err);
    if (r < 0)
        return r;
    /* An earlier process may have ended before the name of this file was durable, whatever boot its lines are from. */
    if (log->segment != 0 && hf_dir_sync(log->params.fs, log->dir, NULL) < 0)
        log->unsynced = true;
    if (log->segment != 0 && !log->is_new && !log->unsynced) {
        log->durable.entries = log->seq;
        memcpy(log->durable.hash, log->hash, sizeof(log->hash));
    }
    (void)!hf_audit_log_flush(log, NULL); /* if that fails, hf_audit_log_work() tries again */
    if (torn > 0)
        note_torn(log, torn);
    return 0;
}

int hf_audit_log_open(const struct hf_audit_log_params *params, struct hf_audit_log **ret_log, struct hf_err *err)
{
    _cleanup_(hf_audit_log_freep) struct hf_audit_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    log->params = *params;
    log->pending = (struct hf_buf)HF_BUF_INIT(HF_AUDIT_PENDING_BYTES + HF_AUDIT_SECTOR);
    log->due_ns = HF_NEVER;
    hf_audit_no_prev(log->hash);
    (void)snprintf(log->boot, sizeof(log->boot), "%s", params->boot);
    if (snprintf(log->dir, sizeof(log->dir), "%s", params->dir) >= (int)sizeof(log->dir))
        return hf_err_set(err, ENAMETOOLONG, "the path of folder '%.200s' is too long", params->dir);
    struct hf_audit_place place = place_of(log);
    int r = hf_audit_write_folder(&place, err);
    if (r == 0) {
        hf_audit_write_forget(&place);
        r = load(log, err);
    }
    if (is_lack(r) && params->unread_ns != NULL)
        *params->unread_ns = 0;
    if (r < 0)
        return r;
    *ret_log = hf_steal(log);
    return 0;
}

void hf_audit_log_free(struct hf_audit_log *log)
{
    if (log == NULL)
        return;
    hf_audit_calm_done(&log->calm);
    hf_buf_done(&log->pending);
    free(log);
}

struct hf_audit_head hf_audit_log_head(const struct hf_audit_log *log)
{
    return log->durable;
}

uint64_t hf_audit_log_lost(const struct hf_audit_log *log)
{
    return log->lost;
}

void hf_audit_log_lose(struct hf_audit_log *log, uint64_t n)
{
    if (n == 0)
        return;
    log->lost += n;
    log->due_ns = HF_MIN(log->due_ns, hf_mono_ns(log->params.clock) + HF_AUDIT_DELAY_NS);
}

bool hf_audit_log_has_dropped(const struct hf_audit_log *log)
{
    return log->oldest > 1 || log->has_unread;
}
