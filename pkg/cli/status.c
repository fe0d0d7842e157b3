/* status: what the agent of this node last said, read from its state folder; works offline and with the agent dead.
 *
 * <state>/status/EdgeNode-<node>.json is there when the agent works from a folder (--source), <state>/outbox.json while what it
 * says could not be delivered. When all was delivered there is neither: then its journals speak (cli/status_local.h). */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "cli/parts.h"
#include "cli/status_local.h"
#include "os/file.h"
#include "sync/hold.h"

const struct hf_cli_option hf_cli_status_options[] = {
    {.name = "state-dir", .value = "DIR", .help = "the agent's state folder (" HF_CLI_DEFAULT_STATE_DIR ")"},
    HF_CLI_JSON("as JSON: {\"node\": EdgeNode, \"hold\": ...}"),
    {.name = NULL},
};

enum { MAX_STATUS_BYTES = 1 << 20, CELLS = 8, MAX_CELL = 40 };

static int read_json(struct hf_cli *cli, const char *path, json_t **ret_json, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_STATUS_BYTES);
    int r = hf_file_read(cli->fs, path, &text, err);

    if (r == 0)
        r = hf_json_parse(hf_buf_view(&text), NULL, ret_json, err);
    return r < 0 && r != -ENOENT ? hf_err_wrap(err, r, "status '%s'", path) : r;
}

/* The EdgeNode in <state>/status/: there is one, as an agent has one name. */
static char *find_status(const char *state)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/status", state);
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    char *found = NULL;

    for (struct dirent *entry; found == NULL && dir != NULL && (entry = readdir(dir)) != NULL;) {
        size_t n = strlen(entry->d_name);
        if (strncmp(entry->d_name, "EdgeNode-", 9) == 0 && n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0)
            found = hf_asprintf("%s/%s", folder, entry->d_name);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}

static int read_node(struct hf_cli *cli, const char *state, json_t **ret_node, struct hf_err *err)
{
    _cleanup_(hf_freep) char *told = find_status(state), *outbox = hf_asprintf("%s/outbox.json", state);
    int r = told != NULL ? read_json(cli, told, ret_node, err) : -ENOENT;

    if (r == -ENOENT && outbox != NULL)
        r = read_json(cli, outbox, ret_node, err);
    if (r == -ENOENT)
        r = hf_cli_status_local(cli, state, ret_node, err);
    if (r == -ENOENT)
        return hf_err_set(err, ENOENT, "'%s' holds no status: is an agent running with this --state-dir?", state);
    return r;
}

static struct hf_hold read_hold(struct hf_cli *cli, const char *state)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_HOLD_FILE_MAX);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/hold", state);
    struct hf_hold hold = {.present = false};
    uint64_t end;

    if (path != NULL && hf_file_read(cli->fs, path, &text, NULL) == 0)
        (void)!hf_hold_parse(hf_buf_view(&text), &hold, NULL);
    hold.present = hf_hold_active(&hold, hf_unix_ns(cli->clock), &end);
    return hold;
}

/* ---- as a table --------------------------------------------------------------------------------------------------- */

struct row {
    char cells[CELLS][MAX_CELL];
};

static void set(struct row *row, size_t cell, const char *text)
{
    (void)snprintf(row->cells[cell], MAX_CELL, "%s", text);
}

static void fill_row(struct row *row, const json_t *update)
{
    char text[HF_CLI_BYTES_TEXT];

    set(row, 0, hf_json_str_or(update, "name", ""));
    set(row, 1, hf_json_str_or(update, "phase", ""));
    set(row, 2, hf_json_str_or(update, "version", ""));
    (void)snprintf(row->cells[3], MAX_CELL, "%lld", (long long)hf_json_int_or(update, "sequence", 0));
    set(row, 4, hf_json_str_or(update, "from", ""));
    set(row, 5, hf_json_str_or(update, "method", ""));
    set(row, 6, hf_cli_bytes((uint64_t)hf_json_int_or(update, "bytesFetched", 0), text));
    set(row, 7, hf_json_str_or(update, "reason", ""));
}

