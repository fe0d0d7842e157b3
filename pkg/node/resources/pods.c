/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of this node's pods, from the files of their cgroups, to name those in trouble.
 *
 * Walks the tree of cgroups below kubepods and its classes of service; each name with a pod's uid is a pod. Both
 * versions of cgroups are read. The names of the pods come from the folders of /var/log/pods, because a cgroup has
 * only the uid.
 *
 * The kernel counts OOM kills since the cgroup was made, so what is new is the difference from the last look, kept
 * for each pod; a smaller number than before means that a container's cgroup has gone, and is nothing new. The worst
 * pods are kept, by a rank, in a list of fixed size. A value that cannot be read is 0, never an error. */
#include "node/resources/pods.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "node/resources/words.h"

enum {
    HF_PODS_NEAR_LIMIT_PERCENT = 95, /* of the limit */
    /* of the last minute, in which all processes waited for memory together */
    HF_PODS_STALLED_PERCENT = 10,
};

enum { UID_MIN = 32, UID_MAX_TEXT = 36, STAT_BYTES = 8192, MAX_NAMES = 4096, MAX_CHILDREN = 64 };
#define NO_LIMIT (UINT64_C(1) << 62)

bool hf_pods_uid(const char *cgroup, char uid[40])
{
    const char *start = NULL, *found = cgroup;
    size_t n = 0;

    while ((found = strstr(found, "pod")) != NULL) /* the last one: "kubepods-podUID" */
        start = found += 3;
    if (start == NULL)
        return false;
    for (; n < UID_MAX_TEXT + 1 && strchr("0123456789abcdef-_", start[n]) != NULL && start[n] != '\0'; n++)
        uid[n] = start[n] == '_' ? '-' : start[n];
    uid[HF_MIN(n, (size_t)UID_MAX_TEXT)] = '\0';
    return n >= UID_MIN && n <= UID_MAX_TEXT && (start[n] == '\0' || strcmp(start + n, ".slice") == 0);
}

/* ---- the files of a cgroup --------------------------------------------------------------------------------------- */

struct pods_look {
    const struct hf_probe_root *at;
    bool v2;
    struct hf_pod_kills *kills;
    uint64_t now_ns;
    struct hf_pods_found *pods;
    char *text;
    char folder[PATH_MAX]; /* cgroup at which the look is */
    unsigned names, depth;
    uint64_t child_kills;
};

static bool read_file(struct pods_look *look, const char *file)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s/%s", look->folder, file) < (int)sizeof(path) &&
           hf_probe_text(look->at, path, look->text, STAT_BYTES);
}

static uint64_t read_number(struct pods_look *look, const char *file)
{
    return read_file(look, file) ? strtoull(look->text, NULL, 10) : 0;
}

/* Returns the number behind `key` at the beginning of a line, or 0. */
static uint64_t number_of(const char *text, const char *key)
{
    size_t n = strlen(key);

    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && line[n] == ' ')
            return strtoull(line + n + 1, NULL, 10);
    }
    return 0;
}

static uint64_t read_kills(struct pods_look *look)
{
    return read_file(look, look->v2 ? "memory.events" : "memory.oom_control") ? number_of(look->text, "oom_kill") : 0;
}

static int add_child_kills(void *arg, const char *name)
{
    struct pods_look *look = arg;
    size_t at = strlen(look->folder);

    if (++look->names > MAX_CHILDREN || at + strlen(name) + 2 > sizeof(look->folder))
        return 0;
    (void)snprintf(look->folder + at, sizeof(look->folder) - at, "/%s", name);
    look->child_kills += read_kills(look);
    look->folder[at] = '\0';
    return 0;
}

/* Version 1 counts a kill only in the cgroup of the container, version 2 also in those above it. */
static uint64_t all_kills(struct pods_look *look)
{
    unsigned names = look->names;

    if (look->v2)
        return read_kills(look);
    look->child_kills = read_kills(look);
    look->names = 0;
    (void)hf_probe_each(look->at, look->folder, add_child_kills, look);
    look->names = names;
    return look->child_kills;
}

/* "full avg10=0.00 avg60=12.34 ...": the share of the last minute, in percent. */
static unsigned read_stalled(struct pods_look *look)
{
    const char *full = read_file(look, "memory.pressure") ? strstr(look->text, "full ") : NULL;
    const char *minute = full != NULL ? strstr(full, "avg60=") : NULL;

    return minute != NULL ? (unsigned)strtoul(minute + strlen("avg60="), NULL, 10) : 0;
}

static void measure(struct pods_look *look, struct hf_pod_memory *pod)
{
    uint64_t limit = read_number(look, look->v2 ? "memory.max" : "memory.limit_in_bytes"); /* "max" reads as 0 */
    uint64_t used = read_number(look, look->v2 ? "memory.current" : "memory.usage_in_bytes");
    uint64_t cache =
        read_file(look, "memory.stat") ? number_of(look->text, look->v2 ? "inactive_file" : "total_inactive_file") : 0;

    pod->limit_bytes = limit >= NO_LIMIT ? 0 : limit;
    pod->used_bytes = used - HF_MIN(used, cache);
    pod->stalled_percent = look->v2 ? read_stalled(look) : 0;
    pod->kills = all_kills(look);
    /* "oom" counts the limits of this cgroup and of those below it; "oom_kill" also what other OOM killers did
     * (cgroup-v2.rst, memory.events). */
    pod->limit_hits = look->v2 && read_file(look, "memory.events") ? number_of(look->text, "oom") : 0;
}

