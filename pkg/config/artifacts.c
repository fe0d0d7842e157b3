/* SPDX-License-Identifier: Apache-2.0 */
#include "config/artifacts.h"

#include <string.h>

#include "config/settings.h"

static const char *const schemes[] = {"http", "https", NULL};

/* Returns the path of a URL with an origin, from its first slash on, or "". */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://") + 3;

    return host + strcspn(host, "/?#");
}

/* Returns true if a server may read the path as another one: as it would without "." and "..". */
static bool has_dots(const char *path)
{
    for (const char *at = path; *at == '/'; at += 1 + strcspn(at + 1, "/?#")) {
        size_t n = 0;
        const char *name = at + 1;
        while (*name == '.' || strncasecmp(name, "%2e", 3) == 0) {
            name += *name == '.' ? 1 : 3;
            n++;
        }
        if ((n == 1 || n == 2) && strchr("/?#", *name) != NULL)
            return true;
    }
    return false;
}

/* Returns the rest of `path` behind `prefix`, or NULL if the prefix does not cover it. */
static const char *behind(const char *prefix, const char *path)
{
    size_t n = strlen(prefix);

    while (n > 0 && prefix[n - 1] == '/')
        n--;
    if (n > 0 && has_dots(path))
        return NULL;
    if (strncmp(path, prefix, n) != 0 || strchr("/?#", path[n]) == NULL)
        return NULL;
    return path + n + (path[n] == '/' ? 1 : 0);
}

size_t hf_config_n_artifacts(const struct hf_config *config)
{
    return config != NULL ? config->n_artifacts : 0;
}

const struct hf_config_artifact *hf_config_artifact(const struct hf_config *config, size_t i)
{
    return &config->artifacts[i];
}

const struct hf_config_artifact *hf_config_artifact_for(const struct hf_config *config, const char *url)
{
    const struct hf_config_artifact *best = NULL;
    char origin[HF_CONFIG_ORIGIN];

    if (!hf_config_origin_of(url, schemes, origin))
        return NULL;
    for (size_t i = 0; i < hf_config_n_artifacts(config); i++) {
        const struct hf_config_artifact *item = &config->artifacts[i];
        if (strcmp(item->origin, origin) == 0 && behind(item->path, path_of(url)) != NULL &&
            (best == NULL || strlen(item->path) > strlen(best->path)))
            best = item;
    }
    return best;
}

const char *hf_config_artifact_file(const struct hf_config_artifact *item, const char **ret_field)
{
    *ret_field = item->node_token           ? "tokenFrom"
                 : item->token_file != NULL ? "tokenFile"
                 : item->user != NULL       ? "passwordFile"
                                            : "valueFile";
    return item->token_file != NULL ? item->token_file : item->user != NULL ? item->password_file : item->value_file;
}

struct hf_config_image_credentials hf_config_image_credentials(const struct hf_config *config)
{
    return config != NULL ? config->image_credentials : (struct hf_config_image_credentials){NULL, NULL};
}

size_t hf_config_n_mirrors(const struct hf_config *config)
{
    return config != NULL ? config->n_mirrors : 0;
}

const struct hf_config_mirror *hf_config_mirror(const struct hf_config *config, size_t i)
{
    return &config->mirrors[i];
}

const struct hf_config_mirror *hf_config_mirror_for(const struct hf_config *config, const char *url,
                                                    const char **ret_rest)
{
    const struct hf_config_mirror *best = NULL;
    char origin[HF_CONFIG_ORIGIN], own[HF_CONFIG_ORIGIN];

    if (!hf_config_origin_of(url, schemes, origin) || has_dots(path_of(url)))
        return NULL;
    for (size_t i = 0; i < hf_config_n_mirrors(config); i++) {
        const struct hf_config_mirror *item = &config->mirrors[i];
        const char *rest = hf_config_origin_of(item->prefix, schemes, own) && strcmp(own, origin) == 0
                               ? behind(path_of(item->prefix), path_of(url))
                               : NULL;
        if (rest == NULL || (best != NULL && strlen(path_of(item->prefix)) <= strlen(path_of(best->prefix))))
            continue;
        best = item;
        *ret_rest = rest;
    }
    return best;
}
