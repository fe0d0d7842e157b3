/* SPDX-License-Identifier: Apache-2.0 */
/* spool stat, cat, verify: telemetry that waits in a folder, for example on the disk of a dead node. Reads only.
 *
 * DIR is one spool, or a folder that holds spools (the agent's EDGE_STORAGE_DIR): the commands read all of them, in
 * order of name. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "base/parse.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "spool/look.h"
#include "telemetry/event/event.h"

/* A storage folder has a folder for each sink, which has one for each spool. Whatever lies deeper is not telemetry. */
enum { MAX_SPOOLS = 256, MAX_DEPTH = 2, MAX_CLASSES = 32, MAX_SEVERITIES = 32 };

const struct hf_cli_option hf_cli_spool_stat_options[] = {
    HF_CLI_JSON("print JSON, one object for each spool"),
    {.name = NULL},
};
const struct hf_cli_option hf_cli_spool_verify_options[] = {
    HF_CLI_JSON("print JSON, one object for each spool"),
    {.name = NULL},
};
const struct hf_cli_option hf_cli_spool_cat_options[] = {
    HF_CLI_OPTION("all", NULL, "include delivered events that are still on the disk"),
    HF_CLI_OPTION("from", "WHERE", "first event: a time (RFC 3339) or a sequence"),
    HF_CLI_OPTION("to", "WHERE", "last event: a time (RFC 3339) or a sequence"),
    HF_CLI_OPTION("severity", "NAME", "only this severity and above"),
    HF_CLI_JSON("print JSON lines with sequence, time, source and severity"),
    {.name = NULL},
};

/* ---- finding spools ---------------------------------------------------------------------------------------------- */

struct spools {
    char *dirs[MAX_SPOOLS];
    size_t n;
};

static void spools_done(struct spools *spools)
{
    for (size_t i = 0; i < spools->n; i++)
        free(spools->dirs[i]);
}

static int find_spools(struct hf_cli *cli, const char *dir, unsigned depth, struct spools *spools, struct hf_err *err);

static int find_below(struct hf_cli *cli, const char *dir, unsigned depth, struct spools *spools, struct hf_err *err)
{
    struct dirent **entries = NULL;
    int r = 0, n = scandir(dir, &entries, NULL, alphasort);

    if (n < 0)
        return hf_err_sys(err, -errno, "read '%s'", dir);
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        bool folder = entries[i]->d_type == DT_DIR || entries[i]->d_type == DT_UNKNOWN;
        _cleanup_(hf_freep) char *path = NULL;
        if (r == 0 && folder && name[0] != '.') {
            path = hf_asprintf("%s/%s", dir, name);
            r = path != NULL ? find_spools(cli, path, depth + 1, spools, err) : -ENOMEM;
        }
        free(entries[i]);
    }
    free(entries);
    return r;
}

static int find_spools(struct hf_cli *cli, const char *dir, unsigned depth, struct spools *spools, struct hf_err *err)
{
    if (!hf_spool_detect(cli->fs, dir)) {
        int r = depth < MAX_DEPTH ? find_below(cli, dir, depth, spools, err) : 0;
        return r == -ENOTDIR && depth > 0 ? 0 : r;
    }
    if (spools->n == MAX_SPOOLS)
        return hf_err_set(err, E2BIG, "more than %d spools", MAX_SPOOLS);
    spools->dirs[spools->n] = strdup(dir);
    return spools->dirs[spools->n++] != NULL ? 0 : -ENOMEM;
}

static int spools_of(struct hf_cli *cli, const char *dir, struct spools *spools, struct hf_err *err)
{
    int r = find_spools(cli, dir, 0, spools, err);

    if (r == 0 && spools->n == 0)
        return hf_err_set(
            err, ENOENT,
            "no spool in '%s' or two folders below: give a spool, or the agent's storage folder, which has "
            "one once a SyncPolicy has set telemetry",
            dir);
    return r;
}

/* ---- stat and verify --------------------------------------------------------------------------------------------- */

/* Numbers of waiting events. */
struct spool_tally {
    uint64_t by_class[MAX_CLASSES], by_severity[MAX_SEVERITIES];
};

static int count(void *arg, const struct hf_spool_record *record, bool waiting)
{
    struct spool_tally *tally = arg;

    if (waiting) {
        tally->by_class[HF_MIN(record->tag >> 16, (uint32_t)MAX_CLASSES - 1)]++;
        tally->by_severity[HF_MIN(record->tag & 0xffff, (uint32_t)MAX_SEVERITIES - 1)]++;
    }
    return 0;
}

static const char *class_name(uint32_t source_class)
{
    return source_class > 0 && source_class < HF_SOURCE_CLASSES ? hf_event_class_name(source_class) : "other";
}

