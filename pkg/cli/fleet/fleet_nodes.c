/* SPDX-License-Identifier: Apache-2.0 */
/* nodes, node NAME: what the agents of the fleet last reported. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "api/field/nearest.h"
#include "api/meta.h"
#include "base/buf.h"
#include "base/encoding/utf8.h"
#include "base/parse.h"
#include "cli/fleet/cluster.h"
#include "cli/fleet/node_set.h"
#include "cli/fleet/node_view.h"
#include "cli/fleet/output.h"
#include "cli/fleet/table.h"
#include "cli/node/status_print.h"
#include "cli/node/status_seen.h"
#include "cli/plain.h"
#include "codec/plain.h"

enum { MAX_TEXT = 512 << 20 /* 500,000 nodes */, RELEASE_TEXT = 280, LIST_TEXT = 1056 /* 16 names */, TITLE = 64 };
enum { SHORT = 9, COLUMNS = 16, MAX_LABELS = HF_TABLE_MAX_COLUMNS - COLUMNS }; /* labels stand behind the short table */

const struct hf_cli_option hf_cli_nodes_options[] = {
    HF_CLI_OPTION("selector", "KEY=VALUE[,...]", "only Nodes with these labels", .letter = 'l'),
    HF_CLI_OPTION("release", "NAME", "show this release; only nodes that report it"),
    HF_CLI_OPTION("phase", "PHASE", "only nodes where a release is in this phase, such as RolledBack"),
    HF_CLI_OPTION("version", "VERSION", "only nodes where this version of a release is installed"),
    HF_CLI_OPTION("label-columns", "KEY[,...]", "show these labels of the Nodes, too", .letter = 'L'),
    HF_CLI_OPTION("silent", NULL, "only nodes that have not reported for one and a half intervals"),
    HF_OUTPUT_OPTIONS,
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};
const struct hf_cli_option hf_cli_node_options[] = {
    HF_OUTPUT_OPTIONS,
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

/* One run of `nodes`. The table keeps a row of text for each node, so no object outlives its page. */
struct nodes {
    struct hf_cli *cli;
    struct hf_cluster *cluster;
    enum hf_output output;
    const char *release, *phase, *version;
    bool silent;
    bool selected; /* true: only the nodes of `set` */
    struct hf_node_set set;
    char titles[MAX_LABELS][TITLE]; /* of the labels */
    size_t n_labels;
    struct hf_table table;
    struct hf_buf text; /* for JSON and YAML: the items, without what stands around them */
};

/* The field `key` of the release that is shown or, if none is asked for, of any is `wanted`; NULL: whatever. */
static bool has(const struct nodes *nodes, const json_t *node, const struct hf_node_view *view, const char *key,
                const char *wanted)
{
    const json_t *updates = hf_json_at(node, "status.updates");

    if (wanted == NULL || nodes->release != NULL)
        return wanted == NULL || strcmp(hf_json_str_or(view->update, key, ""), wanted) == 0;
    for (size_t i = 0; i < json_array_size(updates); i++)
        if (strcmp(hf_json_str_or(json_array_get(updates, i), key, ""), wanted) == 0)
            return true;
    return false;
}

static bool is_wanted(const struct nodes *nodes, const json_t *node, const struct hf_node_view *view)
{
    if (nodes->selected && hf_node_set_find(&nodes->set, view->name) < 0)
        return false;
    if (nodes->silent && !view->silent)
        return false;
    if (nodes->release != NULL && view->update == NULL)
        return false;
    return has(nodes, node, view, "phase", nodes->phase) && has(nodes, node, view, "installedVersion", nodes->version);
}

static enum hf_tint tint_of_phase(const struct hf_node_view *view)
{
    if (view->phase[0] == '\0')
        return HF_TINT_NONE;
    if (hf_node_view_update_failed(view->update))
        return HF_TINT_BAD;
    return strcmp(view->phase, "Committed") == 0 ? HF_TINT_GOOD : HF_TINT_BUSY;
}

/* The name of the release that is shown, with the number of others: "app+2". */
static void name_release(const json_t *node, const struct hf_node_view *view, char text[RELEASE_TEXT])
{
    size_t n = json_array_size(hf_json_at(node, "status.updates"));
    const char *name = hf_json_str_or(view->update, "name", "");

    if (n > 1)
        (void)snprintf(text, RELEASE_TEXT, "%.253s+%zu", name, n - 1);
    else
        (void)snprintf(text, RELEASE_TEXT, "%.253s", name);
}

/* Ids, or objects with names: "release-2026,release-2027". */
static size_t list(const json_t *items, char text[LIST_TEXT])
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(items) && used < LIST_TEXT; i++) {
        const json_t *item = json_array_get(items, i);
        const char *name = json_is_string(item) ? json_string_value(item) : hf_json_str_or(item, "name", "?");
        used += (size_t)snprintf(text + used, LIST_TEXT - used, "%s%.63s", i > 0 ? "," : "", name);
    }
    return used;
}

