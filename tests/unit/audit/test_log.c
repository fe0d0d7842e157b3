/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/log.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/check.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "support/walk.h"

#define DIR "/var/lib/holdfast/journal"
#define START_UNIX_NS (1795000000ull * HF_NS_PER_S)

struct scene {
    struct hf_simfs *fs;
    struct hf_clock_ops clock;
    uint64_t mono_ns;
    struct hf_audit_log *log;
    const char *boot;
    uint64_t unread_ns;
};

static uint64_t mono(void *ctx)
{
    return ((struct scene *)ctx)->mono_ns;
}

static uint64_t unix_time(void *ctx)
{
    return START_UNIX_NS + ((struct scene *)ctx)->mono_ns;
}

static void set_up(struct scene *s)
{
    *s = (struct scene){.fs = hf_simfs_new(), .mono_ns = HF_NS_PER_S, .boot = "0d3c-1"};
    s->clock = (struct hf_clock_ops){.ctx = s, .mono_ns = mono, .unix_ns = unix_time};
    hf_simfs_mkdir(s->fs, "/var/lib/holdfast", 0700);
}

static int open_log(struct scene *s)
{
    const struct hf_audit_log_params params = {.fs = hf_simfs_ops(s->fs),
                                               .clock = &s->clock,
                                               .dir = DIR,
                                               .boot = s->boot,
                                               .group = 777,
                                               .unread_ns = &s->unread_ns};

    return hf_audit_log_open(&params, &s->log, NULL);
}

static void close_log(struct scene *s)
{
    hf_audit_log_free(s->log);
    s->log = NULL;
}

static void tear_down(struct scene *s)
{
    close_log(s);
    ck_assert_uint_eq(hf_simfs_open_fds(s->fs), 0);
    hf_simfs_free(s->fs);
}

static void add(struct scene *s, unsigned number)
{
    char subject[32];

    (void)snprintf(subject, sizeof(subject), "edge@%u", number);
    hf_audit_log_add(s->log, HF_AUDIT_UPDATE_DECISION, subject, "Committed", "the health checks passed");
    s->mono_ns += HF_AUDIT_REFILL_NS; /* never a flood */
}

struct seen {
    struct hf_audit_check check;
    unsigned lines, torn, lost, decisions;
    uint64_t lost_count;
    const char *hash; /* to look for; NULL: none */
    bool found;       /* a line has this hash */
    char text[400];   /* the last line */
};

static int see(void *arg, const struct hf_audit_line *line)
{
    struct seen *seen = arg;

    hf_audit_check_see(&seen->check, line);
    seen->lines++;
    seen->found = seen->found || (seen->hash != NULL && line->r == 0 && strcmp(line->hash, seen->hash) == 0);
    seen->torn += line->entry.event.kind == HF_AUDIT_TORN_LINE && line->r == 0;
    seen->decisions += line->entry.event.kind == HF_AUDIT_UPDATE_DECISION && line->r == 0;
    if (line->entry.event.kind == HF_AUDIT_ENTRIES_LOST && line->r == 0) {
        seen->lost++;
        seen->lost_count += line->entry.count;
    }
    (void)snprintf(seen->text, sizeof(seen->text), "%.*s", (int)line->text.n, line->text.p != NULL ? line->text.p : "");
    return 0;
}

static struct seen read_log(struct scene *s)
{
    struct seen seen = {.lines = 0};

    (void)!hf_audit_read(hf_simfs_ops(s->fs), DIR, 0, see, &seen, NULL);
    return seen;
}

static void assert_intact(struct scene *s)
{
    struct seen seen = read_log(s);
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    ck_assert_msg(hf_audit_check_end(&seen.check, &err) == 0, "%s", hf_err_text(&err, text, sizeof(text)));
}

START_TEST(chain_grows_over_restarts)
{
    struct scene s;

    set_up(&s);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(open_log(&s), 0);
        add(&s, i);
        ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
        ck_assert_uint_eq(hf_audit_log_head(s.log).entries, i + 2);
        close_log(&s);
    }
    struct seen seen = read_log(&s);
    ck_assert_uint_eq(seen.lines, 6); /* SegmentStarted and five */
    assert_intact(&s);
    tear_down(&s);
}
END_TEST

START_TEST(line_is_as_promised)
{
    struct scene s;
    struct stat st;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    hf_audit_log_add(s.log, HF_AUDIT_HOLD_SET, "site", "Held", "line 3\n\x1b[31mis \"running\" \xff");
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    struct seen seen = read_log(&s);
    static const char want[] =
        "{\"seq\":2,\"batch\":1,\"time\":\"2026-11-18T11:06:41Z\",\"boot\":\"0d3c-1\",\"mono\":1000,"
        "\"kind\":\"HoldSet\",\"subject\":\"site\",\"reason\":\"Held\",\"message\":\"line 3  [31mis "
        "\\\"running\\\" ?\",\"prev\":\"";
    ck_assert_msg(strncmp(seen.text, want, sizeof(want) - 1) == 0, "%s", seen.text);
    ck_assert(hf_simfs_stat(s.fs, DIR, &st));
    ck_assert_uint_eq(st.st_mode & 07777, 0750);
    ck_assert_uint_eq(st.st_gid, 777);
    ck_assert(hf_simfs_stat(s.fs, DIR "/audit-000000000001.jsonl", &st));
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    ck_assert_uint_eq(st.st_gid, 777);
    tear_down(&s);
}
END_TEST

