/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/cluster/health.h"

#include "base/encoding/cut.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/conditions.h"

typedef struct hf_cluster_health judge(const json_t *object);

static const struct hf_cluster_health current = {.state = HF_CLUSTER_CURRENT};

static struct hf_cluster_health HF_PRINTF(2, 3) verdict(enum hf_cluster_health_state state, const char *format, ...)
{
    struct hf_cluster_health health = {.state = state};
    va_list list;

    va_start(list, format);
    (void)vsnprintf(health.why, sizeof(health.why), format, list);
    va_end(list);
    return health;
}

static bool is_current(const struct hf_cluster_health *health)
{
    return health->state == HF_CLUSTER_CURRENT;
}

static const json_t *condition(const json_t *object, const char *type)
{
    return hf_conditions_find(hf_json_at(object, "status.conditions"), type);
}

static bool condition_is(const json_t *object, const char *type, const char *status)
{
    return strcmp(hf_json_str_or(condition(object, type), "status", ""), status) == 0;
}

static bool reason_is(const json_t *object, const char *type, const char *reason)
{
    return strcmp(hf_json_str_or(condition(object, type), "reason", ""), reason) == 0;
}

/* A verdict with the words of one condition. */
static struct hf_cluster_health quoted(enum hf_cluster_health_state state, const json_t *object, const char *type)
{
    const json_t *one = condition(object, type);

    return verdict(state, "%.40s: %s", hf_json_str_or(one, "reason", type),
                   HF_CUT(70, hf_json_str_or(one, "message", "")));
}

/* One number of a status that has to reach another one. */
struct health_count {
    int64_t is, want;
    const char *what; /* completes "1 of 2 ..." */
};

static struct hf_cluster_health counted(const struct health_count *counts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (counts[i].is < counts[i].want)
            return verdict(HF_CLUSTER_IN_PROGRESS, "%" PRId64 " of %" PRId64 " %s", counts[i].is, counts[i].want,
                           counts[i].what);
    return current;
}

static struct hf_cluster_health too_many(int64_t is, int64_t want)
{
    return is > want ? verdict(HF_CLUSTER_IN_PROGRESS, "%" PRId64 " replicas still end", is - want) : current;
}

/* ---- kinds that have rules of their own -------------------------------------------------------------------------- */

static struct hf_cluster_health deployment(const json_t *object)
{
    int64_t want = hf_json_int_or(object, "spec.replicas", 1), is = hf_json_int_or(object, "status.replicas", 0);
    int64_t updated = hf_json_int_or(object, "status.updatedReplicas", 0);
    const struct health_count before[] = {{is, want, "replicas exist"}, {updated, want, "replicas are updated"}};
    const struct health_count after[] = {
        {hf_json_int_or(object, "status.availableReplicas", 0), updated, "replicas are available"},
        {hf_json_int_or(object, "status.readyReplicas", 0), want, "replicas are ready"},
    };
    /* Without a deadline, or with the greatest one, the controller does not report progress. */
    bool progress = hf_json_int_or(object, "spec.progressDeadlineSeconds", INT32_MAX) != INT32_MAX;

    if (reason_is(object, "Progressing", "ProgressDeadlineExceeded"))
        return quoted(HF_CLUSTER_FAILED, object, "Progressing");
    struct hf_cluster_health health = counted(before, HF_LEN(before));
    if (is_current(&health))
        health = too_many(is, want);
    if (is_current(&health))
        health = counted(after, HF_LEN(after));
    if (!is_current(&health))
        return health;
    if (progress &&
        !(condition_is(object, "Progressing", "True") && reason_is(object, "Progressing", "NewReplicaSetAvailable")))
        return verdict(HF_CLUSTER_IN_PROGRESS, "the new ReplicaSet is not complete");
    if (!condition_is(object, "Available", "True"))
        return verdict(HF_CLUSTER_IN_PROGRESS, "the condition Available is not True");
    return current;
}

static struct hf_cluster_health stateful_set(const json_t *object)
{
    int64_t want = hf_json_int_or(object, "spec.replicas", 1), is = hf_json_int_or(object, "status.replicas", 0);
    int64_t partition = hf_json_int_or(object, "spec.updateStrategy.rollingUpdate.partition", -1);
    const struct health_count before[] = {
        {is, want, "replicas exist"}, {hf_json_int_or(object, "status.readyReplicas", 0), want, "replicas are ready"}};
    const struct health_count last = {hf_json_int_or(object, "status.currentReplicas", 0), want,
                                      "replicas are current"};
    const struct health_count part = {hf_json_int_or(object, "status.updatedReplicas", 0), want - partition,
                                      "replicas beyond the partition are updated"};