/* The ids of the keys that the node trusts. */
static const char *list_keys(const json_t *node, char text[LIST_TEXT])
{
    long long more = (long long)hf_json_int_or(node, "status.trust.more", 0);
    size_t used = list(hf_json_at(node, "status.trust.keys"), text);

    if (more > 0 && used < LIST_TEXT)
        (void)snprintf(text + used, LIST_TEXT - used, "+%lld", more);
    return text;
}

/* All policies in effect; one alone has no list. */
static const char *list_policies(const json_t *node, char text[LIST_TEXT])
{
    return list(hf_json_at(node, "status.policy.policies"), text) > 0 ? text
                                                                      : hf_json_str_or(node, "status.policy.name", "");
}

static const char *label_of(const struct nodes *nodes, const struct hf_node_view *view, size_t k)
{
    ssize_t i = hf_node_set_find(&nodes->set, view->name);

    return i >= 0 ? hf_node_set_label(&nodes->set, (size_t)i, k) : "";
}

static void lay_out(const char *const all[COLUMNS], const char *const *labels, size_t n_labels,
                    const char *cells[HF_TABLE_MAX_COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++)
        cells[i < SHORT ? i : i + n_labels] = all[i];
    for (size_t k = 0; k < n_labels; k++)
        cells[SHORT + k] = labels[k];
}

static int add_row(struct nodes *nodes, const json_t *node, const struct hf_node_view *view, struct hf_err *err)
{
    const json_t *held = hf_json_at(node, "status.hold");
    char ago[HF_CLI_AGO_TEXT] = "", seen[HF_CLI_AGO_TEXT + 8], release[RELEASE_TEXT], keys[LIST_TEXT],
         policies[LIST_TEXT];
    const char *labels[MAX_LABELS], *cells[HF_TABLE_MAX_COLUMNS];

    for (size_t k = 0; k < nodes->n_labels; k++)
        labels[k] = label_of(nodes, view, k);
    name_release(node, view, release);
    if (view->seen)
        (void)hf_cli_ago(view->age_ns, ago);
    (void)snprintf(seen, sizeof(seen), "%s%s", ago, view->silent && view->seen ? "!" : "");
    const char *const all[COLUMNS] = {view->name,
                                      view->ready,
                                      seen,
                                      view->contact,
                                      release,
                                      hf_json_str_or(view->update, "version", ""),
                                      hf_json_str_or(view->update, "installedVersion", ""),
                                      view->phase,
                                      hf_json_str_or(view->update, "reason", ""),
                                      list_policies(node, policies),
                                      hf_json_str_or(node, "status.policy.interval", ""),
                                      hf_json_str_or(node, "status.agent.version", ""),
                                      hf_json_str_or(node, "status.agent.mode", ""),
                                      hf_json_str_or(held, "reason", ""),
                                      list_keys(node, keys),
                                      hf_json_str_or(view->update, "message", "")};
    lay_out(all, labels, nodes->n_labels, cells);
    enum hf_tint tints[HF_TABLE_MAX_COLUMNS] = {[1] = strcmp(view->ready, "True") == 0 ? HF_TINT_GOOD : HF_TINT_BUSY,
                                                [2] = view->silent ? HF_TINT_BAD : HF_TINT_NONE,
                                                [7] = tint_of_phase(view)};
    return hf_table_add(&nodes->table, cells, tints, err);
}