static const char *severity_name(uint32_t severity)
{
    return severity > 0 && severity <= 24 ? hf_severity_name(severity) : "none";
}

static const struct {
    const char *json, *one, *many, *text;
    size_t offset;
} damages[] = {
    {"missing", "record is", "records are", "missing", offsetof(struct hf_spool_found, missing)},
    {"skippedBytes", "byte is", "bytes are", "damaged", offsetof(struct hf_spool_found, skipped_bytes)},
    {"headersLost", "segment has", "segments have", "no readable header",
     offsetof(struct hf_spool_found, headers_lost)},
    {"headersMended", "segment has", "segments have", "only one readable header",
     offsetof(struct hf_spool_found, headers_mended)},
    {"setAside", "segment was", "segments were", "set aside as damaged", offsetof(struct hf_spool_found, set_aside)},
};

static uint64_t damage_of(const struct hf_spool_found *found, size_t i)
{
    return *(const uint64_t *)(const void *)((const char *)found + damages[i].offset);
}

static int put_counts(json_t *object, const char *name, const uint64_t *counts, uint32_t n,
                      const char *(*name_of)(uint32_t), struct hf_err *err)
{
    json_t *of = json_object();
    int r = hf_cli_put(object, name, of, err);

    for (uint32_t i = 0; r == 0 && i < n; i++) {
        uint64_t before = (uint64_t)hf_json_int_or(of, name_of(i), 0);
        if (counts[i] > 0)
            r = hf_cli_put(of, name_of(i), json_integer((json_int_t)(before + counts[i])), err);
    }
    return r;
}

static int put_number(json_t *object, const char *name, uint64_t value, struct hf_err *err)
{
    return hf_cli_put(object, name, json_integer((json_int_t)value), err);
}

static int put_time(json_t *object, const char *name, uint64_t unix_ns, struct hf_err *err)
{
    char text[HF_TIME_TEXT];

    return unix_ns > 0 ? hf_cli_put(object, name, json_string(hf_format_time(unix_ns, text)), err) : 0;
}

static int put_damage(json_t *object, const struct hf_spool_found *found, struct hf_err *err)
{
    json_t *damage = json_object();
    int r = hf_cli_put(object, "damage", damage, err);

    for (size_t i = 0; r == 0 && i < HF_LEN(damages); i++)
        r = put_number(damage, damages[i].json, damage_of(found, i), err);
    if (r == 0)
        r = hf_cli_put(damage, "newestGone", json_boolean(found->newest_gone), err);
    if (r == 0)
        r = hf_cli_put(damage, "cursorFound", json_boolean(found->cursor_found), err);
    if (r == 0)
        r = put_number(object, "tornBytes", found->torn_bytes, err);
    return r == 0 ? hf_cli_put(object, "damaged", json_boolean(hf_spool_is_damaged(found)), err) : r;
}

static int print_json(struct hf_cli *cli, const char *dir, const struct hf_spool_found *found,
                      const struct spool_tally *tally, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *line = json_object();
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {{"segments", found->segments},         {"bytes", found->bytes}, {"records", found->records},
                   {"waiting", found->waiting},           {"first", found->first}, {"last", found->last},
                   {"delivered", found->cursor.delivered}};
    int r = hf_cli_put(line, "dir", hf_cli_json_text(dir), err);

    if (r == 0)
        r = hf_cli_put(line, "stream", hf_cli_json_text(found->stream), err);
    for (size_t i = 0; r == 0 && i < HF_LEN(numbers); i++)
        r = put_number(line, numbers[i].name, numbers[i].value, err);
    if (r == 0)
        r = put_time(line, "oldest", found->oldest_unix_ns, err);
    if (r == 0)
        r = put_time(line, "newest", found->newest_unix_ns, err);
    if (r == 0)
        r = put_counts(line, "bySource", tally->by_class, MAX_CLASSES, class_name, err);
    if (r == 0)
        r = put_counts(line, "bySeverity", tally->by_severity, MAX_SEVERITIES, severity_name, err);
    if (r == 0)
        r = put_damage(line, found, err);
    return r == 0 ? hf_cli_print_json(cli, line, err) : r;
}

static void print_counts(FILE *to, const char *title, const uint64_t *counts, uint32_t n,
                         const char *(*name_of)(uint32_t))
{
    const char *gap = "";

    (void)fprintf(to, "  %-9s ", title);
    for (uint32_t i = n; i-- > 0;)
        if (counts[i] > 0) {
            (void)fprintf(to, "%s%s %llu", gap, name_of(i), (unsigned long long)counts[i]);
            gap = ", ";
        }
    (void)fprintf(to, "\n");
}

