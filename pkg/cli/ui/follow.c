/* SPDX-License-Identifier: Apache-2.0 */
/* Follow clusters: an object becomes a row of the board and is forgotten.
 *
 * Without the right to read EdgeNodes there is nothing to show, so before the first answer of that kind a refusal ends
 * the command, if it has one context. Everything else, also a refusal that comes later, is part of the state while the
 * clients go on trying: a view that disappears tells less. */
#include "cli/ui/follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "cli/ui/row.h"
#include "loop/loop.h"

enum { HF_UI_MAX_CONTEXTS = 64 };

enum { NODES, UPDATES, LABELS, KINDS };

static const struct {
    const char *kind, *plural, *row, *state; /* row: the kind in the board */
    json_t *(*make)(const json_t *object);
} kinds[KINDS] = {[NODES] = {"EdgeNode", "edgenodes", "node", "nodes", hf_ui_row_of_node},
                  [UPDATES] = {"EdgeUpdate", "edgeupdates", "update", "updates", hf_ui_row_of_update},
                  [LABELS] = {"Node", "nodes", "labels", "labels", hf_ui_row_of_labels}};

struct followed {
    struct context *of;
    size_t kind;
    struct hf_subscription *subscription;
    bool synced;
    bool lost;
    char why[600];
};

struct context {
    struct hf_ui_follow *follow;
    const char *name; /* NULL: the command line's */
    struct hf_cluster *cluster;
    struct followed kinds[KINDS];
};

struct hf_ui_follow {
    struct hf_ui_follow_params params;
    struct hf_loop *loop;
    struct context contexts[HF_UI_MAX_CONTEXTS];
    size_t n;
    int64_t ahead_ns; /* the servers' clock minus this one's */
    bool partial;
    int r; /* why it ends */
    struct hf_err err;
};

/* ---- what a cluster says ----------------------------------------------------------------------------------------- */

static void changed(struct hf_ui_follow *follow, int r)
{
    follow->partial |= r < 0;
    follow->params.changed(follow->params.arg);
}

/* NULL: out of memory. */
static char *row_name(const struct context *context, const char *name)
{
    return context->follow->n > 1 ? hf_asprintf("%s/%s", context->name, name) : strdup(name);
}

static void on_upsert(void *arg, json_t *object)
{
    const struct followed *kind = arg;
    struct hf_ui_follow *follow = kind->of->follow;
    _cleanup_(hf_freep) char *name = row_name(kind->of, hf_json_str_or(object, "metadata.name", ""));

    changed(follow, name == NULL ? -ENOMEM
                                 : hf_ui_board_put(follow->params.board, kinds[kind->kind].row, name,
                                                   kinds[kind->kind].make(object)));
}

static void on_gone(void *arg, const char *object)
{
    const struct followed *kind = arg;
    struct hf_ui_follow *follow = kind->of->follow;
    _cleanup_(hf_freep) char *name = row_name(kind->of, object);

    changed(follow, name == NULL ? -ENOMEM : hf_ui_board_remove(follow->params.board, kinds[kind->kind].row, name));
}

static void on_unreadable(void *arg, HF_UNUSED const char *name, const struct hf_err *err)
{
    const struct followed *kind = arg;

    changed(kind->of->follow, err != NULL ? -EBADMSG : 0);
}

static void on_synced(void *arg, HF_UNUSED const char *resource_version)
{
    struct followed *kind = arg;

    kind->synced = true;
    changed(kind->of->follow, 0);
}

/* These do not pass while one waits. */
static bool is_lasting(int code)
{
    return code == EPERM || code == EACCES || code == ENOENT || code == EKEYREJECTED || code == EREMCHG;
}

static void warn(const struct followed *kind)
{
    const struct hf_ui_follow *follow = kind->of->follow;
    char line[sizeof(kind->why) + 256];

    (void)snprintf(line, sizeof(line), "%s%s%s; %s", follow->n > 1 ? kind->of->name : "", follow->n > 1 ? ": " : "",
                   kind->why, kind->kind == LABELS ? follow->params.without_labels : "trying again");
    follow->params.warned(follow->params.arg, line);
}