/* The few fields of a node that the table shows, for scripts. */
static json_t *summary(const struct nodes *nodes, const struct hf_node_view *view)
{
    json_t *update = view->update != NULL ? json_deep_copy(view->update) : json_null();
    json_t *age = view->seen ? json_integer((json_int_t)(view->age_ns / HF_NS_PER_S)) : json_null();
    json_t *labels = nodes->n_labels > 0 ? json_object() : NULL;
    struct hf_view rest = hf_view_of(nodes->n_labels > 0 ? nodes->set.labels : ""), key;

    for (size_t k = 0; k < nodes->n_labels && hf_view_split(&rest, ',', &key); k++)
        (void)json_object_setn_new(labels, key.p, key.n, json_string(label_of(nodes, view, k)));
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o*}", "name", view->name, "ready", view->ready, "reason",
                     view->reason, "contact", view->contact, "silent", view->silent, "ageSeconds", age, "update",
                     update, "labels", labels);
}

static int add_text(struct nodes *nodes, const struct hf_node_view *view, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *item = summary(nodes, view);
    _cleanup_(hf_json_freep) json_t *list = json_pack("[O]", item);
    int r = list != NULL ? 0 : -ENOMEM;

    if (r == 0 && nodes->output == HF_OUTPUT_JSON && nodes->text.n > 0)
        r = hf_buf_add_str(&nodes->text, ",");
    if (r == 0)
        r = nodes->output == HF_OUTPUT_JSON ? hf_json_format(item, &nodes->text) : hf_yaml_format(list, &nodes->text);
    return r < 0 ? hf_err_set(err, -r, "the list is too large: narrow it with options") : 0;
}

