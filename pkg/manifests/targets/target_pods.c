/* SPDX-License-Identifier: Apache-2.0 */
/* The action `probe` of static pods: do the pods of the newest set run? Then the health checks. A pod whose text has
 * changed counts only when the kubelet has read the new file: when its hash differs from the one that the kubelet
 * listed before the files changed, or when the kubelet lists the same hash after a time in which it must have read the
 * file. If nobody knows the old hash, or if the kubelet may not have read the files before (`pods_unread` of the
 * record), the pod counts after the same time. If there is only a mirror pod, and its hash stays, the health is
 * unknown. The kubelet's times are of no use, because its clock may differ from the agent's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "manifests/content/content.h"
#include "manifests/entry.h"
#include "manifests/files/pod_folder.h"
#include "manifests/files/pods.h"
#include "manifests/files/resolve.h"
#include "manifests/kubelet/health.h"
#include "manifests/targets/apply.h"
#include "manifests/targets/restore.h"
#include "manifests/targets/target_files.h"
#include "manifests/targets/target_pods.h"
#include "manifests/targets/trial.h"

static const char no_memory[] = "written, health unknown: out of memory";

/* ---- which pods, on a worker ------------------------------------------------------------------------------------- */

/* Returns the documents of a bundle as trees, or NULL. */
static json_t *trees_of(const char *entry, const struct hf_bundle *bundle)
{
    json_t *trees = json_array();
    struct hf_pods pods = {.items = NULL};
    int r = hf_pods_split(entry, bundle, &pods, NULL);

    for (size_t i = 0; r == 0 && i < pods.n; i++) {
        json_t *tree = NULL;
        r = hf_yaml_parse(pods.items[i].bytes, NULL, &tree, NULL);
        if (r == 0)
            r = json_array_append_new(trees, tree) < 0 ? -ENOMEM : 0;
    }
    hf_pods_done(&pods);
    if (r == 0)
        return trees;
    json_decref(trees);
    return NULL;
}

static bool has(const json_t *trees, const json_t *tree)
{
    for (size_t i = 0; i < json_array_size(trees); i++)
        if (json_equal(json_array_get(trees, i), tree))
            return true;
    return false;
}

/* The facts that tell the new file of a pod from an old one. */
struct before {
    const json_t *good;   /* pods of the good set */
    const json_t *hashes; /* those that the kubelet listed before the files changed; NULL if nobody knows */
    bool late;            /* somebody may have changed files since (hf_manifest_record_doubt_pods()) */
    bool unread;          /* any pod may run from another file than the one of the good set or of the newest one */
    const char *node;
};

/* As the kubelet reads it: no namespace, or an empty one, is "default". */
static const char *namespace_of(const json_t *pod)
{
    const char *ns = hf_json_str_or(pod, "metadata.namespace", "");

    return *ns != '\0' ? ns : "default";
}

static bool has_name(const json_t *trees, const json_t *tree)
{
    const char *ns = namespace_of(tree);
    const char *name = hf_json_str_or(tree, "metadata.name", "");

    for (size_t i = 0; i < json_array_size(trees); i++) {
        const json_t *one = json_array_get(trees, i);
        if (strcmp(namespace_of(one), ns) == 0 && strcmp(hf_json_str_or(one, "metadata.name", ""), name) == 0)
            return true;
    }
    return false;
}

/* Adds how to tell the new file of a pod from an old one. A kubelet that has just begun may not list all pods yet. */
static int mark(json_t *one, const json_t *pod, const struct before *before)
{
    char key[800];

    if (has(before->good, pod)) /* the file is as before, and so is the hash */
        return before->unread ? json_object_set_new(one, "unsure", json_true()) : 0;
    (void)snprintf(key, sizeof(key), "%.253s/%.253s-%.253s", hf_json_str_or(one, "namespace", ""),
                   hf_json_str_or(one, "name", ""), before->node);
    const char *hash = json_string_value(json_object_get(before->hashes, key));
    bool is_new = before->hashes != NULL && hash == NULL && !has_name(before->good, pod);
    int r = hash != NULL ? json_object_set_new(one, "hash", json_string(hash)) : 0;
    if (r == 0 && (before->late || (hash == NULL && !is_new)))
        r = json_object_set_new(one, "unsure", json_true());
    return r;
}

