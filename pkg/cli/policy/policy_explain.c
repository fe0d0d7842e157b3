/* SPDX-License-Identifier: Apache-2.0 */
/* policy explain: which section of a node's settings comes from which SyncPolicy, and why. */
#include <errno.h>
#include <string.h>

#include "api/meta.h"
#include "cli/fleet/cluster.h"
#include "cli/fleet/table.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "cli/policy/policy_view.h"
#include "codec/plain.h"
#include "kube/folder/folder_objects.h"

const struct hf_cli_option hf_cli_policy_explain_options[] = {
    HF_CLI_OPTION("filename", "FILE", "SyncPolicies, instead of a cluster", .letter = 'f', .repeats = true),
    HF_CLI_OPTION("label", "KEY=VALUE", "with -f: a label of the node", .letter = 'l', .repeats = true),
    HF_CLI_JSON("print as JSON"),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

/* ---- files ------------------------------------------------------------------------------------------------------- */

static int keep_policy(void *policies, const struct hf_folder_object *found, struct hf_err *err)
{
    bool is_policy = strcmp(hf_json_str_or(found->object, "kind", ""), "SyncPolicy") == 0;

    return is_policy ? hf_cli_append(policies, json_incref(found->object), err) : 0;
}

static int read_files(struct hf_cli *cli, const struct hf_cli_args *args, json_t *policies, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < hf_cli_count(args, "filename"); i++) {
        _cleanup_(hf_json_freep) json_t *documents = NULL;
        r = hf_cli_read_objects(cli, hf_cli_nth_value(args, "filename", i), &documents, NULL, err);
        if (r == 0)
            r = hf_folder_each_object(documents, keep_policy, policies, err);
    }
    return r;
}

static int from_files(struct hf_cli *cli, const struct hf_cli_args *args, json_t **ret_view, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *policies = json_array(), *labels = json_object();
    const struct hf_policy_view_input input = {.node = args->words[0], .labels = labels, .policies = policies};
    int r = policies == NULL || labels == NULL ? hf_err_set(err, ENOMEM, "out of memory") : 0;

    if (r == 0)
        r = hf_cli_read_labels(args, labels, err);
    if (r == 0)
        r = read_files(cli, args, policies, err);
    return r < 0 ? r : hf_policy_view_make(&input, ret_view, err);
}

/* ---- the cluster ------------------------------------------------------------------------------------------------- */

static int get(struct hf_cluster *cluster, const char *api_version, const char *plural, const char *name,
               json_t **ret_object, struct hf_err *err)
{
    return hf_cluster_call(cluster, &HF_KUBE_CALL(HF_KUBE_GET, api_version, plural, name), ret_object, err);
}

static int take(void *arg, json_t *object, struct hf_err *err)
{
    (void)json_object_del(json_object_get(object, "metadata"), "managedFields");
    return hf_cli_append(arg, json_incref(object), err);
}

static void begin_again(void *arg)
{
    (void)json_array_clear(arg);
}

