/* SPDX-License-Identifier: Apache-2.0 */
/* `artifacts` (credentials and TLS of origins) and `mirrors` of agent.yaml.
 *
 * Secrets are in files, never values. A URL with a user matches nothing; a URL with components "." or ".." matches
 * no mirror, and no artifact with a path. Pure. Borrows from the configuration. */
#pragma once

#include "config/config.h"
#include "config/pattern.h"

enum {
    HF_CONFIG_MAX_ARTIFACTS = 32,
    HF_CONFIG_MAX_MIRROR_URLS = 8,
};

/* NULL: not given. At most one of token_file, node_token, user and header is given. */
struct hf_config_artifact {
    size_t index;
    const char *url;
    char origin[HF_CONFIG_ORIGIN];
    const char *path; /* "" or "/": all */
    const char *token_file;
    const char *user, *password_file;
    const char *header, *value_file;
    const char *cert_file, *key_file, *ca_file;
    bool node_certificate; /* use the node's own certificate (trust/identity.h) */
    bool node_token;
    bool plain_http; /* the credential may go over plain http */
};

size_t hf_config_n_artifacts(const struct hf_config *config);
const struct hf_config_artifact *hf_config_artifact(const struct hf_config *config, size_t i);

/* Returns the item for the origin of `url` with the longest path that covers `url`, or NULL. */
const struct hf_config_artifact *hf_config_artifact_for(const struct hf_config *config, const char *url);

/* Returns the credential's file, or NULL, and its field, such as "tokenFile". */
const char *hf_config_artifact_file(const struct hf_config_artifact *item, const char **ret_field);

/* Files below `prefix` are also below each of `to`. */
struct hf_config_mirror {
    const char *prefix;
    const char *to[HF_CONFIG_MAX_MIRROR_URLS + 1];
};

size_t hf_config_n_mirrors(const struct hf_config *config);
const struct hf_config_mirror *hf_config_mirror(const struct hf_config *config, size_t i);

/* Returns the mirror with the longest prefix of `url`, or NULL. *ret_rest: the part of `url` after the prefix, without
 * slash. */
const struct hf_config_mirror *hf_config_mirror_for(const struct hf_config *config, const char *url,
                                                    const char **ret_rest);