static int take(void *arg, json_t *node, struct hf_err *err)
{
    struct nodes *nodes = arg;
    struct hf_node_view view;

    (void)json_object_del(json_object_get(node, "metadata"), "managedFields");
    if (hf_plain_tree(node) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    hf_node_view_of(node, nodes->release, hf_cluster_now_unix_ns(nodes->cluster), &view);
    if (!is_wanted(nodes, node, &view))
        return 0;
    if (nodes->output == HF_OUTPUT_JSON || nodes->output == HF_OUTPUT_YAML)
        return add_text(nodes, &view, err);
    return add_row(nodes, node, &view, err);
}

static int begin_table(struct nodes *nodes, struct hf_err *err)
{
    static const char *const all[COLUMNS] = {"NODE",      "READY", "SEEN",   "CONTACT", "RELEASE",  "VERSION",
                                             "INSTALLED", "PHASE", "REASON", "POLICY",  "INTERVAL", "AGENT",
                                             "MODE",      "HOLD",  "KEYS",   "MESSAGE"};
    const char *labels[MAX_LABELS], *titles[HF_TABLE_MAX_COLUMNS];

    for (size_t k = 0; k < nodes->n_labels; k++)
        labels[k] = nodes->titles[k];
    lay_out(all, labels, nodes->n_labels, titles);
    return hf_table_begin(&nodes->table, titles,
                          nodes->n_labels + (nodes->output == HF_OUTPUT_WIDE ? (size_t)COLUMNS : (size_t)SHORT), err);
}

static void begin_again(void *arg)
{
    struct nodes *nodes = arg;

    hf_table_done(&nodes->table);
    (void)!begin_table(nodes, NULL);
    hf_buf_clear(&nodes->text);
}

static int print(struct nodes *nodes, struct hf_err *err)
{
    const char *text = hf_buf_str(&nodes->text);

    if (nodes->output == HF_OUTPUT_JSON)
        return fprintf(nodes->cli->out, "{\"nodes\":[%s]}\n", text) < 0 ? hf_err_set(err, EIO, "write") : 0;
    if (nodes->output == HF_OUTPUT_YAML)
        return fprintf(nodes->cli->out, "nodes:%s%s", text[0] != '\0' ? "\n" : " []\n", text) < 0
                   ? hf_err_set(err, EIO, "write")
                   : 0;
    hf_table_sort(&nodes->table);
    if (nodes->output == HF_OUTPUT_NAME)
        for (size_t i = 1; i < nodes->table.n; i++)
            (void)fprintf(nodes->cli->out, "edgenode.%s/%s\n", HF_API_GROUP, nodes->table.rows[i] + 1);
    else if (nodes->table.n > 1)
        hf_table_print(&nodes->table, nodes->cli->out, nodes->cli->colour);
    else
        (void)fprintf(nodes->cli->err, "no nodes\n");
    return 0;
}

/* As in kubectl, a title is what follows the prefix of the key, in capitals. */
static int read_labels(struct nodes *nodes, const char *keys, struct hf_err *err)
{
    struct hf_view rest = hf_view_of(keys), key;
    int r = hf_node_set_check("--label-columns", keys, err);

    if (r == 0 && strpbrk(keys, "=!( ") != NULL)
        return hf_err_set(err, EINVAL, "--label-columns takes keys of labels, without values: '%.60s'", keys);
    while (r == 0 && hf_view_split(&rest, ',', &key)) {
        const char *slash = memchr(key.p, '/', key.n), *name = slash != NULL ? slash + 1 : key.p;
        if (nodes->n_labels == MAX_LABELS)
            return hf_err_set(err, EINVAL, "--label-columns: at most %d", MAX_LABELS);
        char *title = nodes->titles[nodes->n_labels++];
        (void)snprintf(title, TITLE, "%.*s", (int)(key.n - (size_t)(name - key.p)), name);
        for (; *title != '\0'; title++)
            *title = (char)toupper((unsigned char)*title);
    }
    return r;
}

static int read_filters(const struct hf_cli_args *args, struct nodes *nodes, struct hf_err *err)
{
    const char *phase = hf_cli_value(args, "phase", NULL), *selector = hf_cli_value(args, "selector", NULL);
    static const char *const names[] = {"release", "version"};
    const char *near = NULL;
    int r = hf_output_of(args, &nodes->output, err);

    for (size_t i = 0; r == 0 && i < HF_LEN(names); i++)
        if (hf_cli_value(args, names[i], "x")[0] == '\0')
            r = hf_err_set(err, EINVAL, "--%s: empty, which nothing has", names[i]);
    nodes->release = hf_cli_value(args, "release", NULL);
    nodes->version = hf_cli_value(args, "version", NULL);
    nodes->silent = hf_cli_flag(args, "silent");
    nodes->selected = selector != NULL;
    if (phase != NULL)
        nodes->phase = hf_node_view_phase_find(phase, &near);
    if (r == 0 && phase != NULL && nodes->phase == NULL)
        r = hf_err_set(err, EINVAL, "--phase: no phase '%.40s'%s%s%s", phase,
                       near != NULL ? "; did you mean '"
                                    : " (Waiting, Fetching, Probation, Committed, RolledBack, ...)",
                       near != NULL ? near : "", near != NULL ? "'?" : "");
    if (r == 0 && hf_cli_flag(args, "label-columns"))
        r = read_labels(nodes, hf_cli_value(args, "label-columns", ""), err);
    return r == 0 && selector != NULL ? hf_node_set_check("--selector", selector, err) : r;
}

struct release_search {
    const char *release;
    bool found;
    struct hf_nearest nearest;
    char best[64];
};

static int look_for_release(void *arg, json_t *object, HF_UNUSED struct hf_err *err)
{
    struct release_search *search = arg;
    const char *name = hf_json_str_or(object, "spec.release.name", ""), *before = search->nearest.best;

    search->found |= strcmp(name, search->release) == 0;
    hf_nearest_try(&search->nearest, name);
    if (search->nearest.best != before) {
        (void)snprintf(search->best, sizeof(search->best), "%s", name);
        hf_cli_plain_text(search->best);
        search->nearest.best = search->best;
    }
    return 0;
}

static void look_again(HF_UNUSED void *arg)
{
    /* what was found stays found */
}

/* No node reports the release: perhaps because no EdgeUpdate has it. Who may not list EdgeUpdates sees no nodes. */
static int check_release(struct nodes *nodes, struct hf_err *err)
{
    struct release_search search = {.release = nodes->release, .nearest = {.typed = nodes->release}};
    struct hf_err ignored = HF_ERR_INIT;
    int r = hf_cluster_each(
        nodes->cluster,
        &HF_CLUSTER_LIST(HF_API_GROUP_VERSION, "edgeupdates", look_for_release, &search, .again = look_again),
        &ignored);
    bool near = search.nearest.best != NULL;

    if (r < 0 || search.found)
        return 0;
    return hf_err_set(err, ENOENT, "no EdgeUpdate has the release '%.63s'%s%s%s", nodes->release,
                      near ? "; did you mean '" : "", near ? search.best : "", near ? "'?" : "");
}

int hf_cli_nodes(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct nodes nodes = {.cli = cli, .text = HF_BUF_INIT(MAX_TEXT)};
    int r = read_filters(args, &nodes, err);

    if (r == 0)
        r = begin_table(&nodes, err);
    if (r == 0)
        r = hf_cluster_open(cli, args, &nodes.cluster, err);
    if (r == 0 && (nodes.selected || nodes.n_labels > 0))
        r = hf_node_set_select(nodes.cluster, hf_cli_value(args, "selector", NULL),
                               hf_cli_value(args, "label-columns", NULL), &nodes.set, err);
    if (r == 0)
        r = hf_cluster_each(nodes.cluster,
                            &HF_CLUSTER_LIST(HF_API_GROUP_VERSION, "edgenodes", take, &nodes, .again = begin_again),
                            err);
    if (r == 0 && nodes.release != NULL && nodes.table.n <= 1 && nodes.text.n == 0)
        r = check_release(&nodes, err);
    if (r == 0)
        r = print(&nodes, err);
    hf_cluster_close(nodes.cluster);
    hf_table_done(&nodes.table);
    hf_buf_done(&nodes.text);
    hf_node_set_done(&nodes.set);
    return r;
}

/* ---- node NAME --------------------------------------------------------------------------------------------------- */

static void print_turns(FILE *to, const json_t *turns)
{
    for (size_t i = 0; i < json_array_size(turns); i++)
        (void)fprintf(to, "turn: %s (digest %.12s)\n", hf_json_str_or(json_array_get(turns, i), "release", "?"),
                      hf_json_str_or(json_array_get(turns, i), "digest", "?"));
}

static int print_node(struct hf_cli *cli, enum hf_output output, json_t *node, const struct hf_node_view *view,
                      struct hf_err *err)
{
    const struct hf_cli_seen seen = {.state = view->silent ? HF_CLI_SILENT : HF_CLI_CURRENT,
                                     .known = view->seen,
                                     .age_ns = view->age_ns,
                                     .agent_unknown = true};

    if (output == HF_OUTPUT_NAME)
        return fprintf(cli->out, "edgenode.%s/%s\n", HF_API_GROUP, view->name) < 0 ? hf_err_set(err, EIO, "write") : 0;
    if (output == HF_OUTPUT_JSON || output == HF_OUTPUT_YAML) {
        _cleanup_(hf_json_freep) json_t *answer =
            json_pack("{s:O, s:o}", "node", node, "seen", hf_cli_seen_json(&seen));
        return answer != NULL ? hf_output_print(cli, output, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
    }
    struct hf_cli_hold_seen hold = {.active = hf_json_bool_or(node, "status.hold.active", false),
                                    .end_unix_ns = HF_NEVER};
    (void)snprintf(hold.file.reason, sizeof(hold.file.reason), "%s", hf_json_str_or(node, "status.hold.reason", ""));
    hf_utf8_trim(hold.file.reason);
    (void)!hf_parse_time(hf_json_str_or(node, "status.hold.until", ""), &hold.end_unix_ns);
    int r = hf_cli_print_node(cli, node, &seen, &hold, err);
    if (r == 0)
        print_turns(cli->out, hf_json_at(node, "spec.turns"));
    return r;
}

int hf_cli_node(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_cluster_closep) struct hf_cluster *cluster = NULL;
    _cleanup_(hf_json_freep) json_t *node = NULL;
    struct hf_node_view view;
    enum hf_output output;
    int r = hf_output_of(args, &output, err);

    if (r == 0)
        r = hf_cluster_open(cli, args, &cluster, err);
    if (r == 0)
        r = hf_cluster_call(cluster, &HF_KUBE_CALL(HF_KUBE_GET, HF_API_GROUP_VERSION, "edgenodes", args->words[0]),
                            &node, err);
    if (r < 0)
        return r;
    (void)json_object_del(json_object_get(node, "metadata"), "managedFields");
    if (hf_plain_tree(node) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    hf_node_view_of(node, NULL, hf_cluster_now_unix_ns(cluster), &view);
    r = print_node(cli, output, node, &view, err);
    if (r < 0)
        return r;
    return view.silent ? HF_EXIT_SILENT : hf_node_view_needs_person(node) ? HF_EXIT_UNWELL : 0;
}
