/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/fleet_status.h"

#include <errno.h>
#include <string.h>

#include "api/field/nearest.h"
#include "api/meta.h"
#include "base/parse.h"
#include "cli/fleet/cluster.h"
#include "cli/fleet/output.h"
#include "cli/fleet/table.h"
#include "cli/fleet/update_view.h"
#include "cli/node/status_seen.h"
#include "codec/plain.h"

enum { BAR = 23, MAX_UPDATES = 2000, NUMBER = 24 };

/* ---- the list ---------------------------------------------------------------------------------------------------- */

static int keep(void *arg, json_t *object, struct hf_err *err)
{
    json_t *updates = arg;

    if (json_array_size(updates) == MAX_UPDATES)
        return hf_err_set(err, E2BIG, "more than %d EdgeUpdates; name one", MAX_UPDATES);
    (void)json_object_del(json_object_get(object, "metadata"), "managedFields");
    return json_array_append(updates, object) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
}

static void forget(void *arg)
{
    (void)json_array_clear(arg);
}

static int list_updates(struct hf_cluster *cluster, json_t *updates, struct hf_err *err)
{
    return hf_cluster_each(cluster,
                           &HF_CLUSTER_LIST(HF_API_GROUP_VERSION, "edgeupdates", keep, updates, .again = forget), err);
}

