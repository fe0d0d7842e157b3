/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/sets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/audit/inlet.h"
#include "agent/images/image_mirror.h"
#include "agent/resources/network.h"
#include "alone/alone.h"
#include "sync/stale_table.h"

/* The longest pause between two attempts until a policy names one (spec.retryInterval). */
#define FIRST_RETRY_CAP_NS (30 * HF_NS_PER_S)
/* Time after which an entry asks again if it may download while the quota of the policy is used up. */
#define ASK_AGAIN_NS (600 * HF_NS_PER_S)

void hf_sets_init(struct hf_sets *sets, const struct hf_agent_env *env, struct hf_chosen_policy *policy)
{
    *sets = (struct hf_sets){.env = env, .policy = policy};
}

static void engine_changed(void *arg)
{
    const struct hf_sets *sets = arg;

    sets->changed(sets->arg);
}

/* The owner of the files learns of it from the Event, the journal of the node and the log. */
static void entry_removed(struct hf_sets *sets, const char *entry, const char *text)
{
    char policy[HF_API_MAX_NAME + 1], subject[HF_AUDIT_SUBJECT], note[HF_NOTICES_TEXT];

    hf_origins_removed(&sets->policy->origins, entry, policy);
    (void)snprintf(note, sizeof(note), "manifest %s is removed: no SyncPolicy of this node has it any more%s%s%s; %s",
                   entry, policy[0] != '\0' ? " (it came from '" : "", policy, policy[0] != '\0' ? "')" : "", text);
    (void)snprintf(subject, sizeof(subject), "manifest/%.200s", entry);
    hf_audit_inlet_add(sets->env->audit, HF_AUDIT_MANIFEST_REMOVED, subject, "NoPolicy", note);
    sets->happened(sets->arg, HF_NOTICE_MANIFEST_REMOVED, note);
}

static void engine_told(void *arg, enum hf_manifest_notice notice, const char *entry, const char *text)
{
    static const struct {
        enum hf_notice_reason reason;
        const char *verb;
    } rows[] = {
        [HF_MANIFEST_NOTICE_APPLIED] = {HF_NOTICE_MANIFEST_APPLIED, "is applied"},
        [HF_MANIFEST_NOTICE_ROLLED_BACK] = {HF_NOTICE_MANIFEST_ROLLED_BACK, "was rolled back"},
        [HF_MANIFEST_NOTICE_REFUSED] = {HF_NOTICE_MANIFEST_REFUSED, "is refused"},
        [HF_MANIFEST_NOTICE_DRIFT_REPAIRED] = {HF_NOTICE_DRIFT_REPAIRED, "had drifted"},
    };
    struct hf_sets *sets = arg;
    char note[HF_NOTICES_TEXT];

    if (notice == HF_MANIFEST_NOTICE_REMOVED) {
        entry_removed(sets, entry, text);
        return;
    }
    (void)snprintf(note, sizeof(note), "manifest %s %s: %s", entry, rows[notice].verb, text);
    sets->happened(sets->arg, rows[notice].reason, note);
}

static uint64_t removal_wait(void *arg, const char *entry)
{
    const struct hf_sets *sets = arg;

    return hf_policy_removal_wait_ns(sets->policy, entry);
}

static bool is_signed(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                      struct hf_err *err)
{
    const struct hf_sets *sets = arg;
    char path[128];

    (void)snprintf(path, sizeof(path), "manifests[%.63s]", entry->name);
    const struct hf_policy_section *section = hf_policy_set_find(sets->policy->set, path);
    return hf_manifest_trust_accepts(&sets->policy->entry_trust, section != NULL && section->from->is_signed, entry,
                                     ret_reason, err);
}

static enum hf_link link_gate(void *arg, uint64_t *ret_wait_ns)
{
    const struct hf_sets *sets = arg;

    *ret_wait_ns = HF_MIN(sets->network->wait_ns, ASK_AGAIN_NS);
    return sets->network->gate;
}

/* A folder that can be read says nothing of an API server. */
static bool server_answers(void *arg)
{
    const struct hf_sets *sets = arg;

    return sets->env->params->source_echoes && sets->contact->stale.connected;
}

static int open_alone(struct hf_sets *sets, struct hf_err *err)
{
    const struct hf_agent_params *from = sets->env->params;
    const struct hf_alone_params params = {
        .world = sets->env->world,
        .proc = from->proc,
        .probe = from->probe,
        .unit = from->unit,
        .state_dir = from->home->dir,
        .node_name = from->node_name,
        .on_host = !from->pod_mode && from->uid == 0,
        .server_answers = server_answers,
        .changed = engine_changed,
        .arg = sets,
    };

    return hf_alone_new(&params, &sets->alone, err);
}

