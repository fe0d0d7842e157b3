/* SPDX-License-Identifier: Apache-2.0 */
/* node journal: prints or checks the audit log of this node (pkg/audit), which the command line calls the journal. Only
 * reads; works offline, without an agent, and on the disk of a dead node. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/field/nearest.h"
#include "audit/check.h"
#include "base/format.h"
#include "cli/parts.h"
#include "cli/plain.h"

const struct hf_cli_option hf_cli_node_journal_options[] = {
    HF_CLI_OPTION("state-dir", "DIR", "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"),
    HF_CLI_OPTION("since", "DURATION", "print only entries of this last time (2h, 7d)"),
    HF_CLI_OPTION("kind", "KIND", "print only entries of this kind, such as UpdateRefused", .repeats = true),
    HF_CLI_OPTION("follow", NULL, "print further entries as the agent writes them", .letter = 'f'),
    HF_CLI_OPTION("verify", NULL, "check that no line was changed, removed or inserted; print no entries"),
    HF_CLI_OPTION("witness", "HASH", "with --verify: a hash that EdgeNode.status.journal.lastHash showed"),
    HF_CLI_JSON("print each entry as the line of JSON that the journal has"),
    {.name = NULL},
};

enum { MIN_WITNESS = 8, VERIFY_TRIES = 3, VERIFY_PAUSE_MS = 300 };

/* Where a line stands. Its number in the journal would not do: a forged one may be anything. */
struct line_place {
    char segment[HF_AUDIT_NAME]; /* "" is before all segments */
    unsigned line;
};

struct reading {
    struct hf_cli *cli;
    const struct hf_cli_args *args;
    bool json;
    uint64_t since_unix_ns;
    struct line_place printed; /* lines up to this one have been printed or left out */
    uint64_t printed_seq;      /* number of its entry */
    struct line_place newest;  /* last good line of this pass */
    bool damaged;
    /* --verify */
    struct hf_audit_check check;
    const char *witness;
    uint64_t witness_seq; /* entry with that hash; 0: not found */
};

/* ---- options ----------------------------------------------------------------------------------------------------- */

static int check_kinds(const struct hf_cli_args *args, struct hf_err *err)
{
    const char *kind;

    for (size_t i = 0; (kind = hf_cli_nth_value(args, "kind", i)) != NULL; i++) {
        struct hf_nearest nearest = {.typed = kind};
        if (hf_audit_kind_of(kind) != HF_AUDIT_KIND_COUNT)
            continue;
        for (size_t k = 0; k < HF_AUDIT_KIND_COUNT; k++)
            hf_nearest_try(&nearest, hf_audit_kind_name((enum hf_audit_kind)k));
        return hf_err_set(err, EINVAL, "unknown kind '%.60s'%s%s%s", kind,
                          nearest.best != NULL ? "; did you mean '" : "", nearest.best != NULL ? nearest.best : "",
                          nearest.best != NULL ? "'?" : "");
    }
    return 0;
}

static int check_witness(const struct hf_cli_args *args, struct hf_err *err)
{
    const char *witness = hf_cli_value(args, "witness", NULL);

    if (witness == NULL)
        return 0;
    if (!hf_cli_flag(args, "verify"))
        return hf_err_set(err, EINVAL, "--witness needs --verify");
    size_t n = strlen(witness);
    if (n < MIN_WITNESS || n > HF_SHA256_HEX - 1 || strspn(witness, "0123456789abcdef") != n)
        return hf_err_set(err, EINVAL, "--witness takes %d to %d hex digits in lower case, got '%.70s'", MIN_WITNESS,
                          HF_SHA256_HEX - 1, witness);
    return 0;
}