START_TEST(writes_come_in_batches)
{
    struct scene s;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    uint64_t calls = hf_simfs_calls(s.fs);
    ck_assert_uint_eq(hf_audit_log_due_ns(s.log), HF_NEVER); /* idle: nothing is due, nothing is written */
    ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    ck_assert_uint_eq(hf_simfs_calls(s.fs), calls);
    hf_audit_log_add(s.log, HF_AUDIT_AGENT_STARTED, "", "", "");
    s.mono_ns += HF_NS_PER_S;
    calls = hf_simfs_calls(s.fs);
    hf_audit_log_add(s.log, HF_AUDIT_HOLD_SET, "site", "", "");
    ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    ck_assert_uint_eq(hf_simfs_calls(s.fs), calls);
    ck_assert_uint_eq(hf_audit_log_due_ns(s.log), 3 * HF_NS_PER_S);
    s.mono_ns += HF_NS_PER_S;
    ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    ck_assert_uint_eq(hf_audit_log_head(s.log).entries, 3);
    ck_assert_uint_eq(hf_audit_log_due_ns(s.log), HF_NEVER);
    tear_down(&s);
}
END_TEST

START_TEST(segments_are_bounded_and_stay_chained)
{
    struct scene s;
    struct hf_audit_segments found;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 0; i < 6000; i++)
        add(&s, i);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    ck_assert_int_eq(hf_audit_segments_list(hf_simfs_ops(s.fs), DIR, &found, NULL), 0);
    ck_assert_uint_eq(found.n, HF_AUDIT_SEGMENTS);
    ck_assert(hf_audit_log_has_dropped(s.log));
    for (size_t i = 0; i < found.n; i++) {
        char name[HF_AUDIT_NAME], path[100];
        size_t n = 0;
        (void)snprintf(path, sizeof(path), DIR "/%s", hf_audit_segment_name(found.first[i], name));
        ck_assert_ptr_nonnull(hf_simfs_get(s.fs, path, &n));
        ck_assert_uint_le(n, HF_AUDIT_SEGMENT_BYTES);
    }
    assert_intact(&s);
    struct seen seen = read_log(&s);
    ck_assert_uint_eq(seen.check.dropped + 1, found.first[0]); /* the log says how many entries are gone */
    ck_assert_uint_eq(seen.check.seq, hf_audit_log_head(s.log).entries);
    char name[HF_AUDIT_NAME], path[100];
    (void)snprintf(path, sizeof(path), DIR "/%s", hf_audit_segment_name(found.first[0], name));
    hf_simfs_delete(s.fs, path); /* a removed segment shows, although each other line is in the chain */
    seen = read_log(&s);
    ck_assert_int_eq(hf_audit_check_end(&seen.check, NULL), -EBADMSG);
    tear_down(&s);
}
END_TEST

static int check_text(const unsigned char *bytes, size_t n)
{
    struct hf_audit_line line = {.segment = "audit-000000000001.jsonl"};
    struct hf_view rest = {(const char *)bytes, n};
    struct hf_audit_check check = {0};

    while (hf_audit_line_next(&rest, &line))
        hf_audit_check_see(&check, &line);
    return hf_audit_check_end(&check, NULL);
}

START_TEST(each_changed_byte_is_found)
{
    struct scene s;
    size_t n;
    const char path[] = DIR "/audit-000000000001.jsonl";

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 0; i < 3; i++)
        add(&s, i);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    const void *live = hf_simfs_get(s.fs, path, &n);
    unsigned char *bytes = malloc(n + 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, live, n);
    for (size_t at = 0; at < n; at++)
        for (unsigned i = 0; i < 3; i++) {
            static const unsigned char masks[] = {0x01, 0x20, 0x80};
            bytes[at] ^= masks[i];
            ck_assert_msg(check_text(bytes, n) == -EBADMSG, "byte %zu mask %#x", at, masks[i]);
            bytes[at] ^= masks[i];
        }
    ck_assert_int_eq(check_text(bytes, n), 0);
    hf_simfs_put(s.fs, path, bytes, n, 0640);
    assert_intact(&s);
    free(bytes);
    tear_down(&s);
}
END_TEST

/* Removes, repeats or swaps whole lines. */
START_TEST(each_moved_line_is_found)
{
    struct scene s;
    size_t n, lines = 0, starts[12] = {0};
    const char path[] = DIR "/audit-000000000001.jsonl";

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 0; i < 6; i++)
        add(&s, i);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    const char *live = hf_simfs_get(s.fs, path, &n);
    char *text = strndup(live, n), *changed = malloc(2 * n);
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\n')
            starts[++lines] = i + 1;
    ck_assert_uint_eq(lines, 7);
    for (size_t i = 0; i + 1 < lines; i++) { /* without line i; the last one needs a witness */
        memcpy(changed, text, starts[i]);
        memcpy(changed + starts[i], text + starts[i + 1], n - starts[i + 1]);
        hf_simfs_put(s.fs, path, changed, n - (starts[i + 1] - starts[i]), 0640);
        struct seen seen = read_log(&s);
        ck_assert_msg(hf_audit_check_end(&seen.check, NULL) == -EBADMSG, "without line %zu", i);
    }
    for (size_t i = 0; i < lines; i++) { /* line i twice */
        size_t end = starts[i + 1];
        memcpy(changed, text, end);
        memcpy(changed + end, text + starts[i], n - starts[i]);
        hf_simfs_put(s.fs, path, changed, end + n - starts[i], 0640);
        struct seen seen = read_log(&s);
        ck_assert_msg(hf_audit_check_end(&seen.check, NULL) == -EBADMSG, "line %zu twice", i);
    }
    free(text);
    free(changed);
    tear_down(&s);
}
END_TEST

