/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults of agent.yaml, and the questions that the other parts ask about it.
 *
 * Each question is whether the node's owner allows something that an object of the cluster asks for: a file, a
 * secret, an origin, a socket, a program, a unit. The answer comes from a list of patterns; a signed policy may use
 * the list for signed ones as well as the one for all. NULL stands for the defaults, which is a node without the
 * file.
 *
 * A refusal names what to add to which list of which file, so that a person can do it at once. Long texts are named
 * once, so that this part is never cut off. */
#include "config/config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "config/pattern.h"
#include "config/settings.h"
#include "os/secret_ref.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const http_schemes[] = {"http", "https", NULL};
static const char *const mqtt_schemes[] = {"mqtt", "mqtts", NULL};

const char *const hf_config_list_names[HF_CONFIG_LISTS] = {
    [HF_CONFIG_FILES] = "files",
    [HF_CONFIG_FOLDERS] = "credentialFolders",
    [HF_CONFIG_VARIABLES] = "credentialVariables",
    [HF_CONFIG_SINKS] = "sinks",
    [HF_CONFIG_BROKERS] = "brokers",
    [HF_CONFIG_SCRAPES] = "scrapes",
    [HF_CONFIG_SOCKETS] = "sockets",
};

const struct hf_config hf_config_defaults = {
    .lists = {[HF_CONFIG_UNSIGNED] =
                  {
                      [HF_CONFIG_FILES] = LIST("/var/log/**"),
                      [HF_CONFIG_FOLDERS] = LIST("/etc/holdfast/credentials.d"),
                      [HF_CONFIG_SINKS] = LIST("https://*:*", "http://localhost:*"),
                      [HF_CONFIG_BROKERS] = LIST("mqtts://*:*", "mqtt://localhost:*"),
                      [HF_CONFIG_SCRAPES] = LIST("http://localhost:*", "https://localhost:*"),
                      [HF_CONFIG_SOCKETS] = LIST("/run/holdfast/**"),
                  }},
    .manifests = {[HF_CONFIG_UNSIGNED] = {.lists = {[HF_CONFIG_MANIFEST_ORIGINS] = LIST("https://*:*")}}},
    .max_spool_bytes = {UINT64_C(16) << 30, UINT64_C(16) << 30},
    .roots = LIST(HF_CONFIG_UPDATE_ROOTS),
    .page = HF_CONFIG_PAGE_READ,
    .reserve_basis_points = 500,
    .reserve_bytes = UINT64_C(1) << 30,
};

static const struct hf_config *or_defaults(const struct hf_config *config)
{
    return config != NULL ? config : &hf_config_defaults;
}

const char *hf_config_name(const struct hf_config *config)
{
    config = or_defaults(config);
    return config->name != NULL ? config->name : HF_CONFIG_FILE;
}

struct hf_config *hf_config_new(void)
{
    struct hf_config *config = malloc(sizeof(*config));

    if (config != NULL)
        *config = hf_config_defaults;
    return config;
}

void hf_config_free(struct hf_config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->n_faults; i++)
        free(config->faults[i]);
    for (size_t i = 0; i < config->n_owned; i++)
        free(config->owned[i]);
    free(config->artifacts);
    free(config->mirrors);
    json_decref(config->tree);
    free(config->name);
    free(config);
}

bool hf_config_is_usable(const struct hf_config *config)
{
    return !or_defaults(config)->is_unusable;
}

size_t hf_config_n_faults(const struct hf_config *config)
{
    return or_defaults(config)->n_faults;
}