/* ---- what is new ------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const char *uid)
{
    uint64_t hash = UINT64_C(1469598103934665603); /* FNV-1a */

    for (; *uid != '\0'; uid++)
        hash = (hash ^ (unsigned char)*uid) * UINT64_C(1099511628211);
    return hash != 0 ? hash : 1;
}

/* A smaller number than before means that a container's cgroup is gone: nothing new is known. */
static void note_kills(struct hf_pod_kills *kills, struct hf_pod_memory *pod, bool v2, uint64_t now_ns)
{
    uint64_t hash = hash_of(pod->uid), count = pod->kills;
    size_t at = 0;

    while (at < HF_PODS_MAX && kills->pods[at].pod != hash && kills->pods[at].pod != 0)
        at++;
    if (at == HF_PODS_MAX)
        return;
    bool is_new = kills->pods[at].pod == 0;
    uint64_t before = is_new ? (kills->filled ? 0 : count) : kills->pods[at].kills;
    uint64_t hits_before = is_new ? (kills->filled ? 0 : pod->limit_hits) : kills->pods[at].hits;
    if (count > before) {
        kills->total += count - before;
        kills->pods[at].killed_ns = now_ns;
        kills->pods[at].killer = !v2                             ? HF_PODS_KILLER_UNKNOWN
                                 : pod->limit_hits > hits_before ? HF_PODS_KILLER_LIMIT
                                                                 : HF_PODS_KILLER_NODE;
    } else if (is_new) {
        kills->pods[at].killed_ns = 0;
    }
    kills->pods[at].pod = hash;
    kills->pods[at].kills = count;
    kills->pods[at].hits = pod->limit_hits;
    kills->pods[at].seen = true;
    pod->killed = kills->pods[at].killed_ns != 0 && now_ns - kills->pods[at].killed_ns < HF_PODS_KILL_NS;
    pod->killer = kills->pods[at].killer;
}

/* Forgets the pods that are gone. */
static void end_look(struct hf_pod_kills *kills)
{
    size_t kept = 0;

    for (size_t i = 0; i < HF_PODS_MAX && kills->pods[i].pod != 0; i++)
        if (kills->pods[i].seen) {
            kills->pods[kept] = kills->pods[i];
            kills->pods[kept++].seen = false;
        }
    for (; kept < HF_PODS_MAX && kills->pods[kept].pod != 0; kept++)
        kills->pods[kept].pod = 0;
    kills->filled = true;
}

const char *hf_pods_trouble(const struct hf_pod_memory *pod)
{
    if (pod->killed)
        return "OomKilled";
    if (pod->limit_bytes != 0 && pod->used_bytes / HF_PODS_NEAR_LIMIT_PERCENT >= pod->limit_bytes / 100)
        return "NearLimit";
    return pod->stalled_percent >= HF_PODS_STALLED_PERCENT ? "Stalled" : NULL;
}

static double rank(const struct hf_pod_memory *pod)
{
    const char *trouble = hf_pods_trouble(pod);
    double share = pod->limit_bytes != 0 ? (double)pod->used_bytes / (double)pod->limit_bytes : 0;

    return share + (trouble == NULL ? 0 : pod->killed ? 300 : trouble[0] == 'N' ? 200 : 100);
}

static void keep_if_worst(struct hf_pods_found *pods, const struct hf_pod_memory *pod)
{
    size_t at = pods->n_worst;

    while (at > 0 && rank(pod) > rank(&pods->worst[at - 1]))
        at--;
    if (at == HF_PODS_WORST)
        return;
    size_t moved = HF_MIN(pods->n_worst, (size_t)HF_PODS_WORST - 1) - at;
    memmove(&pods->worst[at + 1], &pods->worst[at], moved * sizeof(pods->worst[0]));
    pods->worst[at] = *pod;
    pods->n_worst = HF_MIN(pods->n_worst + 1, (size_t)HF_PODS_WORST);
}

/* ---- the tree of cgroups ----------------------------------------------------------------------------------------- */

