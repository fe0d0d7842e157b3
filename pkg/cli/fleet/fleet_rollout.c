/* SPDX-License-Identifier: Apache-2.0 */
/* rollout watch, rollout pause, rollout resume, rollout halt, turn free: an operator's orders to the controller, as
 * annotations, which belong to operators also where Git owns the spec. */
#include <errno.h>
#include <string.h>

#include "api/edgeupdate.h"
#include "api/meta.h"
#include "base/format.h"
#include "cli/fleet/node_view.h"
#include "cli/fleet/poll.h"
#include "cli/parts.h"
#include "codec/plain.h"
#include "os/rand_posix.h"

#define FREE_TURN "edge.codcompass.io/free-turn"

enum { MAX_REASON = 200, MAX_TRIES = 5 };

const struct hf_cli_option hf_cli_rollout_watch_options[] = {
    HF_CLI_OPTION("timeout", "DURATION", "give up after this time, with exit code 6 (no limit)"),
    HF_CLI_JSON("print one JSON object per change"),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};
const struct hf_cli_option hf_cli_rollout_pause_options[] = {HF_CLUSTER_OPTIONS, {.name = NULL}};
const struct hf_cli_option hf_cli_rollout_resume_options[] = {HF_CLUSTER_OPTIONS, {.name = NULL}};
const struct hf_cli_option hf_cli_rollout_halt_options[] = {
    HF_CLI_OPTION("reason", "TEXT", "reason, which the status of the EdgeUpdate shows"),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};
