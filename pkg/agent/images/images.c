/* SPDX-License-Identifier: Apache-2.0 */
/* A look at what holdfast-verify cannot see goes from the cheapest to the dearest: the configuration of containerd and
 * the verifier in its folder (files), then the version of containerd, the images of the node, and its containers (a
 * process each, one after the other, while a list is in place). The first thing that leaves a hole is the finding; a
 * look that fails is one, too, since nothing is proven then. The finding of the last look stands until the next ends.
 *
 * What it cannot know: whether the containerd that runs has read the configuration that lies there, and whether it
 * runs with the default of HOLDFAST_STATE_DIR. */
#include "agent/images/images.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/images/hosts.h"
#include "agent/images/judge.h"
#include "agent/images/refusals.h"
#include "agent/images/runtime_files.h"
#include "agent/turn.h"
#include "os/dir.h"
#include "verifier/verify.h"

#define TAKE_NS (10 * HF_NS_PER_S)
#define LOOK_NS (30 * HF_NS_PER_S) /* policies may change all the time */
#define PROGRAM "holdfast-verify"

enum { MAX_CRI_JSON = 4 << 20, MAX_ARGS = 12, LOOK_S = 30 };

/* ---- the condition ----------------------------------------------------------------------------------------------- */

static void find(struct hf_images_finding *finding, const char *reason, const char *message)
{
    finding->verified = strcmp(reason, "Verified") == 0;
    finding->reason = reason;
    (void)snprintf(finding->message, sizeof(finding->message), "%s", message);
}

/* What is wrong with the list goes before what is wrong around it. */
static void conclude(struct hf_images *images)
{
    const struct hf_image_keep *keep = &images->keep;
    struct hf_images_finding before = images->finding;

    if (keep->reason != NULL)
        find(&images->finding, keep->reason, keep->message);
    else if (!keep->present)
        images->finding.reason = NULL;
    else if (hf_clock_range(images->env->world.clock).earliest_unix_ns / HF_NS_PER_S >= keep->list.expires_s)
        find(&images->finding, "ListExpired", "the signed list has expired: no image is pulled; sign a newer one");
    else
        images->finding = images->outside;
    if (before.reason != images->finding.reason || strcmp(before.message, images->finding.message) != 0)
        hf_turn_wake(images->env->turn, HF_DUE_STATUS);
}

static void stop_look(struct hf_images *images)
{
    images->step = HF_IMAGES_IDLE;
    hf_buf_done(&images->stored);
}