    if (strcmp(hf_json_str_or(object, "spec.updateStrategy.type", ""), "OnDelete") == 0)
        return current;
    struct hf_cluster_health health = counted(before, HF_LEN(before));
    if (is_current(&health))
        health = too_many(is, want);
    if (is_current(&health))
        health = counted(partition >= 0 ? &part : &last, 1);
    if (is_current(&health) && partition < 0 &&
        strcmp(hf_json_str_or(object, "status.currentRevision", ""),
               hf_json_str_or(object, "status.updateRevision", "")) != 0)
        return verdict(HF_CLUSTER_IN_PROGRESS, "the updated revision is not the current one yet");
    return health;
}

static struct hf_cluster_health replica_set(const json_t *object)
{
    int64_t want = hf_json_int_or(object, "spec.replicas", 1);
    const struct health_count counts[] = {
        {hf_json_int_or(object, "status.fullyLabeledReplicas", 0), want, "replicas have their labels"},
        {hf_json_int_or(object, "status.availableReplicas", 0), want, "replicas are available"},
        {hf_json_int_or(object, "status.readyReplicas", 0), want, "replicas are ready"},
    };

    if (condition_is(object, "ReplicaFailure", "True"))
        return quoted(HF_CLUSTER_IN_PROGRESS, object, "ReplicaFailure");
    struct hf_cluster_health health = counted(counts, HF_LEN(counts));
    return is_current(&health) ? too_many(hf_json_int_or(object, "status.replicas", 0), want) : health;
}

static struct hf_cluster_health daemon_set(const json_t *object)
{
    int64_t want = hf_json_int_or(object, "status.desiredNumberScheduled", -1);
    const struct health_count counts[] = {
        {hf_json_int_or(object, "status.currentNumberScheduled", 0), want, "pods are scheduled"},
        {hf_json_int_or(object, "status.updatedNumberScheduled", 0), want, "pods are updated"},
        {hf_json_int_or(object, "status.numberAvailable", 0), want, "pods are available"},
        {hf_json_int_or(object, "status.numberReady", 0), want, "pods are ready"},
    };

    if (want < 0 || !json_is_integer(hf_json_at(object, "metadata.generation")) ||
        !json_is_integer(hf_json_at(object, "status.observedGeneration")))
        return verdict(HF_CLUSTER_IN_PROGRESS, "no controller has counted the pods yet");
    return counted(counts, HF_LEN(counts));
}

static struct hf_cluster_health claim(const json_t *object)
{
    const char *phase = hf_json_str_or(object, "status.phase", "unknown");

    return strcmp(phase, "Bound") == 0 ? current : verdict(HF_CLUSTER_IN_PROGRESS, "the phase is %.30s", phase);
}

/* Returns the name of the first container that the kubelet no longer starts at once, or NULL. */
static const char *crashing(const json_t *object)
{
    const json_t *all = hf_json_at(object, "status.containerStatuses");

    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        if (strcmp(hf_json_str_or(one, "state.waiting.reason", ""), "CrashLoopBackOff") == 0)
            return hf_json_str_or(one, "name", "");
    }
    return NULL;
}

static struct hf_cluster_health pod(const json_t *object)
{
    const char *phase = hf_json_str_or(object, "status.phase", ""), *crash = crashing(object);

    if (strcmp(phase, "Succeeded") == 0)
        return current;
    if (strcmp(phase, "Failed") == 0)
        return verdict(
            HF_CLUSTER_FAILED, "the pod has failed: %s",
            HF_CUT(70, hf_json_str_or(object, "status.reason", hf_json_str_or(object, "status.message", ""))));
    if (strcmp(phase, "Running") == 0 && condition_is(object, "Ready", "True"))
        return current;
    if (strcmp(phase, "Running") == 0 && crash != NULL)
        return verdict(HF_CLUSTER_FAILED, "container '%.60s' crashes again and again", crash);
    if (strcmp(phase, "Running") == 0)
        return verdict(HF_CLUSTER_IN_PROGRESS, "the pod runs, but is not ready");
    if (condition_is(object, "PodScheduled", "False"))
        return quoted(HF_CLUSTER_IN_PROGRESS, object, "PodScheduled");
    return verdict(HF_CLUSTER_IN_PROGRESS, "the phase is '%.30s'", phase);
}