_Static_assert((int)HF_PODS_MAX <= (int)HF_KUBELET_MAX_PODS, "the health of every pod of an entry is looked at");

/* {"namespace", "name"} of each pod, and the marks of mark() for those that need them. `before` is NULL if the kubelet
 * has read the files by now. */
static json_t *wanted_of(const json_t *next, const struct before *before)
{
    json_t *wanted = json_array();

    for (size_t i = 0; wanted != NULL && i < json_array_size(next); i++) {
        const json_t *pod = json_array_get(next, i);
        json_t *one =
            json_pack("{s:s, s:s}", "namespace", namespace_of(pod), "name", hf_json_str_or(pod, "metadata.name", ""));
        int r = one != NULL && before != NULL ? mark(one, pod, before) : 0;
        if (one == NULL || r < 0 || json_array_append(wanted, one) < 0)
            r = -ENOMEM;
        json_decref(one);
        if (r < 0) {
            json_decref(wanted);
            return NULL;
        }
    }
    return wanted;
}

static json_t *load(struct entry *entry, const struct attempt *attempt, struct hf_manifest_outcome *outcome)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;

    return attempt != NULL && make_bundle(entry, attempt, &bundle, outcome) == 0 ? trees_of(entry->name, bundle) : NULL;
}

/* Returns the hashes that the record has for the newest set, or NULL. */
static const json_t *hashes_before(const struct entry *entry)
{
    const json_t *before = entry->r.pods_before;

    return strcmp(hf_json_str_or(before, "set", ""), entry->r.next.key) == 0 ? json_object_get(before, "hashes") : NULL;
}

static int run_list(struct job *job)
{
    struct entry *entry = job->entry;
    struct hf_manifest_outcome ignored = {.r = 0};
    json_t *next = load(entry, entry->attempt, &job->outcome), *good = load(entry, entry->pods.good, &ignored);
    bool late = json_is_true(json_object_get(entry->r.pods_before, "late"));
    bool unread = entry->r.pods_unread || entry->trial.repairs > 0;
    const struct before before = {.good = good,
                                  .hashes = hashes_before(entry),
                                  .late = late || unread,
                                  .unread = unread,
                                  .node = entry->engine->p.env.node_name};

    job->unreadable = next == NULL && make_is_unreadable(entry, entry->attempt, job->outcome.r);
    job->outcome.inventory = next != NULL ? wanted_of(next, &before) : NULL;
    json_decref(next);
    json_decref(good);
    return job->outcome.inventory != NULL ? 0 : -ENOMEM;
}

static bool asks(const struct entry *entry)
{
    return entry->engine->p.env.static_pod_health;
}

/* ---- before the files change ------------------------------------------------------------------------------------- */

static void answered_before(void *arg, const struct hf_kubelet_verdict *verdict, const json_t *pods)
{
    struct entry *entry = arg;
    json_t *hashes = verdict->state != HF_KUBELET_UNKNOWN ? hf_kubelet_hashes_of(pods) : NULL;

    entry->pods.health = NULL;
    entry->busy = false;
    if (hashes != NULL) {
        json_decref(entry->r.pods_before);
        entry->r.pods_before = json_pack("{s:s, s:o}", "set", entry->r.next.key, "hashes", hashes);
    }
    advance_event(entry, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE, NULL);
}

/* Without marks: the files have not changed yet, or the kubelet has read them by now. */
static int run_list_names(struct job *job)
{
    json_t *next = load(job->entry, job->entry->attempt, &job->outcome);

    job->outcome.inventory = next != NULL ? wanted_of(next, NULL) : NULL;
    json_decref(next);
    return job->outcome.inventory != NULL ? 0 : -ENOMEM;
}

static void listed_before(struct entry *entry, struct job *job)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    const struct hf_kubelet_health_params params = {
        .env = env, .kubelet = env->kubelet, .wanted = job->outcome.inventory, .done = answered_before, .arg = entry};

    entry->busy = job->r == 0 && hf_kubelet_health_start(&params, &entry->pods.health, NULL) == 0;
    if (!entry->busy)
        advance_event(entry, HF_MANIFEST_EV_GO, HF_MANIFEST_REASON_NONE, NULL);
}