static void end_look(struct hf_images *images, const char *reason, const char *message)
{
    stop_look(images);
    find(&images->outside, reason, message);
    conclude(images);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* Who may change the program may let everything run. */
static bool has_program(const struct hf_fs_ops *fs, const char *folder)
{
    char path[PATH_MAX];
    struct stat st;

    return snprintf(path, sizeof(path), "%s/" PROGRAM, folder) < (int)sizeof(path) &&
           fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && (st.st_mode & S_IXUSR) != 0;
}

/* False: that is the finding. */
static bool configuration_is_right(struct hf_images *images)
{
    const struct hf_fs_ops *fs = images->env->world.fs;
    struct hf_image_runtime runtime;
    char message[512];

    if (!hf_image_runtime_load(fs, images->place->config, &runtime)) {
        (void)snprintf(message, sizeof(message), "%s, or a file that it imports, cannot be read",
                       images->place->config);
        end_look(images, "ConfigurationUnreadable", message);
    } else if (runtime.disabled || runtime.calls_none) {
        end_look(images, "VerifierDisabled",
                 runtime.disabled ? "containerd's disabled_plugins name its image verifiers"
                                  : "containerd's max_verifiers is 0: it asks none");
    } else if (!has_program(fs, runtime.folder)) {
        (void)snprintf(message, sizeof(message),
                       "no " PROGRAM " that root alone may change is in %s, where this node's containerd looks",
                       runtime.folder);
        end_look(images, "VerifierMissing", message);
    } else if (runtime.local_pull != 0) {
        (void)snprintf(message, sizeof(message),
                       "with %s in its configuration, containerd pulls without asking its verifiers",
                       hf_image_runtime_local_pull(&runtime));
        end_look(images, "LocalPull", message);
    } else {
        const char *root = runtime.root[0] != '\0' ? runtime.root : images->place->root;
        (void)snprintf(images->store, sizeof(images->store), "%s/io.containerd.content.v1.content",
                       root != NULL ? root : "/var/lib/containerd");
        return true;
    }
    return false;
}

/* ---- processes --------------------------------------------------------------------------------------------------- */

static void next(struct hf_images *images);
static void look(struct hf_images *images);

static void judge_version(struct hf_images *images, struct hf_view output)
{
    unsigned major = 0, minor = 0;
    char text[256], message[320];

    (void)snprintf(text, sizeof(text), "%.*s", (int)HF_MIN(output.n, (size_t)200), output.p);
    text[strcspn(text, "\n")] = '\0';
    if (!hf_image_runtime_version(text, &major, &minor)) {
        end_look(images, "RuntimeUnknown", "containerd does not say its version");
    } else if (major < 2 || (major == 2 && minor < 1)) {
        (void)snprintf(message, sizeof(message),
                       "containerd %u.%u asks no verifier before a pull of the kubelet: 2.1 and later do", major,
                       minor);
        end_look(images, "RuntimeTooOld", message);
    } else {
        images->step = HF_IMAGES_STORED;
        next(images);
    }
}

static void judged(void *arg, int r, const struct hf_images_running *running, const struct hf_err *err)
{
    struct hf_images *images = arg;
    char text[400], message[640];

    images->judge = NULL;
    if (images->looked != images->keep.list.sequence) { /* the worker may have read either list */
        stop_look(images);
        look(images);
    } else if (r < 0) {
        end_look(images, "ListingFailed", hf_err_text(err, text, sizeof(text)));
    } else if (running->n > 0) {
        (void)snprintf(message, sizeof(message), "%u container%s that the list does not have: %s", running->n,
                       running->n > 1 ? "s run images" : " runs an image", running->first);
        end_look(images, "UnlistedRunning", message);
    } else {
        (void)snprintf(message, sizeof(message), "containerd asks the list of SyncPolicy '%.80s', sequence %ju",
                       images->keep.list.policy, (uintmax_t)images->keep.list.sequence);
        end_look(images, "Verified", message);
    }
}

static void judge_running(struct hf_images *images, struct hf_view output)
{
    const struct hf_agent_params *params = images->env->params;
    char list[PATH_MAX];
    const struct hf_images_judge_params judge = {.sched = images->env->world.sched,
                                                 .list = hf_home_path(params->home, HF_VERIFY_LIST, list),
                                                 .store = images->store,
                                                 .uid = params->uid,
                                                 .running = output,
                                                 .done = judged,
                                                 .arg = images};

    if (hf_images_judge_start(&judge, &images->stored, &images->judge) < 0)
        end_look(images, "ListingFailed", "no worker compares what runs with the list");
}

static void done(void *arg, int r, int exit_code, struct hf_view output)
{
    struct hf_images *images = arg;

    images->call = NULL;
    if (r < 0 || exit_code != 0) {
        end_look(images, "ListingFailed", "containerd or crictl does not answer");
    } else if (images->step == HF_IMAGES_VERSION) {
        judge_version(images, output);
    } else if (images->step == HF_IMAGES_RUNNING) {
        judge_running(images, output);
    } else if (hf_buf_add(&images->stored, output.p, output.n) < 0) {
        end_look(images, "ListingFailed", "not enough memory");
    } else {
        images->step = HF_IMAGES_RUNNING;
        next(images);
    }
}

static void next(struct hf_images *images)
{
    const struct hf_proc_ops *proc = images->env->params->proc;
    struct hf_err err = HF_ERR_INIT;
    char text[300];
    const char *argv[MAX_ARGS] = {images->place->crictl,
                                  "--runtime-endpoint",
                                  images->socket,
                                  "--image-endpoint",
                                  images->socket,
                                  images->step == HF_IMAGES_STORED ? "images" : "ps",
                                  "-o",
                                  "json"};
    const struct hf_proc_request request = {
        .argv = argv, .timeout_ns = LOOK_S * HF_NS_PER_S, .max_output = MAX_CRI_JSON, .done = done, .arg = images};

    if (images->step == HF_IMAGES_VERSION) {
        argv[0] = images->place->containerd;
        argv[1] = "--version";
        argv[2] = NULL;
    }
    if (proc->spawn(proc->ctx, &request, &images->call, &err) < 0)
        end_look(images, "ListingFailed", hf_err_text(&err, text, sizeof(text)));
}

static void look(struct hf_images *images)
{
    const struct hf_agent_params *params = images->env->params;
    struct hf_err err = HF_ERR_INIT;
    char text[300];

    uint64_t now_ns = hf_mono_ns(images->env->world.clock);
    bool is_new = images->looked != images->keep.list.sequence;

    if (images->step != HF_IMAGES_IDLE || (now_ns < images->look_ns && !is_new))
        return;
    images->look_ns = now_ns + LOOK_NS;
    images->looked = images->keep.list.sequence;
    if (params->pod_mode || params->uid != 0) {
        end_look(images, "NotOnHost", "only an agent that runs as root on the host can look at its containerd");
        return;
    }
    images->place = hf_alone_place_find(images->env->world.fs, &err);
    if (images->place == NULL) {
        end_look(images, "RuntimeUnknown", hf_err_text(&err, text, sizeof(text)));
        return;
    }
    (void)snprintf(images->socket, sizeof(images->socket), "unix://");
    hf_alone_place_socket(images->env->world.fs, images->place, images->socket + strlen("unix://"),
                          sizeof(images->socket) - strlen("unix://"));
    if (!configuration_is_right(images))
        return;
    images->stored = (struct hf_buf)HF_BUF_INIT(MAX_CRI_JSON);
    images->step = HF_IMAGES_VERSION;
    next(images);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void fire(void *arg)
{
    struct hf_images *images = arg;

    images->refused = true;
    hf_turn_wake(images->env->turn, 0);
}

/* The verifier makes no folder, so none is there before a list. */
static void watch_refusals(struct hf_images *images)
{
    const struct hf_watch_ops *ops = images->env->params->watch;

    if (images->watch != NULL || images->folder[0] == '\0' ||
        hf_dir_make(images->env->world.fs, images->folder, 0700, NULL) < 0)
        return;
    images->refused = true;
    if (ops != NULL && ops->add(ops->ctx, images->folder, fire, images, &images->watch, NULL) < 0)
        images->watch = NULL;
}

void hf_images_work(struct hf_images *images)
{
    uint64_t now_ns = hf_mono_ns(images->env->world.clock);
    struct hf_image_refusals refusals;

    if (!images->refused || now_ns < images->take_ns)
        return;
    images->refused = false;
    images->take_ns = now_ns + TAKE_NS;
    hf_image_refusals_take(images->env, images->folder, &refusals);
    if (refusals.n > 0) {
        hf_log(images->env->world.log, HF_LOG_WARNING, "images.refused", HF_D("pulls", refusals.n),
               HF_S("text", refusals.text));
        images->tell(images->arg, refusals.text);
    }
}

uint64_t hf_images_wait_until_ns(const struct hf_images *images)
{
    return images->refused ? images->take_ns : HF_NEVER;
}

/* ---- the part ---------------------------------------------------------------------------------------------------- */

void hf_images_follow(struct hf_images *images, const struct hf_policy_set *set)
{
    hf_image_keep(&images->keep, images->env, set);
    if (images->keep.present) {
        watch_refusals(images);
        images->refused |= images->folder[0] != '\0';
        look(images);
    }
    conclude(images);
    hf_image_hosts_follow(&images->hosts, images->env, set);
}

void hf_images_init(struct hf_images *images, const struct hf_agent_env *env)
{
    char folder[PATH_MAX];

    *images = (struct hf_images){.env = env};
    if (env->params->run_path == NULL)
        return;
    (void)hf_dir_of_path(env->params->run_path, folder, sizeof(folder));
    if (snprintf(images->folder, sizeof(images->folder), "%s/images", folder) >= (int)sizeof(images->folder))
        images->folder[0] = '\0';
}

void hf_images_done(struct hf_images *images)
{
    const struct hf_agent_params *params = images->env->params;

    if (images->watch != NULL)
        params->watch->remove(params->watch->ctx, images->watch);
    if (images->call != NULL)
        params->proc->cancel(params->proc->ctx, images->call);
    hf_images_judge_cancel(images->judge);
    hf_buf_done(&images->stored);
}