START_TEST(torn_line_is_set_aside)
{
    struct scene s;
    size_t n, torn;
    const char path[] = DIR "/audit-000000000001.jsonl";

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 0; i < 3; i++)
        add(&s, i);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    close_log(&s);
    const char *live = hf_simfs_get(s.fs, path, &n);
    char *text = strndup(live, n);
    for (size_t cut = 0; cut < n; cut += 7) {
        hf_simfs_put(s.fs, path, text, cut, 0640);
        ck_assert_int_eq(open_log(&s), 0);
        add(&s, 9);
        ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
        close_log(&s);
        bool whole = cut == 0 || text[cut - 1] == '\n';
        struct seen seen = read_log(&s);
        ck_assert_uint_eq(seen.torn, whole ? 0 : 1);
        ck_assert_int_eq(hf_simfs_get(s.fs, DIR "/torn", &torn) != NULL, !whole);
        assert_intact(&s);
        hf_simfs_delete(s.fs, DIR "/torn");
    }
    free(text);
    tear_down(&s);
}
END_TEST

/* What the last run has promised to be durable: `head`. */
static void assert_holds(struct scene *s, struct hf_audit_head head, const char *what, unsigned long long number)
{
    struct seen seen = {.hash = head.hash};
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    (void)!hf_audit_read(hf_simfs_ops(s->fs), DIR, 0, see, &seen, NULL);
    ck_assert_msg(hf_audit_check_end(&seen.check, &err) == 0, "%s %llu: %s", what, number,
                  hf_err_text(&err, text, sizeof(text)));
    ck_assert_msg(head.entries == 0 || seen.found, "%s %llu: lost durable entry %llu", what, number,
                  (unsigned long long)head.entries);
}

static struct hf_audit_head run(struct scene *s, unsigned from, unsigned n)
{
    struct hf_audit_head head = {0};

    if (open_log(s) < 0)
        return head;
    head = hf_audit_log_head(s->log);
    for (unsigned i = from; i < from + n; i++) {
        add(s, i);
        if (hf_audit_log_work(s->log, NULL) == 0)
            head = hf_audit_log_head(s->log);
    }
    if (hf_audit_log_end(s->log, NULL) == 0)
        head = hf_audit_log_head(s->log);
    close_log(s);
    return head;
}

/* ---- what a log holds before the power goes ----------------------------------------------------------------------- */

static void fill(struct scene *s, unsigned n)
{
    ck_assert_int_eq(open_log(s), 0);
    for (unsigned i = 0; i < n; i++)
        add(s, i);
    ck_assert_int_eq(hf_audit_log_end(s->log, NULL), 0);
    close_log(s);
}

/* Writes a segment as agents did before writes began at a sector: lines without blanks. */
static void fill_unpadded(struct scene *s, unsigned n)
{
    struct hf_audit_entry entry = {.count = 1};
    struct hf_buf text = HF_BUF_INIT(HF_AUDIT_SEGMENT_BYTES);

    hf_audit_no_prev(entry.prev);
    for (unsigned i = 0; i <= n; i++) {
        size_t begin = text.n;
        entry.seq = entry.batch = i + 1;
        hf_audit_event_set(&entry.event, i == 0 ? HF_AUDIT_SEGMENT_STARTED : HF_AUDIT_UPDATE_DECISION, "", "", "");
        ck_assert_int_eq(hf_audit_entry_format(&entry, &text), 0);
        (void)hf_sha256_hex(text.p + begin, text.n - begin, entry.prev);
        ck_assert_int_eq(hf_buf_add(&text, "\n", 1), 0);
    }
    ck_assert_uint_ne(text.n % HF_AUDIT_SECTOR, 0);
    hf_simfs_put(s->fs, DIR "/audit-000000000001.jsonl", text.p, text.n, 0640);
    hf_buf_done(&text);
}

static void fill_nothing(struct scene *s, unsigned n)
{
    (void)s;
    (void)n;
}

static const struct {
    void (*fill)(struct scene *s, unsigned n);
    unsigned n;
    unsigned seeds;
} befores[] = {
    {fill_nothing, 0, 20},  {fill, 3, 20},           {fill, 247, 2}, /* near a change of segments */
    {fill, 8 * 251, 1},                                              /* near the change that drops the oldest segment */
    {fill_unpadded, 3, 20}, {fill_unpadded, 400, 2},
};

static void copy_file(void *arg, const char *path, const struct stat *st)
{
    struct hf_simfs **both = arg;
    size_t n;

    if (!S_ISREG(st->st_mode))
        return;
    const void *bytes = hf_simfs_get(both[0], path, &n);
    hf_simfs_put(both[1], path, bytes, n, st->st_mode & 07777);
}

static void set_up_like(struct scene *s, struct scene *before)
{
    set_up(s);
    hf_simfs_walk(before->fs, "/", copy_file, (struct hf_simfs *[]){before->fs, s->fs});
    s->mono_ns = before->mono_ns;
}