static void set_why(struct followed *kind, const struct hf_err *why)
{
    kind->lost = true;
    (void)snprintf(kind->why, sizeof(kind->why), "%s", HF_ERR_TEXT(why));
}

static void on_lost(struct followed *kind, const struct hf_err *err)
{
    struct hf_ui_follow *follow = kind->of->follow;
    const struct hf_kube_call call = {.verb = HF_KUBE_LIST, .plural = kinds[kind->kind].plural};
    struct hf_err why = err != NULL ? *err : (struct hf_err)HF_ERR_INIT;
    int r = hf_cluster_explain(kind->of->cluster, &call, why.code == EPERM ? -EACCES : -why.code, &why);
    bool was_lost = kind->lost;

    set_why(kind, &why);
    if (follow->n == 1 && kind->kind == NODES && !kind->synced && err != NULL && is_lasting(err->code)) {
        follow->r = r;
        follow->err = why;
        hf_loop_stop(follow->loop);
    } else if (!was_lost) {
        warn(kind);
    }
}

static void on_contact(void *arg, enum hf_contact_kind contact, struct hf_server_date date, const struct hf_err *err)
{
    struct followed *kind = arg;
    struct hf_ui_follow *follow = kind->of->follow;

    if (date.unix_ns != 0)
        follow->ahead_ns = (int64_t)(date.unix_ns - hf_unix_ns(follow->params.cli->clock));
    if (contact != HF_CONTACT_LOST && !kind->lost)
        return;
    if (contact == HF_CONTACT_LOST) {
        on_lost(kind, err);
    } else {
        kind->why[0] = '\0';
        kind->lost = false;
    }
    changed(follow, 0);
}

/* ---- what is known ----------------------------------------------------------------------------------------------- */

uint64_t hf_ui_follow_now_unix_ns(const struct hf_ui_follow *follow)
{
    return hf_unix_ns(follow->params.cli->clock) + (uint64_t)follow->ahead_ns;
}

static json_t *state_of(const struct context *context)
{
    json_t *json = json_pack("{s:s, s:s}", "context", context->name != NULL ? context->name : "", "server",
                             context->cluster != NULL ? hf_cluster_server(context->cluster) : "");

    for (size_t i = 0; i < KINDS; i++) {
        const struct followed *kind = &context->kinds[i];
        (void)json_object_set_new(
            json, kinds[i].state,
            json_pack("{s:b, s:b, s:s}", "synced", kind->synced, "lost", kind->lost, "why", kind->why));
    }
    return json;
}

json_t *hf_ui_follow_state(const struct hf_ui_follow *follow)
{
    char time[HF_TIME_TEXT];
    json_t *contexts = json_array();

    for (size_t i = 0; i < follow->n; i++)
        (void)json_array_append_new(contexts, state_of(&follow->contexts[i]));
    return json_pack("{s:s, s:b, s:o}", "time", hf_format_time(hf_ui_follow_now_unix_ns(follow), time), "partial",
                     follow->partial, "contexts", contexts);
}

const char *hf_ui_follow_server(const struct hf_ui_follow *follow)
{
    return follow->n == 1 ? hf_cluster_server(follow->contexts[0].cluster) : "several clusters";
}

struct hf_loop *hf_ui_follow_loop(const struct hf_ui_follow *follow)
{
    return follow->loop;
}

