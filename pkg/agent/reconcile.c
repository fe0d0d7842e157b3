/* From what is known to what shall be: facts, hold, policy, labels, plan, engine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/parts.h"
#include "node/labels.h"
#include "os/file.h"

/* ---- facts -------------------------------------------------------------------------------------------------------- */

static int statvfs_of(const struct hf_agent *agent, const char *path, struct statvfs *ret)
{
    int fd = agent->fs->openat(agent->fs->ctx, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, HF_FS_ANY);

    if (fd < 0)
        return fd;
    int r = agent->fs->fstatvfs(agent->fs->ctx, fd, ret);
    (void)agent->fs->close(agent->fs->ctx, fd);
    return r;
}

static void tell_disk(struct hf_agent *agent, const char *path, enum hf_disk_level level, unsigned used)
{
    hf_log(agent->log,
           level == HF_DISK_OK        ? HF_LOG_INFO
           : level == HF_DISK_WARNING ? HF_LOG_WARNING
                                      : HF_LOG_ERROR,
           "disk.level", HF_S("path", path), HF_S("fullness", hf_disk_level_name(level)), HF_D("usedPercent", used));
}

/* The file systems that matter: the state folder's and those releases are installed on. */
static void read_disks(struct hf_agent *agent)
{
    for (size_t i = 0; i < HF_STATUS_MAX_DISKS; i++) {
        const char *path = i == 0 ? agent->params.home->dir : agent->params.roots[i - 1];
        struct statvfs st;
        if (path == NULL)
            break;
        agent->disk_used[i] = statvfs_of(agent, path, &st) < 0 ? 0 : hf_disk_used_percent(&st);
        enum hf_disk_level level =
            hf_disk_judge(agent->disk_used[i], HF_DISK_WARN_PERCENT, HF_DISK_CRITICAL_PERCENT, agent->disk_levels[i]);
        if (level != agent->disk_levels[i])
            tell_disk(agent, path, level, agent->disk_used[i]);
        agent->disk_levels[i] = level;
    }
}

void hf_reconcile_facts(struct hf_agent *agent)
{
    struct hf_facts_params params = {.fs = agent->fs, .root = agent->params.facts_root, .arch = agent->params.arch};
    struct hf_facts facts;
    struct stat st;

    if (agent->fs->fstatat(agent->fs->ctx, AT_FDCWD, agent->params.home->dir, &st, 0) == 0) {
        params.state_major = major(st.st_dev);
        params.state_minor = minor(st.st_dev);
    }
    read_disks(agent);
    if (hf_facts_read(&params, &facts) < 0)
        return;
    hf_facts_done(&agent->facts);
    agent->facts = facts;
}

static bool has_device(void *arg, const char *path)
{
    struct hf_agent *agent = arg;
    const char *root = agent->params.pod_mode && agent->params.host_root != NULL ? agent->params.host_root : "";
    char full[PATH_MAX];
    struct stat st;

    return snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
           agent->fs->fstatat(agent->fs->ctx, AT_FDCWD, full, &st, 0) == 0;
}

static int meets(void *arg, const struct hf_requires *requires_, struct hf_err *err)
{
    struct hf_agent *agent = arg;
    struct hf_facts_now now = {.has_device = has_device, .arg = agent};
    struct statvfs st;

    if (statvfs_of(agent, agent->params.home->dir, &st) == 0)
        now.disk_free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return hf_facts_meet(&agent->facts, &now, requires_, err);
}

/* ---- hold --------------------------------------------------------------------------------------------------------- */

void hf_reconcile_hold(struct hf_agent *agent)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_HOLD_FILE_MAX);
    struct hf_err err = HF_ERR_INIT;
    struct hf_hold hold = {0};
    char path[PATH_MAX];
    int r = hf_file_read(agent->fs, hf_home_path(agent->params.home, "hold", path), &text, &err);

    if (r == -E2BIG || r == 0)
        r = hf_hold_parse(r == 0 ? hf_buf_view(&text) : HF_VIEW(""), &hold, &err);
    if (r < 0 && r != -ENOENT)
        hf_log_err(agent->log, HF_LOG_WARNING, "hold.unreadable", "file", path, &err);
    if (hold.present != agent->hold.present || strcmp(hold.reason, agent->hold.reason) != 0 ||
        hold.until_unix_ns != agent->hold.until_unix_ns)
        agent->due |= DUE_STATUS;
    agent->hold = hold;
}

/* ---- policy and labels -------------------------------------------------------------------------------------------- */

static const struct hf_syncpolicy *choose(struct hf_agent *agent, const json_t *labels)
{
    size_t n = 0;
    _cleanup_(hf_freep) const struct hf_syncpolicy **all =
        calloc(agent->policies.by_name.n + 1, sizeof(struct hf_syncpolicy *));

    if (all == NULL)
        return agent->default_policy;
    for (size_t i = 0; i < agent->policies.by_name.n; i++) {
        const struct hf_object *object = agent->policies.by_name.entries[i].value;
        if (object->decoded != NULL)
            all[n++] = object->decoded;
    }
    const struct hf_syncpolicy *policy = hf_syncpolicy_choose(all, n, labels);
    return policy != NULL ? policy : agent->default_policy;
}