const struct hf_cli_option hf_cli_turn_free_options[] = {
    HF_CLI_OPTION("release", "NAME", "free the turn of this release, if the node holds several"),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

/* ---- watch ------------------------------------------------------------------------------------------------------- */

static int get(struct hf_cluster *cluster, const char *plural, const char *name, json_t **ret_object,
               struct hf_err *err)
{
    int r = hf_cluster_call(cluster, &HF_KUBE_CALL(HF_KUBE_GET, HF_API_GROUP_VERSION, plural, name), ret_object, err);

    if (r == 0 && hf_plain_tree(*ret_object) < 0) {
        json_decref(*ret_object);
        *ret_object = NULL;
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    return r;
}

static void print_failures(struct hf_poll *poll, const struct hf_update_view *view)
{
    for (size_t i = 0; i < json_array_size(view->failures) && !poll->json; i++) {
        const json_t *failure = json_array_get(view->failures, i);
        (void)fprintf(poll->cli->out, "  %s  %s: %s\n", hf_json_str_or(failure, "node", "?"),
                      hf_json_str_or(failure, "reason", ""), hf_json_str_or(failure, "message", ""));
    }
}

/* Returns an exit code when the rollout has a verdict, -EINPROGRESS when it has none, or -errno. */
static int watch_once(struct hf_poll *poll, const char *name, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *update = NULL;
    struct hf_update_view view;
    int r = hf_poll_judge(poll, get(poll->cluster, "edgeupdates", name, &update, err), err);

    if (r != 0)
        return r < 0 ? r : -EINPROGRESS;
    hf_update_view_of(update, &view);
    r = hf_poll_print(poll, &view, err);
    if (r < 0)
        return r;
    if (view.state != HF_VIEW_COMPLETE && view.state != HF_VIEW_STALLED && view.state != HF_VIEW_REFUSED)
        return -EINPROGRESS;
    if (!hf_update_view_needs_person(&view))
        return HF_EXIT_OK;
    print_failures(poll, &view);
    return HF_EXIT_UNWELL;
}

int hf_cli_rollout_watch(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct hf_poll poll;
    int r = hf_poll_begin(cli, args, &poll, err);

    if (r < 0)
        return r;
    while ((r = watch_once(&poll, args->words[0], err)) == -EINPROGRESS)
        if (!hf_poll_pause(&poll, HF_POLL_PERIOD_NS)) {
            (void)fprintf(cli->err, "%s: not complete after --timeout %s\n", args->words[0],
                          hf_cli_value(args, "timeout", ""));
            r = HF_EXIT_TIMED_OUT;
            break;
        }
    hf_poll_end(&poll);
    return r;
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

/* An annotation to set, or to remove if `value` is NULL. */
struct order {
    const char *key, *value;
};

/* Writes annotations, on the condition that the object is still the one that was read. */
static int annotate(struct hf_cluster *cluster, const char *plural, const json_t *object, const struct order *orders,
                    size_t n, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *patch =
        json_pack("{s:{s:s, s:{}}}", "metadata", "resourceVersion",
                  hf_json_str_or(object, "metadata.resourceVersion", ""), "annotations");
    json_t *annotations = json_object_get(json_object_get(patch, "metadata"), "annotations");

    for (size_t i = 0; i < n; i++)
        if (json_object_set_new(annotations, orders[i].key,
                                orders[i].value != NULL ? json_string(orders[i].value) : json_null()) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
    return hf_cluster_call(cluster,
                           &HF_KUBE_CALL(HF_KUBE_MERGE_PATCH, HF_API_GROUP_VERSION, plural,
                                         hf_json_str_or(object, "metadata.name", ""), .body = patch),
                           NULL, err);
}

/* One command that gives an order: decides on the object that it read; repeats both if the object changed meanwhile. */
struct order_run {
    struct hf_cli *cli;
    const struct hf_cli_args *args;
    struct hf_cluster *cluster;
    const char *plural;
    int (*give)(struct order_run *command, const json_t *object, struct hf_err *err);
};

static int run_order(struct hf_cli *cli, const struct hf_cli_args *args, const char *plural,
                     int (*give)(struct order_run *command, const json_t *object, struct hf_err *err),
                     struct hf_err *err)
{
    struct order_run command = {.cli = cli, .args = args, .plural = plural, .give = give};
    int r = hf_cluster_open(cli, args, &command.cluster, err);

    for (unsigned i = 0; r == 0 && i < MAX_TRIES; i++) {
        _cleanup_(hf_json_freep) json_t *object = NULL;
        r = get(command.cluster, plural, args->words[0], &object, err);
        if (r == 0)
            r = give(&command, object, err);
        if (r != -EEXIST)
            break;
        r = i + 1 < MAX_TRIES ? 0 : r;
    }
    hf_cluster_close(command.cluster);
    return r;
}

static int needs_strategy(const struct hf_update_view *view, const char *instead, struct hf_err *err)
{
    if (view->has_strategy)
        return 0;
    return hf_err_set(err, EIO, "EdgeUpdate '%.80s' has no spec.strategy: every selected node is admitted already; %s",
                      view->name, instead);
}

#define SUSPEND_INSTEAD "to keep nodes from starting it, set spec.suspend to true"

static void print_reach(struct order_run *command, const struct hf_update_view *view, const char *what)
{
    (void)fprintf(command->cli->out, "%s: %s", view->name, what);
    if (view->counted)
        (void)fprintf(command->cli->out, " (%lld of %lld %s admitted, %lld updated)", (long long)view->admitted,
                      (long long)view->selected, hf_noun((uint64_t)view->selected, "node is", "nodes are"),
                      (long long)view->updated);
    (void)fputc('\n', command->cli->out);
    if (view->state == HF_VIEW_UNREPORTED)
        (void)fprintf(command->cli->err,
                      "warning: holdfast-controller has not reported on this spec; without it nothing happens\n");
}

static int give_pause(struct order_run *command, const json_t *update, struct hf_err *err)
{
    const struct order order = {HF_ROLLOUT_PAUSED_ANNOTATION, "true"};
    struct hf_update_view view;

    hf_update_view_of(update, &view);
    int r = needs_strategy(&view, SUSPEND_INSTEAD, err);
    if (r == 0 && view.state == HF_VIEW_COMPLETE)
        (void)fprintf(command->cli->err, "note: the rollout is complete; the pause holds for the next release too\n");
    if (r == 0)
        r = annotate(command->cluster, command->plural, update, &order, 1, err);
    if (r == 0)
        print_reach(command, &view,
                    hf_json_at(update, "spec.strategy.disruption") != NULL
                        ? "paused: no further stage begins, and no further node gets its turn"
                        : "paused: no further stage begins; admitted nodes continue");
    return r;
}

static int give_halt(struct order_run *command, const json_t *update, struct hf_err *err)
{
    const char *reason = hf_cli_value(command->args, "reason", "halted with holdfast rollout halt");
    const struct order order = {HF_ROLLOUT_HALTED_ANNOTATION, reason};
    struct hf_update_view view;

    hf_update_view_of(update, &view);
    int r = needs_strategy(&view, SUSPEND_INSTEAD, err);
    if (r == 0)
        r = annotate(command->cluster, command->plural, update, &order, 1, err);
    if (r == 0)
        print_reach(command, &view, "halted: nodes that have begun finish, no other node starts");
    return r;
}

/* A token that no earlier resume had. */
static const char *new_token(struct order_run *command, char text[HF_TIME_TEXT + 16])
{
    const struct hf_rand_ops *rng = hf_rand_posix();
    char time[HF_TIME_TEXT];

    (void)snprintf(text, HF_TIME_TEXT + 16, "%s-%08x", hf_format_time(hf_unix_ns(command->cli->clock), time),
                   (unsigned)rng->u64(rng->ctx));
    return text;
}

static int give_resume(struct order_run *command, const json_t *update, struct hf_err *err)
{
    const json_t *annotations = hf_json_at(update, "metadata.annotations");
    bool ordered = json_object_get(annotations, HF_ROLLOUT_PAUSED_ANNOTATION) != NULL ||
                   json_object_get(annotations, HF_ROLLOUT_HALTED_ANNOTATION) != NULL;
    struct order orders[] = {{HF_ROLLOUT_PAUSED_ANNOTATION, NULL},
                             {HF_ROLLOUT_HALTED_ANNOTATION, NULL},
                             {HF_ROLLOUT_RESUME_ANNOTATION, NULL}};
    char token[HF_TIME_TEXT + 16];
    struct hf_update_view view;

    hf_update_view_of(update, &view);
    bool by_itself = view.state == HF_VIEW_STALLED && strcmp(view.reason, "HaltedByOperator") != 0;
    int r = needs_strategy(&view, "nothing to resume", err);
    if (r == 0 && !ordered && !by_itself)
        return hf_err_set(err, EIO, "EdgeUpdate '%.80s' is neither paused nor halted (its state is %s)%s", view.name,
                          hf_update_view_state_name(&view),
                          hf_json_bool_or(update, "spec.suspend", false) ? "; spec.suspend is true: set it to false"
                                                                         : "");
    if (by_itself)
        orders[2].value = new_token(command, token);
    if (r == 0)
        r = annotate(command->cluster, command->plural, update, orders, by_itself ? 3 : 2, err);
    if (r == 0 && by_itself && view.failed > 0)
        (void)fprintf(command->cli->out, "%s: resumed; %lld %s so far and no longer %s as failed\n", view.name,
                      (long long)view.failed, hf_noun((uint64_t)view.failed, "node failed", "nodes failed"),
                      hf_noun((uint64_t)view.failed, "counts", "count"));
    else if (r == 0)
        print_reach(command, &view, "resumed");
    return r;
}

int hf_cli_rollout_pause(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    return run_order(cli, args, "edgeupdates", give_pause, err);
}

int hf_cli_rollout_resume(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    return run_order(cli, args, "edgeupdates", give_resume, err);
}

int hf_cli_rollout_halt(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *reason = hf_cli_value(args, "reason", "x");

    if (reason[0] == '\0' || strlen(reason) > MAX_REASON)
        return hf_err_set(err, EINVAL, "--reason: expected 1 to %d bytes", MAX_REASON);
    return run_order(cli, args, "edgeupdates", give_halt, err);
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

static int give_turn_free(struct order_run *command, const json_t *node, struct hf_err *err)
{
    const json_t *turns = hf_json_at(node, "spec.turns"), *found = NULL;
    const char *release = hf_cli_value(command->args, "release", NULL);
    size_t matches = 0;

    for (size_t i = 0; i < json_array_size(turns); i++)
        if (release == NULL || strcmp(hf_json_str_or(json_array_get(turns, i), "release", ""), release) == 0) {
            found = json_array_get(turns, i);
            matches++;
        }
    if (matches == 0)
        return hf_err_set(err, EIO, "node '%.80s' holds no turn%s%.60s", command->args->words[0],
                          release != NULL ? " of release " : "", release != NULL ? release : "");
    if (matches > 1)
        return hf_err_set(err, EINVAL, "node '%.80s' holds %zu turns; give --release", command->args->words[0],
                          matches);
    const struct order order = {FREE_TURN, hf_json_str_or(found, "digest", "")};
    int r = annotate(command->cluster, command->plural, node, &order, 1, err);
    if (r < 0)
        return r;
    struct hf_node_view view;
    hf_node_view_of(node, NULL, hf_cluster_now_unix_ns(command->cluster), &view);
    (void)fprintf(command->cli->out, "%s: the turn for %s is free\n", command->args->words[0],
                  hf_json_str_or(found, "release", "?"));
    if (!view.silent)
        (void)fprintf(command->cli->err,
                      "note: the node reported %llu s ago; the controller takes the turn as soon as the node is away\n",
                      (unsigned long long)(view.age_ns / HF_NS_PER_S));
    else
        (void)fprintf(command->cli->err, "note: if the node has begun its swap and is not off, two nodes of its group "
                                         "may be down at once\n");
    return 0;
}

int hf_cli_turn_free(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    return run_order(cli, args, "edgenodes", give_turn_free, err);
}
