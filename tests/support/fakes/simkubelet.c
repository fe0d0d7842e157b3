/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simkubelet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec/sha256.h"
#include "support/json_text.h"

enum { MAX_PODS = 16 };

struct pod {
    char path[128], ns[64], name[64], image[64];
    char hash[HF_SHA256_HEX]; /* of the file */
    char config_hash[HF_SHA256_HEX];
    struct timespec changed; /* last change of the file when it was read */
    int64_t seen_s;          /* wall clock when this hash was seen first */
    uint64_t ready_ns;       /* time of the loop from which on it is ready, or crashes again and again */
    bool read;               /* seen by the process that runs now */
    bool there;              /* in the look that runs */
};

struct hf_simkubelet {
    struct hf_simloop *loop;
    struct hf_simfs *fs;
    const char *folder, *node;
    int64_t clock_offset_ns;
    bool up;
    uint64_t pause_ns;
    struct pod pods[MAX_PODS];
    size_t n;
};

static int64_t wall_s(const struct hf_simkubelet *kubelet)
{
    return ((int64_t)(HF_SIM_UNIX_START + hf_simloop_now_ns(kubelet->loop)) + kubelet->clock_offset_ns) /
           (int64_t)HF_NS_PER_S;
}

static bool crashes(const struct pod *pod)
{
    size_t n = strlen(pod->image);

    return n > 6 && strcmp(pod->image + n - 6, "-crash") == 0;
}

static bool is_settled(const struct hf_simkubelet *kubelet, const struct pod *pod)
{
    return hf_simloop_now_ns(kubelet->loop) >= pod->ready_ns;
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static struct pod *pod_of(struct hf_simkubelet *kubelet, const char *path)
{
    for (size_t i = 0; i < kubelet->n; i++)
        if (strcmp(kubelet->pods[i].path, path) == 0)
            return &kubelet->pods[i];
    if (kubelet->n == MAX_PODS)
        abort();
    struct pod *pod = &kubelet->pods[kubelet->n++];
    *pod = (struct pod){.read = false};
    (void)snprintf(pod->path, sizeof(pod->path), "%s", path);
    return pod;
}

/* False: the file is no pod. */
static bool read_file(struct hf_simkubelet *kubelet, struct pod *pod, const char *path)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(kubelet->fs, path, &n);
    char hash[HF_SHA256_HEX];
    json_t *json = NULL;

    (void)hf_sha256_hex(bytes, n, hash);
    if (strcmp(hash, pod->hash) == 0 && pod->read)
        return true;
    if (hf_yaml_parse((struct hf_view){bytes, n}, NULL, &json, NULL) < 0)
        return false;
    const char *ns = hf_json_str_or(json, "metadata.namespace", "");
    bool is_pod = strcmp(hf_json_str_or(json, "kind", ""), "Pod") == 0 && hf_json_str(json, "metadata.name") != NULL;
    if (is_pod && strcmp(hash, pod->hash) != 0) {
        (void)snprintf(pod->hash, sizeof(pod->hash), "%s", hash);
        (void)snprintf(pod->config_hash, sizeof(pod->config_hash), "%s", hf_json_str_or(json, "metadata.uid", hash));
        (void)snprintf(pod->ns, sizeof(pod->ns), "%s", *ns != '\0' ? ns : "default");
        (void)snprintf(pod->name, sizeof(pod->name), "%s", hf_json_str_or(json, "metadata.name", ""));
        (void)snprintf(pod->image, sizeof(pod->image), "%s",
                       hf_json_str_or(json_array_get(hf_json_at(json, "spec.containers"), 0), "image", ""));
        pod->ready_ns =
            hf_simloop_now_ns(kubelet->loop) + HF_NS_PER_S / 10 + hf_simloop_below(kubelet->loop, 2 * HF_NS_PER_S);
    }
    if (is_pod)
        pod->seen_s = wall_s(kubelet);
    pod->read = is_pod;
    json_decref(json);
    return is_pod;
}

static void look_at(void *arg, const char *path, const struct stat *st)
{
    struct hf_simkubelet *kubelet = arg;
    const char *name = path + strlen(kubelet->folder);

    if (name[0] != '/' || name[1] == '.' || strchr(name + 1, '/') != NULL || !S_ISREG(st->st_mode))
        return;
    struct pod *pod = pod_of(kubelet, path);
    if (pod->read && memcmp(&pod->changed, &st->st_mtim, sizeof(pod->changed)) == 0) {
        pod->there = true;
        return;
    }
    pod->there = read_file(kubelet, pod, path);
    pod->changed = st->st_mtim;
}

static void read_folder(struct hf_simkubelet *kubelet)
{
    size_t kept = 0;

    for (size_t i = 0; i < kubelet->n; i++)
        kubelet->pods[i].there = false;
    hf_simfs_walk(kubelet->fs, kubelet->folder, look_at, kubelet);
    for (size_t i = 0; i < kubelet->n; i++)
        if (kubelet->pods[i].there)
            kubelet->pods[kept++] = kubelet->pods[i];
    kubelet->n = kept;
}

static void look(void *arg)
{
    struct hf_simkubelet *kubelet = arg;

    hf_simloop_post(kubelet->loop, kubelet->pause_ns + HF_NS_PER_S / 5 + hf_simloop_below(kubelet->loop, HF_NS_PER_S),
                    look, kubelet);
    if (kubelet->up)
        read_folder(kubelet);
}

