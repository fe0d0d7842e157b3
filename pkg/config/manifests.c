/* SPDX-License-Identifier: Apache-2.0 */
/* The questions about entries of spec.manifests, about the clock, and about the TPM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/pattern.h"
#include "config/settings.h"

const char *const hf_config_manifest_list_names[HF_CONFIG_MANIFEST_LISTS] = {
    [HF_CONFIG_MANIFEST_FILES] = "files", [HF_CONFIG_MANIFEST_SECRETS] = "secrets",
    [HF_CONFIG_MANIFEST_PATHS] = "paths", [HF_CONFIG_MANIFEST_UNITS] = "units",
    [HF_CONFIG_MANIFEST_EXEC] = "exec",   [HF_CONFIG_MANIFEST_ORIGINS] = "origins",
};

/* Folders that no entry may read or write: what the kernel shows, and what decides who may do what on this node. The
 * last one lies in another one, and is here because somebody may mount it elsewhere. */
static const char *const closed[] = {
    "/proc", "/sys", "/dev", "/etc/holdfast", "/var/lib/holdfast", "/run/holdfast", "/etc/holdfast/credentials.d",
    NULL};

/* Where kubelets look for static pods. A file there is a pod with the rights that it asks for. */
static const char *const static_pod_folders[] = {"/var/lib/rancher/k3s/agent/pod-manifests",
                                                 "/var/lib/rancher/rke2/agent/pod-manifests",
                                                 "/etc/kubernetes/manifests", "/etc/kubeedge/manifests"};

static const struct hf_config *or_defaults(const struct hf_config *config)
{
    return config != NULL ? config : &hf_config_defaults;
}

static const char *part_of(enum hf_config_scope scope)
{
    return scope == HF_CONFIG_SIGNED ? "signedPolicies.manifests." : "manifests.";
}

static bool allowed(const struct hf_config *config, enum hf_config_scope scope, enum hf_config_manifest_list list,
                    hf_config_covers_fn *covers, const char *what)
{
    return hf_config_in_list(config->manifests[HF_CONFIG_UNSIGNED].lists[list], covers, what) ||
           (scope == HF_CONFIG_SIGNED &&
            hf_config_in_list(config->manifests[HF_CONFIG_SIGNED].lists[list], covers, what));
}

static bool ask(const struct hf_config *config, enum hf_config_scope scope, enum hf_config_manifest_list list,
                hf_config_covers_fn *covers, const char *what, struct hf_err *err)
{
    if (allowed(config, scope, list, covers, what))
        return true;
    hf_config_refuse_with(config, part_of(scope), hf_config_manifest_list_names[list], what, what, err);
    return false;
}

static bool ask_switch(const struct hf_config *config, enum hf_config_scope scope, bool on, const char *what,
                       const char *field, struct hf_err *err)
{
    if (!on)
        (void)hf_err_set(err, EACCES, "%s are not allowed: set %s%s: true in %.120s", what, part_of(scope), field,
                         hf_config_name(config));
    return on;
}

bool hf_config_allows_manifest_static_pods(const struct hf_config *config, enum hf_config_scope scope,
                                           struct hf_err *err)
{
    config = or_defaults(config);
    return ask_switch(config, scope,
                      config->manifests[HF_CONFIG_UNSIGNED].static_pods ||
                          (scope == HF_CONFIG_SIGNED && config->manifests[HF_CONFIG_SIGNED].static_pods),
                      "static pods", "staticPods", err);
}

