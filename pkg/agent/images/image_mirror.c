/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/images/image_mirror.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/encoding/base64.h"
#include "base/encoding/hex.h"
#include "mirror/login/logins.h"
#include "mirror/mirror.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/fs_posix.h"

enum { SECRET_BYTES = 32, MAX_TEXT = 16 << 10, MAX_IMAGES = 2 * HF_MAX_PREFETCH };
#define AGAIN_NS (30 * HF_NS_PER_S) /* a port that was taken, a disk that was full */

struct hf_image_mirror {
    struct hf_image_mirror_params p;
    struct hf_mirror *mirror; /* made for the first policy that asks for it */
    struct hf_timer *again;   /* armed while it cannot serve */
    char *wanted;             /* port, bytes of the cache and registries, a line each; NULL: none */
    uint64_t stale_ok_ns;     /* of the policy that said so */
    bool caches;              /* there may be a cache on the disk */
    char *images;             /* of the policy, a line each; NULL: none */
    struct hf_image_workloads workloads;
    const char *closed;
    void (*ready_changed)(void *arg); /* NULL, as the next one: nobody wants to know */
    void (*prefetched)(void *arg, uint64_t bytes);
    void *arg;
};

struct hf_image_mirror *hf_image_mirror_new(const struct hf_image_mirror_params *params)
{
    struct hf_image_mirror *mirror = calloc(1, sizeof(*mirror));

    if (mirror == NULL)
        return NULL;
    mirror->p = *params;
    mirror->p.upstream.logins = hf_logins_new(&(const struct hf_logins_params){.sched = params->upstream.sched,
                                                                               .clock = params->upstream.clock,
                                                                               .fs = params->upstream.fs,
                                                                               .proc = hf_loop_proc(params->loop),
                                                                               .log = params->log});
    if (mirror->p.upstream.logins == NULL)
        free(hf_steal(mirror));
    return mirror;
}

void hf_image_mirror_free(struct hf_image_mirror *mirror)
{
    if (mirror == NULL)
        return;
    hf_mirror_free(mirror->mirror);
    hf_logins_free(mirror->p.upstream.logins);
    hf_timer_free(hf_loop_sched(mirror->p.loop), mirror->again);
    free(mirror->wanted);
    free(mirror->images);
    free(mirror->workloads.names);
    free(mirror);
}

void hf_image_mirror_configure(struct hf_image_mirror *mirror, const struct hf_config *config)
{
    const struct hf_config_image_credentials item = hf_config_image_credentials(config);

    hf_logins_configure(mirror->p.upstream.logins, item.config, item.folder);
}

/* Of an earlier start, or a new one: containerd's configuration has it. */
static int take_secret(const char *folder, char secret[HF_MIRROR_SECRET], struct hf_err *err)
{
    const struct hf_fs_ops *fs = hf_fs_posix();
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_MIRROR_SECRET);
    unsigned char bytes[SECRET_BYTES];
    char path[PATH_MAX + 48];

    (void)snprintf(path, sizeof(path), "%s/secret", folder);
    int r = hf_file_read(fs, path, &text, NULL);
    if (r == 0 && text.n == HF_MIRROR_SECRET - 1 && hf_hex_decode(hf_buf_str(&text), bytes, sizeof(bytes)) == 0) {
        memcpy(secret, text.p, HF_MIRROR_SECRET);
        return 0;
    }
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return hf_err_set(err, EIO, "no random bytes for a secret");
    (void)hf_hex_encode(bytes, sizeof(bytes), secret);
    r = hf_dir_make(fs, folder, 0700, err);
    return r < 0 ? r : hf_file_replace(fs, path, secret, HF_MIRROR_SECRET - 1, 0600, err);
}

/* What root copies to <config_path>/_default/hosts.toml, or hosts.c: only while the mirror serves, since another
 * process may have its port. */
