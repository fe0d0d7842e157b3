/* SPDX-License-Identifier: Apache-2.0 */
/* wait: until all selected nodes have committed a version. */
#include <errno.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "cli/fleet/node_set.h"
#include "cli/fleet/poll.h"
#include "cli/fleet/tally.h"
#include "cli/plain.h"
#include "codec/plain.h"

const struct hf_cli_option hf_cli_wait_options[] = {
    HF_CLI_OPTION("release", "NAME", "name of the release", .required = true),
    HF_CLI_OPTION("version", "TEXT", "version that the nodes must have committed", .required = true),
    HF_CLI_OPTION("selector", "KEY=VALUE[,...]",
                  "wait for Nodes with these labels (all nodes that the EdgeUpdate selects)", .letter = 'l'),
    HF_CLI_OPTION("reachable", NULL, "do not wait for nodes that are away"),
    HF_CLI_OPTION("timeout", "DURATION", "give up after this time, with exit code 6 (no limit)"),
    HF_CLI_JSON("print one JSON object per change"),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

enum { NODES_PER_S = 500, LINE = 512, SELECTOR = 8192 };
#define COUNT_PERIOD_NS (5 * HF_NS_PER_S)
#define NODES_FAILED "nodes failed; see holdfast nodes --phase RolledBack"
#define NOT_ADMITTED "the rollout is complete, but does not admit all nodes; see holdfast status"

struct wait {
    struct hf_poll poll;
    const char *release, *version, *selector;
    bool reachable;
    json_t *updates;    /* EdgeUpdates of the release and the version */
    char other[80];     /* the version that an EdgeUpdate of this release has instead; "" if none */
    uint64_t period_ns; /* until the next request */
};

/* ---- EdgeUpdates ------------------------------------------------------------------------------------------------- */

static int keep(void *arg, json_t *object, struct hf_err *err)
{
    struct wait *wait = arg;
    const char *version = hf_json_str_or(object, "spec.release.version", "");

    if (strcmp(hf_json_str_or(object, "spec.release.name", ""), wait->release) != 0)
        return 0;
    if (strcmp(version, wait->version) != 0) {
        (void)snprintf(wait->other, sizeof(wait->other), "%s", version);
        hf_cli_plain_text(wait->other);
        return 0;
    }
    if (hf_plain_tree(object) < 0 || json_array_append(wait->updates, object) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    return 0;
}

static void forget(void *arg)
{
    struct wait *wait = arg;

    (void)json_array_clear(wait->updates);
    wait->other[0] = '\0';
}

static int list_updates(struct wait *wait, struct hf_err *err)
{
    forget(wait);
    return hf_cluster_each(wait->poll.cluster,
                           &HF_CLUSTER_LIST(HF_API_GROUP_VERSION, "edgeupdates", keep, wait, .again = forget), err);
}

/* ---- verdicts: an exit code, -EINPROGRESS, or -errno ------------------------------------------------------------ */

static int finish(struct wait *wait, const char *text, int code)
{
    if (!wait->poll.json)
        (void)fprintf(wait->poll.cli->out, "%s %s: %s\n", wait->release, wait->version, text);
    return code;
}

/* A superseded node counts as one that the rollout does not admit. */
static bool leaves_nodes_out(const struct hf_update_view *view)
{
    return view->state == HF_VIEW_COMPLETE && view->counted && view->admitted + view->superseded < view->selected;
}

/* The controller's counts decide. A complete rollout changes nothing further at a node that failed, or that it does not
 * admit. */
static int judge_update(struct wait *wait, const struct hf_update_view *view, struct hf_err *err)
{
    int r = hf_poll_print(&wait->poll, view, err);

    if (r < 0)
        return r;
    if (view->state == HF_VIEW_STALLED || view->state == HF_VIEW_REFUSED)
        return finish(wait, "the rollout stands still; see holdfast status", HF_EXIT_UNWELL);
    if (view->state != HF_VIEW_COMPLETE || !view->counted)
        return -EINPROGRESS;
    if (view->failed > 0)
        return finish(wait, NODES_FAILED, HF_EXIT_UNWELL);
    if (hf_update_view_reached_all(view, wait->reachable))
        return HF_EXIT_OK;
    return leaves_nodes_out(view) ? finish(wait, NOT_ADMITTED, HF_EXIT_UNWELL) : -EINPROGRESS;
}

/* The nodes' own reports decide: with --selector, or without a controller for the EdgeUpdate `name`. */
static int judge_nodes(struct wait *wait, const char *name, const char *selector, struct hf_tally *ret_tally,
                       struct hf_err *err)
{
    char line[LINE];
    int r = hf_tally_count(wait->poll.cluster, selector, wait->release, wait->version, ret_tally, err);

    if (r < 0)
        return r;
    wait->period_ns = HF_MAX(COUNT_PERIOD_NS, ret_tally->nodes * HF_NS_PER_S / NODES_PER_S);
    (void)hf_tally_format(ret_tally, line, sizeof(line));
    r = hf_poll_say(&wait->poll, name, line, err);
    if (r < 0)
        return r;
    if (ret_tally->failed > 0)
        return finish(wait, NODES_FAILED, HF_EXIT_UNWELL);
    return hf_tally_complete(ret_tally, wait->reachable) ? HF_EXIT_OK : -EINPROGRESS;
}

/* The controller waits for a node that is away until unknownAfter. With --reachable, the wait ends as soon as all nodes
 * that are not silent by their own reports have committed. */
static int judge_reachable(struct wait *wait, const char *selector, struct hf_err *err)
{
    struct hf_tally tally;
    int r = hf_tally_count(wait->poll.cluster, selector, wait->release, wait->version, &tally, err);

    if (r < 0)
        return r;
    wait->period_ns = HF_MAX(COUNT_PERIOD_NS, tally.nodes * HF_NS_PER_S / NODES_PER_S);
    return hf_tally_complete(&tally, true) ? HF_EXIT_OK : -EINPROGRESS;
}

static int judge_one(struct wait *wait, const json_t *update, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf selector = HF_BUF_INIT(SELECTOR);
    struct hf_update_view view;
    struct hf_tally tally;

    hf_update_view_of(update, &view);
    bool controlled = view.state != HF_VIEW_UNREPORTED || view.has_strategy;
    int r = controlled ? judge_update(wait, &view, err) : -EINPROGRESS;
    if (controlled && (r != -EINPROGRESS || !wait->reachable))
        return r;
    r = hf_node_set_format(hf_json_at(update, "spec.nodeSelector"), &selector, err);
    if (r < 0)
        return r;
    return controlled ? judge_reachable(wait, hf_buf_str(&selector), err)
                      : judge_nodes(wait, view.name, hf_buf_str(&selector), &tally, err);
}

/* Returns true if all EdgeUpdates are complete, and one leaves nodes out. */
static bool no_further_node(const struct wait *wait)
{
    bool left_out = false;

    for (size_t i = 0; i < json_array_size(wait->updates); i++) {
        struct hf_update_view view;
        hf_update_view_of(json_array_get(wait->updates, i), &view);
        if (view.state != HF_VIEW_COMPLETE)
            return false;
        left_out = left_out || leaves_nodes_out(&view);
    }
    return left_out;
}

/* With --selector a rollout that is halted, or complete without all nodes, ends the wait too, because it admits no
 * further node. */
static int judge_selected(struct wait *wait, struct hf_err *err)
{
    struct hf_tally tally;
    int r = judge_nodes(wait, "", wait->selector, &tally, err);

    for (size_t i = 0; r == -EINPROGRESS && i < json_array_size(wait->updates); i++) {
        struct hf_update_view view;
        hf_update_view_of(json_array_get(wait->updates, i), &view);
        if (view.state == HF_VIEW_STALLED || view.state == HF_VIEW_REFUSED)
            r = judge_update(wait, &view, err);
    }
    if (r == -EINPROGRESS && hf_tally_waits_for_admission(&tally, wait->reachable) && no_further_node(wait))
        return finish(wait, NOT_ADMITTED, HF_EXIT_UNWELL);
    return r;
}

static int judge(struct wait *wait, struct hf_err *err)
{
    char line[LINE];
    int worst = HF_EXIT_OK;

    if (wait->selector != NULL)
        return judge_selected(wait, err);
    if (json_array_size(wait->updates) == 0) {
        (void)snprintf(line, sizeof(line), "no EdgeUpdate asks for %.63s %.64s yet%s%s", wait->release, wait->version,
                       wait->other[0] != '\0' ? "; it is at " : "", wait->other);
        int r = hf_poll_say(&wait->poll, "", line, err);
        return r < 0 ? r : -EINPROGRESS;
    }
    for (size_t i = 0; i < json_array_size(wait->updates); i++) {
        int r = judge_one(wait, json_array_get(wait->updates, i), err);
        if (r == HF_EXIT_UNWELL || (r < 0 && r != -EINPROGRESS))
            return r;
        worst = r != 0 ? r : worst;
    }
    return worst;
}

static int wait_once(struct wait *wait, struct hf_err *err)
{
    int r = list_updates(wait, err);

    wait->period_ns = HF_POLL_PERIOD_NS;
    if (r == 0)
        r = judge(wait, err);
    if (r >= 0 || r == -EINPROGRESS)
        return r;
    int again = hf_poll_judge(&wait->poll, r, err);
    return again > 0 ? -EINPROGRESS : again;
}

/* After --timeout. A failure to ask is no other verdict. */
static void name_missing(struct wait *wait)
{
    struct hf_cli *cli = wait->poll.cli;
    size_t n = wait->selector != NULL ? 1 : json_array_size(wait->updates);

    for (size_t i = 0; i < n; i++) {
        _cleanup_(hf_buf_done) struct hf_buf selector = HF_BUF_INIT(SELECTOR);
        const json_t *update = json_array_get(wait->updates, i);
        struct hf_err ignored = HF_ERR_INIT;
        struct hf_tally tally;
        char text[LINE];
        int r = wait->selector != NULL
                    ? hf_buf_add_str(&selector, wait->selector)
                    : hf_node_set_format(hf_json_at(update, "spec.nodeSelector"), &selector, &ignored);
        if (r == 0)
            r = hf_tally_count(wait->poll.cluster, hf_buf_str(&selector), wait->release, wait->version, &tally,
                               &ignored);
        if (r == 0 && tally.missing > 0)
            hf_cli_print_line(cli->err, "missing: %s", hf_tally_format_missing(&tally, text, sizeof(text)));
    }
}

int hf_cli_wait(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *updates = json_array();
    struct wait wait = {.release = hf_cli_value(args, "release", NULL),
                        .version = hf_cli_value(args, "version", NULL),
                        .selector = hf_cli_value(args, "selector", NULL),
                        .reachable = hf_cli_flag(args, "reachable"),
                        .updates = updates};
    int r = wait.selector != NULL ? hf_node_set_check("--selector", wait.selector, err) : 0;

    if (r == 0)
        r = hf_poll_begin(cli, args, &wait.poll, err);
    if (r < 0)
        return r;
    while ((r = wait_once(&wait, err)) == -EINPROGRESS)
        if (!hf_poll_pause(&wait.poll, wait.period_ns)) {
            (void)fprintf(cli->err, "%s %s: not on all nodes after --timeout %s\n", wait.release, wait.version,
                          hf_cli_value(args, "timeout", ""));
            name_missing(&wait);
            r = HF_EXIT_TIMED_OUT;
            break;
        }
    if (r == HF_EXIT_OK)
        r = finish(&wait, wait.reachable ? "committed on all nodes that are there" : "committed on all nodes", r);
    hf_poll_end(&wait.poll);
    return r;
}