static int read_options(struct reading *reading, struct hf_err *err)
{
    const struct hf_cli_args *args = reading->args;
    const char *since = hf_cli_value(args, "since", NULL);
    bool verify = hf_cli_flag(args, "verify");
    uint64_t now = hf_unix_ns(reading->cli->clock), ns = 0;
    int r = check_witness(args, err);

    if (r == 0)
        r = check_kinds(args, err);
    if (r == 0 && verify && (since != NULL || hf_cli_flag(args, "kind") || hf_cli_flag(args, "follow")))
        r = hf_err_set(err, EINVAL, "--verify checks the whole journal; leave out --since, --kind and --follow");
    if (r == 0 && since != NULL)
        r = hf_cli_duration("since", since, &ns, err);
    reading->since_unix_ns = since != NULL ? now - HF_MIN(ns, now) : 0;
    reading->json = hf_cli_flag(args, "json");
    reading->witness = hf_cli_value(args, "witness", NULL);
    return r;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* Returns false only if the entry is certainly older than --since. */
static bool is_recent(const struct reading *reading, const struct hf_audit_entry *entry)
{
    bool sure = entry->earliest_unix_ns == 0;

    if (!sure && entry->latest_unix_ns == 0) /* no upper limit */
        return true;
    return (sure ? entry->unix_ns : entry->latest_unix_ns) >= reading->since_unix_ns;
}

static bool is_wanted(const struct reading *reading, const struct hf_audit_entry *entry)
{
    const char *kind;
    bool listed = !hf_cli_flag(reading->args, "kind");

    for (size_t i = 0; (kind = hf_cli_nth_value(reading->args, "kind", i)) != NULL; i++)
        listed = listed || strcmp(kind, entry->kind_name) == 0;
    return listed && is_recent(reading, entry);
}

/* "~" marks a time of which the node was not sure. */
static void print_text(FILE *to, const struct hf_audit_entry *entry)
{
    const struct hf_audit_event *event = &entry->event;
    char time[HF_TIME_TEXT], times[40] = "";

    if (entry->count > 1 && event->kind != HF_AUDIT_ENTRIES_LOST)
        (void)snprintf(times, sizeof(times), " (%" PRIu64 " times)", entry->count);
    hf_cli_print_line(to, "%s%s %s%s%s%s%s%s%s%s", hf_format_time(entry->unix_ns, time),
                      entry->earliest_unix_ns != 0 ? "~" : " ", entry->kind_name, event->subject[0] != '\0' ? " " : "",
                      event->subject, event->reason[0] != '\0' ? " " : "", event->reason,
                      event->message[0] != '\0' ? ": " : "", event->message, times);
}

static int compare(const struct line_place *a, const struct line_place *b)
{
    int order = strcmp(a->segment, b->segment);

    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static int print_line(void *arg, const struct hf_audit_line *line)
{
    struct reading *reading = arg;
    char text[600];

    if (line->r < 0) {
        if (!reading->damaged)
            hf_cli_print_line(reading->cli->err, "%s node journal: '%s' line %u: %s", reading->cli->program,
                              line->segment, line->number, hf_err_text(&line->err, text, sizeof(text)));
        reading->damaged = true;
        return 0;
    }
    (void)snprintf(reading->newest.segment, sizeof(reading->newest.segment), "%s", line->segment);
    reading->newest.line = line->number;
    if (compare(&reading->newest, &reading->printed) <= 0)
        return 0;
    reading->printed = reading->newest;
    reading->printed_seq = line->entry.seq;
    if (!is_wanted(reading, &line->entry))
        return 0;
    if (reading->json)
        (void)fprintf(reading->cli->out, "%.*s\n", (int)line->text.n, line->text.p);
    else
        print_text(reading->cli->out, &line->entry);
    return 0;
}

static int read_log(const struct reading *reading, const char *dir, uint64_t from,
                    int (*visit)(void *arg, const struct hf_audit_line *line), struct hf_err *err)
{
    int r = hf_audit_read(reading->cli->fs, dir, from, visit, (void *)(uintptr_t)reading, err);

    if (r == -ENOENT)
        return hf_err_set(err, ENOENT, "there is no journal in '%s': does an agent run with this --state-dir?", dir);
    if (r == -EACCES)
        return hf_err_set(err, EACCES, "'%s' is for root and the group 'holdfast' only", dir);
    return r;
}

/* A line that the agent is writing is no damage: only the first pass reports damage. */
static int follow(struct reading *reading, const char *dir, struct hf_err *err)
{
    const struct timespec pause = {.tv_sec = 1};
    int r = 0;

    reading->damaged = true;
    while (r == 0 && (r = hf_cli_flush(reading->cli, err)) == 0) {
        (void)nanosleep(&pause, NULL);
        reading->newest = (struct line_place){0};
        r = read_log(reading, dir, reading->printed_seq + 1, print_line, err);
        if (reading->newest.line == 0 || compare(&reading->newest, &reading->printed) >= 0)
            continue;
        reading->printed = (struct line_place){0}; /* another journal: the state folder was wiped */
        reading->printed_seq = 0;
    }
    return r;
}

/* ---- verify ------------------------------------------------------------------------------------------------------ */

static int verify_line(void *arg, const struct hf_audit_line *line)
{
    struct reading *reading = arg;

    hf_audit_check_see(&reading->check, line);
    if (reading->witness != NULL && line->r == 0 &&
        strncmp(line->hash, reading->witness, strlen(reading->witness)) == 0)
        reading->witness_seq = line->entry.seq;
    return 0;
}

static int judge(struct reading *reading, struct hf_err *err)
{
    int r = hf_audit_check_end(&reading->check, err);

    if (r == 0 && reading->check.entries == 0)
        r = hf_err_set(err, EBADMSG,
                       "the journal has no entries: its files were removed, or the agent has not written yet");
    if (r == 0 && reading->witness != NULL && reading->witness_seq == 0)
        r = hf_err_set(err, EBADMSG,
                       "no entry has the hash '%s': the journal was cut or written anew, or the entry is among the "
                       "%" PRIu64 " that rotation has removed",
                       reading->witness, reading->check.oldest_seq > 0 ? reading->check.oldest_seq - 1 : 0);
    return r;
}

/* A segment that this machine cannot read is no proof of damage, unless something else than the agent's file stands in
 * its place. */
static int exit_of_fault(const struct hf_err *fault)
{
    return fault->code == EBADMSG || fault->code == EINVAL || fault->code == E2BIG ? HF_EXIT_REFUSED : HF_EXIT_FAILED;
}

/* The agent may write meanwhile: its rotation removes a segment that is in the list, and a new segment is empty for a
 * moment. So only a fault that stays counts. ret_fault->code is 0 without a fault. */
static int find_fault(struct reading *reading, const char *dir, struct hf_err *ret_fault, struct hf_err *err)
{
    const struct timespec pause = {.tv_nsec = VERIFY_PAUSE_MS * (long)HF_NS_PER_MS};

    for (unsigned i = 0; i < VERIFY_TRIES; i++) {
        if (i > 0)
            (void)nanosleep(&pause, NULL);
        *ret_fault = (struct hf_err)HF_ERR_INIT;
        reading->check = (struct hf_audit_check){0};
        reading->witness_seq = 0;
        int r = read_log(reading, dir, 0, verify_line, err);
        if (r < 0 || judge(reading, ret_fault) == 0)
            return r;
    }
    return 0;
}

static int verify(struct reading *reading, const char *dir, struct hf_err *err)
{
    struct hf_cli *cli = reading->cli;
    const struct hf_audit_check *check = &reading->check;
    struct hf_err fault = HF_ERR_INIT;
    char text[600] = "";
    int r = find_fault(reading, dir, &fault, err);

    if (r < 0)
        return r;
    bool intact = fault.code == 0;
    if (!intact)
        (void)hf_err_text(&fault, text, sizeof(text));
    if (reading->json) {
        _cleanup_(hf_json_freep) json_t *answer =
            json_pack("{s:b, s:I, s:I, s:I, s:s, s:o*}", "intact", intact, "entries", (json_int_t)check->entries,
                      "first", (json_int_t)check->oldest_seq, "last", (json_int_t)check->seq, "lastHash", check->hash,
                      "fault", intact ? NULL : hf_cli_json_text(text));
        int w = answer != NULL ? hf_cli_print_json(cli, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
        if (w < 0)
            return w;
    } else if (intact) {
        (void)fprintf(cli->out, "%" PRIu64 " %s intact, from %" PRIu64 " to %" PRIu64 "; the last hash is %.*s\n",
                      check->entries, hf_noun(check->entries, "entry is", "entries are"), check->oldest_seq, check->seq,
                      HF_AUDIT_SUM, check->hash);
    }
    if (!intact)
        hf_cli_print_line(cli->err, "%s node journal: %s", cli->program, text);
    return intact ? 0 : exit_of_fault(&fault);
}

int hf_cli_node_journal(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct reading reading = {.cli = cli, .args = args};
    _cleanup_(hf_freep) char *dir =
        hf_asprintf("%s/" HF_AUDIT_FOLDER, hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR));
    int r = dir != NULL ? read_options(&reading, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r < 0)
        return r;
    if (hf_cli_flag(args, "verify"))
        return verify(&reading, dir, err);
    r = read_log(&reading, dir, 0, print_line, err);
    if (r < 0)
        return r;
    if (hf_cli_flag(args, "follow"))
        return follow(&reading, dir, err);
    return reading.damaged ? HF_EXIT_FAILED : 0;
}
