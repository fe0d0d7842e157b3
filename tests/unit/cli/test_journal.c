/* SPDX-License-Identifier: Apache-2.0 */
/* node journal: what it prints of a journal, and what it finds wrong with one. */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/segment.h"
#include "base/buf.h"
#include "cli/cli.h"
#include "support/check_main.h"
#include "support/cli_run.h"

#define NOW (1795161600ull * HF_NS_PER_S) /* 2026-11-20T08:00:00Z */
#define FIRST "journal/audit-000000000001.jsonl"

static struct cli_run run;
static char prev[HF_SHA256_HEX]; /* hash of the last line that the test made */

static uint64_t no_time(void *ctx)
{
    (void)ctx;
    return 1;
}

static uint64_t now(void *ctx)
{
    (void)ctx;
    return NOW;
}

static const struct hf_clock_ops clock_ops = {.mono_ns = no_time, .unix_ns = now};

static void setup(void)
{
    cli_begin(&run);
    run.clock = &clock_ops;
    hf_audit_no_prev(prev);
    ck_assert_int_eq(mkdir(cli_path(&run, "journal"), 0755), 0);
}

static void teardown(void)
{
    cli_end(&run);
}

/* An entry of this kind and number, with a time of which the node is sure. */
static struct hf_audit_entry entry_of(enum hf_audit_kind kind, uint64_t seq, const char *message)
{
    struct hf_audit_entry entry = {.seq = seq, .batch = seq, .unix_ns = NOW, .count = 1};

    hf_audit_event_set(&entry.event, kind, "", "", message);
    return entry;
}

static void append(const char *name, struct hf_audit_entry entry)
{
    _cleanup_(hf_buf_done) struct hf_buf line = HF_BUF_INIT(HF_AUDIT_LINE_MAX + 2);
    FILE *to = fopen(cli_path(&run, name), "ab");

    memcpy(entry.prev, prev, sizeof(prev));
    ck_assert_int_eq(hf_audit_entry_format(&entry, &line), 0);
    (void)hf_sha256_hex(line.p, line.n, prev);
    ck_assert_ptr_nonnull(to);
    (void)fprintf(to, "%s\n", hf_buf_str(&line));
    (void)fclose(to);
}

/* A journal of three entries. */
static void write_journal(void)
{
    append(FIRST, entry_of(HF_AUDIT_SEGMENT_STARTED, 1, ""));
    append(FIRST, entry_of(HF_AUDIT_AGENT_STARTED, 2, "version 0.1.0"));
    append(FIRST, entry_of(HF_AUDIT_HOLD_SET, 3, "lunch"));
}

static void expect_said(const char *text)
{
    ck_assert_msg(strstr(run.out, text) != NULL, "'%s' is not in: %s", text, run.out);
}

static int verify(void)
{
    return cli(&run, "node", "journal", "--state-dir", "%", "--verify", NULL);
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* An entry of a board that booted in 1970 may be of today. */
START_TEST(since_keeps_entries_of_unsure_time)
{
    static const struct {
        const char *message;
        uint64_t unix_s, earliest_s, latest_s;
        bool want;
    } rows[] = {{"sure and new", NOW / HF_NS_PER_S - 60, 0, 0, true},
                {"sure and old", NOW / HF_NS_PER_S - 7200, 0, 0, false},
                {"without an upper limit", 100, 50, 0, true},
                {"perhaps new", 100, 50, NOW / HF_NS_PER_S - 60, true},
                {"unsure and old", 100, 50, NOW / HF_NS_PER_S - 7200, false}};

    append(FIRST, entry_of(HF_AUDIT_SEGMENT_STARTED, 1, ""));
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_audit_entry entry = entry_of(HF_AUDIT_HOLD_SET, i + 2, rows[i].message);
        entry.unix_ns = rows[i].unix_s * HF_NS_PER_S;
        entry.earliest_unix_ns = rows[i].earliest_s * HF_NS_PER_S;
        entry.latest_unix_ns = rows[i].latest_s * HF_NS_PER_S;
        append(FIRST, entry);
    }
    ck_assert_int_eq(cli(&run, "node", "journal", "--state-dir", "%", "--since", "1h", NULL), 0);
    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg((strstr(run.out, rows[i].message) != NULL) == rows[i].want, "%s: %s", rows[i].message, run.out);
}
END_TEST

/* The file may come from a machine that somebody else had. The parser of an entry replaces the characters on which a
 * terminal acts. */
START_TEST(texts_are_plain)
{
    struct hf_audit_entry entry = entry_of(HF_AUDIT_SEGMENT_STARTED, 1, "");

    (void)snprintf(entry.event.subject, sizeof(entry.event.subject), "s\u202ex");
    (void)snprintf(entry.event.reason, sizeof(entry.event.reason), "r\u2028x");
    (void)snprintf(entry.event.message, sizeof(entry.event.message),
                   "m\xc2\x9b"
                   "31m\u2066 caf\u00e9");
    append(FIRST, entry);
    ck_assert_int_eq(cli(&run, "node", "journal", "--state-dir", "%", NULL), 0);
    ck_assert_str_eq(run.out, "2026-11-20T08:00:00Z  SegmentStarted s x r x: m 31m  caf\u00e9\n");
}
END_TEST