/* Asks the kubelet which pods it has now. Afterwards the pods' hashes are in the record, and Go is raised. */
static bool ask_before(struct entry *entry)
{
    if (!asks(entry))
        return false;
    hf_manifest_record_doubt_pods(&entry->r); /* those of an earlier attempt, until the kubelet answers */
    /* Files of this set may be in place already, so what the kubelet lists is not what was there before. */
    struct job *job =
        entry->r.unproven || entry->inventory.pending ? NULL : task_new(entry, run_list_names, listed_before);
    if (job != NULL)
        task_submit(job);
    return job != NULL;
}

/* ---- do they run? ------------------------------------------------------------------------------------------------ */

/* Nobody can be asked: no reason to take the pods away again, and none to vouch for them. */
static void unknown(struct entry *entry, const char *why)
{
    char text[HF_RECORD_MESSAGE];

    entry->attempt->health_unknown = true;
    entry->pods.due = false; /* ask again one interval from now, not at once */
    (void)snprintf(text, sizeof(text), "%s; %s", HF_CUT(150, entry->r.message), HF_CUT(200, why));
    (void)snprintf(entry->r.message, sizeof(entry->r.message), "%s", text);
    trial_check(entry);
}

static void judged(void *arg, const struct hf_kubelet_verdict *verdict, const json_t *pods)
{
    struct entry *entry = arg;
    char text[HF_RECORD_MESSAGE];

    (void)pods;
    entry->pods.health = NULL;
    entry->busy = false;
    switch (verdict->state) {
    case HF_KUBELET_FAILED:
        trial_fail(entry, HF_MANIFEST_REASON_HEALTH_FAILED, verdict->why);
        return;
    case HF_KUBELET_PENDING:
        if (verdict->unread) {
            (void)snprintf(text, sizeof(text), "written, health unknown: %s", verdict->why);
            unknown(entry, text);
            return;
        }
        trial_fail(entry, HF_MANIFEST_REASON_NOT_READY, verdict->why);
        return;
    case HF_KUBELET_UNKNOWN:
        unknown(entry, verdict->why);
        return;
    case HF_KUBELET_READY:
        trial_check(entry);
        return;
    }
}

/* Nobody knows which pods to look for, so nobody can vouch for them. */
static void unlisted(struct entry *entry, const struct hf_manifest_outcome *outcome)
{
    if (outcome->reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE) {
        trial_lose_content(entry, outcome->reason, outcome->message);
        return;
    }
    make_attempt_free(hf_steal(entry->attempt));
    advance_back_off(entry);
    advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_NONE, NULL); /* the disk may work later */
    advance_note(entry, outcome->reason, outcome->message);
}

static void listed(struct entry *entry, struct job *job)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct hf_kubelet_health_params params = {.env = env, .kubelet = env->kubelet, .done = judged, .arg = entry};

    make_attempt_free(hf_steal(entry->pods.good));
    content_count_unreadable(entry, job);
    if (job->r < 0 && job->outcome.reason != HF_MANIFEST_REASON_NONE) {
        unlisted(entry, &job->outcome);
        return;
    }
    if (job->r < 0) {
        unknown(entry, no_memory);
        return;
    }
    params.wanted = job->outcome.inventory;
    params.deadline_ns = entry->attempt->entry->health_deadline_ns;
    entry->busy = hf_kubelet_health_start(&params, &entry->pods.health, NULL) == 0;
    if (!entry->busy)
        unknown(entry, no_memory);
}

static void start(struct entry *entry)
{
    struct job *job;

    entry->attempt = make_attempt(entry, &entry->r.next);
    job = entry->attempt != NULL ? task_new(entry, run_list, listed) : NULL;
    if (job == NULL) {
        make_attempt_free(hf_steal(entry->attempt));
        advance_back_off(entry);
        advance_event(entry, HF_MANIFEST_EV_FAILED, HF_MANIFEST_REASON_WRITE_FAILED, "out of memory");
        return;
    }
    if (entry->r.starts > HF_RECORD_MAX_STARTS) {
        task_discard(job);
        make_attempt_free(hf_steal(entry->attempt));
        advance_event(entry, HF_MANIFEST_EV_UNHEALTHY, HF_MANIFEST_REASON_HEALTH_FAILED,
                      "the agent started too often before the checks ended");
        return;
    }
    entry->pods.good = entry->r.good.key[0] != '\0' ? make_attempt(entry, &entry->r.good) : NULL;
    task_submit(job);
}