/* Returns false if the run came to its end before call `n`. */
static bool cut_at(struct scene *before, uint64_t n, uint64_t seed)
{
    struct scene s;

    set_up_like(&s, before);
    hf_simfs_stop_at(s.fs, n);
    struct hf_audit_head head = run(&s, 10000, 12);
    bool stopped = hf_simfs_stopped(s.fs);
    hf_simfs_power_cut(s.fs, 1000 * n + seed);
    if (seed % 3 == 0) /* once more, while it repairs */ {
        hf_simfs_stop_at(s.fs, 1 + n % 17);
        struct hf_audit_head again = run(&s, 20000, 1);
        head = again.entries > 0 ? again : head;
        hf_simfs_power_cut(s.fs, n + seed + 1);
    }
    (void)run(&s, 30000, 2);
    assert_holds(&s, head, "call", n);
    ck_assert_ptr_null(hf_simfs_get(s.fs, DIR "/segment.new", &(size_t){0}));
    tear_down(&s);
    return stopped;
}

START_TEST(power_cut_at_each_call)
{
    struct scene before;
    bool stopped = true;

    set_up(&before);
    befores[_i].fill(&before, befores[_i].n);
    for (uint64_t n = hf_walk_next("cuts", 0); stopped && n < 200; n = hf_walk_next("cuts", n))
        for (uint64_t seed = 0; seed < befores[_i].seeds; seed++)
            stopped = cut_at(&before, n, seed);
    ck_assert_msg(!stopped, "never ran to the end");
    tear_down(&before);
}
END_TEST

/* A process is killed before it has synced its lines, or after a sync has failed, and the power goes after the next one
 * has said what is durable. */
START_TEST(power_cut_after_a_kill)
{
    bool fails = _i % 2 != 0, reached = true;
    struct scene before;

    set_up(&before);
    befores[_i / 2].fill(&before, befores[_i / 2].n);
    for (uint64_t n = hf_walk_next("kills", 0); reached && n < 200; n = hf_walk_next("kills", n)) {
        struct scene s;
        set_up_like(&s, &before);
        if (fails)
            hf_simfs_fail_at(s.fs, n, EIO, 0);
        else
            hf_simfs_stop_at(s.fs, n);
        (void)run(&s, 10000, 12);
        reached = fails ? hf_simfs_failed(s.fs) > 0 : hf_simfs_stopped(s.fs);
        hf_simfs_fail_at(s.fs, 0, 0, 0);
        hf_simfs_kill(s.fs);
        ck_assert_int_eq(open_log(&s), 0);
        struct hf_audit_head head = hf_audit_log_head(s.log);
        close_log(&s);
        hf_simfs_power_cut(s.fs, n);
        (void)run(&s, 30000, 2);
        assert_holds(&s, head, "killed at call", n);
        tear_down(&s);
    }
    ck_assert_msg(!reached, "never ran to the end");
    tear_down(&before);
}
END_TEST

/* A disk that cannot sync at the start: nothing counts as durable until it can. */
START_TEST(start_without_a_sync)
{
    struct scene s;
    uint64_t n = 0;

    set_up(&s);
    fill(&s, 3);
    hf_simfs_count_only(s.fs, HF_SIMFS_SHRINKS);
    do /* until only the sync fails */
        hf_simfs_fail_at(s.fs, ++n, EIO, 0);
    while (open_log(&s) < 0 && n < 20);
    ck_assert_uint_gt(hf_simfs_failed(s.fs), 0);
    ck_assert_uint_eq(hf_audit_log_head(s.log).entries, 0);
    hf_simfs_fail_at(s.fs, 0, 0, 0);
    s.mono_ns = hf_audit_log_due_ns(s.log);
    ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    ck_assert_uint_eq(hf_audit_log_head(s.log).entries, 4);
    ck_assert_uint_eq(hf_audit_log_due_ns(s.log), HF_NEVER);
    tear_down(&s);
}
END_TEST

START_TEST(failure_of_each_call)
{
    struct scene before;
    bool failed = true;

    set_up(&before);
    befores[_i].fill(&before, befores[_i].n);
    for (uint64_t n = 1; failed && n < 200; n++) {
        struct scene s;
        set_up_like(&s, &before);
        hf_simfs_fail_at(s.fs, n, n % 2 == 0 ? EIO : ENOSPC, 1);
        struct hf_audit_head head = run(&s, 10000, 12);
        failed = hf_simfs_failed(s.fs) > 0;
        hf_simfs_fail_at(s.fs, 0, 0, 0);
        (void)run(&s, 30000, 2);
        assert_holds(&s, head, "failed call", n);
        tear_down(&s);
    }
    ck_assert_msg(!failed, "never ran to the end");
    tear_down(&before);
}
END_TEST

/* After each write, the segment ends where a sector ends, and no write changes a sector that was durable. */
START_TEST(writes_begin_at_a_sector)
{
    const char path[] = DIR "/audit-000000000001.jsonl";
    char *durable = NULL;
    size_t n = 0, n_durable = 0;
    struct scene s;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned k = 0; k <= i % 5; k++)
            add(&s, i);
        ck_assert_int_eq(hf_audit_log_flush(s.log, NULL), 0);
        const char *live = hf_simfs_get(s.fs, path, &n);
        ck_assert_uint_eq(n % HF_AUDIT_SECTOR, 0);
        ck_assert_uint_gt(n, n_durable);
        ck_assert(n_durable == 0 || memcmp(live, durable, n_durable) == 0);
        free(durable);
        durable = malloc(n);
        ck_assert_ptr_nonnull(durable);
        memcpy(durable, live, n_durable = n);
    }
    assert_intact(&s);
    free(durable);
    tear_down(&s);
}
END_TEST