/* Keeps the EdgeUpdate of this name, or those of this release. */
static int keep_named(json_t *updates, const char *name, struct hf_err *err)
{
    struct hf_nearest nearest = {.typed = name};
    char best[HF_NEAREST_MAX + 1] = "";

    for (size_t i = 0; i < json_array_size(updates); i++)
        hf_nearest_try(&nearest, hf_json_str_or(json_array_get(updates, i), "metadata.name", ""));
    if (nearest.best != NULL)
        (void)snprintf(best, sizeof(best), "%s", nearest.best);
    for (size_t i = json_array_size(updates); i-- > 0;) {
        const json_t *update = json_array_get(updates, i);
        const char *release = hf_json_str_or(update, "spec.release.name", "");
        if (strcmp(hf_json_str_or(update, "metadata.name", ""), name) == 0 || strcmp(release, name) == 0)
            continue;
        if (json_array_remove(updates, i) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
    }
    if (json_array_size(updates) > 0)
        return 0;
    if (best[0] != '\0')
        return hf_err_set(err, ENOENT, "no EdgeUpdate or release '%.80s'; did you mean '%s'?", name, best);
    return hf_err_set(err, ENOENT, "no EdgeUpdate or release '%.80s'; 'holdfast status --fleet' lists them", name);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static enum hf_tint tint_of(const struct hf_update_view *view)
{
    static const enum hf_tint tints[] = {
        [HF_VIEW_UNREPORTED] = HF_TINT_FAINT, [HF_VIEW_PROGRESSING] = HF_TINT_BUSY, [HF_VIEW_COMPLETE] = HF_TINT_GOOD,
        [HF_VIEW_PAUSED] = HF_TINT_BUSY,      [HF_VIEW_STALLED] = HF_TINT_BAD,      [HF_VIEW_REFUSED] = HF_TINT_BAD};

    return tints[view->state];
}

/* Returns the text of the column STATE. If the rollout or one of its nodes cannot go on, this is the reason. */
static const char *state_of(const struct hf_update_view *view)
{
    const char *reason = hf_update_view_reason(view);
    bool moves = view->state == HF_VIEW_PROGRESSING && reason == view->reason && strcmp(reason, "FewUpdated") != 0;

    return moves || view->state == HF_VIEW_COMPLETE ? hf_update_view_state_name(view) : reason;
}

static const char *number(const struct hf_update_view *view, int64_t value, char text[NUMBER])
{
    text[0] = '\0';
    if (view->counted)
        (void)snprintf(text, NUMBER, "%lld", (long long)value);
    return text;
}

static const char *age_of(const json_t *update, uint64_t now_unix_ns, char text[HF_CLI_AGO_TEXT])
{
    uint64_t created = 0;

    text[0] = '\0';
    if (hf_parse_time(hf_json_str_or(update, "metadata.creationTimestamp", ""), &created) == 0)
        (void)hf_cli_ago(now_unix_ns - HF_MIN(created, now_unix_ns), text);
    return text;
}

static int add_row(struct hf_table *table, const json_t *update, uint64_t now_unix_ns, struct hf_err *err)
{
    char bar[BAR] = "", updated[2 * NUMBER] = "", failed[NUMBER], away[NUMBER], held[NUMBER], sequence[NUMBER];
    char admitted[NUMBER], updating[NUMBER], incompatible[NUMBER], superseded[NUMBER], cutoff[NUMBER] = "";
    char age[HF_CLI_AGO_TEXT];
    struct hf_update_view view;

    hf_update_view_of(update, &view);
    const struct hf_output_bar drawn = {view.selected, view.updated, view.updating, view.failed, view.unknown};
    if (view.counted) {
        (void)hf_output_draw(&drawn, bar, sizeof(bar));
        (void)snprintf(updated, sizeof(updated), "%lld/%lld", (long long)view.updated, (long long)view.selected);
    }
    (void)snprintf(sequence, sizeof(sequence), "%lld", (long long)view.sequence);
    if (view.has_strategy) /* the share of the nodes, which stays during a halt; status.admission has slots */
        (void)snprintf(cutoff, sizeof(cutoff), "%.2f%%",
                       (double)hf_json_int_or(update, "status.rollout.cutoff", 0) / 100.0);
    const char *const cells[] = {view.name,
                                 view.release,
                                 view.version,
                                 view.stage,
                                 bar,
                                 updated,
                                 number(&view, view.failed, failed),
                                 number(&view, view.unknown - view.held, away),
                                 number(&view, view.held, held),
                                 state_of(&view),
                                 sequence,
                                 number(&view, view.admitted, admitted),
                                 number(&view, view.updating, updating),
                                 number(&view, view.incompatible, incompatible),
                                 number(&view, view.superseded, superseded),
                                 cutoff,
                                 age_of(update, now_unix_ns, age)};
    const enum hf_tint tints[HF_LEN(cells)] = {
        [4] = tint_of(&view), [6] = view.failed > 0 ? HF_TINT_BAD : HF_TINT_NONE, [9] = tint_of(&view)};
    return hf_table_add(table, cells, tints, err);
}

static int print_table(struct hf_cli *cli, const json_t *updates, bool wide, uint64_t now_unix_ns, struct hf_err *err)
{
    static const char *const titles[] = {"NAME",     "RELEASE", "VERSION",    "STAGE",  "PROGRESS", "UPDATED",
                                         "FAILED",   "AWAY",    "HELD",       "STATE",  "SEQUENCE", "ADMITTED",
                                         "UPDATING", "CANNOT",  "SUPERSEDED", "CUTOFF", "AGE"};
    _cleanup_(hf_table_done) struct hf_table table;
    int r = hf_table_begin(&table, titles, wide ? HF_LEN(titles) : 10, err);

    for (size_t i = 0; r == 0 && i < json_array_size(updates); i++)
        r = add_row(&table, json_array_get(updates, i), now_unix_ns, err);
    if (r == 0)
        hf_table_sort(&table);
    if (r == 0)
        hf_table_print(&table, cli->out, cli->colour);
    return r;
}

static void print_node(struct hf_cli *cli, const json_t *node, enum hf_tint tint)
{
    const char *message = hf_json_str_or(node, "message", "");

    (void)fprintf(cli->out, "  %s%s%s  %s%s%s\n", hf_table_tint(tint, cli->colour), hf_json_str_or(node, "node", "?"),
                  hf_table_untint(tint, cli->colour), hf_json_str_or(node, "reason", ""),
                  message[0] != '\0' ? ": " : "", message);
}

static void print_failures(struct hf_cli *cli, const struct hf_update_view *view)
{
    for (size_t i = 0; i < json_array_size(view->failures); i++)
        print_node(cli, json_array_get(view->failures, i), HF_TINT_BAD);
    if (view->counted && view->failed > (int64_t)json_array_size(view->failures) && json_array_size(view->failures) > 0)
        (void)fprintf(cli->out, "  and %lld more: holdfast nodes --release %s --phase RolledBack\n",
                      (long long)view->failed - (long long)json_array_size(view->failures), view->release);
}

/* Prints what the table does not show: the message, who failed, who is waited for. */
static void print_details(struct hf_cli *cli, const json_t *update, bool all)
{
    const json_t *waiting = hf_json_at(update, "status.rollout.waitingFor");
    struct hf_update_view view;

    hf_update_view_of(update, &view);
    bool worth = all || view.failures != NULL || view.trouble != NULL || view.state == HF_VIEW_STALLED ||
                 view.state == HF_VIEW_REFUSED;
    if (!worth)
        return;
    (void)fprintf(cli->out, "%s: %s%s%s\n", view.name, view.reason, view.message[0] != '\0' ? ": " : "", view.message);
    print_failures(cli, &view);
    if (view.trouble != NULL)
        print_node(cli, view.trouble, HF_TINT_BUSY);
    for (size_t i = 0; i < json_array_size(waiting); i++) {
        const json_t *one = json_array_get(waiting, i);
        (void)fprintf(cli->out, "  waits for %s\n",
                      json_is_string(one) ? json_string_value(one) : hf_json_str_or(one, "node", "?"));
    }
}

/* ---- other formats ----------------------------------------------------------------------------------------------- */

static int print_list(struct hf_cli *cli, enum hf_output output, const json_t *updates, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *answer = json_pack("{s:[]}", "updates");

    for (size_t i = 0; i < json_array_size(updates); i++) {
        struct hf_update_view view;
        hf_update_view_of(json_array_get(updates, i), &view);
        if (json_array_append_new(json_object_get(answer, "updates"), hf_update_view_json(&view)) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
    }
    return hf_output_print(cli, output, answer, err);
}

static int print_names(struct hf_cli *cli, const json_t *updates)
{
    for (size_t i = 0; i < json_array_size(updates); i++)
        (void)fprintf(cli->out, "edgeupdate.%s/%s\n", HF_API_GROUP,
                      hf_json_str_or(json_array_get(updates, i), "metadata.name", ""));
    return 0;
}

static int print_updates(struct hf_cli *cli, enum hf_output output, json_t *updates, bool named, uint64_t now_unix_ns,
                         struct hf_err *err)
{
    if (output == HF_OUTPUT_JSON || output == HF_OUTPUT_YAML)
        return print_list(cli, output, updates, err);
    if (hf_plain_tree(updates) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (output == HF_OUTPUT_NAME)
        return print_names(cli, updates);
    if (json_array_size(updates) == 0)
        return fprintf(cli->out, "no EdgeUpdates\n") < 0 ? hf_err_set(err, EIO, "write") : 0;
    int r = print_table(cli, updates, output == HF_OUTPUT_WIDE, now_unix_ns, err);
    for (size_t i = 0; r == 0 && i < json_array_size(updates); i++)
        print_details(cli, json_array_get(updates, i), named);
    return r;
}

static bool needs_person(const json_t *updates)
{
    for (size_t i = 0; i < json_array_size(updates); i++) {
        struct hf_update_view view;
        hf_update_view_of(json_array_get(updates, i), &view);
        if (hf_update_view_needs_person(&view))
            return true;
    }
    return false;
}

int hf_fleet_status(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_cluster_closep) struct hf_cluster *cluster = NULL;
    _cleanup_(hf_json_freep) json_t *updates = json_array();
    enum hf_output output;
    int r = hf_output_of(args, &output, err);

    if (r == 0)
        r = hf_cluster_open(cli, args, &cluster, err);
    if (r == 0)
        r = list_updates(cluster, updates, err);
    if (r == 0 && args->n_words > 0)
        r = keep_named(updates, args->words[0], err);
    bool unwell = r == 0 && needs_person(updates);
    if (r == 0)
        r = print_updates(cli, output, updates, args->n_words > 0, hf_cluster_now_unix_ns(cluster), err);
    return r < 0 ? r : unwell ? HF_EXIT_UNWELL : 0;
}