bool hf_config_allows_manifest_cluster(const struct hf_config *config, enum hf_config_scope scope, struct hf_err *err)
{
    config = or_defaults(config);
    return ask_switch(config, scope,
                      config->manifests[HF_CONFIG_UNSIGNED].cluster ||
                          (scope == HF_CONFIG_SIGNED && config->manifests[HF_CONFIG_SIGNED].cluster),
                      "objects of the cluster", "cluster", err);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

bool hf_config_path_is_within(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    while (n > 1 && folder[n - 1] == '/')
        n--;
    if (n == 1 && folder[0] == '/')
        return path[0] == '/';
    return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool hf_config_path_is_reserved(const char *path)
{
    return strstr(path, "/.holdfast-") != NULL;
}

const char *const *hf_config_manifest_closed(void)
{
    return closed;
}

static const char *closed_for_writing(const struct hf_config *config, const char *path)
{
    for (size_t i = 0; closed[i] != NULL; i++)
        if (hf_config_path_is_within(path, closed[i]))
            return closed[i];
    if (hf_config_path_is_reserved(path))
        return ".holdfast-*";
    for (size_t i = 0; i < HF_LEN(static_pod_folders); i++)
        if (hf_config_path_is_within(path, static_pod_folders[i]))
            return static_pod_folders[i];
    if (config->static_pod_folder != NULL && hf_config_path_is_within(path, config->static_pod_folder))
        return config->static_pod_folder;
    return NULL;
}

/* Checks that the path is not closed, and that no folder below it is: who reads a folder reads all that is in it, and a
 * part of it would be an incomplete set. */
static bool is_open_for_reading(const char *path, struct hf_err *err)
{
    for (size_t i = 0; closed[i] != NULL; i++) {
        if (hf_config_path_is_within(path, closed[i]))
            (void)hf_err_set(err, EACCES, "'%.100s' is never allowed: no entry may read below %.100s", path, closed[i]);
        else if (hf_config_path_is_within(closed[i], path))
            (void)hf_err_set(err, EACCES, "'%.100s' is never allowed, because it has %.60s: no entry may read there",
                             path, closed[i]);
        else
            continue;
        return false;
    }
    return true;
}

/* `path` may end with '/' and then stands for all files directly in this folder. */
static bool ask_path(const struct hf_config *config, enum hf_config_scope scope, enum hf_config_manifest_list list,
                     const char *path, struct hf_err *err)
{
    size_t n = strlen(path);
    char glob[4096];

    config = or_defaults(config);
    bool is_folder = n > 1 && path[n - 1] == '/';
    (void)snprintf(glob, sizeof(glob), "%s%s", path, is_folder ? "*" : "");
    if (n + 2 >= sizeof(glob) || !hf_config_path_is_normal(glob)) {
        (void)hf_err_set(err, EINVAL, "'%.100s' is not an absolute path without . and .. and //", path);
        return false;
    }
    const char *folder = list != HF_CONFIG_MANIFEST_PATHS ? closed_for_writing(config, path) : NULL;
    if (folder != NULL) {
        (void)hf_err_set(err, EACCES, "'%.100s' is never allowed: no entry may write below %.100s", path, folder);
        return false;
    }
    if (allowed(config, scope, list, is_folder ? hf_config_pattern_covers_glob : hf_config_pattern_covers_path, glob))
        return true;
    if (is_folder) /* "*" would refuse the first file in a subfolder */
        (void)snprintf(glob, sizeof(glob), "%s**", path);
    hf_config_refuse_with(config, part_of(scope), hf_config_manifest_list_names[list], path, glob, err);
    return false;
}

bool hf_config_allows_manifest_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    struct hf_err *err)
{
    return ask_path(config, scope, HF_CONFIG_MANIFEST_FILES, path, err);
}

bool hf_config_allows_manifest_secret_file(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                           struct hf_err *err)
{
    return ask_path(config, scope, HF_CONFIG_MANIFEST_SECRETS, path, err);
}

bool hf_config_allows_manifest_read(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                                    const char *sub_path, struct hf_err *err)
{
    bool has_sub_path = sub_path != NULL && sub_path[0] != '\0';
    bool has_slash = path[0] != '\0' && path[strlen(path) - 1] == '/';
    char whole[4096];

    if (snprintf(whole, sizeof(whole), "%s%s%s", path, has_sub_path && !has_slash ? "/" : "",
                 has_sub_path ? sub_path : "") >= (int)sizeof(whole)) {
        (void)hf_err_set(err, EINVAL, "'%.100s' is too long", path);
        return false;
    }
    return is_open_for_reading(whole, err) && ask_path(config, scope, HF_CONFIG_MANIFEST_PATHS, path, err);
}

/* ---- units, programs, origins ------------------------------------------------------------------------------------ */

bool hf_config_allows_manifest_unit(const struct hf_config *config, enum hf_config_scope scope, const char *unit,
                                    struct hf_err *err)
{
    return ask(or_defaults(config), scope, HF_CONFIG_MANIFEST_UNITS, hf_config_is_service, unit, err);
}

bool hf_config_allows_manifest_exec(const struct hf_config *config, enum hf_config_scope scope, const char *program,
                                    struct hf_err *err)
{
    return ask(or_defaults(config), scope, HF_CONFIG_MANIFEST_EXEC, hf_config_pattern_covers_path, program, err);
}

static bool covers_origin(const char *pattern, const char *origin)
{
    return hf_config_pattern_covers_origin(pattern, origin, false);
}

bool hf_config_allows_manifest_origin(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                                      struct hf_err *err)
{
    static const char *const schemes[] = {"http", "https", NULL};
    char origin[HF_CONFIG_ORIGIN];

    if (hf_config_origin_of(url, schemes, origin))
        return ask(or_defaults(config), scope, HF_CONFIG_MANIFEST_ORIGINS, covers_origin, origin, err);
    (void)hf_err_set(err, EINVAL, "expected a URL http://host:port or https://host:port without a user");
    return false;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

bool hf_config_requires_signed_manifests(const struct hf_config *config)
{
    return or_defaults(config)->requires_signed_manifests;
}

const char *hf_config_static_pod_folder(const struct hf_config *config)
{
    return or_defaults(config)->static_pod_folder;
}

bool hf_config_allows_clock_resync(const struct hf_config *config, struct hf_err *err)
{
    config = or_defaults(config);
    if (config->refuses_clock_resync)
        (void)hf_err_set(err, EACCES, "clock.resync is not allowed: remove clockResync: false from %.120s",
                         hf_config_name(config));
    return !config->refuses_clock_resync;
}

const char *hf_config_page_name(enum hf_config_page page)
{
    static const char *const names[HF_CONFIG_PAGES] = {
        [HF_CONFIG_PAGE_NONE] = "None", [HF_CONFIG_PAGE_READ] = "Read", [HF_CONFIG_PAGE_ACT] = "Act"};

    return names[page];
}

enum hf_config_page hf_config_page(const struct hf_config *config)
{
    return or_defaults(config)->page;
}

struct hf_config_share hf_config_share(const struct hf_config *config)
{
    struct hf_config_share share = or_defaults(config)->share;

    share.neighbours = share.neighbours && !or_defaults(config)->share_is_wrong;
    share.port = share.port != 0 ? share.port : HF_CONFIG_SHARE_PORT;
    share.bytes_per_s = share.bytes_per_s != 0 ? share.bytes_per_s : HF_CONFIG_SHARE_BYTES_PER_S;
    return share;
}

struct hf_config_tpm hf_config_tpm(const struct hf_config *config)
{
    config = or_defaults(config);
    return (struct hf_config_tpm){.seals_secrets = !config->refuses_sealed_secrets,
                                  .counts_floors = config->counts_floors,
                                  .tcti = config->tcti != NULL ? config->tcti : "device:/dev/tpmrm0",
                                  .pcrs = config->tpm_pcrs};
}
