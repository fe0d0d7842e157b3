/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/images/hosts.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent/audit/inlet.h"
#include "agent/env.h"
#include "agent/images/runtime_files.h"
#include "agent/turn.h"
#include "base/format.h"
#include "mirror/hosts.h"
#include "os/file.h"

enum { MAX_TEXT = 16 << 10 };

struct wish {
    const struct hf_agent_env *env;
    const char *root;
    const char *const *registries;
    enum hf_config_scope scope;
    const struct hf_mirror_hosts_place *place;
    struct hf_buf text;
    struct hf_images_finding *finding;
};

static bool refuse(struct wish *wish, const char *reason, const char *message)
{
    wish->finding->reason = reason;
    (void)snprintf(wish->finding->message, sizeof(wish->finding->message), "%s", message);
    return false;
}

/* A containerd that a K3s brings is the node's own, also beside a package of it. */
static bool find_place(struct wish *wish)
{
    const struct hf_fs_ops *fs = wish->env->world.fs;
    const struct hf_mirror_hosts_place *place = hf_mirror_hosts_places;
    struct hf_image_runtime runtime;
    char path[PATH_MAX], message[640];
    struct stat st;

    for (; place->config != NULL; place++) {
        (void)snprintf(path, sizeof(path), "%.3000s%s", wish->root, place->config);
        if (fs->fstatat(fs->ctx, AT_FDCWD, path, &st, 0) == 0)
            break;
    }
    if (place->config == NULL)
        return refuse(wish, "RuntimeUnknown", "there is no configuration of containerd, K3s or RKE2 on this node");
    if (!hf_image_runtime_load(fs, path, &runtime)) {
        (void)snprintf(message, sizeof(message), "%.300s, or a file that it imports, cannot be read", path);
        return refuse(wish, "ConfigurationUnreadable", message);
    }
    size_t n = strlen(place->folder);
    if (strncmp(runtime.config_path, place->folder, n) != 0 ||
        (runtime.config_path[n] != '\0' && runtime.config_path[n] != ':')) {
        (void)snprintf(message, sizeof(message),
                       "config_path of the registries in %.200s is '%.200s': set it to '%s' and restart containerd",
                       place->config, runtime.config_path, place->folder);
        return refuse(wish, "ConfigPathMissing", message);
    }
    wish->place = place;
    return true;
}

static bool is_allowed(struct wish *wish)
{
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX], text[400];

    for (size_t i = 0; wish->registries[i] != NULL; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s/hosts.toml", wish->place->folder,
                       hf_mirror_hosts_name(wish->registries[i]));
        if (!hf_config_allows_manifest_file(wish->env->config, wish->scope, path, &err))
            return refuse(wish, "NotAllowed", hf_err_text(&err, text, sizeof(text)));
    }
    return true;
}

static bool is_served(struct wish *wish)
{
    char path[PATH_MAX];

    (void)hf_home_path(wish->env->params->home, "mirror/hosts.toml", path);
    return hf_file_read(wish->env->world.fs, path, &wish->text, NULL) == 0
               ? true
               : refuse(wish, "MirrorDown", "the mirror does not serve: its log line image.mirror_failed says why");
}

static void settle(struct wish *wish, bool wanted)
{
    const struct hf_agent_env *env = wish->env;
    struct hf_images_finding *finding = wish->finding;
    struct hf_mirror_hosts_done done;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    int r = hf_mirror_hosts_settle(env->world.fs, wish->root, wanted ? wish->place : NULL, wish->registries,
                                   hf_buf_view(&wish->text), &done, &err);
    if (done.changed > 0) {
        (void)snprintf(text, sizeof(text), "%u %s hosts.toml of containerd %s", done.changed,
                       hf_noun(done.changed, "file", "files"), wanted ? "written or removed" : "removed");
        hf_log(env->world.log, HF_LOG_INFO, "image.mirror_configured", HF_D("files", done.changed));
        hf_audit_inlet_add(env->audit, HF_AUDIT_MIRROR_CONFIGURED, "containerd", wanted ? "Configured" : "Undone",
                           text);
    }
    if (r < 0) {
        hf_log_err(env->world.log, HF_LOG_WARNING, "image.mirror_not_configured", "root", wish->root, &err);
        (void)refuse(wish, "FilesFailed", hf_err_text(&err, text, sizeof(text)));
    } else if (wanted && done.foreign > 0) {
        (void)snprintf(text, sizeof(text),
                       "%u %s settings of others, which stay: add the lines of mirror/hosts.toml to %.400s",
                       done.foreign, hf_noun(done.foreign, "registry has", "registries have"), done.first);
        (void)refuse(wish, "ForeignFile", text);
    } else if (wanted) {
        finding->verified = true;
        (void)refuse(wish, "Configured", "containerd asks the mirror for images of its registries");
    }
}

void hf_image_hosts_follow(struct hf_images_finding *finding, const struct hf_agent_env *env,
                           const struct hf_policy_set *set)
{
    const struct hf_policy_section *section = hf_policy_set_find(set, "images.mirror");
    const struct hf_policy_images *images = &set->effective->images;
    const struct hf_images_finding before = *finding;
    struct wish wish = {.env = env,
                        .root = env->params->host_root != NULL ? env->params->host_root : "",
                        .registries = images->mirror_registries,
                        .scope = section != NULL && section->is_signed ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED,
                        .text = HF_BUF_INIT(MAX_TEXT),
                        .finding = finding};
    bool asked = images->mirror_configure, on_host = !env->params->pod_mode && env->params->uid == 0;

    *finding = (struct hf_images_finding){.reason = NULL};
    if (asked && !on_host)
        (void)refuse(&wish, "NotOnHost", "only an agent that runs as root on the host may configure its containerd");
    if (on_host)
        settle(&wish, asked && find_place(&wish) && is_allowed(&wish) && is_served(&wish));
    hf_buf_wipe(&wish.text);
    if (before.reason != finding->reason || strcmp(before.message, finding->message) != 0)
        hf_turn_wake(env->turn, HF_DUE_STATUS);
}
