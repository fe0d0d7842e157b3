/* SPDX-License-Identifier: Apache-2.0 */
/* `artifacts` (credentials and TLS per origin) and `mirrors` of agent.yaml, for downloads.
 *
 * A credential is a reference to a file, never a value. A URL with a user matches nothing, one with the components "."
 * or ".." no item with a path. Pure. All borrows from the configuration. */
#pragma once

#include "config/config.h"
#include "config/pattern.h"

enum {
    HF_CONFIG_MAX_ARTIFACTS = 32,  /* in each list */
    HF_CONFIG_MAX_MIRROR_URLS = 8, /* for one prefix */
};

/* Fields that the file does not give are NULL. At most one of token_file, node_token, user and header is given. */
struct hf_config_artifact {
    size_t index;                  /* position in the file */
    const char *url;               /* origin, perhaps with a path */
    char origin[HF_CONFIG_ORIGIN]; /* hf_config_origin_of() */
    const char *path;              /* "" or "/": all */
    const char *token_file;
    const char *user, *password_file;
    const char *header, *value_file;
    const char *cert_file, *key_file, *ca_file;
    bool node_certificate; /* the node's own certificate and key (trust/identity.h); then no cert_file */
    bool node_token;       /* a token of the node; then none of token_file, user and header */
    bool plain_http;       /* its credential may go over http:// */
};

size_t hf_config_n_artifacts(const struct hf_config *config);
const struct hf_config_artifact *hf_config_artifact(const struct hf_config *config, size_t i);

/* The item for the origin of `url` with the longest path that covers it, or NULL. */
const struct hf_config_artifact *hf_config_artifact_for(const struct hf_config *config, const char *url);

/* The file with the credential, or NULL. *ret_field names the field of the credential, such as "tokenFile". */
const char *hf_config_artifact_file(const struct hf_config_artifact *item, const char **ret_field);

/* A URL with `prefix` is also at each of `to`, in order. */
struct hf_config_mirror {
    const char *prefix;
    const char *to[HF_CONFIG_MAX_MIRROR_URLS + 1];
};

size_t hf_config_n_mirrors(const struct hf_config *config);
const struct hf_config_mirror *hf_config_mirror(const struct hf_config *config, size_t i);

/* The longest prefix, or NULL. *ret_rest is the rest of `url`, without a slash. */
const struct hf_config_mirror *hf_config_mirror_for(const struct hf_config *config, const char *url,
                                                    const char **ret_rest);