void hf_simkubelet_set_pause(struct hf_simkubelet *kubelet, uint64_t pause_ns)
{
    kubelet->pause_ns = pause_ns;
}

/* ---- what it says ------------------------------------------------------------------------------------------------ */

static json_t *json_of(const struct hf_simkubelet *kubelet, const struct pod *pod, const char *hash_key)
{
    bool settled = is_settled(kubelet, pod), bad = crashes(pod);
    bool ready = settled && !bad && kubelet->up; /* the API server calls no pod ready whose kubelet is away */
    time_t seen = (time_t)pod->seen_s;
    char full[160], text[40];
    struct tm parts;

    (void)snprintf(full, sizeof(full), "%s-%s", pod->name, kubelet->node);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.5Z", gmtime_r(&seen, &parts));
    json_t *waiting = settled && bad ? json_pack("{s:{s:s}}", "waiting", "reason", "CrashLoopBackOff") : json_object();
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s, s:s}}, s:{s:s, s:[{s:s, s:s}], s:[{s:s, s:o}]}}", "apiVersion",
                     "v1", "kind", "Pod", "metadata", "name", full, "namespace", pod->ns, "annotations", hash_key,
                     pod->config_hash, "kubernetes.io/config.seen", text, "status", "phase",
                     settled ? "Running" : "Pending", "conditions", "type", "Ready", "status", ready ? "True" : "False",
                     "containerStatuses", "name", "c", "state", waiting);
}

bool hf_simkubelet_list(void *arg, struct hf_buf *ret_body)
{
    const struct hf_simkubelet *kubelet = arg;
    json_t *items = json_array();

    if (!kubelet->up) {
        json_decref(items);
        return false;
    }
    for (size_t i = 0; i < kubelet->n; i++)
        (void)json_array_append_new(items, json_of(kubelet, &kubelet->pods[i], "kubernetes.io/config.hash"));
    json_t *list = json_pack("{s:s, s:o}", "kind", "PodList", "items", items);
    char *text = json_text(list);
    if (text == NULL || hf_buf_add(ret_body, text, strlen(text)) < 0)
        abort();
    free(text);
    json_decref(list);
    return true;
}

static const struct pod *named(const struct hf_simkubelet *kubelet, const char *ns, const char *name)
{
    for (size_t i = 0; i < kubelet->n; i++)
        if (strcmp(kubelet->pods[i].ns, ns) == 0 && strcmp(kubelet->pods[i].name, name) == 0)
            return &kubelet->pods[i];
    return NULL;
}

json_t *hf_simkubelet_mirror(const struct hf_simkubelet *kubelet, const char *ns, const char *name)
{
    size_t n = strlen(name), node = strlen(kubelet->node);
    char own[64];

    if (n <= node + 1 || strcmp(name + n - node, kubelet->node) != 0)
        return NULL;
    (void)snprintf(own, sizeof(own), "%.*s", (int)(n - node - 1), name);
    const struct pod *pod = named(kubelet, ns, own);
    return pod != NULL ? json_of(kubelet, pod, "kubernetes.io/config.mirror") : NULL;
}

const char *hf_simkubelet_running(const struct hf_simkubelet *kubelet, const char *ns, const char *name)
{
    const struct pod *pod = named(kubelet, ns, name);

    return pod != NULL && is_settled(kubelet, pod) && !crashes(pod) ? pod->image : "";
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct hf_simkubelet *hf_simkubelet_new(struct hf_simloop *loop, struct hf_simfs *fs, const char *folder,
                                        const char *node)
{
    struct hf_simkubelet *kubelet = calloc(1, sizeof(*kubelet));

    if (kubelet == NULL)
        abort();
    kubelet->loop = loop;
    kubelet->fs = fs;
    kubelet->folder = folder;
    kubelet->node = node;
    kubelet->up = true;
    hf_simkubelet_listen(fs, 0);
    hf_simloop_post(loop, 0, look, kubelet);
    return kubelet;
}

void hf_simkubelet_listen(struct hf_simfs *fs, unsigned uid)
{
    char text[400];

    (void)snprintf(text, sizeof(text),
                   "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                   "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
                   "   1: 0100007F:280F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  %4u        0 2 1\n"
                   "   2: 0100007F:280F 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 3 1\n",
                   uid);
    hf_simfs_put(fs, "/proc/net/tcp", text, strlen(text), 0444);
}

void hf_simkubelet_free(struct hf_simkubelet *kubelet)
{
    free(kubelet);
}

void hf_simkubelet_set_clock(struct hf_simkubelet *kubelet, int64_t offset_ns)
{
    kubelet->clock_offset_ns = offset_ns;
}

void hf_simkubelet_set_up(struct hf_simkubelet *kubelet, bool up)
{
    for (size_t i = 0; up && !kubelet->up && i < kubelet->n; i++)
        kubelet->pods[i].read = false;
    if (up && !kubelet->up)
        read_folder(kubelet); /* before it answers */
    kubelet->up = up;
}

void hf_simkubelet_boot(struct hf_simkubelet *kubelet)
{
    kubelet->n = 0;
    kubelet->up = true;
}