const char *hf_config_fault(const struct hf_config *config, size_t i)
{
    return i < hf_config_n_faults(config) ? config->faults[i] : NULL;
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

bool hf_config_in_list(const char *const *list, hf_config_covers_fn *covers, const char *what)
{
    for (; list != NULL && *list != NULL; list++)
        if (covers(*list, what))
            return true;
    return false;
}

static bool allowed(const struct hf_config *config, enum hf_config_scope scope, enum hf_config_list list,
                    hf_config_covers_fn *covers, const char *what)
{
    return hf_config_in_list(config->lists[HF_CONFIG_UNSIGNED][list], covers, what) ||
           (scope == HF_CONFIG_SIGNED && hf_config_in_list(config->lists[HF_CONFIG_SIGNED][list], covers, what));
}

/* Names a long thing once, so that the text keeps the line of the file. */
void hf_config_refuse_with(const struct hf_config *config, const char *part, const char *list, const char *what,
                           const char *add, struct hf_err *err)
{
    enum { BOTH_FIT = 150 };

    if (strlen(what) + strlen(add) + strlen(hf_config_name(config)) <= BOTH_FIT)
        (void)hf_err_set(err, EACCES, "'%s' is not allowed: add '%s' to %s%s in %s", what, add, part, list,
                         hf_config_name(config));
    else
        (void)hf_err_set(err, EACCES, "not allowed: add '%.120s' to %s%s in %.60s", add, part, list,
                         hf_config_name(config));
}

static void refuse(const struct hf_config *config, enum hf_config_scope scope, enum hf_config_list list,
                   const char *what, const char *add, struct hf_err *err)
{
    hf_config_refuse_with(config, scope == HF_CONFIG_SIGNED ? "signedPolicies." : "telemetry.",
                          hf_config_list_names[list], what, add, err);
}

bool hf_config_allows_file_glob(const struct hf_config *config, enum hf_config_scope scope, const char *glob,
                                struct hf_err *err)
{
    const char *last = strrchr(glob, '/');
    char add[128];

    config = or_defaults(config);
    if (allowed(config, scope, HF_CONFIG_FILES, hf_config_pattern_covers_glob, glob))
        return true;
    if (!hf_config_path_is_normal(glob) || strcspn(glob, "*?[\\") < (size_t)(last - glob)) {
        (void)hf_err_set(err, EINVAL,
                         "'%.64s' is not an absolute path without . and .. and //, "
                         "with wildcards in its last part only",
                         glob);
        return false;
    }
    if (strpbrk(last, "?[\\") != NULL || strstr(last, "**") != NULL)
        (void)snprintf(add, sizeof(add), "%.*s/*", (int)(last - glob), glob);
    else
        (void)snprintf(add, sizeof(add), "%s", glob);
    refuse(config, scope, HF_CONFIG_FILES, glob, add, err);
    return false;
}

bool hf_config_allows_file(const struct hf_config *config, enum hf_config_scope scope, const char *path)
{
    return allowed(or_defaults(config), scope, HF_CONFIG_FILES, hf_config_pattern_covers_path, path);
}

static bool is_below(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    return hf_config_path_is_normal(path) && strncmp(path, folder, n) == 0 && path[n] == '/';
}

static bool is_equal(const char *word, const char *what)
{
    return strcmp(word, what) == 0;
}

bool hf_config_allows_secret(const struct hf_config *config, enum hf_config_scope scope, const char *text,
                             struct hf_err *err)
{
    struct hf_secret_ref ref;

    config = or_defaults(config);
    if (hf_secret_ref_parse(text, &ref) < 0) {
        (void)hf_err_set(err, EINVAL, "expected file:/path or env:NAME");
        return false;
    }
    if (ref.kind == HF_SECRET_ENV) {
        if (allowed(config, scope, HF_CONFIG_VARIABLES, is_equal, ref.name))
            return true;
        refuse(config, scope, HF_CONFIG_VARIABLES, text, ref.name, err);
        return false;
    }
    if (allowed(config, scope, HF_CONFIG_FOLDERS, is_below, ref.name))
        return true;
    if (!hf_config_path_is_normal(ref.name)) {
        (void)hf_err_set(err, EINVAL, "'%.64s' is not an absolute path without . and .. and //", ref.name);
        return false;
    }
    const char *last = strrchr(ref.name, '/');
    char folder[128];
    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(last - ref.name), ref.name);
    if (last == ref.name)
        (void)hf_err_set(err, EACCES,
                         "'%.64s' is not allowed: move the file into a folder of %s.credentialFolders in "
                         "%.64s",
                         text, scope == HF_CONFIG_SIGNED ? "signedPolicies" : "telemetry", hf_config_name(config));
    else
        refuse(config, scope, HF_CONFIG_FOLDERS, text, folder, err);
    return false;
}

