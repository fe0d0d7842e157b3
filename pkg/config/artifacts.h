/* SPDX-License-Identifier: Apache-2.0 */
/* `artifacts` (credentials and TLS per origin) and `mirrors` of agent.yaml.
 *
 * Credentials are in files, never values. A URL with a user matches nothing; a URL with components "." or ".." matches
 * no item with a path. Pure. Borrows from the configuration. */
#pragma once

#include "config/config.h"
#include "config/pattern.h"

enum {
    HF_CONFIG_MAX_ARTIFACTS = 32,  /* a list's */
    HF_CONFIG_MAX_MIRROR_URLS = 8, /* a prefix's */
};

/* NULL: not given. At most one of token_file, node_token, user and header is. */
struct hf_config_artifact {
    size_t index;                  /* in the file */
    const char *url;               /* origin, maybe with a path */
    char origin[HF_CONFIG_ORIGIN]; /* hf_config_origin_of() */
    const char *path;              /* "" or "/": all */
    const char *token_file;
    const char *user, *password_file;
    const char *header, *value_file;
    const char *cert_file, *key_file, *ca_file;
    bool node_certificate; /* of the node (trust/identity.h); then no cert_file */
    bool node_token;       /* of the node; then none of token_file, user and header */
    bool plain_http;       /* allowed for its credential */
};

size_t hf_config_n_artifacts(const struct hf_config *config);
const struct hf_config_artifact *hf_config_artifact(const struct hf_config *config, size_t i);

/* The item for the origin of `url` with the longest path that covers it, or NULL. */
const struct hf_config_artifact *hf_config_artifact_for(const struct hf_config *config, const char *url);

/* The credential's file, or NULL. *ret_field: "tokenFile". */
const char *hf_config_artifact_file(const struct hf_config_artifact *item, const char **ret_field);

/* `prefix` is also at each of `to`, in order. */
struct hf_config_mirror {
    const char *prefix;
    const char *to[HF_CONFIG_MAX_MIRROR_URLS + 1];
};

size_t hf_config_n_mirrors(const struct hf_config *config);
const struct hf_config_mirror *hf_config_mirror(const struct hf_config *config, size_t i);

/* The mirror with the longest prefix, or NULL. *ret_rest: behind it, without slash. */
const struct hf_config_mirror *hf_config_mirror_for(const struct hf_config *config, const char *url,
                                                    const char **ret_rest);