/* Fills a log with a write of one sector for each entry, damages sectors `from` to `to` of its last whole block of
 * 4 KiB, and opens the log again. */
static struct hf_audit_head damage_block(struct scene *s, size_t from, size_t to)
{
    enum { BLOCK = 4096 };
    const char path[] = DIR "/audit-000000000001.jsonl";
    size_t n = 0;

    ck_assert_int_eq(open_log(s), 0);
    for (unsigned i = 0; n <= BLOCK || n % BLOCK != 0; i++) {
        add(s, i);
        ck_assert_int_eq(hf_audit_log_flush(s->log, NULL), 0);
        ck_assert_ptr_nonnull(hf_simfs_get(s->fs, path, &n));
    }
    struct hf_audit_head head = hf_audit_log_head(s->log);
    close_log(s);
    char *bytes = malloc(n);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, hf_simfs_get(s->fs, path, &n), n);
    memset(bytes + n - BLOCK + from * HF_AUDIT_SECTOR, 0xff, (to - from + 1) * HF_AUDIT_SECTOR);
    hf_simfs_put(s->fs, path, bytes, n, 0640);
    free(bytes);
    ck_assert_int_eq(open_log(s), 0);
    ck_assert_int_eq(hf_audit_log_end(s->log, NULL), 0);
    close_log(s);
    return head;
}

/* A disk damages a whole block, with entries that were durable: the log goes on after the last good one, and says so. Only
 * a hash that left the node shows which entries are gone. */
START_TEST(torn_block)
{
    struct scene s;

    set_up(&s);
    struct hf_audit_head head = damage_block(&s, 0, 7);
    struct seen seen = {.hash = head.hash};
    (void)!hf_audit_read(hf_simfs_ops(s.fs), DIR, 0, see, &seen, NULL);
    ck_assert_uint_eq(seen.torn, 1);
    ck_assert(!seen.found);
    ck_assert_uint_eq(seen.check.seq, head.entries - 8 + 1);
    assert_intact(&s);
    tear_down(&s);
}
END_TEST

/* Later writes behind the damage are whole: it stays, and the check finds it. */
START_TEST(torn_inside_a_block)
{
    struct scene s;

    set_up(&s);
    struct hf_audit_head head = damage_block(&s, 2, 4);
    struct seen seen = {.hash = head.hash};
    (void)!hf_audit_read(hf_simfs_ops(s.fs), DIR, 0, see, &seen, NULL);
    ck_assert_uint_eq(seen.torn, 0);
    ck_assert(seen.found);
    ck_assert_int_eq(hf_audit_check_end(&seen.check, NULL), -EBADMSG);
    tear_down(&s);
}
END_TEST

/* A log of an older agent, whose lines end anywhere, goes on in the same segment, with the same lines. */
START_TEST(older_log_goes_on)
{
    const char path[] = DIR "/audit-000000000001.jsonl";
    struct stat st;
    struct scene s;
    size_t n_old, n;

    set_up(&s);
    fill_unpadded(&s, 5);
    const char *live = hf_simfs_get(s.fs, path, &n_old);
    char *old = strndup(live, n_old);
    ck_assert_int_eq(open_log(&s), 0);
    ck_assert_uint_eq(hf_audit_log_head(s.log).entries, 6);
    live = hf_simfs_get(s.fs, path, &n);
    ck_assert(n == n_old && memcmp(live, old, n) == 0); /* a look alone writes nothing */
    add(&s, 6);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    live = hf_simfs_get(s.fs, path, &n);
    ck_assert(n > n_old && n % HF_AUDIT_SECTOR == 0 && memcmp(live, old, n_old) == 0);
    ck_assert(hf_simfs_stat(s.fs, path, &st));
    ck_assert_uint_eq(st.st_mode & 07777, 0640);
    ck_assert_uint_eq(st.st_gid, 777);
    ck_assert_uint_eq(read_log(&s).decisions, 6);
    assert_intact(&s);
    free(old);
    tear_down(&s);
}
END_TEST

/* The longest line has room for the blanks that lengthen it to a whole number of sectors. */
START_TEST(longest_line_can_be_padded)
{
    struct hf_audit_entry entry = {.seq = UINT64_MAX / 2, .batch = UINT64_MAX / 2, .mono_ms = UINT64_MAX / 2};
    struct hf_buf text = HF_BUF_INIT(2 * HF_AUDIT_LINE_MAX);
    char quotes[600];

    memset(quotes, '"', sizeof(quotes)); /* each one takes two bytes in JSON */
    quotes[sizeof(quotes) - 1] = '\0';
    hf_audit_event_set(&entry.event, HF_AUDIT_CONFIGURATION_CHANGED, quotes, quotes, quotes);
    memset(entry.boot, '"', sizeof(entry.boot) - 1);
    hf_audit_no_prev(entry.prev);
    entry.unix_ns = entry.earliest_unix_ns = entry.latest_unix_ns = START_UNIX_NS;
    entry.count = entry.dropped = UINT64_MAX / 2;
    ck_assert_int_eq(hf_audit_entry_format(&entry, &text), 0);
    ck_assert_int_eq(hf_buf_add(&text, "\n", 1), 0);
    size_t n = text.n;
    ck_assert_int_eq(hf_audit_entry_pad(&text, 0, HF_AUDIT_SECTOR - 1), 0);
    ck_assert_uint_eq(text.n, n + HF_AUDIT_SECTOR - 1);
    ck_assert_int_eq(text.p[text.n - 1], '\n');
    ck_assert_int_eq(hf_audit_entry_parse((struct hf_view){text.p, text.n - 1}, &entry, NULL), 0);
    n = text.n;
    ck_assert_int_eq(hf_audit_entry_pad(&text, 0, HF_AUDIT_LINE_MAX), -E2BIG);
    ck_assert_uint_eq(text.n, n);
    hf_buf_done(&text);
}
END_TEST

