/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fleet/tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "cli/fleet/node_set.h"
#include "cli/fleet/node_view.h"

enum { MAX_NAMES = 5 };

struct count {
    struct hf_cluster *cluster;
    const struct hf_node_set *set;
    bool *reported; /* of each node of `set`: it has an EdgeNode */
    const char *release, *version;
    struct hf_tally tally;
};

static void miss(struct hf_tally *tally, const char *name, const char *why)
{
    size_t used = strlen(tally->names);

    if (tally->missing++ < MAX_NAMES)
        (void)snprintf(tally->names + used, sizeof(tally->names) - used, "%s%.63s (%s)", used > 0 ? ", " : "", name,
                       why);
}

const char *hf_tally_format_missing(const struct hf_tally *tally, char *text, size_t n)
{
    if (tally->missing > MAX_NAMES)
        (void)snprintf(text, n, "%s and %zu more", tally->names, tally->missing - MAX_NAMES);
    else
        (void)snprintf(text, n, "%s", tally->names);
    return text;
}

void hf_tally_add(struct hf_tally *tally, const json_t *node, const char *release, const char *version,
                  uint64_t now_unix_ns)
{
    struct hf_node_view view;

    hf_node_view_of(node, release, now_unix_ns, &view);
    bool this_one = strcmp(hf_json_str_or(view.update, "version", ""), version) == 0;
    tally->committed += this_one && strcmp(view.phase, "Committed") == 0;
    tally->incompatible += this_one && strcmp(view.phase, "Incompatible") == 0;
    bool failed = this_one && hf_node_view_update_failed(view.update);
    tally->failed += failed;
    bool settled =
        failed || (this_one && (strcmp(view.phase, "Committed") == 0 || strcmp(view.phase, "Incompatible") == 0));
    tally->away += !settled && view.silent;
    if (!settled || !(strcmp(view.phase, "Committed") == 0 || strcmp(view.phase, "Incompatible") == 0))
        miss(tally, view.name,
             view.silent                         ? "silent"
             : this_one && view.phase[0] != '\0' ? view.phase
                                                 : "does not report this version");
    tally->not_admitted +=
        this_one && !settled && !view.silent && strcmp(hf_json_str_or(view.update, "reason", ""), "NotAdmitted") == 0;
}

static int take(void *arg, json_t *node, HF_UNUSED struct hf_err *err)
{
    struct count *count = arg;

    ssize_t i = hf_node_set_find(count->set, hf_json_str_or(node, "metadata.name", ""));
    if (i < 0)
        return 0;
    count->reported[i] = true;
    count->tally.away--; /* it has reported; hf_tally_add() decides again */
    hf_tally_add(&count->tally, node, count->release, count->version, hf_cluster_now_unix_ns(count->cluster));
    return 0;
}

static void begin(void *arg)
{
    struct count *count = arg;

    count->tally = (struct hf_tally){.nodes = count->set->n, .away = count->set->n};
    memset(count->reported, 0, count->set->n * sizeof(bool));
}

int hf_tally_count(struct hf_cluster *cluster, const char *selector, const char *release, const char *version,
                   struct hf_tally *ret_tally, struct hf_err *err)
{
    struct hf_node_set set = {.names = NULL};
    struct count count = {.cluster = cluster, .set = &set, .release = release, .version = version};
    int r = hf_node_set_select(cluster, selector, NULL, &set, err);

    if (r < 0)
        return r;
    count.reported = calloc(set.n + 1, sizeof(bool));
    if (count.reported == NULL) {
        hf_node_set_done(&set);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    begin(&count);
    r = hf_cluster_each(cluster, &HF_CLUSTER_LIST(HF_API_GROUP_VERSION, "edgenodes", take, &count, .again = begin),
                        err);
    for (size_t i = 0; r == 0 && i < set.n; i++)
        if (!count.reported[i])
            miss(&count.tally, set.names[i], "has never reported");
    free(count.reported);
    hf_node_set_done(&set);
    if (r == 0)
        *ret_tally = count.tally;
    return r;
}

static size_t done(const struct hf_tally *tally, bool reachable)
{
    return tally->committed + tally->incompatible + (reachable ? tally->away : 0);
}

bool hf_tally_complete(const struct hf_tally *tally, bool reachable)
{
    return tally->nodes > 0 && tally->committed > 0 && done(tally, reachable) >= tally->nodes;
}

bool hf_tally_waits_for_admission(const struct hf_tally *tally, bool reachable)
{
    return tally->not_admitted > 0 && done(tally, reachable) + tally->not_admitted >= tally->nodes;
}

const char *hf_tally_format(const struct hf_tally *tally, char *text, size_t n)
{
    if (tally->nodes == 0)
        (void)snprintf(text, n, "no Node matches the selector");
    else
        (void)snprintf(text, n, "committed %zu/%zu, failed %zu, cannot run it %zu, away %zu", tally->committed,
                       tally->nodes, tally->failed, tally->incompatible, tally->away);
    return text;
}
