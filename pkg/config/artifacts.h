/* SPDX-License-Identifier: Apache-2.0 */
/* config/artifacts.h - how downloads of artifacts and of archives of manifests reach their servers: the lists
 * `artifacts` (credentials and TLS per origin) and `mirrors` of agent.yaml.
 *
 * A credential is a reference to a file, never a value. An origin that the list does not name gets no credential. A URL
 * with a user in it matches nothing, and one with the components "." or ".." matches no item with a path. Pure.
 * Threads: any. Memory: everything borrows from the configuration, unless a comment says otherwise. */
#pragma once

#include "config/config.h"
#include "config/pattern.h"

enum {
    HF_CONFIG_MAX_ARTIFACTS = 32,  /* maximum number of items of `artifacts`, and of `mirrors` */
    HF_CONFIG_MAX_MIRROR_URLS = 8, /* maximum number of mirrors of one prefix */
};

/* One item of `artifacts`. A file or text that the item does not have is NULL. At most one of token_file, user and
 * header is not NULL. */
struct hf_config_artifact {
    size_t index;                  /* position in the list of the file */
    const char *url;               /* the origin, perhaps with a path */
    char origin[HF_CONFIG_ORIGIN]; /* from hf_config_origin_of() */
    const char *path;              /* path in `url`; "" or "/" stands for the whole origin */
    const char *token_file;
    const char *user, *password_file;
    const char *header, *value_file;
    const char *cert_file, *key_file, *ca_file;
    bool plain_http; /* the credential may go over http:// */
};

size_t hf_config_n_artifacts(const struct hf_config *config);
const struct hf_config_artifact *hf_config_artifact(const struct hf_config *config, size_t i);

/* Returns the item whose credential a request to `url` gets: of the items for its origin the one with the longest path
 * that covers the URL. NULL: none. */
const struct hf_config_artifact *hf_config_artifact_for(const struct hf_config *config, const char *url);

/* Returns the path of the file with the item's credential, and the name of its field, such as "tokenFile". Returns NULL
 * if the item has no credential. */
const char *hf_config_artifact_file(const struct hf_config_artifact *item, const char **ret_field);

/* One item of `mirrors`: a URL that begins with `prefix` is also at each of `to`, in this order. */
struct hf_config_mirror {
    const char *prefix;
    const char *to[HF_CONFIG_MAX_MIRROR_URLS + 1]; /* NULL ends the list */
};

size_t hf_config_n_mirrors(const struct hf_config *config);
const struct hf_config_mirror *hf_config_mirror(const struct hf_config *config, size_t i);

/* Returns the item with the longest prefix that covers `url`, and in *ret_rest what follows the prefix, without a slash
 * at its beginning. NULL: none. */
const struct hf_config_mirror *hf_config_mirror_for(const struct hf_config *config, const char *url,
                                                    const char **ret_rest);
