/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/follow/concern.h"

#include <string.h>

#include "agent/desired/policy.h"
#include "agent/diskq.h"
#include "codec/sha256.h"

const json_t *hf_concern_labels(const struct hf_follow *follow)
{
    const struct hf_chosen_policy *policy = follow->all->policy;

    return follow->objects == &follow->all->policies ? policy->own_labels : policy->labels;
}

void hf_concern_decline(const struct hf_follow *follow, const char *name, bool matters)
{
    if (follow->subscription != NULL)
        follow->subscription->source->decline(follow->subscription, name, matters);
}

static void relist(struct hf_follow *follow, const char *why)
{
    const struct hf_agent_env *env = follow->all->env;

    if (follow->subscription == NULL)
        return;
    if (!follow->relisting)
        hf_log(env->world.log, HF_LOG_INFO, "objects.relist", HF_S("kind", follow->kind), HF_S("why", why));
    hf_objects_forget_others(follow->objects);
    follow->relisting = true;
    follow->subscription->source->relist(follow->subscription);
}

/* Does nothing while a list is outstanding: that list may have passed the objects that fit now. Its end calls this
 * again. */
void hf_concern_relist_if_room(struct hf_follow *follow)
{
    if (!follow->relisting && hf_objects_has_room_again(follow->objects))
        relist(follow, "the node has room for more objects again");
}

void hf_concern_uncache(void *arg, const char *name)
{
    const struct hf_follow *follow = arg;
    struct hf_diskq *diskq = follow->all->env->diskq;

    hf_diskq_remove(diskq, follow->kind, name);
    hf_diskq_remove(diskq, follow->objects->kind->refused_kind, name);
    hf_concern_decline(follow, name, false);
}

/* ---- resume points ----------------------------------------------------------------------------------------------- */

static void hash_labels(const json_t *labels, char hex[HF_SHA256_HEX])
{
    _cleanup_(hf_freep) char *text = json_dumps(labels, JSON_COMPACT | JSON_SORT_KEYS);

    (void)hf_sha256_hex(text != NULL ? text : "", text != NULL ? strlen(text) : 0, hex);
}

void hf_concern_adapt_resume(const struct hf_follow *follow, struct hf_cache_resume *resume)
{
    const struct hf_objects *objects = follow->objects;

    resume->labels[0] = '\0';
    /* The cache has no unreadable objects: only a list reports them to the next process. */
    if (follow->relisting || objects->no_room.n > 0 || objects->no_room_more || follow->unreadable.n > 0)
        resume->resource_version[0] = '\0';
    else if (hf_objects_has_others(objects))
        hash_labels(hf_concern_labels(follow), resume->labels);
}

void hf_concern_judge_resume(struct hf_follow *follow)
{
    char hex[HF_SHA256_HEX];

    if (follow->objects == NULL || follow->resume.labels[0] == '\0')
        return;
    hash_labels(hf_concern_labels(follow), hex);
    if (strcmp(hex, follow->resume.labels) != 0)
        follow->resume.resource_version[0] = '\0';
    else
        follow->objects->others_unknown = true; /* the file has the labels but not the selectors */
}

/* ---- changes ----------------------------------------------------------------------------------------------------- */

void hf_concern_labels_changed(struct hf_follow *follow)
{
    follow->resume_moved |= hf_objects_has_others(follow->objects); /* the resume point names the labels */
    if (hf_objects_others_may_select(follow->objects, hf_concern_labels(follow)))
        relist(follow, "the node's labels changed");
    else if (follow->objects->no_room.n > 0) /* an object that no longer selects this node makes room */
        relist(follow, "the node may have room for more objects again");
}

void hf_concern_trim(struct hf_follows *follows)
{
    for (size_t i = 0; i < HF_FOLLOW_COUNT; i++) {
        struct hf_follow *follow = &follows->of[i];
        if (follow->objects == NULL || !follow->synced || !follow->proven || follow->relisting ||
            !follows->of[HF_FOLLOW_NODE].synced)
            continue;
        if (hf_objects_trim(follow->objects, hf_concern_labels(follow), hf_concern_uncache, follow) > 0)
            hf_concern_relist_if_room(follow);
    }
}