struct hf_cluster *hf_ui_follow_find(const struct hf_ui_follow *follow, const char *row, const char **ret_context,
                                     const char **ret_name)
{
    const char *slash = strrchr(row, '/'); /* names of objects have none */

    for (size_t i = 0; i < follow->n; i++) {
        const struct context *context = &follow->contexts[i];
        const char *name = context->name != NULL ? context->name : "";
        bool is_it = follow->n == 1 ||
                     (slash != NULL && strlen(name) == (size_t)(slash - row) && strncmp(name, row, strlen(name)) == 0);
        if (!is_it)
            continue;
        *ret_context = name;
        *ret_name = follow->n == 1 ? row : slash + 1;
        return context->cluster;
    }
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int subscribe(struct context *context, struct hf_err *err)
{
    const struct hf_source_ops *source = hf_kube_source(hf_cluster_kube(context->cluster));
    int r = 0;

    for (size_t i = 0; i < KINDS && r == 0; i++) {
        struct followed *kind = &context->kinds[i];
        const struct hf_source_sink sink = {.arg = kind,
                                            .upsert = on_upsert,
                                            .gone = on_gone,
                                            .synced = on_synced,
                                            .contact = on_contact,
                                            .unreadable_object = on_unreadable};
        r = source->subscribe(source->ctx, kinds[i].kind, NULL, "", NULL, &sink, &kind->subscription, err);
    }
    return r;
}

static int open_context(struct context *context, struct hf_err *err)
{
    struct hf_ui_follow *follow = context->follow;
    const struct hf_ui_follow_params *p = &follow->params;
    int r = hf_cluster_open_in(follow->loop, context->name, p->cli, p->args, &context->cluster, err);

    if (r == 0)
        r = subscribe(context, err);
    if (r < 0 && follow->n > 1) {
        set_why(&context->kinds[NODES], err);
        warn(&context->kinds[NODES]);
        r = 0;
    }
    return r;
}

/* Each context once: two rows of one name would be one. */
static int take_contexts(struct hf_ui_follow *follow, struct hf_err *err)
{
    const struct hf_cli_args *args = follow->params.args;
    const char *name;

    for (; (name = hf_cli_nth_value(args, "context", follow->n)) != NULL; follow->n++) {
        if (follow->n == HF_UI_MAX_CONTEXTS)
            return hf_err_set(err, EINVAL, "--context: at most %d", HF_UI_MAX_CONTEXTS);
        for (size_t i = 0; i < follow->n; i++)
            if (strcmp(follow->contexts[i].name, name) == 0)
                return hf_err_set(err, EINVAL, "--context %.100s is given twice", name);
        follow->contexts[follow->n].name = name;
    }
    if (follow->n > 1 && (hf_cli_flag(args, "server") || hf_cli_flag(args, "cluster")))
        return hf_err_set(err, EINVAL, "several contexts are several clusters: give no --server and no --cluster");
    follow->n = HF_MAX(follow->n, (size_t)1);
    for (size_t i = 0; i < follow->n; i++) {
        follow->contexts[i].follow = follow;
        for (size_t k = 0; k < KINDS; k++)
            follow->contexts[i].kinds[k] = (struct followed){.of = &follow->contexts[i], .kind = k};
    }
    return 0;
}

int hf_ui_follow_open(const struct hf_ui_follow_params *params, struct hf_ui_follow **ret_follow, struct hf_err *err)
{
    struct hf_ui_follow *follow = calloc(1, sizeof(*follow));

    if (follow == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    follow->params = *params;
    int r = take_contexts(follow, err);
    if (r == 0) {
        follow->loop = hf_loop_new(err);
        r = follow->loop == NULL ? -err->code : 0;
    }
    for (size_t i = 0; i < follow->n && r == 0; i++)
        r = open_context(&follow->contexts[i], err);
    if (r < 0) {
        hf_ui_follow_close(follow);
        return r;
    }
    *ret_follow = follow;
    return 0;
}

int hf_ui_follow_run(struct hf_ui_follow *follow, struct hf_err *err)
{
    hf_loop_run(follow->loop);
    if (follow->r < 0)
        *err = follow->err;
    return follow->r;
}

void hf_ui_follow_close(struct hf_ui_follow *follow)
{
    if (follow == NULL)
        return;
    for (size_t i = 0; i < follow->n; i++) {
        const struct context *context = &follow->contexts[i];
        if (context->cluster == NULL)
            continue;
        for (size_t k = 0; k < KINDS; k++)
            hf_source_unsubscribe(context->kinds[k].subscription);
        hf_cluster_close(context->cluster);
    }
    hf_loop_free(follow->loop);
    free(follow);
}