int hf_sets_open(struct hf_sets *sets, const char *arch, struct hf_err *err)
{
    const struct hf_agent_params *from = sets->env->params;
    struct hf_manifest_engine_params params = {
        .env = {.world = sets->env->world,
                .http = from->http,
                .bulk_http = &sets->network->archives.ops,
                .access = from->downloads.access,
                .link = link_gate,
                .link_arg = sets,
                .proc = from->proc,
                .tpm_program = from->tpm_program,
                .probe = from->probe,
                .unit = from->unit,
                .watch = from->watch,
                .kube = from->source_kube,
                .kubelet = from->kubelet_http,
                .static_pod_health = true,
                .config = sets->env->config,
                .state_dir = from->home->dir,
                .trust_dir = from->trust_dir,
                .node_name = from->node_name,
                .arch = arch,
                .pod_mode = from->pod_mode,
                .host_root = from->host_root,
                .uid = from->uid,
                .retry_base_ns = from->retry_base_ns,
                .retry_cap_ns = HF_MAX(from->retry_base_ns, FIRST_RETRY_CAP_NS)},
        .is_signed = is_signed,
        .removal_wait_ns = removal_wait,
        .changed = engine_changed,
        .happened = engine_told,
        .arg = sets,
    };
    int r = hf_manifest_engine_new(&params, &sets->engine, err);

    if (r < 0)
        return r;
    hf_manifest_engine_repair_now(sets->engine);
    return open_alone(sets, err);
}

void hf_sets_done(struct hf_sets *sets)
{
    hf_alone_free(sets->alone);
    hf_manifest_engine_free(sets->engine);
    sets->alone = NULL;
    sets->engine = NULL;
}

void hf_sets_run(struct hf_sets *sets, const struct hf_sets_input *input)
{
    const struct hf_syncpolicy *policy = sets->policy->in_effect;
    struct hf_manifest_desired desired = {
        .policy = policy,
        .config = sets->env->config,
        .labels = sets->policy->labels,
        .proven = input->proven && hf_stale_table_may(HF_STALE_ACT_PRUNE, input->staleness, policy->on_expiry),
        .held = input->held,
        .stale = !hf_stale_table_may(HF_STALE_ACT_NEW_MANIFESTS, input->staleness, policy->on_expiry),
        .no_space = input->no_space,
        .writes_used_up = input->writes_used_up,
    };
    struct hf_err err = HF_ERR_INIT;

    if (sets->engine == NULL)
        return;
    hf_manifest_engine_set_retry(sets->engine, sets->env->params->retry_base_ns, policy->retry_interval_ns);
    if (hf_manifest_engine_set(sets->engine, &desired, &err) < 0)
        hf_log_err(sets->env->world.log, HF_LOG_ERROR, "manifest.set", "policy", policy->meta.name, &err);
}

void hf_sets_link_opened(struct hf_sets *sets)
{
    if (sets->engine != NULL)
        hf_manifest_engine_link_opened(sets->engine);
}

void hf_sets_check(struct hf_sets *sets)
{
    if (sets->engine != NULL)
        hf_manifest_engine_check(sets->engine);
}

struct alone_files {
    struct hf_alone_file files[HF_MAX_MANIFESTS]; /* more would be more pods than a node alone runs */
    size_t n;
};

static void add_alone_file(void *arg, const char *entry, const char *path,
                           const unsigned char sha256[static HF_SHA256_BYTES])
{
    struct alone_files *all = arg;
    struct hf_alone_file *to = all->n < HF_LEN(all->files) ? &all->files[all->n++] : NULL;

    if (to == NULL)
        return;
    *to = (struct hf_alone_file){.entry = entry, .path = path};
    memcpy(to->sha256, sha256, sizeof(to->sha256));
}

void hf_sets_look_alone(struct hf_sets *sets)
{
    struct alone_files all = {.n = 0};

    if (sets->alone != NULL && hf_manifest_engine_each_alone(sets->engine, add_alone_file, &all))
        hf_alone_set(sets->alone, all.files, all.n);
}

/* ---- images of pods ---------------------------------------------------------------------------------------------- */

static char *lines_of(const struct hf_manifest_images *images)
{
    struct hf_buf text = HF_BUF_INIT(HF_MANIFEST_MAX_IMAGES * 512);
    int r = 0;

    for (size_t i = 0; i < images->n && r == 0; i++)
        r = hf_buf_addf(&text, "%s%s", i > 0 ? "\n" : "", images->names[i]);
    char *lines = r == 0 && text.n > 0 ? hf_buf_take(&text) : NULL;
    hf_buf_done(&text);
    return lines;
}

struct hf_image_workloads hf_sets_find_images(const struct hf_sets *sets)
{
    struct hf_image_workloads all = {.asked = sets->policy->in_effect->images.prefetch_workloads};
    struct hf_manifest_images images = {.n = 0};
    const char *waits;

    if (!all.asked)
        return all;
    int r = sets->engine != NULL ? hf_manifest_engine_images(sets->engine, &images, &waits) : -EAGAIN;
    all.names = r == 0 ? lines_of(&images) : NULL;
    if (r < 0 || (images.n > 0 && all.names == NULL)) {
        all.reason = "ContentPending";
        (void)snprintf(all.message, sizeof(all.message), "the manifests of this node have not been looked at yet");
    } else if (waits != NULL) {
        all.reason = "ContentPending";
        (void)snprintf(all.message, sizeof(all.message), "the content of the entry '%.63s' is not here yet", waits);
    } else if (images.more) {
        all.reason = "TooMany";
        all.never = true;
        (void)snprintf(all.message, sizeof(all.message),
                       "the manifests of this node name more than %d images; waitForImages does not wait for the rest",
                       HF_MANIFEST_MAX_IMAGES);
    } else if (images.other[0] != '\0') {
        all.reason = "NameIncomplete";
        all.never = true;
        (void)snprintf(all.message, sizeof(all.message),
                       "the manifests of this node name '%.199s', which lacks its registry or digest, so that nothing "
                       "fetches it ahead; waitForImages does not wait for it",
                       images.other);
    }
    hf_manifest_images_done(&images);
    return all;
}
