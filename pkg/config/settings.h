/* SPDX-License-Identifier: Apache-2.0 */
/* What struct hf_config holds, for this folder alone. Lists end with NULL; a NULL list is empty, but a NULL `exec` or
 * `units` allows all. */
#pragma once

#include "api/field/decode.h"
#include "config/artifacts.h"
#include "config/config.h"

enum hf_config_list {
    HF_CONFIG_FILES,
    HF_CONFIG_FOLDERS,
    HF_CONFIG_VARIABLES,
    HF_CONFIG_SINKS,
    HF_CONFIG_BROKERS,
    HF_CONFIG_SCRAPES,
    HF_CONFIG_SOCKETS,
    HF_CONFIG_LISTS,
};

enum hf_config_manifest_list {
    HF_CONFIG_MANIFEST_FILES,
    HF_CONFIG_MANIFEST_SECRETS,
    HF_CONFIG_MANIFEST_PATHS,
    HF_CONFIG_MANIFEST_UNITS,
    HF_CONFIG_MANIFEST_EXEC,
    HF_CONFIG_MANIFEST_ORIGINS,
    HF_CONFIG_MANIFEST_LISTS,
};

struct hf_config_manifests {
    bool static_pods, cluster;
    const char *const *lists[HF_CONFIG_MANIFEST_LISTS];
};

struct hf_config {
    char *name;
    /* lists of `telemetry`, and what `signedPolicies` adds */
    const char *const *lists[HF_CONFIG_SCOPES][HF_CONFIG_LISTS];
    uint64_t max_spool_bytes[HF_CONFIG_SCOPES];
    const char *const *exec;
    const char *const *units;
    const char *const *roots;
    uint64_t reserve_basis_points, reserve_bytes; /* the smaller one counts; UINT64_MAX: not given */
    /* of `manifests`, and what `signedPolicies.manifests` adds */
    struct hf_config_manifests manifests[HF_CONFIG_SCOPES];
    struct hf_config_artifact *artifacts;
    size_t n_artifacts;
    struct hf_config_mirror *mirrors;
    size_t n_mirrors;
    struct hf_config_image_credentials image_credentials;
    const char *static_pod_folder;
    enum hf_config_page page;
    bool refuses_clock_resync;
    bool refuses_sealed_secrets;
    bool counts_floors;
    struct hf_config_share share; /* a number that is 0: default */
    bool share_is_wrong;          /* a field is wrong: no sharing */
    const char *tcti;
    uint32_t tpm_pcrs;
    bool requires_signed_policy, requires_signed_manifests;
    bool is_unusable;
    char *faults[HF_CONFIG_MAX_FAULTS];
    size_t n_faults;
    json_t *tree; /* owns the texts in lists, except defaults */
    const char **owned[HF_CONFIG_SCOPES * (HF_CONFIG_LISTS + HF_CONFIG_MANIFEST_LISTS) + 3];
    size_t n_owned;
};

void hf_config_decode_artifacts(struct hf_decode *decode, struct hf_config *config, json_t *value);
void hf_config_decode_mirrors(struct hf_decode *decode, struct hf_config *config, json_t *value);
void hf_config_decode_image_credentials(struct hf_decode *decode, struct hf_config *config, json_t *value);

extern const struct hf_config hf_config_defaults;

extern const char *const hf_config_list_names[HF_CONFIG_LISTS];

extern const char *const hf_config_manifest_list_names[HF_CONFIG_MANIFEST_LISTS];

typedef bool hf_config_covers_fn(const char *pattern, const char *what);
bool hf_config_in_list(const char *const *list, hf_config_covers_fn *covers, const char *what);
bool hf_config_is_service(const char *pattern, const char *unit);

/* Advises in *err to add `add` to the list `part`.`list`. */
void hf_config_refuse_with(const struct hf_config *config, const char *part, const char *list, const char *what,
                           const char *add, struct hf_err *err);

/* Makes the configuration of an unusable file: restricted defaults (hf_config_parse()) and one fault. */
HF_MUST_USE int hf_config_refuse(const char *name, const char *fault, struct hf_config **ret_config,
                                 struct hf_err *err);

/* Makes the defaults, for a missing file. */
HF_MUST_USE int hf_config_absent(const char *name, struct hf_config **ret_config, struct hf_err *err);