static void print_damage(FILE *to, const struct hf_spool_found *found)
{
    const char *gap = "";

    for (size_t i = 0; i < HF_LEN(damages); i++)
        if (damage_of(found, i) > 0) {
            (void)fprintf(to, "%s%llu %s %s", gap, (unsigned long long)damage_of(found, i),
                          hf_noun(damage_of(found, i), damages[i].one, damages[i].many), damages[i].text);
            gap = ", ";
        }
    if (found->newest_gone) {
        (void)fprintf(to, "%sthe newest segment is gone", gap);
        gap = ", ";
    }
    if (found->segments > 0 && !found->cursor_found) {
        (void)fprintf(to, "%sno cursor, which shows the delivered events", gap);
        gap = ", ";
    }
    if (found->segments > 0 && found->stream[0] == '\0')
        (void)fprintf(to, "%sno readable stream name", gap);
    (void)fprintf(to, hf_spool_is_damaged(found) ? "\n" : "none\n");
}

static void print_text(struct hf_cli *cli, const char *dir, const struct hf_spool_found *found,
                       const struct spool_tally *tally)
{
    char bytes[HF_CLI_BYTES_TEXT], oldest[HF_TIME_TEXT], newest[HF_TIME_TEXT];
    FILE *to = cli->out;

    hf_cli_print_line(to, "%s", dir);
    (void)fprintf(to, "  stream    %s\n", found->stream[0] != '\0' ? found->stream : "unknown");
    (void)fprintf(to, "  records   %llu waiting of %llu, sequence %llu to %llu, delivered to %llu\n",
                  (unsigned long long)found->waiting, (unsigned long long)found->records,
                  (unsigned long long)found->first, (unsigned long long)found->last,
                  (unsigned long long)found->cursor.delivered);
    (void)fprintf(to, "  size      %s in %llu segments\n", hf_cli_bytes(found->bytes, bytes),
                  (unsigned long long)found->segments);
    if (found->waiting > 0) {
        (void)fprintf(to, "  time      %s to %s\n", hf_format_time(found->oldest_unix_ns, oldest),
                      hf_format_time(found->newest_unix_ns, newest));
        print_counts(to, "severity", tally->by_severity, MAX_SEVERITIES, severity_name);
        print_counts(to, "source", tally->by_class, MAX_CLASSES, class_name);
    }
    if (found->torn_bytes > 0)
        (void)fprintf(to, "  torn      %llu bytes of a write that was never acknowledged\n",
                      (unsigned long long)found->torn_bytes);
    (void)fprintf(to, "  damage    ");
    print_damage(to, found);
}

/* Reads every spool of DIR and calls print() for each. Returns HF_EXIT_FAILED if one is damaged. */
static int each_spool(struct hf_cli *cli, const struct hf_cli_args *args,
                      int (*print)(struct hf_cli *cli, bool json, const char *dir, const struct hf_spool_found *found,
                                   const struct spool_tally *tally, struct hf_err *err),
                      struct hf_err *err)
{
    _cleanup_(spools_done) struct spools spools = {.n = 0};
    bool damaged = false;
    int r = spools_of(cli, args->words[0], &spools, err);

    for (size_t i = 0; r == 0 && i < spools.n; i++) {
        struct hf_spool_found found;
        struct spool_tally tally = {.by_class = {0}};
        r = hf_spool_look(cli->fs, spools.dirs[i], count, &tally, &found, err);
        if (r == 0) {
            damaged |= hf_spool_is_damaged(&found);
            r = print(cli, hf_cli_flag(args, "json"), spools.dirs[i], &found, &tally, err);
        }
    }
    return r < 0 ? r : damaged ? HF_EXIT_FAILED : HF_EXIT_OK;
}

static int print_stat(struct hf_cli *cli, bool json, const char *dir, const struct hf_spool_found *found,
                      const struct spool_tally *tally, struct hf_err *err)
{
    if (json)
        return print_json(cli, dir, found, tally, err);
    print_text(cli, dir, found, tally);
    return 0;
}

static int print_verify(struct hf_cli *cli, bool json, const char *dir, const struct hf_spool_found *found,
                        const struct spool_tally *tally, struct hf_err *err)
{
    if (json)
        return print_json(cli, dir, found, tally, err);
    _cleanup_(hf_freep) char *name = strdup(dir);
    if (name != NULL)
        hf_cli_plain_text(name);
    (void)fprintf(cli->out, "%s: %llu %s, ", name != NULL ? name : "?", (unsigned long long)found->records,
                  hf_noun(found->records, "record", "records"));
    if (hf_spool_is_damaged(found))
        print_damage(cli->out, found);
    else
        (void)fprintf(cli->out, "all intact\n");
    return 0;
}

