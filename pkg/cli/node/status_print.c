/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/node/status_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/utf8.h"
#include "base/parse.h"
#include "sync/readiness.h"

enum { CELLS = 9, MAX_CELL = 64 };

struct status_row {
    char cells[CELLS][MAX_CELL];
};

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* Sets a cell; "-" if the text is empty, so that scripts can split lines at blanks. */
static void set(struct status_row *row, size_t cell, const char *text)
{
    (void)snprintf(row->cells[cell], MAX_CELL, "%s", text[0] != '\0' ? text : "-");
    hf_utf8_trim(row->cells[cell]);
}

static void set_number(struct status_row *row, size_t cell, int64_t number)
{
    (void)snprintf(row->cells[cell], MAX_CELL, "%lld", (long long)number);
}

static void print_rows(FILE *to, const struct status_row *rows, size_t n)
{
    size_t widths[CELLS] = {0}, cells = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < CELLS; c++)
            widths[c] = HF_MAX(widths[c], strlen(rows[i].cells[c]));
    for (size_t c = 0; c < CELLS; c++)
        cells = widths[c] > 0 ? c + 1 : cells;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < cells; c++)
            (void)fprintf(to, "%-*s%s", c + 1 < cells ? (int)widths[c] : 0, rows[i].cells[c],
                          c + 1 < cells ? "  " : "\n");
}

static void print_messages(FILE *to, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *message = hf_json_str_or(json_array_get(list, i), "message", "");
        if (message[0] != '\0')
            (void)fprintf(to, "%s: %s\n", hf_json_str_or(json_array_get(list, i), "name", ""), message);
    }
}

/* Prints the titles, one row for each item of `list`, and then the messages of the items. */
static int print_table(FILE *to, const char *const titles[CELLS], const json_t *list,
                       void (*fill)(struct status_row *row, const json_t *item, uint64_t now_unix_ns),
                       uint64_t now_unix_ns, struct hf_err *err)
{
    size_t n = json_array_size(list);
    struct status_row *rows = calloc(n + 1, sizeof(*rows));

    if (rows == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t c = 0; c < CELLS; c++)
        if (titles[c] != NULL)
            set(&rows[0], c, titles[c]);
    for (size_t i = 0; i < n; i++)
        fill(&rows[i + 1], json_array_get(list, i), now_unix_ns);
    print_rows(to, rows, n + 1);
    free(rows);
    print_messages(to, list);
    return 0;
}

/* ---- updates ----------------------------------------------------------------------------------------------------- */

static void fill_update(struct status_row *row, const json_t *update, HF_UNUSED uint64_t now_unix_ns)
{
    char text[HF_CLI_BYTES_TEXT];

    set(row, 0, hf_json_str_or(update, "name", ""));
    set(row, 1, hf_json_str_or(update, "phase", ""));
    set(row, 2, hf_json_str_or(update, "version", ""));
    set(row, 3, hf_json_str_or(update, "installedVersion", ""));
    set_number(row, 4, hf_json_int_or(update, "sequence", 0));
    set(row, 5, hf_json_str_or(update, "from", ""));
    set(row, 6, hf_json_str_or(update, "method", ""));
    set(row, 7, hf_cli_bytes((uint64_t)hf_json_int_or(update, "bytesFetched", 0), text));
    set(row, 8, hf_json_str_or(update, "reason", ""));
}

static int print_updates(FILE *to, const json_t *updates, struct hf_err *err)
{
    static const char *const titles[CELLS] = {"RELEASE", "PHASE", "VERSION", "INSTALLED", "SEQUENCE",
                                              "FROM",    "BY",    "FETCHED", "REASON"};

    if (json_array_size(updates) == 0)
        return fprintf(to, "no updates\n") < 0 ? hf_err_set(err, EIO, "write") : 0;
    return print_table(to, titles, updates, fill_update, 0, err);
}

/* ---- manifests --------------------------------------------------------------------------------------------------- */

static void fill_manifest(struct status_row *row, const json_t *entry, HF_UNUSED uint64_t now_unix_ns)
{
    set(row, 0, hf_json_str_or(entry, "name", ""));
    set(row, 1, hf_json_str_or(entry, "to", ""));
    set(row, 2, hf_json_str_or(entry, "phase", ""));
    set(row, 3, hf_json_str_or(entry, "digest", ""));
    set_number(row, 4, hf_json_int_or(entry, "items", 0));
    set_number(row, 5, hf_json_int_or(entry, "drifts", 0));
    set(row, 6, hf_json_str_or(entry, "reason", ""));
}

