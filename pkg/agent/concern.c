/* What concerns this node and what does not: objects that select other nodes are left out, and listed again when labels or room for
 * them come. See objects.h. */
#include <string.h>

#include "agent/parts.h"
#include "codec/sha256.h"

/* What this kind's selectors are judged by; NULL before it is known. */
const json_t *hf_concern_labels(const struct follow *follow)
{
    return follow->objects == &follow->agent->policies ? follow->agent->own_labels : follow->agent->labels;
}

void hf_concern_decline(const struct follow *follow, const char *name, bool matters)
{
    const struct hf_source_ops *source = follow->agent->params.source;

    if (follow->subscription != NULL)
        source->decline(source->ctx, follow->subscription, name, matters);
}

static void relist(struct follow *follow, const char *why)
{
    const struct hf_source_ops *source = follow->agent->params.source;

    if (follow->subscription == NULL)
        return;
    if (!follow->relisting)
        hf_log(follow->agent->log, HF_LOG_INFO, "objects.relist", HF_S("kind", follow->kind), HF_S("why", why));
    hf_objects_forget_others(follow->objects);
    follow->relisting = true;
    source->relist(source->ctx, follow->subscription);
}

/* Not while a list is on its way: it may have told already what there is room for now, and is asked for again at its end. */
void hf_concern_relist_if_room(struct follow *follow)
{
    if (!follow->relisting && hf_objects_has_room_again(follow->objects))
        relist(follow, "there is room again");
}

/* The object is not kept any more, or no version of it is: nor is it on the disk. */
void hf_concern_uncache(void *arg, const char *name)
{
    const struct follow *follow = arg;

    hf_diskq_remove(follow->agent->diskq, follow->kind, name);
    hf_diskq_remove(follow->agent->diskq, follow->objects->kind->refused_kind, name);
    hf_concern_decline(follow, name, false);
}

/* ---- resume marks -------------------------------------------------------------------------------------------------- */

static void hash_labels(const json_t *labels, char hex[HF_SHA256_HEX])
{
    _cleanup_(hf_freep) char *text = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);

    (void)hf_sha256_hex(text != NULL ? text : "", text != NULL ? strlen(text) : 0, hex);
}

/* What was left out was judged by these labels: with others the next start must list. While something is still to be listed, in any
 * case. */
void hf_concern_note_in_mark(const struct follow *follow, struct hf_cache_resume *mark)
{
    const struct hf_objects *objects = follow->objects;

    mark->labels[0] = '\0';
    if (follow->relisting || objects->no_room.n > 0 || objects->no_room_more)
        mark->resource_version[0] = '\0';
    else if (hf_objects_has_others(objects))
        hash_labels(hf_concern_labels(follow), mark->labels);
}

/* What an earlier life left out: nothing is known of it but by which labels. */
void hf_concern_judge_mark(struct follow *follow)
{
    char hex[HF_SHA256_HEX];

    if (follow->objects == NULL || follow->mark.labels[0] == '\0')
        return;
    hash_labels(hf_concern_labels(follow), hex);
    if (strcmp(hex, follow->mark.labels) != 0)
        follow->mark.resource_version[0] = '\0';
    else
        follow->objects->others_unknown = true;
}

/* ---- when something changed --------------------------------------------------------------------------------------- */

void hf_concern_labels_changed(struct hf_agent *agent, enum follow_kind kind)
{
    struct follow *follow = &agent->follows[kind];

    follow->mark_moved |= hf_objects_has_others(follow->objects); /* it says by which labels */
    if (hf_objects_others_may_select(follow->objects, hf_concern_labels(follow)))
        relist(follow, "the node's labels changed");
    else if (follow->objects->no_room.n > 0) /* what is not selected any more makes room */
        relist(follow, "there may be room again");
}

void hf_concern_trim(struct hf_agent *agent)
{
    for (size_t i = 0; i < FOLLOW_COUNT; i++) {
        struct follow *follow = &agent->follows[i];
        if (follow->objects == NULL || !follow->synced || !follow->proven || follow->relisting ||
            !agent->follows[FOLLOW_NODE].synced)
            continue;
        if (follow->objects == &agent->policies) /* the one in effect may be among them: chosen again in this turn */
            agent->policy = agent->default_policy;
        if (hf_objects_trim(follow->objects, hf_concern_labels(follow), hf_concern_uncache, follow) > 0)
            hf_concern_relist_if_room(follow);
    }
}