/* Without a Node object our own facts stand in: first to choose the policy, then with the policy's labels added. */
static int compute(struct hf_agent *agent, json_t **ret_base, json_t **ret_desired, json_t **ret_labels)
{
    _cleanup_(hf_json_freep) json_t *base = NULL, *desired = NULL;
    json_t *known = (json_t *)(uintptr_t)hf_json_at(agent->node, "metadata.labels");
    int r;

    if (agent->node != NULL)
        base = known != NULL ? json_incref(known) : json_object();
    else if (hf_labels_local(&agent->facts, agent->params.node_name, NULL, &base) < 0)
        return -ENOMEM;
    agent->policy = choose(agent, base);
    agent->labels_refused.n_errors = 0;
    r = hf_labels_desired(&agent->facts, agent->policy, &desired, &agent->labels_refused);
    if (r == 0 && agent->node == NULL)
        r = hf_labels_local(&agent->facts, agent->params.node_name, desired, ret_labels);
    else if (r == 0)
        *ret_labels = json_incref(base);
    if (r == 0) {
        *ret_base = hf_steal(base);
        *ret_desired = hf_steal(desired);
    }
    return r;
}

static void announce_policy(struct hf_agent *agent)
{
    const char *name = agent->policy == agent->default_policy ? "" : agent->policy->meta.name;

    if (strcmp(name, agent->policy_name) != 0)
        hf_log(agent->log, HF_LOG_INFO, "policy.chosen", HF_S("name", name[0] != '\0' ? name : "(defaults)"));
    (void)snprintf(agent->policy_name, sizeof(agent->policy_name), "%s", name);
    if (agent->engine != NULL)
        hf_update_engine_set_retry(agent->engine, agent->params.retry_base_ns, agent->policy->retry_interval_ns);
    agent->labeller.backoff.cap_ns = agent->report.backoff.cap_ns = agent->policy->retry_interval_ns;
    uint64_t latest = hf_mono_ns(agent->clock) + agent->policy->interval_ns;
    agent->next_interval_ns = HF_MIN(agent->next_interval_ns, latest);
    if (agent->params.policy_changed != NULL)
        agent->params.policy_changed(agent->params.arg, agent->policy, agent->labels);
}

/* The new value, reference taken over, in place of the old one. True: it is another one. */
static bool replace(json_t **place, json_t *labels)
{
    bool changed = *place == NULL || json_equal(*place, labels) == 0;

    json_decref(*place);
    *place = labels;
    return changed;
}

void hf_reconcile_policy(struct hf_agent *agent)
{
    json_t *base = NULL, *desired = NULL, *labels = NULL;

    if (compute(agent, &base, &desired, &labels) < 0)
        return;
    (void)replace(&agent->desired_labels, desired);
    if (replace(&agent->own_labels, base))
        hf_concern_labels_changed(agent, FOLLOW_POLICIES);
    if (replace(&agent->labels, labels)) {
        agent->due |= DUE_PLAN;
        hf_concern_labels_changed(agent, FOLLOW_UPDATES);
    }
    announce_policy(agent);
}

_Static_assert(HF_PLAN_MAX >= (int)HF_OBJECTS_MAX, "what a node keeps, it plans with");

/* ---- plan --------------------------------------------------------------------------------------------------------- */

struct begun_search {
    const char *release, *digest;
    bool found;
};

static void look_begun(void *arg, const struct hf_update_status *status)
{
    struct begun_search *search = arg;

    if (strcmp(status->name, search->release) != 0 || status->digest == NULL ||
        strcmp(status->digest, search->digest) != 0)
        return;
    search->found = status->phase != HF_PHASE_IDLE && status->phase != HF_PHASE_WAITING &&
                    status->phase != HF_PHASE_REJECTED && status->phase != HF_PHASE_INCOMPATIBLE;
}

static bool begun(void *arg, const char *release_name, const char *digest)
{
    struct hf_agent *agent = arg;
    struct begun_search search = {release_name, digest, false};

    hf_update_engine_each(agent->engine, look_begun, &search);
    return search.found;
}

static void make_plan(struct hf_agent *agent, struct hf_edgeupdate **all)
{
    size_t n = 0;

    for (size_t i = 0; i < agent->updates.by_name.n; i++) {
        const struct hf_object *object = agent->updates.by_name.entries[i].value;
        if (object->decoded != NULL)
            all[n++] = object->decoded;
    }
    struct hf_plan_params params = {.updates = all,
                                    .n = n,
                                    .node_name = agent->params.node_name,
                                    .node_labels = agent->labels,
                                    .staleness = agent->staleness,
                                    .on_expiry = agent->policy->on_expiry,
                                    .held = agent->held,
                                    .begun = begun,
                                    .arg = agent};
    hf_plan_make(&params, agent->plan);
}

