/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the kubelet's CredentialProviderConfig (kubelet.config.k8s.io); formats requests to its plugins, and parses
 * their responses (credentialprovider.kubelet.k8s.io). An image is "registry.example:5000/team/app", without tag and
 * digest. Pure; untrusted input. No error text quotes a response. */
#pragma once

#include "codec/json.h"

enum { HF_PROVIDERS = 16, HF_PROVIDER_LOGINS = 32, HF_PROVIDER_ANSWER = 64 << 10 };

struct hf_provider {
    const char *name;
    const char *api;
    const json_t *images;
    const char **args; /* arguments behind the program; ends with NULL, as `env` does */
    char **env;        /* "NAME=value" */
    uint64_t keep_ns;
};

struct hf_providers {
    json_t *tree;
    struct hf_provider items[HF_PROVIDERS];
    size_t n;
};

/* -EBADMSG: another kind of file, or an entry that the kubelet would refuse, or one that needs a pod's token. */
HF_MUST_USE int hf_providers_parse(struct hf_view text, struct hf_providers **ret_providers, struct hf_err *err);
void hf_providers_free(struct hf_providers *providers);
HF_DEFINE_CLEANUP(struct hf_providers, hf_providers_free)

/* Whether a pattern matches, as the kubelet compares: hosts have equally many labels, in which `*` is any text; ports
 * are equal; the image's path begins with the pattern's. */
bool hf_providers_match(const char *pattern, const char *image);
bool hf_providers_cover(const struct hf_provider *provider, const char *image);
HF_MUST_USE int hf_providers_ask(const struct hf_provider *provider, const char *image, struct hf_buf *out);

enum hf_provider_scope { HF_PROVIDER_IMAGE, HF_PROVIDER_REGISTRY, HF_PROVIDER_GLOBAL };

struct hf_provider_answer {
    enum hf_provider_scope scope; /* what the answer may be reused for */
    uint64_t keep_ns;             /* how long to keep it; 0: not at all */
    struct {
        char *pattern, *line; /* `line`: "Authorization: Basic ..." */
    } logins[HF_PROVIDER_LOGINS];
    size_t n;
};

/* Reads a CredentialProviderResponse. -EBADMSG: invalid. Call hf_provider_answer_done() also after errors. */
HF_MUST_USE int hf_providers_take(const struct hf_provider *provider, struct hf_view text,
                                  struct hf_provider_answer *ret, struct hf_err *err);
void hf_provider_answer_done(struct hf_provider_answer *answer);
/* Returns the line for this image, or NULL. As in the kubelet, the first match in descending order counts. */
const char *hf_provider_answer_for(const struct hf_provider_answer *answer, const char *image);