int hf_cli_spool_stat(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    return each_spool(cli, args, print_stat, err);
}

int hf_cli_spool_verify(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    return each_spool(cli, args, print_verify, err);
}

/* ---- cat --------------------------------------------------------------------------------------------------------- */

/* A time or a sequence; both 0: no bound. */
struct spool_bound {
    uint64_t unix_ns, sequence;
};

struct cat {
    struct hf_cli *cli;
    bool all, json;
    struct spool_bound from, to;
    enum hf_severity severity;
    struct hf_err *err;
};

static int parse_bound(const struct hf_cli_args *args, const char *option, struct spool_bound *ret, struct hf_err *err)
{
    const char *text = hf_cli_value(args, option, NULL);

    if (text == NULL || hf_parse_u64(text, 1, UINT64_MAX, &ret->sequence) == 0 ||
        hf_parse_time(text, &ret->unix_ns) == 0)
        return 0;
    return hf_err_set(err, EINVAL, "--%s '%s' is neither a sequence nor a time like 2026-11-20T08:00:00Z", option,
                      text);
}

static bool wanted(const struct cat *cat, const struct hf_spool_record *record, bool waiting)
{
    return (cat->all || waiting) && record->sequence >= cat->from.sequence && record->unix_ns >= cat->from.unix_ns &&
           (cat->to.sequence == 0 || record->sequence <= cat->to.sequence) &&
           (cat->to.unix_ns == 0 || record->unix_ns <= cat->to.unix_ns) &&
           (record->tag & 0xffff) >= (uint32_t)cat->severity;
}

/* Adds the payload as JSON if it is JSON, else as text, else (not UTF-8) as base64. */
static int put_payload(json_t *line, struct hf_view payload, struct hf_err *err)
{
    json_t *event = NULL;

    if (hf_json_parse(payload, NULL, &event, NULL) == 0)
        return hf_cli_put(line, "event", event, err);
    if (hf_utf8_valid(payload.p, payload.n) && memchr(payload.p, 0, payload.n) == NULL)
        return hf_cli_put(line, "text", json_stringn(payload.p, payload.n), err);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * payload.n + 8);
    int r = hf_base64_encode(payload.p, payload.n, &text);
    return r < 0 ? hf_err_sys(err, r, "encode a record")
                 : hf_cli_put(line, "base64", json_string(hf_buf_str(&text)), err);
}

static int print_record(void *arg, const struct hf_spool_record *record, bool waiting)
{
    const struct cat *cat = arg;

    if (!wanted(cat, record, waiting))
        return 0;
    if (!cat->json)
        return hf_cli_print_json_text(cat->cli, record->payload, cat->err);
    _cleanup_(hf_json_freep) json_t *line = json_object();
    int r = put_number(line, "sequence", record->sequence, cat->err);
    if (r == 0)
        r = put_time(line, "time", record->unix_ns, cat->err);
    if (r == 0)
        r = hf_cli_put(line, "source", json_string(class_name(record->tag >> 16)), cat->err);
    if (r == 0)
        r = hf_cli_put(line, "severity", json_string(severity_name(record->tag & 0xffff)), cat->err);
    if (r == 0)
        r = hf_cli_put(line, "waiting", json_boolean(waiting), cat->err);
    if (r == 0)
        r = put_payload(line, record->payload, cat->err);
    return r == 0 ? hf_cli_print_json(cat->cli, line, cat->err) : r;
}

int hf_cli_spool_cat(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct cat cat = {.cli = cli, .all = hf_cli_flag(args, "all"), .json = hf_cli_flag(args, "json"), .err = err};
    _cleanup_(spools_done) struct spools spools = {.n = 0};
    const char *severity = hf_cli_value(args, "severity", NULL);
    bool damaged = false;

    if (severity != NULL && !hf_severity_parse(severity, strlen(severity), &cat.severity))
        return hf_err_set(
            err, EINVAL, "unknown --severity '%s': expected debug, info, notice, warning, error or critical", severity);
    int r = parse_bound(args, "from", &cat.from, err);
    if (r == 0)
        r = parse_bound(args, "to", &cat.to, err);
    if (r == 0)
        r = spools_of(cli, args->words[0], &spools, err);
    for (size_t i = 0; r == 0 && i < spools.n; i++) {
        struct hf_spool_found found;
        r = hf_spool_look(cli->fs, spools.dirs[i], print_record, &cat, &found, err);
        if (r == 0 && hf_spool_is_damaged(&found)) {
            damaged = true;
            hf_cli_print_line(cli->err, "%s: damaged; 'spool verify' shows the details", spools.dirs[i]);
        }
    }
    return r < 0 ? r : damaged ? HF_EXIT_FAILED : HF_EXIT_OK;
}