static int print_manifests(FILE *to, const json_t *manifests, struct hf_err *err)
{
    static const char *const titles[CELLS] = {"MANIFEST", "TO", "PHASE", "DIGEST", "ITEMS", "DRIFTS", "REASON"};

    return json_array_size(manifests) > 0 ? print_table(to, titles, manifests, fill_manifest, 0, err) : 0;
}

/* ---- telemetry --------------------------------------------------------------------------------------------------- */

static void set_ago(struct status_row *row, size_t cell, const json_t *item, const char *key, uint64_t now_unix_ns)
{
    char text[HF_CLI_AGO_TEXT];
    uint64_t time = 0;

    if (hf_parse_time(hf_json_str_or(item, key, ""), &time) == 0 && time != 0)
        set(row, cell, hf_cli_ago(now_unix_ns - HF_MIN(time, now_unix_ns), text));
    else
        set(row, cell, "");
}

static void fill_sink(struct status_row *row, const json_t *sink, uint64_t now_unix_ns)
{
    char text[HF_CLI_BYTES_TEXT];

    set(row, 0, hf_json_str_or(sink, "name", ""));
    set(row, 1, hf_json_str_or(sink, "origin", ""));
    set(row, 2, hf_json_str_or(sink, "breaker", ""));
    set_number(row, 3, hf_json_int_or(sink, "queuedEvents", 0));
    set(row, 4, hf_cli_bytes((uint64_t)hf_json_int_or(sink, "queuedBytes", 0), text));
    set_ago(row, 5, sink, "oldestTime", now_unix_ns);
    set_ago(row, 6, sink, "lastDeliveryTime", now_unix_ns);
    set_number(row, 7, hf_json_int_or(sink, "deadLetters", 0));
    set_number(row, 8, hf_json_int_or(sink, "droppedEvents", 0));
}

static int print_telemetry(FILE *to, const json_t *telemetry, uint64_t now_unix_ns, struct hf_err *err)
{
    static const char *const titles[CELLS] = {"SINK",   "TO",        "BREAKER",      "QUEUED", "BYTES",
                                              "OLDEST", "DELIVERED", "DEAD-LETTERS", "DROPPED"};
    const json_t *sinks = hf_json_at(telemetry, "sinks"), *troubles = hf_json_at(telemetry, "troubles");
    int r = json_array_size(sinks) > 0 ? print_table(to, titles, sinks, fill_sink, now_unix_ns, err) : 0;

    if (r < 0)
        return r;
    for (size_t i = 0; i < json_array_size(troubles); i++)
        (void)fprintf(to, "telemetry: %s\n", json_string_value(json_array_get(troubles, i)));
    return 0;
}

/* ---- conditions -------------------------------------------------------------------------------------------------- */

/* Returns the length of the part of a condition's message that no line above it repeats. */
static size_t length_without_updates(const char *message, const json_t *updates)
{
    size_t whole = strlen(message), pointer = strlen(HF_READINESS_POINTER);

    if (whole >= pointer && strcmp(message + whole - pointer, HF_READINESS_POINTER) == 0)
        return whole - pointer;
    for (size_t i = 0; i < json_array_size(updates); i++) {
        const char *said = hf_json_str_or(json_array_get(updates, i), "message", "");
        const char *at = said[0] != '\0' ? strstr(message, said) : NULL;
        size_t n = at != NULL ? (size_t)(at - message) : 0;
        if (at == NULL || at[strlen(said)] != '\0')
            continue;
        while (n > 0 && strchr(": ", message[n - 1]) != NULL)
            n--;
        return n;
    }
    return whole;
}

/* What a silent node said about its health is not true now. */
static void print_conditions(FILE *to, const json_t *conditions, const json_t *updates, bool silent)
{
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        const char *message = hf_json_str_or(condition, "message", "");
        size_t n = length_without_updates(message, updates);
        const char *type = hf_json_str_or(condition, "type", ""), *status = hf_json_str_or(condition, "status", "");
        bool unknown = silent && strcmp(type, "Ready") == 0 && strcmp(status, "Unknown") != 0;
        (void)fprintf(to, "%s=%s%s %s%s%.*s\n", type, unknown ? "Unknown NodeSilent: the last report said " : "",
                      status, hf_json_str_or(condition, "reason", ""), n > 0 ? ": " : "", (int)n, message);
    }
}