static struct hf_cluster_health job(const json_t *object)
{
    if (condition_is(object, "Failed", "True"))
        return quoted(HF_CLUSTER_FAILED, object, "Failed");
    if (condition_is(object, "Complete", "True") || condition_is(object, "Suspended", "True") ||
        hf_json_str(object, "status.startTime") != NULL)
        return current;
    return verdict(HF_CLUSTER_IN_PROGRESS, "the job has not begun");
}

static struct hf_cluster_health service(const json_t *object)
{
    bool balanced = strcmp(hf_json_str_or(object, "spec.type", ""), "LoadBalancer") == 0;

    return balanced && *hf_json_str_or(object, "spec.clusterIP", "") == '\0'
               ? verdict(HF_CLUSTER_IN_PROGRESS, "the Service has no address yet")
               : current;
}

static struct hf_cluster_health definition(const json_t *object)
{
    if (condition_is(object, "NamesAccepted", "False"))
        return quoted(HF_CLUSTER_FAILED, object, "NamesAccepted");
    if (condition_is(object, "Established", "True"))
        return current;
    if (condition_is(object, "Established", "False") && !reason_is(object, "Established", "Installing"))
        return quoted(HF_CLUSTER_FAILED, object, "Established");
    return verdict(HF_CLUSTER_IN_PROGRESS, "the API server does not serve the kind yet");
}

/* ---- every kind -------------------------------------------------------------------------------------------------- */

/* Rules by group and kind. A NULL judge: the object is current as soon as it exists. */
static const struct {
    const char *group, *kind;
    judge *judge;
} kinds[] = {
    {"", "Service", service},
    {"", "Pod", pod},
    {"", "Secret", NULL},
    {"", "ConfigMap", NULL},
    {"", "PersistentVolumeClaim", claim},
    {"apps", "StatefulSet", stateful_set},
    {"apps", "DaemonSet", daemon_set},
    {"apps", "Deployment", deployment},
    {"apps", "ReplicaSet", replica_set},
    {"batch", "CronJob", NULL},
    {"batch", "Job", job},
    {"policy", "PodDisruptionBudget", NULL},
    {"apiextensions.k8s.io", "CustomResourceDefinition", definition},
};

/* Sets *ret_health and returns true if fields that every kind may have decide. */
static bool generic(const json_t *object, struct hf_cluster_health *ret_health)
{
    const json_t *generation = hf_json_at(object, "metadata.generation");
    const json_t *observed = hf_json_at(object, "status.observedGeneration");

    if (*hf_json_str_or(object, "metadata.deletionTimestamp", "") != '\0')
        *ret_health = verdict(HF_CLUSTER_TERMINATING, "the object is being deleted");
    else if (json_is_integer(generation) && json_is_integer(observed) && !json_equal(generation, observed))
        *ret_health = verdict(HF_CLUSTER_IN_PROGRESS, "no controller has seen the newest generation");
    else if (condition_is(object, "Reconciling", "True"))
        *ret_health = quoted(HF_CLUSTER_IN_PROGRESS, object, "Reconciling");
    else if (condition_is(object, "Stalled", "True"))
        *ret_health = quoted(HF_CLUSTER_FAILED, object, "Stalled");
    else
        return false;
    return true;
}

struct hf_cluster_health hf_cluster_health_of(const json_t *object)
{
    const char *api_version = hf_json_str_or(object, "apiVersion", ""), *slash = strchr(api_version, '/');
    const char *kind = hf_json_str_or(object, "kind", "");
    size_t n = slash != NULL ? (size_t)(slash - api_version) : 0;
    struct hf_cluster_health health;

    if (generic(object, &health))
        return health;
    for (size_t i = 0; i < HF_LEN(kinds); i++)
        if (strcmp(kinds[i].kind, kind) == 0 && strlen(kinds[i].group) == n &&
            strncmp(kinds[i].group, api_version, n) == 0)
            return kinds[i].judge != NULL ? kinds[i].judge(object) : current;
    /* Many kinds of others have a condition Ready. */
    if (condition(object, "Ready") != NULL && !condition_is(object, "Ready", "True"))
        return quoted(HF_CLUSTER_IN_PROGRESS, object, "Ready");
    return current;
}