static int write_hosts(const char *folder, uint16_t port, const char *secret, struct hf_err *err)
{
    const struct hf_fs_ops *fs = hf_fs_posix();
    _cleanup_(hf_buf_done) struct hf_buf now = HF_BUF_INIT(MAX_TEXT), text = HF_BUF_INIT(MAX_TEXT),
                                         pair = HF_BUF_INIT(MAX_TEXT);
    char path[PATH_MAX + 48];
    int r = hf_buf_addf(&pair, "holdfast:%s", secret);

    if (r == 0)
        r = hf_buf_addf(&text,
                        "# The mirror of this node's holdfast-agent, for containerd. It holds a secret: mode 0600.\n"
                        "[host.\"http://127.0.0.1:%u\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
                        "  dial_timeout = \"200ms\"\n  [host.\"http://127.0.0.1:%u\".header]\n"
                        "    authorization = \"Basic ",
                        port, port);
    if (r == 0)
        r = hf_base64_encode(pair.p, pair.n, &text);
    if (r == 0)
        r = hf_buf_add_str(&text, "\"\n");
    if (r < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for hosts.toml");
    (void)snprintf(path, sizeof(path), "%s/hosts.toml", folder);
    if (hf_file_read(fs, path, &now, NULL) == 0 && now.n == text.n && memcmp(now.p, text.p, text.n) == 0)
        return 0;
    return hf_file_replace(fs, path, text.p, text.n, 0600, err);
}

/* What was kept is of no use without the policy that said so. */
static void forget_cache(struct hf_image_mirror *mirror)
{
    char folder[PATH_MAX + 32];

    (void)snprintf(folder, sizeof(folder), "%s/mirror/cache", mirror->p.state_dir);
    if (mirror->caches)
        (void)!hf_dir_remove_tree(hf_fs_posix(), folder, NULL);
    mirror->caches = false;
}

/* Each image once: those of the policy, whose number it returns, then those of its workloads. They point into the
 * texts. */
static size_t split_images(char *policy, char *workloads, const char *images[static MAX_IMAGES + 1])
{
    char *const texts[] = {policy, workloads};
    const char *line;
    size_t n = 0, named = 0;

    for (size_t i = 0; i < HF_LEN(texts); i++) {
        char *rest = texts[i];
        while (n < MAX_IMAGES && (line = strsep(&rest, "\n")) != NULL) {
            size_t k = 0;
            while (k < n && strcmp(images[k], line) != 0)
                k++;
            images[k] = line;
            n += k == n;
        }
        if (i == 0)
            named = n;
    }
    images[n] = NULL;
    return named;
}

static int prefetch(const struct hf_image_mirror *mirror, struct hf_err *err)
{
    const char *policy = mirror->images != NULL ? mirror->images : "", *names = mirror->workloads.names;
    _cleanup_(hf_freep) char *one = strdup(policy), *other = strdup(names != NULL ? names : "");
    const char *images[MAX_IMAGES + 1];

    if (one == NULL || other == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the mirror");
    size_t named = split_images(*one != '\0' ? one : NULL, *other != '\0' ? other : NULL, images);
    return hf_mirror_prefetch(mirror->mirror, images, named, mirror->p.platform, err);
}

/* The first lines of `wanted` are numbers. */
static int serve(struct hf_image_mirror *mirror, struct hf_err *err)
{
    static const char *const places[] = {"/var/lib/containerd/io.containerd.content.v1.content",
                                         "/var/lib/rancher/k3s/agent/containerd/io.containerd.content.v1.content",
                                         "/var/lib/rancher/rke2/agent/containerd/io.containerd.content.v1.content"};
    _cleanup_(hf_freep) char *lines = strdup(mirror->wanted);
    char folder[PATH_MAX + 16], secret[HF_MIRROR_SECRET], stores_text[HF_LEN(places)][PATH_MAX + 128];
    const char *registries[HF_MIRROR_MAX_REGISTRIES + 1] = {NULL}, *stores[HF_LEN(places) + 1] = {NULL};
    char *rest = lines, *line;
    size_t n = 0;

    if (lines == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the mirror");
    uint16_t port = (uint16_t)strtoul(strsep(&rest, "\n"), NULL, 10);
    line = strsep(&rest, "\n");
    uint64_t max_bytes = line != NULL ? strtoull(line, NULL, 10) : 0;
    while ((line = strsep(&rest, "\n")) != NULL && n < HF_MIRROR_MAX_REGISTRIES)
        registries[n++] = line;
    for (size_t i = 0; i < HF_LEN(places); i++) {
        (void)snprintf(stores_text[i], sizeof(stores_text[i]), "%s%s", mirror->p.host_root, places[i]);
        stores[i] = stores_text[i];
    }
    (void)snprintf(folder, sizeof(folder), "%s/mirror", mirror->p.state_dir);
    int r = take_secret(folder, secret, err);
    if (r == 0)
        r = hf_mirror_settle(mirror->mirror,
                             &(const struct hf_mirror_settings){.port = port,
                                                                .registries = registries,
                                                                .secret = secret,
                                                                .stores = stores,
                                                                .folder = folder,
                                                                .max_bytes = max_bytes,
                                                                .stale_ok_ns = mirror->stale_ok_ns},
                             err);
    if (r == 0)
        r = prefetch(mirror, err);
    if (r == 0)
        r = write_hosts(folder, port, secret, err);
    explicit_bzero(secret, sizeof(secret));
    if (max_bytes == 0)
        forget_cache(mirror);
    else
        mirror->caches = true;
    return r;
}

static void forget_hosts(const struct hf_image_mirror *mirror)
{
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX + 48];

    (void)snprintf(path, sizeof(path), "%s/mirror/hosts.toml", mirror->p.state_dir);
    if (hf_file_forget(hf_fs_posix(), path, &err) < 0)
        hf_log_err(mirror->p.log, HF_LOG_WARNING, "image.mirror_failed", "stateDir", mirror->p.state_dir, &err);
}

static void ready_changed(void *arg)
{
    const struct hf_image_mirror *mirror = arg;

    if (mirror->ready_changed != NULL)
        mirror->ready_changed(mirror->arg);
}

static void prefetched(void *arg, uint64_t bytes)
{
    const struct hf_image_mirror *mirror = arg;

    if (mirror->prefetched != NULL)
        mirror->prefetched(mirror->arg, bytes);
}

static void settle(void *arg)
{
    struct hf_image_mirror *mirror = arg;
    const struct hf_sched_ops *sched = hf_loop_sched(mirror->p.loop);
    struct hf_err err = HF_ERR_INIT;

    if (mirror->mirror == NULL)
        mirror->mirror = hf_mirror_new(&(const struct hf_mirror_params){.loop = mirror->p.loop,
                                                                        .log = mirror->p.log,
                                                                        .metrics = mirror->p.metrics,
                                                                        .upstream = mirror->p.upstream,
                                                                        .ready_changed = ready_changed,
                                                                        .prefetched = prefetched,
                                                                        .arg = mirror});
    if (mirror->again == NULL)
        mirror->again = hf_timer_new(sched, settle, mirror);
    if (mirror->mirror == NULL || mirror->again == NULL)
        return;
    hf_mirror_gate(mirror->mirror, mirror->closed);
    if (serve(mirror, &err) == 0) {
        hf_log(mirror->p.log, HF_LOG_INFO, "image.mirror", HF_D("port", hf_mirror_port(mirror->mirror)));
        return;
    }
    hf_log_err(mirror->p.log, HF_LOG_WARNING, "image.mirror_failed", "stateDir", mirror->p.state_dir, &err);
    forget_hosts(mirror);
    hf_timer_arm(sched, mirror->again, AGAIN_NS);
}

/* Pulls go on meanwhile. */
static void prefetch_others(struct hf_image_mirror *mirror)
{
    struct hf_err err = HF_ERR_INIT;

    if (mirror->mirror == NULL || prefetch(mirror, &err) == 0)
        return;
    hf_log_err(mirror->p.log, HF_LOG_WARNING, "image.mirror_failed", "stateDir", mirror->p.state_dir, &err);
    hf_timer_arm(hf_loop_sched(mirror->p.loop), mirror->again, AGAIN_NS);
}

static void turn_off(struct hf_image_mirror *mirror)
{
    if (mirror->mirror == NULL)
        return;
    hf_mirror_free(hf_steal(mirror->mirror));
    forget_cache(mirror);
    hf_timer_disarm(hf_loop_sched(mirror->p.loop), mirror->again);
    forget_hosts(mirror);
    hf_log(mirror->p.log, HF_LOG_INFO, "image.mirror_off", HF_S("stateDir", mirror->p.state_dir));
}

void hf_image_mirror_report(struct hf_image_mirror *mirror, void (*changed)(void *arg),
                            void (*fetched)(void *arg, uint64_t bytes), void *arg)
{
    if (mirror == NULL)
        return;
    mirror->ready_changed = changed;
    mirror->prefetched = fetched;
    mirror->arg = arg;
}

void hf_image_mirror_gate(struct hf_image_mirror *mirror, const char *closed)
{
    if (mirror == NULL)
        return;
    mirror->closed = closed;
    if (mirror->mirror != NULL)
        hf_mirror_gate(mirror->mirror, closed);
}

/* The mirror's answer; False also while the workloads' images are not all known. */
static struct hf_mirror_ready add_workloads(const struct hf_image_workloads *workloads, struct hf_mirror_ready ready)
{
    if (!workloads->asked || (ready.asked && !ready.ready))
        return ready;
    if (!ready.asked)
        ready = (struct hf_mirror_ready){
            .asked = true, .ready = true, .reason = "Ready", .message = "the manifests of this node name no image"};
    if (workloads->reason != NULL) {
        ready.ready = false;
        ready.reason = workloads->reason;
        (void)snprintf(ready.message, sizeof(ready.message), "%s", workloads->message);
    }
    return ready;
}

struct hf_mirror_ready hf_image_mirror_ready(const struct hf_image_mirror *mirror)
{
    struct hf_mirror_ready ready = {.asked = false};

    if (mirror == NULL)
        return ready;
    if (mirror->mirror != NULL)
        ready = hf_mirror_ready(mirror->mirror);
    if (ready.asked || (mirror->images == NULL && mirror->workloads.names == NULL))
        return add_workloads(&mirror->workloads, ready);
    ready = (struct hf_mirror_ready){.asked = true, .reason = mirror->mirror != NULL ? "MirrorFailed" : "NoCache"};
    (void)snprintf(ready.message, sizeof(ready.message), "%s",
                   mirror->mirror != NULL
                       ? "the mirror of spec.images.mirror cannot serve; the log of the agent says why"
                       : "images to prefetch wait for spec.images.mirror with maxBytes");
    return ready;
}

bool hf_image_mirror_has_all(const struct hf_image_mirror *mirror)
{
    const struct hf_mirror_ready ready = hf_image_mirror_ready(mirror);

    return ready.ready || (ready.asked && mirror->workloads.never && ready.reason == mirror->workloads.reason);
}

static char *lines_of(const char *const *texts)
{
    struct hf_buf text = HF_BUF_INIT(HF_MAX_PREFETCH * 512);
    int r = 0;

    for (size_t i = 0; texts[i] != NULL && r == 0; i++)
        r = hf_buf_addf(&text, "%s%s", i > 0 ? "\n" : "", texts[i]);
    char *lines = r == 0 && text.n > 0 ? hf_buf_take(&text) : NULL;
    hf_buf_done(&text);
    return lines;
}

static bool is_same(const char *a, const char *b)
{
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

void hf_image_mirror_follow(struct hf_image_mirror *mirror, const struct hf_syncpolicy *policy)
{
    const char *const *registries = policy->images.mirror_registries;
    struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    int r = registries[0] != NULL ? hf_buf_addf(&text, "%" PRIu64 "\n%" PRIu64, policy->images.mirror_port,
                                                policy->images.mirror_max_bytes)
                                  : 0;

    for (size_t i = 0; registries[i] != NULL && r == 0; i++)
        r = hf_buf_addf(&text, "\n%s", registries[i]);
    char *wanted = r == 0 && text.n > 0 ? hf_buf_take(&text) : NULL;
    hf_buf_done(&text);
    bool same = wanted != NULL && mirror->wanted != NULL && strcmp(wanted, mirror->wanted) == 0 &&
                mirror->stale_ok_ns == policy->stale_window_ns;
    mirror->stale_ok_ns = policy->stale_window_ns;
    free(mirror->wanted);
    mirror->wanted = wanted;
    char *images = lines_of(policy->images.prefetch);
    bool same_images = is_same(images, mirror->images);
    free(mirror->images);
    mirror->images = images;
    if (wanted == NULL)
        turn_off(mirror);
    else if (!same)
        settle(mirror);
    else if (!same_images)
        prefetch_others(mirror);
}

void hf_image_mirror_take(struct hf_image_mirror *mirror, struct hf_image_workloads *workloads)
{
    struct hf_image_workloads *now = mirror != NULL ? &mirror->workloads : NULL;

    if (now == NULL) {
        free(workloads->names);
        return;
    }
    bool same_names = is_same(workloads->names, now->names);
    bool same = same_names && workloads->asked == now->asked && is_same(workloads->reason, now->reason) &&
                strcmp(workloads->message, now->message) == 0;
    free(now->names);
    *now = *workloads;
    if (!same_names && mirror->wanted != NULL)
        prefetch_others(mirror);
    if (!same)
        ready_changed(mirror);
}