START_TEST(a_large_number_hides_no_entry)
{
    append(FIRST, entry_of(HF_AUDIT_SEGMENT_STARTED, 1, ""));
    append(FIRST, entry_of(HF_AUDIT_HOLD_SET, 9007199254740991, "forged"));
    append(FIRST, entry_of(HF_AUDIT_HOLD_SET, 3, "lunch"));
    ck_assert_int_eq(cli(&run, "node", "journal", "--state-dir", "%", NULL), 0);
    expect_said("forged");
    expect_said("lunch");
}
END_TEST

/* ---- verify ------------------------------------------------------------------------------------------------------ */

START_TEST(an_empty_journal_is_not_intact)
{
    ck_assert_int_ne(verify(), 0);
    ck_assert_str_eq(run.out, "");
    ck_assert_ptr_nonnull(strstr(run.err, "the journal has no entries: its files were removed, or"));
    ck_assert_int_ne(cli(&run, "node", "journal", "--state-dir", "%", "--verify", "--json", NULL), 0);
    expect_said("{\"intact\":false,\"entries\":0,");
    write_journal();
    ck_assert_int_eq(verify(), 0);
    expect_said("3 entries are intact, from 1 to 3; ");
}
END_TEST

START_TEST(damage_is_told_from_other_errors)
{
    struct stat st;

    ck_assert_int_eq(cli(&run, "node", "journal", "--state-dir", "%/nothing", "--verify", NULL), HF_EXIT_FAILED);
    write_journal();
    ck_assert_int_eq(cli(&run, "node", "journal", "--state-dir", "%", "--verify", "--witness", "0123456789", NULL),
                     HF_EXIT_REFUSED);
    ck_assert_int_eq(stat(cli_path(&run, FIRST), &st), 0);
    ck_assert_int_eq(truncate(cli_path(&run, FIRST), st.st_size - 2), 0);
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_ptr_nonnull(strstr(run.err, "line 3: the line is torn"));
    ck_assert_int_eq(unlink(cli_path(&run, FIRST)), 0);
    ck_assert_int_eq(mkdir(cli_path(&run, FIRST), 0755), 0);
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
}
END_TEST

/* A new segment is empty until the agent's first write to it. */
START_TEST(a_fault_that_does_not_stay)
{
    static const char next[] = "journal/audit-000000000004.jsonl";
    int ended = 0;

    write_journal();
    cli_write_text(&run, next, "");
    int pid = fork();
    if (pid == 0) {
        (void)usleep(100000);
        append(next, entry_of(HF_AUDIT_SEGMENT_STARTED, 4, ""));
        _exit(0);
    }
    ck_assert_msg(verify() == 0, "%s", run.err);
    expect_said("4 entries are intact");
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
}
END_TEST

/* The agent could not read the first segment, and went on above it. The answer says what is missing, and counts what
 * comes behind. */
START_TEST(a_new_chain_is_a_gap)
{
    static const char next[] = "journal/audit-000000131073.jsonl";

    write_journal();
    hf_audit_no_prev(prev);
    append(next, entry_of(HF_AUDIT_SEGMENT_STARTED, 131073, ""));
    append(next, entry_of(HF_AUDIT_TORN_LINE, 131074, ""));
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "the entries between 3 and 131073 are missing: 'audit-000000131073.jsonl' line 1: "
                                  "the agent could not read the segment before, and began a new chain\n") != NULL,
                  "%s", run.err);
    ck_assert_int_eq(cli(&run, "node", "journal", "--state-dir", "%", "--verify", "--json", NULL), HF_EXIT_REFUSED);
    expect_said("{\"intact\":false,\"entries\":5,\"first\":1,\"last\":131074,");
    append(next, entry_of(HF_AUDIT_HOLD_SET, 131076, "forged"));
    ck_assert_int_eq(verify(), HF_EXIT_REFUSED);
    ck_assert_msg(strstr(run.err, "line 3: entry 131076 follows entry 131074") != NULL, "%s", run.err);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, since_keeps_entries_of_unsure_time);
    tcase_add_test(tc, texts_are_plain);
    tcase_add_test(tc, a_large_number_hides_no_entry);
    tcase_add_test(tc, an_empty_journal_is_not_intact);
    tcase_add_test(tc, damage_is_told_from_other_errors);
    tcase_add_test(tc, a_fault_that_does_not_stay);
    tcase_add_test(tc, a_new_chain_is_a_gap);
}
HF_TEST_MAIN("cli/journal", cases)