static void print_rows(FILE *to, const struct row *rows, size_t n)
{
    size_t widths[CELLS] = {0};

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < CELLS; c++)
            widths[c] = HF_MAX(widths[c], strlen(rows[i].cells[c]));
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < CELLS; c++)
            (void)fprintf(to, "%-*s%s", c + 1 < CELLS ? (int)widths[c] : 0, rows[i].cells[c],
                          c + 1 < CELLS ? "  " : "\n");
}

static int print_updates(FILE *to, const json_t *updates, struct hf_err *err)
{
    static const char *const titles[CELLS] = {"RELEASE", "PHASE", "VERSION", "SEQUENCE",
                                              "FROM",    "BY",    "FETCHED", "REASON"};
    size_t n = json_array_size(updates);
    struct row *rows = calloc(n + 1, sizeof(*rows));

    if (rows == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t c = 0; c < CELLS; c++)
        set(&rows[0], c, titles[c]);
    for (size_t i = 0; i < n; i++)
        fill_row(&rows[i + 1], json_array_get(updates, i));
    if (n > 0)
        print_rows(to, rows, n + 1);
    else
        (void)fprintf(to, "no updates\n");
    free(rows);
    for (size_t i = 0; i < n; i++) {
        const char *message = hf_json_str_or(json_array_get(updates, i), "message", "");
        if (message[0] != '\0')
            (void)fprintf(to, "%s: %s\n", hf_json_str_or(json_array_get(updates, i), "name", ""), message);
    }
    return 0;
}

static void print_conditions(FILE *to, const json_t *conditions)
{
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        (void)fprintf(to, "%s=%s %s%s%s\n", hf_json_str_or(condition, "type", ""),
                      hf_json_str_or(condition, "status", ""), hf_json_str_or(condition, "reason", ""),
                      hf_json_str(condition, "message") != NULL ? ": " : "", hf_json_str_or(condition, "message", ""));
    }
}

/* RolledBack and Rejected stay until somebody does something. */
static bool needs_person(const json_t *updates)
{
    for (size_t i = 0; i < json_array_size(updates); i++) {
        const char *phase = hf_json_str_or(json_array_get(updates, i), "phase", "");
        if (strcmp(phase, "RolledBack") == 0 || strcmp(phase, "Rejected") == 0)
            return true;
    }
    return false;
}

static int print_node(struct hf_cli *cli, const json_t *node, const struct hf_hold *hold, struct hf_err *err)
{
    const char *last = hf_json_str(node, "status.contact.lastTime");

    if (hf_json_str(node, "metadata.name") == NULL && last != NULL)
        (void)fprintf(cli->out, "this node, every status delivered, last contact noted %s\n", last);
    else if (hf_json_str(node, "metadata.name") == NULL)
        (void)fprintf(cli->out, "this node, no contact noted yet\n");
    else
        (void)fprintf(cli->out, "node %s, agent %s (%s), contact %s%s%s\n", hf_json_str_or(node, "metadata.name", "?"),
                      hf_json_str_or(node, "status.agent.version", "?"), hf_json_str_or(node, "status.agent.mode", "?"),
                      hf_json_str_or(node, "status.contact.state", "?"), last != NULL ? ", last " : "",
                      last != NULL ? last : "");
    if (hold->present)
        (void)fprintf(cli->out, "held: %s\n", hold->reason);
    int r = print_updates(cli->out, hf_json_at(node, "status.updates"), err);
    if (r == 0)
        print_conditions(cli->out, hf_json_at(node, "status.conditions"));
    return r;
}

int hf_cli_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *state = hf_cli_value(args, "state-dir", HF_CLI_DEFAULT_STATE_DIR);
    _cleanup_(hf_json_freep) json_t *node = NULL;
    struct hf_hold hold = read_hold(cli, state);
    int r = read_node(cli, state, &node, err);

    if (r == 0 && hf_cli_flag(args, "json")) {
        _cleanup_(hf_json_freep) json_t *answer =
            json_pack("{s:O, s:{s:b, s:s}}", "node", node, "hold", "active", hold.present, "reason", hold.reason);
        r = answer != NULL ? hf_cli_print_json(cli, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
    } else if (r == 0) {
        r = print_node(cli, node, &hold, err);
    }
    if (r < 0)
        return r;
    return needs_person(hf_json_at(node, "status.updates")) ? HF_EXIT_UNWELL : 0;
}