/* Without the right to read Nodes, the policies that the node reports are explained all the same. */
static int from_cluster(struct hf_cli *cli, const struct hf_cli_args *args, json_t **ret_view, struct hf_err *err)
{
    _cleanup_(hf_cluster_closep) struct hf_cluster *cluster = NULL;
    _cleanup_(hf_json_freep) json_t *edgenode = NULL, *node = NULL, *policies = json_array(), *none = json_object();
    struct hf_err ignored = HF_ERR_INIT;
    int r = policies == NULL || none == NULL ? hf_err_set(err, ENOMEM, "out of memory") : 0;

    if (r == 0)
        r = hf_cluster_open(cli, args, &cluster, err);
    if (r == 0)
        r = get(cluster, HF_API_GROUP_VERSION, "edgenodes", args->words[0], &edgenode, err);
    if (r == 0)
        r = hf_cluster_each(
            cluster, &HF_CLUSTER_LIST(HF_API_GROUP_VERSION, "syncpolicies", take, policies, .again = begin_again), err);
    if (r < 0)
        return r;
    (void)!get(cluster, "v1", "nodes", args->words[0], &node, &ignored);
    const json_t *labels = hf_json_at(node, "metadata.labels");
    const struct hf_policy_view_input input = {.node = args->words[0],
                                               .edgenode = edgenode,
                                               .labels = labels == NULL && node != NULL ? none : labels,
                                               .policies = policies};
    return hf_policy_view_make(&input, ret_view, err);
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

static int print_policies(struct hf_cli *cli, const json_t *list, struct hf_err *err)
{
    static const char *const titles[] = {"POLICY", "PRIORITY", "GENERATION", "SIGNED", "IN EFFECT"};
    struct hf_table table;
    int r = hf_table_begin(&table, titles, HF_LEN(titles), err);

    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        bool in_effect = hf_json_bool_or(item, "inEffect", false);
        const char *reason = hf_json_str_or(item, "reason", "");
        char priority[24], generation[24], effect[200];
        (void)snprintf(priority, sizeof(priority), "%jd", (intmax_t)hf_json_int_or(item, "priority", 0));
        (void)snprintf(generation, sizeof(generation), "%jd", (intmax_t)hf_json_int_or(item, "generation", 0));
        (void)snprintf(effect, sizeof(effect), "%s%s%s", in_effect ? "yes" : "no", reason[0] != '\0' ? ": " : "",
                       reason);
        const char *const cells[] = {hf_json_str_or(item, "name", ""), priority, generation,
                                     hf_json_bool_or(item, "signed", false) ? "yes" : "no", effect};
        const enum hf_tint tints[HF_LEN(cells)] = {[4] = in_effect && reason[0] == '\0' ? HF_TINT_GOOD : HF_TINT_BUSY};
        r = hf_table_add(&table, cells, tints, err);
    }
    if (r == 0)
        hf_table_print(&table, cli->out, cli->colour);
    hf_table_done(&table);
    return r;
}

static int print_sections(struct hf_cli *cli, const json_t *list, struct hf_err *err)
{
    static const char *const titles[] = {"SECTION", "POLICY", "SIGNED", "WHY"};
    struct hf_table table;
    int r = hf_table_begin(&table, titles, HF_LEN(titles), err);

    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *const cells[] = {hf_json_str_or(item, "path", ""), hf_json_str_or(item, "policy", ""),
                                     hf_json_bool_or(item, "signed", false) ? "yes" : "no",
                                     hf_json_str_or(item, "why", "")};
        r = hf_table_add(&table, cells, NULL, err);
    }
    if (r == 0)
        hf_table_print(&table, cli->out, cli->colour);
    hf_table_done(&table);
    return r;
}

static int print_view(struct hf_cli *cli, const json_t *view, struct hf_err *err)
{
    const json_t *policies = json_object_get(view, "policies"), *sections = json_object_get(view, "sections");
    const json_t *conflicts = json_object_get(view, "conflicts"), *notes = json_object_get(view, "notes");
    int r = 0;

    if (json_array_size(policies) == 0)
        hf_cli_print_line(cli->out, "no SyncPolicy selects this node: every setting has its default");
    else
        r = print_policies(cli, policies, err);
    if (r == 0 && json_array_size(sections) > 0) {
        (void)fprintf(cli->out, "\n");
        r = print_sections(cli, sections, err);
        (void)fprintf(cli->out, "What no policy sets has its default: kubectl explain syncpolicy.spec\n");
    }
    for (size_t i = 0; i < json_array_size(conflicts); i++)
        hf_cli_print_line(cli->out, "conflict: %s", hf_json_str_or(json_array_get(conflicts, i), "text", ""));
    for (size_t i = 0; i < json_array_size(notes); i++)
        hf_cli_print_line(cli->out, "note: %s", json_string_value(json_array_get(notes, i)));
    return r;
}

int hf_cli_policy_explain(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *view = NULL;
    bool files = hf_cli_count(args, "filename") > 0;
    int r;

    if (!files && args->n_words == 0)
        return hf_err_set(err, EINVAL, "expected the name of a node, or --filename");
    if (!files && hf_cli_count(args, "label") > 0)
        return hf_err_set(err, EINVAL, "--label: only with --filename; in a cluster the Node has its labels");
    if (files && hf_cluster_requested(args))
        return hf_err_set(err, EINVAL, "--filename needs no cluster: remove the options of one");
    r = files ? from_files(cli, args, &view, err) : from_cluster(cli, args, &view, err);
    if (r < 0)
        return r;
    if (hf_plain_tree(view) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = hf_cli_flag(args, "json") ? hf_cli_print_json(cli, view, err) : print_view(cli, view, err);
    if (r < 0)
        return r;
    return json_array_size(json_object_get(view, "conflicts")) > 0 ? HF_EXIT_UNWELL : 0;
}