/* ---- once more, when they are in place --------------------------------------------------------------------------- */

static bool is_open(const struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;

    return r->phase == HF_MANIFEST_APPLIED &&
           (r->reason == HF_MANIFEST_REASON_HEALTH_UNKNOWN || r->reason == HF_MANIFEST_REASON_HEALTH_FAILED ||
            r->reason == HF_MANIFEST_REASON_NOT_READY);
}

static void answered_again(void *arg, const struct hf_kubelet_verdict *verdict, const json_t *pods)
{
    static const enum hf_manifest_reason reasons[] = {
        [HF_KUBELET_READY] = HF_MANIFEST_REASON_APPLIED,
        [HF_KUBELET_PENDING] = HF_MANIFEST_REASON_NOT_READY,
        [HF_KUBELET_FAILED] = HF_MANIFEST_REASON_HEALTH_FAILED,
        [HF_KUBELET_UNKNOWN] = HF_MANIFEST_REASON_HEALTH_UNKNOWN,
    };
    struct entry *entry = arg;
    enum hf_manifest_reason reason = reasons[verdict->state];

    (void)pods;
    entry->pods.again = NULL;
    if (!is_open(entry) || reason == entry->r.reason)
        return;
    entry->r.reason = reason;
    (void)snprintf(entry->r.message, sizeof(entry->r.message), "%s", verdict->why);
    entry->save_wanted = true;
    hf_log(entry->engine->p.env.world.log, HF_LOG_INFO, "manifest.pods", HF_S("entry", entry->name),
           HF_S("reason", hf_manifest_reason_name(reason)), HF_S("message", entry->r.message));
    hf_steer_core_notify(&entry->engine->core);
}

static void listed_again(struct entry *entry, struct job *job)
{
    const struct hf_manifest_env *env = &entry->engine->p.env;
    struct hf_kubelet_health_params params = {
        .env = env, .kubelet = env->kubelet, .deadline_ns = 0, .done = answered_again, .arg = entry};

    make_attempt_free(hf_steal(entry->attempt));
    params.wanted = job->outcome.inventory;
    if (job->r < 0 || !is_open(entry) || hf_kubelet_health_start(&params, &entry->pods.again, NULL) < 0)
        entry->pods.due = false; /* the next interval brings the next question */
}

static bool ask_again(struct entry *entry)
{
    bool due = entry->pods.due;
    struct job *job;

    entry->pods.due = false;
    if (!due || entry->pods.again != NULL || !is_open(entry))
        return false;
    entry->attempt = make_attempt(entry, &entry->r.good);
    job = entry->attempt != NULL ? task_new(entry, run_list_names, listed_again) : NULL;
    if (job == NULL) {
        make_attempt_free(hf_steal(entry->attempt));
        return false;
    }
    task_submit(job);
    return true;
}

/* ---- the target -------------------------------------------------------------------------------------------------- */

static void probe(struct entry *entry)
{
    if (trial_puts_back_again(entry))
        return;
    if (asks(entry))
        start(entry);
    else
        trial_start(entry);
}

static bool find_root(const struct entry *entry, const struct hf_files_place *place, const struct hf_config *config,
                      const struct hf_manifest_set *set, char root[HF_FILES_MAX_PATH])
{
    char path[HF_FILES_MAX_PATH];

    (void)entry;
    (void)snprintf(path, sizeof(path), "%s", hf_json_str_or(set->entry, "path", ""));
    return hf_pod_folder_find(place->fs, place->host_root, hf_config_static_pod_folder(config), "", path, NULL) == 0 &&
           hf_files_resolve(place->fs, place->host_root, path, root, NULL) == 0;
}

/* The kubelet reads every file of its folder. */
static bool names_images(const char *path)
{
    (void)path;
    return true;
}

const struct target_ops target_pods = {
    .place = apply_start,
    .probe = probe,
    .roll_back = restore_start,
    .look = drift_consider,
    .check_again = ask_again,
    .is_unchecked = is_open,
    .remove = target_files_remove,
    .prepares = ask_before,
    .needs_probe = asks,
    .is_allowed = hf_config_allows_manifest_static_pods,
    .find_root = find_root,
    .make_inventory = make_inventory,
    .lacks_all = target_files_lacks_all,
    .names_images = names_images,
    .is_pods = true,
};