START_TEST(full_disk_is_counted)
{
    struct scene s;
    struct seen seen;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    add(&s, 1);
    ck_assert_int_eq(hf_audit_log_flush(s.log, NULL), 0);
    hf_simfs_count_only(s.fs, HF_SIMFS_GROWS);
    hf_simfs_fail_at(s.fs, 1, ENOSPC, 0);
    for (unsigned i = 0; i < 200; i++) {
        add(&s, i);
        ck_assert_int_eq(hf_audit_log_work(s.log, NULL), -ENOSPC);
    }
    ck_assert_uint_gt(hf_audit_log_lost(s.log), 0);
    ck_assert_uint_eq(hf_audit_log_head(s.log).entries, 2);
    hf_simfs_fail_at(s.fs, 0, 0, 0);
    for (unsigned i = 0; i < 3; i++) {
        s.mono_ns += HF_AUDIT_RETRY_NS;
        ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    }
    seen = read_log(&s);
    ck_assert_uint_eq(seen.lost, 1);
    ck_assert_uint_eq(seen.lost_count, hf_audit_log_lost(s.log));
    ck_assert_uint_eq(seen.decisions + seen.lost_count, 201); /* each event is in the log or counted */
    assert_intact(&s);
    tear_down(&s);
}
END_TEST

START_TEST(flood_is_counted)
{
    struct scene s;
    struct seen seen;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 0; i < 100000; i++) {
        hf_audit_log_add(s.log, HF_AUDIT_UPDATE_REFUSED, "edge@1", "SignatureInvalid", "no key signed it");
        s.mono_ns += HF_NS_PER_MS;
    }
    ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    ck_assert_uint_eq(read_log(&s).lines, 2); /* SegmentStarted and the first one */
    s.mono_ns = hf_audit_log_due_ns(s.log);
    ck_assert_uint_le(s.mono_ns, HF_NS_PER_S + HF_AUDIT_WINDOW_NS);
    ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    seen = read_log(&s);
    ck_assert_uint_eq(seen.lines, 3);
    ck_assert_msg(strstr(seen.text, "\"count\":99999,") != NULL, "%s", seen.text);
    for (unsigned i = 0; i < 2000; i++) { /* without a pause, and never the same subject */
        char subject[32];
        (void)snprintf(subject, sizeof(subject), "edge@%u", i);
        hf_audit_log_add(s.log, HF_AUDIT_UPDATE_DECISION, subject, "Fetching", "");
    }
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    seen = read_log(&s);
    ck_assert_uint_eq(seen.decisions, HF_AUDIT_BURST);
    ck_assert_uint_eq(seen.decisions + seen.lost_count, 2000);
    assert_intact(&s);
    tear_down(&s);
}
END_TEST

/* An event each second, never the same subject, for four hours: the numbers of lost entries take no more room in the
 * log than one entry per hour. */
START_TEST(lasting_flood_fills_no_log)
{
    struct scene s;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 0; i < 4 * 3600; i++) {
        char subject[32];
        (void)snprintf(subject, sizeof(subject), "site@%u", i);
        hf_audit_log_add(s.log, HF_AUDIT_UPDATE_DECISION, subject, "Fetching", "");
        s.mono_ns += HF_NS_PER_S;
        if (s.mono_ns >= hf_audit_log_due_ns(s.log))
            ck_assert_int_eq(hf_audit_log_work(s.log, NULL), 0);
    }
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    struct seen seen = read_log(&s);
    ck_assert_msg(seen.lost >= 4 && seen.lost <= 5, "%u entries about lost ones", seen.lost);
    ck_assert_uint_eq(seen.lost_count, hf_audit_log_lost(s.log));
    ck_assert_uint_eq(seen.decisions + seen.lost_count, 4 * 3600);
    ck_assert_uint_eq(seen.check.oldest_seq, 1);
    assert_intact(&s);
    tear_down(&s);
}
END_TEST

/* A folder without a readable line still gives new numbers. */
START_TEST(strange_folder)
{
    struct scene s;

    set_up(&s);
    hf_simfs_put(s.fs, DIR "/audit-000000000041.jsonl", "nonsense\n", 9, 0640);
    hf_simfs_put(s.fs, DIR "/audit-99.jsonl", "nonsense\n", 9, 0640);
    hf_simfs_put(s.fs, DIR "/README", "nonsense\n", 9, 0640);
    ck_assert_int_eq(open_log(&s), 0);
    add(&s, 1);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    ck_assert_uint_ge(hf_audit_log_head(s.log).entries, 41);
    struct seen seen = read_log(&s);
    ck_assert_uint_eq(seen.torn, 1);
    tear_down(&s);
}
END_TEST