static void take_pod(struct pods_look *look, const char *uid)
{
    struct hf_pod_memory pod = {.kills = 0};

    if (++look->pods->n > HF_PODS_MAX)
        return;
    (void)snprintf(pod.uid, sizeof(pod.uid), "%s", uid);
    (void)snprintf(pod.name, sizeof(pod.name), "%s", uid);
    measure(look, &pod);
    note_kills(look->kills, &pod, look->v2, look->now_ns);
    look->pods->used_bytes += pod.used_bytes;
    look->pods->n_troubled += hf_pods_trouble(&pod) != NULL;
    keep_if_worst(look->pods, &pod);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_class(const char *name)
{
    return strstr(name, "burstable") != NULL || strstr(name, "besteffort") != NULL;
}

/* The pods are in kubepods, or in a class of service below it. A kubelet in a container has kubepods one level down. */
static int visit(void *arg, const char *name) /* NOLINT(misc-no-recursion): bounded depth */
{
    struct pods_look *look = arg;
    size_t at = strlen(look->folder);
    bool inside = strstr(look->folder, "kubepods") != NULL;
    char uid[40];

    if (++look->names > MAX_NAMES || at + strlen(name) + 2 > sizeof(look->folder))
        return -ECANCELED;
    bool is_pods = ends_with(name, "kubepods") || ends_with(name, "kubepods.slice");
    bool is_pod = inside && hf_pods_uid(name, uid);
    bool is_kubelet = !inside && strncmp(name, "kubelet", strlen("kubelet")) == 0;
    if (!is_pods && !is_pod && !is_kubelet && !(inside && is_class(name)))
        return 0;
    look->pods->found = look->pods->found || is_pods;
    (void)snprintf(look->folder + at, sizeof(look->folder) - at, "/%s", name);
    if (is_pod)
        take_pod(look, uid);
    else if (look->depth < 4) {
        look->depth++;
        (void)hf_probe_each(look->at, look->folder, visit, look);
        look->depth--;
    }
    look->folder[at] = '\0';
    return 0;
}

/* "<namespace>_<name>_<uid>": neither namespace nor name has an underscore. */
static int name_pod(void *arg, const char *folder)
{
    struct hf_pods_found *pods = arg;
    const char *uid = strrchr(folder, '_'), *name = strchr(folder, '_');

    if (uid == NULL || name == uid)
        return 0;
    for (size_t i = 0; i < pods->n_worst; i++)
        if (strcmp(pods->worst[i].uid, uid + 1) == 0)
            (void)snprintf(pods->worst[i].name, sizeof(pods->worst[i].name), "%.*s/%.*s", (int)(name - folder), folder,
                           (int)(uid - name - 1), name + 1);
    return 0;
}

void hf_pods_read(const struct hf_probe_root *at, struct hf_pod_kills *kills, uint64_t now_ns,
                  struct hf_pods_found *ret_pods)
{
    _cleanup_(hf_freep) char *text = malloc(STAT_BYTES);
    _cleanup_(hf_freep) struct pods_look *look = calloc(1, sizeof(*look));

    *ret_pods = (struct hf_pods_found){.found = false};
    if (text == NULL || look == NULL)
        return;
    *look = (struct pods_look){.at = at, .kills = kills, .now_ns = now_ns, .pods = ret_pods, .text = text};
    look->v2 = hf_probe_exists(at, "/sys/fs/cgroup/cgroup.controllers");
    (void)snprintf(look->folder, sizeof(look->folder), "/sys/fs/cgroup%s", look->v2 ? "" : "/memory");
    (void)hf_probe_each(at, look->folder, visit, look);
    end_look(kills);
    if (ret_pods->n_worst > 0)
        (void)hf_probe_each(at, "/var/log/pods", name_pod, ret_pods);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

#define ADD(...) (at = hf_words_add(text, n, at, __VA_ARGS__))

static size_t add_pod(const struct hf_pod_memory *pod, const char *trouble, char *text, size_t n, size_t at)
{
    static const char *const killers[] = {[HF_PODS_KILLER_UNKNOWN] = " for want of memory",
                                          [HF_PODS_KILLER_LIMIT] = " to its memory limit",
                                          [HF_PODS_KILLER_NODE] = " because the node ran out of memory"};

    ADD("%s%s ", at > 0 ? "; " : "", pod->name);
    if (pod->killed)
        ADD("lost a process within the last hour%s", killers[pod->killer]);
    else if (trouble[0] == 'N')
        ADD("uses %u %% of its memory limit", (unsigned)((double)pod->used_bytes * 100 / (double)pod->limit_bytes));
    else
        ADD("waited for memory %u %% of the last minute", pod->stalled_percent);
    return at;
}

const char *hf_pods_describe(const struct hf_pods_found *pods, char *text, size_t n)
{
    const char *reason = NULL;
    size_t at = 0, named = 0;
    bool limits_help = false;

    text[0] = '\0';
    for (size_t i = 0; i < pods->n_worst; i++) {
        const char *trouble = hf_pods_trouble(&pods->worst[i]);
        if (trouble == NULL)
            break;
        at = add_pod(&pods->worst[i], trouble, text, n, at);
        reason = reason != NULL ? reason : trouble;
        limits_help = limits_help || !pods->worst[i].killed || pods->worst[i].killer != HF_PODS_KILLER_NODE;
        named++;
    }
    if (reason == NULL)
        return NULL;
    if (pods->n_troubled > named)
        ADD("; and %zu more", pods->n_troubled - named);
    ADD(limits_help ? ". Raise the memory limits, or find what leaks"
                    : ". Find what uses the node's memory, and give it a limit");
    return reason;
}