/* ---- the node ---------------------------------------------------------------------------------------------------- */

static void print_seen(FILE *to, const struct hf_cli_seen *seen)
{
    char ago[HF_CLI_AGO_TEXT];

    if (seen->state == HF_CLI_CURRENT && seen->known)
        (void)fprintf(to, ", seen %s ago", hf_cli_ago(seen->age_ns, ago));
    else if (seen->state == HF_CLI_SILENT)
        (void)fprintf(to, ", Silent (%s%s%s%s)", seen->known ? "last seen " : "",
                      seen->known ? hf_cli_ago(seen->age_ns, ago) : "", seen->known ? " ago; " : "",
                      seen->agent_unknown ? "no report for one and a half of its intervals"
                      : seen->agent_runs  ? "the agent runs but does not renew it"
                                          : "no agent runs on this state folder");
    else if (seen->state != HF_CLI_CURRENT)
        (void)fprintf(to, ", %s%s%s%s", hf_cli_seen_name(seen->state), seen->known ? " " : "",
                      seen->known ? hf_cli_ago(seen->age_ns, ago) : "", seen->known ? " ago" : "");
}

static void print_head(FILE *to, const json_t *node, const struct hf_cli_seen *seen)
{
    const char *name = hf_json_str(node, "metadata.name"), *last = hf_json_str(node, "status.contact.lastTime");

    if (name == NULL) { /* from the journals: the agent keeps no copy of a delivered status */
        (void)fprintf(to, "this node, from its journals");
        print_seen(to, seen);
        (void)fprintf(to, ", %s%s\n",
                      last != NULL                                        ? "last contact "
                      : hf_json_str(node, "status.contact.state") != NULL ? "contact unknown"
                                                                          : "no contact yet",
                      last != NULL ? last : "");
        return;
    }
    (void)fprintf(to, "node %s, agent %s (%s)", name, hf_json_str_or(node, "status.agent.version", "?"),
                  hf_json_str_or(node, "status.agent.mode", "?"));
    print_seen(to, seen);
    (void)fprintf(to, ", contact %s%s%s%s\n", seen->state == HF_CLI_CURRENT ? "" : "was ",
                  hf_json_str_or(node, "status.contact.state", "?"), last != NULL ? ", last " : "",
                  last != NULL ? last : "");
}

static void print_policy(FILE *to, const json_t *policy)
{
    const char *name = hf_json_str(policy, "name");
    const json_t *several = hf_json_at(policy, "policies");
    int64_t generation = hf_json_int_or(policy, "observedGeneration", 0);

    if (name == NULL)
        return;
    (void)fprintf(to, "%s %s", json_array_size(several) > 1 ? "policies" : "policy",
                  name[0] != '\0' ? name : "(the defaults)");
    for (size_t i = 1; i < json_array_size(several); i++)
        (void)fprintf(to, ", %s", hf_json_str_or(json_array_get(several, i), "name", "?"));
    if (generation > 0 && json_array_size(several) < 2)
        (void)fprintf(to, ", generation %lld", (long long)generation);
    (void)fprintf(to, ", interval %s\n", hf_json_str_or(policy, "interval", "?"));
}

int hf_cli_print_node(struct hf_cli *cli, const json_t *node, const struct hf_cli_seen *seen,
                      const struct hf_cli_hold_seen *hold, struct hf_err *err)
{
    const json_t *updates = hf_json_at(node, "status.updates");

    print_head(cli->out, node, seen);
    print_policy(cli->out, hf_json_at(node, "status.policy"));
    if (hold->active)
        hf_cli_print_hold(cli, hold);
    int r = print_updates(cli->out, updates, err);
    if (r == 0)
        r = print_manifests(cli->out, hf_json_at(node, "status.manifests"), err);
    if (r == 0)
        r = print_telemetry(cli->out, hf_json_at(node, "status.telemetry"), hf_unix_ns(cli->clock), err);
    if (r == 0)
        print_conditions(cli->out, hf_json_at(node, "status.conditions"), updates, seen->state == HF_CLI_SILENT);
    return r;
}