/* A power cut has torn the end of the log, and something goes wrong at call n of the repair: the disk gives one error, or
 * the process is killed. In the end the entries that the log calls durable outlast the next power cut. Returns false if
 * the repair has fewer than n calls. */
static bool repair_at(uint64_t n, bool kill)
{
    static const char path[] = DIR "/audit-000000000001.jsonl";
    struct scene s;
    char text[4096];
    size_t size;

    set_up(&s);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 1; i <= 2; i++) {
        add(&s, i);
        ck_assert_int_eq(hf_audit_log_flush(s.log, NULL), 0);
    }
    close_log(&s);
    const void *whole = hf_simfs_get(s.fs, path, &size);
    ck_assert(whole != NULL && size + 100 <= sizeof(text));
    memcpy(text, whole, size);
    memset(text + size, 'x', 100);
    hf_simfs_put(s.fs, path, text, size + 100, 0640);
    s.boot = "0d3c-2";
    hf_simfs_count_only(s.fs, HF_SIMFS_WRITES);
    if (kill)
        hf_simfs_stop_at(s.fs, n);
    else
        hf_simfs_fail_at(s.fs, n, EIO, 1);
    (void)!open_log(&s);
    bool wrong = kill ? hf_simfs_stopped(s.fs) : hf_simfs_failed(s.fs) > 0;
    close_log(&s);
    hf_simfs_fail_at(s.fs, 0, 0, 0);
    hf_simfs_stop_at(s.fs, 0);
    hf_simfs_kill(s.fs);
    ck_assert_int_eq(open_log(&s), 0);
    for (unsigned i = 3; i <= 6; i++) {
        add(&s, i);
        ck_assert_int_eq(hf_audit_log_flush(s.log, NULL), 0);
    }
    struct hf_audit_head head = hf_audit_log_head(s.log);
    close_log(&s);
    hf_simfs_power_cut(s.fs, HF_SIMFS_LOSE_ALL);
    struct seen seen = {.hash = head.hash};
    (void)!hf_audit_read(hf_simfs_ops(s.fs), DIR, 0, see, &seen, NULL);
    ck_assert_msg(seen.found, "%s at %u: entry %u is gone", kill ? "kill" : "error", (unsigned)n,
                  (unsigned)head.entries);
    tear_down(&s);
    return wrong;
}

START_TEST(interrupted_repair_keeps_what_comes_next)
{
    uint64_t n = 1;

    while (repair_at(n, _i == 1))
        n++;
    ck_assert_uint_gt(n, 5);
}
END_TEST

/* ---- a newest segment that stays unreadable ---------------------------------------------------------------------- */

/* The newest segment of a log, and what a check says of it. */
static struct {
    uint64_t first;
    char name[HF_AUDIT_NAME], path[100], missing[100];
} unread;

static void set_up_unreadable(struct scene *s, size_t segments)
{
    struct hf_audit_segments found;

    set_up(s);
    fill(s, segments == 1 ? 3 : 500);
    ck_assert_int_eq(hf_audit_segments_list(hf_simfs_ops(s->fs), DIR, &found, NULL), 0);
    ck_assert_uint_eq(found.n, segments);
    unread.first = found.first[segments - 1];
    unsigned above = (unsigned)unread.first + HF_AUDIT_SEGMENT_BYTES;
    (void)snprintf(unread.path, sizeof(unread.path), DIR "/%s", hf_audit_segment_name(unread.first, unread.name));
    (void)snprintf(unread.missing, sizeof(unread.missing),
                   segments == 1 ? "the entries before %u are missing: '"
                                 : "the entries between %2$u and %1$u are missing: '",
                   above, (unsigned)unread.first - 1);
    hf_simfs_set_unreadable(s->fs, unread.path, true);
}

/* Returns the time after which the log could be opened; 0 after a day of tries. */
static uint64_t open_in_time(struct scene *s)
{
    uint64_t begin_ns = s->mono_ns;

    for (; s->mono_ns - begin_ns < 24 * HF_AUDIT_UNREAD_NS; s->mono_ns += HF_AUDIT_RETRY_NS)
        if (open_log(s) == 0)
            return s->mono_ns - begin_ns;
    return 0;
}

static void expect_fault(struct scene *s, int code, const char *want)
{
    struct seen seen = read_log(s);
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    ck_assert_int_eq(hf_audit_check_end(&seen.check, &err), -EBADMSG);
    (void)hf_err_text(&err, text, sizeof(text));
    ck_assert_msg(err.code == code && strstr(text, want) != NULL, "%d: %s", err.code, text);
    ck_assert_int_eq(seen.check.fault.code, 0); /* all other lines are whole */
    ck_assert_uint_eq(seen.check.seq, hf_audit_log_head(s->log).entries);
}

/* One sector of the newest segment is gone, and nobody is on site. After an hour the log goes on above it, and says
 * what is missing; so does a check, also when the segment can be read again. */