static bool covers_origin(const char *pattern, const char *origin)
{
    return hf_config_pattern_covers_origin(pattern, origin, false);
}

static bool covers_own_origin(const char *pattern, const char *origin)
{
    return hf_config_pattern_covers_origin(pattern, origin, true);
}

static bool allows_origin(const struct hf_config *config, enum hf_config_scope scope, enum hf_config_list list,
                          const char *url, const char *const *schemes, bool own, struct hf_err *err)
{
    char origin[HF_CONFIG_ORIGIN];

    config = or_defaults(config);
    if (!hf_config_origin_of(url, schemes, origin)) {
        (void)hf_err_set(err, EINVAL, "expected a URL %s://host:port or %s://host:port without a user", schemes[0],
                         schemes[1]);
        return false;
    }
    if (allowed(config, scope, list, own ? covers_own_origin : covers_origin, origin))
        return true;
    refuse(config, scope, list, origin, origin, err);
    return false;
}

bool hf_config_allows_sink(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                           struct hf_err *err)
{
    return allows_origin(config, scope, HF_CONFIG_SINKS, url, http_schemes, false, err);
}

bool hf_config_allows_broker(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             struct hf_err *err)
{
    return allows_origin(config, scope, HF_CONFIG_BROKERS, url, mqtt_schemes, false, err);
}

bool hf_config_allows_scrape(const struct hf_config *config, enum hf_config_scope scope, const char *url,
                             bool own_address, struct hf_err *err)
{
    return allows_origin(config, scope, HF_CONFIG_SCRAPES, url, http_schemes, own_address, err);
}

bool hf_config_allows_socket(const struct hf_config *config, enum hf_config_scope scope, const char *path,
                             struct hf_err *err)
{
    config = or_defaults(config);
    if (allowed(config, scope, HF_CONFIG_SOCKETS, hf_config_pattern_covers_path, path))
        return true;
    refuse(config, scope, HF_CONFIG_SOCKETS, path, path, err);
    return false;
}

bool hf_config_allows_exec(const struct hf_config *config, const char *program, struct hf_err *err)
{
    config = or_defaults(config);
    if (config->exec == NULL || hf_config_in_list(config->exec, hf_config_pattern_covers_path, program))
        return true;
    hf_config_refuse_with(config, "", "exec", program, program, err);
    return false;
}

bool hf_config_is_service(const char *pattern, const char *unit)
{
    return fnmatch(pattern, unit, 0) == 0;
}

bool hf_config_allows_unit(const struct hf_config *config, const char *unit, struct hf_err *err)
{
    config = or_defaults(config);
    if (config->units == NULL || hf_config_in_list(config->units, hf_config_is_service, unit))
        return true;
    hf_config_refuse_with(config, "", "units", unit, unit, err);
    return false;
}

bool hf_config_names_unit(const struct hf_config *config, const char *unit)
{
    config = or_defaults(config);
    return config->units != NULL && hf_config_in_list(config->units, is_equal, unit);
}

const char *const *hf_config_update_roots(const struct hf_config *config)
{
    return or_defaults(config)->roots;
}

uint64_t hf_config_max_spool_bytes(const struct hf_config *config, enum hf_config_scope scope)
{
    config = or_defaults(config);
    const uint64_t *max = config->max_spool_bytes;
    return scope == HF_CONFIG_SIGNED ? HF_MAX(max[HF_CONFIG_UNSIGNED], max[HF_CONFIG_SIGNED]) : max[HF_CONFIG_UNSIGNED];
}

uint64_t hf_config_disk_reserve_bytes(const struct hf_config *config, uint64_t disk_bytes)
{
    config = or_defaults(config);
    if (config->reserve_basis_points == UINT64_MAX)
        return config->reserve_bytes;
    /* divides first, because disk_bytes may be near 2^64 */
    uint64_t share =
        disk_bytes / 10000 * config->reserve_basis_points + disk_bytes % 10000 * config->reserve_basis_points / 10000;
    return HF_MIN(share, config->reserve_bytes);
}

bool hf_config_requires_signed_policy(const struct hf_config *config)
{
    return or_defaults(config)->requires_signed_policy;
}