/* The lists for a status. */
static void list_notes(const struct hf_agent *agent, enum hf_plan_why why, char text[HF_READINESS_NAMES])
{
    struct hf_readiness_names names = {.n = 0};

    for (size_t i = 0; i < agent->plan->n_notes; i++)
        if (agent->plan->notes[i].why == why)
            hf_readiness_names_add(&names, agent->plan->notes[i].update->meta.name);
    (void)snprintf(text, HF_READINESS_NAMES, "%s", hf_readiness_names_text(&names));
}

/* What is not brought about is told once, and again when that changes. */
static void tell_notes(struct hf_agent *agent)
{
    struct hf_strmap noted = {0};

    for (size_t i = 0; i < agent->plan->n_notes; i++) {
        const struct hf_plan_note *note = &agent->plan->notes[i];
        char key[HF_API_MAX_NAME * 2 + 2];
        (void)snprintf(key, sizeof(key), "%s/%s", note->update->meta.name, note->chosen->meta.name);
        if (hf_strmap_put(&noted, key, agent) < 0 || hf_strmap_get(&agent->noted, key) != NULL)
            continue;
        hf_log(agent->log, HF_LOG_INFO, note->why == HF_PLAN_SUPERSEDED ? "update.superseded" : "update.not_admitted",
               HF_S("update", note->update->meta.name), HF_S("release", note->update->release.name),
               HF_S("by", note->chosen->meta.name));
    }
    hf_strmap_done(&agent->noted);
    agent->noted = noted;
}

/* What of the plan is not brought about, for the status; logged once, and again when it changes. */
static void tell_trouble(struct hf_agent *agent, int r, const struct hf_err *err)
{
    char before[sizeof(agent->plan_trouble)], text[sizeof(err->cause) + sizeof(err->where) + 2];

    memcpy(before, agent->plan_trouble, sizeof(before));
    agent->plan_trouble[0] = '\0';
    if (agent->plan->n_ignored > 0)
        (void)snprintf(agent->plan_trouble, sizeof(agent->plan_trouble),
                       "%zu EdgeUpdates that select this node are left out: it takes %d; delete old ones",
                       agent->plan->n_ignored, HF_PLAN_MAX);
    else if (r < 0)
        (void)snprintf(agent->plan_trouble, sizeof(agent->plan_trouble), "%.*s", (int)sizeof(agent->plan_trouble) - 1,
                       hf_err_text(err, text, sizeof(text)));
    if (agent->plan_trouble[0] != '\0' && strcmp(before, agent->plan_trouble) != 0)
        hf_log(agent->log, HF_LOG_ERROR, "plan.failed", HF_S("node", agent->params.node_name),
               HF_S("error", agent->plan_trouble));
}

void hf_reconcile_plan(struct hf_agent *agent)
{
    _cleanup_(hf_freep) struct hf_edgeupdate **all =
        calloc(agent->updates.by_name.n + 1, sizeof(struct hf_edgeupdate *));
    struct hf_err err = HF_ERR_INIT;

    if (all == NULL || agent->labels == NULL)
        return;
    make_plan(agent, all);
    tell_notes(agent);
    list_notes(agent, HF_PLAN_SUPERSEDED, agent->superseded);
    list_notes(agent, HF_PLAN_NOT_ADMITTED_YET, agent->not_admitted);
    hf_strmap_done(&agent->desired_names);
    int r = 0;
    for (size_t i = 0; i < agent->plan->n && r == 0; i++)
        r = hf_strmap_put(&agent->desired_names, agent->plan->desired[i].update->release.name, agent);
    if (r == 0)
        r = hf_update_engine_set(agent->engine, agent->plan->desired, agent->plan->n, &err);
    tell_trouble(agent, r, &err);
    hf_gauges_count_plan(agent);
    agent->due |= DUE_STATUS;
}

static void engine_changed(void *arg)
{
    hf_agent_finish_stop(arg);
    hf_agent_wake(arg, DUE_STATUS);
}

int hf_reconcile_engine_new(struct hf_agent *agent, struct hf_err *err)
{
    const struct hf_agent_params *from = &agent->params;
    struct hf_update_params params = {
        .fs = agent->fs,
        .clock = agent->clock,
        .rng = from->rng,
        .sched = from->sched,
        .http = from->http,
        .proc = from->proc,
        .probe = from->probe,
        .unit = from->unit,
        .log = from->log,
        .metrics = from->metrics,
        .state_dir = from->home->dir,
        .trust_dir = from->trust_dir,
        .roots = from->roots,
        .arch = agent->facts.arch,
        .pod_mode = from->pod_mode,
        .host_root = from->host_root,
        .self_unit = from->own_unit,
        .retry_base_ns = from->retry_base_ns,
        .retry_cap_ns = agent->policy->retry_interval_ns,
        .meets = meets,
        .changed = engine_changed,
        .arg = agent,
    };

    return hf_update_engine_new(&params, &agent->engine, err);
}

void hf_reconcile_done(struct hf_agent *agent)
{
    hf_strmap_done(&agent->unreadable);
    hf_strmap_done(&agent->desired_names);
    hf_strmap_done(&agent->noted);
    json_decref(agent->desired_labels);
    json_decref(agent->own_labels);
    json_decref(agent->labels);
}