START_TEST(unreadable_segment_ends_no_log)
{
    struct scene s;

    set_up_unreadable(&s, _i == 0 ? 1 : 2);
    ck_assert_uint_eq(open_in_time(&s), HF_AUDIT_UNREAD_NS);
    ck_assert(hf_audit_log_has_dropped(s.log));
    for (unsigned i = 0; i < 3; i++) {
        add(&s, i);
        ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
        ck_assert_uint_eq(hf_audit_log_head(s.log).entries, unread.first + HF_AUDIT_SEGMENT_BYTES + 2 + i);
        expect_fault(&s, EIO, unread.missing);
        expect_fault(&s, EIO, unread.name);
        ck_assert_uint_eq(read_log(&s).torn, 1);
        close_log(&s);
        s.unread_ns = 0;
        ck_assert_int_eq(open_log(&s), 0); /* the next process goes on in the new segment */
        ck_assert_uint_eq(s.unread_ns, 0);
    }
    hf_simfs_set_unreadable(s.fs, unread.path, false);
    expect_fault(&s, EBADMSG, "line 1: the agent could not read the segment before, and began a new chain");
    hf_simfs_delete(s.fs, unread.path);
    if (_i == 1)
        expect_fault(&s, EBADMSG, unread.missing);
    tear_down(&s);
}
END_TEST

/* A segment that is readable again in time is used; a lack of memory, however long, says nothing about the segment. */
START_TEST(unreadable_segment_is_waited_for)
{
    struct scene s;

    set_up_unreadable(&s, 2);
    for (unsigned i = 0; i < 100; i++, s.mono_ns += HF_AUDIT_RETRY_NS)
        ck_assert_int_eq(open_log(&s), -EIO);
    hf_simfs_count_only(s.fs, HF_SIMFS_READS);
    hf_simfs_fail_at(s.fs, 1, ENOMEM, 0);
    ck_assert_uint_eq(open_in_time(&s), 0);
    hf_simfs_fail_at(s.fs, 0, 0, 0);
    ck_assert_int_eq(open_log(&s), -EIO);
    hf_simfs_set_unreadable(s.fs, unread.path, false);
    ck_assert_int_eq(open_log(&s), 0);
    assert_intact(&s);
    ck_assert_uint_eq(read_log(&s).check.seq, hf_audit_log_head(s.log).entries);
    tear_down(&s);
}
END_TEST

/* The power goes at call n while the log goes on above the segment. No number that counted as durable comes again, and
 * what is there is whole. Returns false if the log was open before call n. */
static bool cut_above(uint64_t n)
{
    struct scene s;
    struct hf_audit_head head;

    set_up_unreadable(&s, 2);
    s.unread_ns = 1;
    s.mono_ns = HF_MAX(s.mono_ns, 2 * HF_AUDIT_UNREAD_NS);
    hf_simfs_stop_at(s.fs, n);
    head = run(&s, 10000, 1);
    bool stopped = hf_simfs_stopped(s.fs);
    hf_simfs_power_cut(s.fs, n);
    hf_simfs_set_unreadable(s.fs, unread.path, true);
    s.unread_ns = 0;
    (void)open_in_time(&s); /* at once, if the new segment is durable */
    ck_assert_ptr_nonnull(s.log);
    add(&s, 1);
    ck_assert_int_eq(hf_audit_log_end(s.log, NULL), 0);
    struct seen seen = {.hash = head.hash};
    (void)!hf_audit_read(hf_simfs_ops(s.fs), DIR, 0, see, &seen, NULL);
    ck_assert_msg(head.entries == 0 || seen.found, "call %u: entry %u is gone", (unsigned)n, (unsigned)head.entries);
    expect_fault(&s, EIO, unread.missing);
    tear_down(&s);
    return stopped;
}

START_TEST(power_cut_above_an_unreadable_segment)
{
    uint64_t n = 1;

    while (cut_above(n))
        n++;
    ck_assert_uint_gt(n, 10);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, chain_grows_over_restarts);
    tcase_add_test(tc, line_is_as_promised);
    tcase_add_test(tc, writes_come_in_batches);
    tcase_add_test(tc, segments_are_bounded_and_stay_chained);
    tcase_add_test(tc, each_changed_byte_is_found);
    tcase_add_test(tc, each_moved_line_is_found);
    tcase_add_test(tc, torn_line_is_set_aside);
    tcase_add_test(tc, torn_block);
    tcase_add_test(tc, torn_inside_a_block);
    tcase_add_loop_test(tc, power_cut_at_each_call, 0, HF_LEN(befores));
    tcase_add_loop_test(tc, interrupted_repair_keeps_what_comes_next, 0, 2);
    tcase_add_loop_test(tc, power_cut_after_a_kill, 0, 2 * HF_LEN(befores));
    tcase_add_test(tc, start_without_a_sync);
    tcase_add_loop_test(tc, failure_of_each_call, 0, HF_LEN(befores));
    tcase_add_test(tc, writes_begin_at_a_sector);
    tcase_add_test(tc, older_log_goes_on);
    tcase_add_test(tc, longest_line_can_be_padded);
    tcase_add_test(tc, full_disk_is_counted);
    tcase_add_test(tc, flood_is_counted);
    tcase_add_test(tc, lasting_flood_fills_no_log);
    tcase_add_test(tc, strange_folder);
    tcase_add_loop_test(tc, unreadable_segment_ends_no_log, 0, 2);
    tcase_add_test(tc, unreadable_segment_is_waited_for);
    tcase_add_test(tc, power_cut_above_an_unreadable_segment);
}

HF_TEST_MAIN("audit/log", cases)
