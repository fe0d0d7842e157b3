/* SPDX-License-Identifier: Apache-2.0 */
/* Behind a MetaServer every write is under CloudCore's account; a node that reaches the API server writes there with
 * its own certificate. Its EdgeNode is followed there, as a write is complete when a watch returns it; its Node at
 * `desired`: labels decide which updates run, also while `written` is cut off. */
#include "kube/split.h"

#include <stdlib.h>
#include <string.h>

struct hf_split {
    const struct hf_source_ops *desired, *written;
    struct hf_source_ops ops;
};

static const struct hf_source_ops *source_of(const struct hf_split *split, const char *kind)
{
    return strcmp(kind, "EdgeNode") == 0 ? split->written : split->desired;
}

static int split_subscribe(void *ctx, const char *kind, const char *name, const char *resume, const char *const *known,
                           const struct hf_source_sink *sink, struct hf_subscription **ret_subscription,
                           struct hf_err *err)
{
    const struct hf_source_ops *source = source_of(ctx, kind);

    return source->subscribe(source->ctx, kind, name, resume, known, sink, ret_subscription, err);
}

/* The source of desired state counts: the status may travel while the desired state does not. */
static uint64_t split_heard_ns(void *ctx)
{
    const struct hf_source_ops *source = ((struct hf_split *)ctx)->desired;

    return source->heard_ns(source->ctx);
}

static int split_apply(void *ctx, const json_t *body, const char *subresource, hf_source_done *done, void *arg,
                       struct hf_delivery **ret_delivery, struct hf_err *err)
{
    const struct hf_source_ops *source = ((struct hf_split *)ctx)->written;

    return source->apply(source->ctx, body, subresource, done, arg, ret_delivery, err);
}

struct hf_split *hf_split_new(const struct hf_source_ops *desired, const struct hf_source_ops *written)
{
    struct hf_split *split = calloc(1, sizeof(*split));

    if (split == NULL)
        return NULL;
    split->desired = desired;
    split->written = written;
    /* Subscriptions and deliveries are the two sources' own, and so is what is asked of them. */
    split->ops = (struct hf_source_ops){
        .ctx = split,
        .subscribe = split_subscribe,
        .apply = split_apply,
        .heard_ns = split_heard_ns,
    };
    return split;
}

void hf_split_free(struct hf_split *split)
{
    free(split);
}

const struct hf_source_ops *hf_split_source(struct hf_split *split)
{
    return &split->ops;
}
