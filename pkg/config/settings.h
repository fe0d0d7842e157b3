/* SPDX-License-Identifier: Apache-2.0 */
/* config/settings.h - the content of struct hf_config. Only the files of this folder include this header. Threads:
 * any. */
#pragma once

#include "api/field/decode.h"
#include "config/artifacts.h"
#include "config/config.h"

/* The lists that bound a SyncPolicy. */
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

/* The lists that bound an entry of spec.manifests. */
enum hf_config_manifest_list {
    HF_CONFIG_MANIFEST_FILES,
    HF_CONFIG_MANIFEST_SECRETS,
    HF_CONFIG_MANIFEST_PATHS,
    HF_CONFIG_MANIFEST_UNITS,
    HF_CONFIG_MANIFEST_EXEC,
    HF_CONFIG_MANIFEST_ORIGINS,
    HF_CONFIG_MANIFEST_LISTS,
};

/* The permissions of entries of spec.manifests. NULL ends each list; a NULL pointer instead of a list stands for an
 * empty list. */
struct hf_config_manifests {
    bool static_pods, cluster;
    const char *const *lists[HF_CONFIG_MANIFEST_LISTS];
};

struct hf_config {
    char *name; /* path of the file */
    /* lists[HF_CONFIG_UNSIGNED] holds what `telemetry` allows, and lists[HF_CONFIG_SIGNED] what `signedPolicies` allows
     * in addition. NULL ends each list; a NULL pointer instead of a list stands for an empty list. */
    const char *const *lists[HF_CONFIG_SCOPES][HF_CONFIG_LISTS];
    uint64_t max_spool_bytes[HF_CONFIG_SCOPES];
    const char *const *exec;  /* programs that a release may run; NULL allows every program */
    const char *const *units; /* units that a release may restart; NULL allows every service */
    const char *const *roots;
    /* The disk reserve is the smaller of two sizes: a share of the disk in basis points, and a number of bytes. If one
     * field is UINT64_MAX, only the other field counts. */
    uint64_t reserve_basis_points, reserve_bytes;
    /* manifests[HF_CONFIG_UNSIGNED] holds what `manifests` allows, and manifests[HF_CONFIG_SIGNED] what
     * `signedPolicies.manifests` allows in addition. */
    struct hf_config_manifests manifests[HF_CONFIG_SCOPES];
    struct hf_config_artifact *artifacts; /* owned */
    size_t n_artifacts;
    struct hf_config_mirror *mirrors; /* owned */
    size_t n_mirrors;
    const char *static_pod_folder; /* NULL if the file names none */
    bool refuses_clock_resync;
    bool refuses_sealed_secrets;
    bool counts_floors;
    const char *tcti;  /* NULL if the file names none */
    uint32_t tpm_pcrs; /* bit N stands for PCR N */
    bool requires_signed_policy, requires_signed_manifests;
    bool is_unusable; /* true if this configuration stands for an unusable file (hf_config_is_usable()) */
    char *faults[HF_CONFIG_MAX_FAULTS];
    size_t n_faults;
    json_t *tree; /* owns the texts of the lists; NULL if the texts are constants */
    /* the lists that hf_config_free() must free */
    const char **owned[HF_CONFIG_SCOPES * (HF_CONFIG_LISTS + HF_CONFIG_MANIFEST_LISTS) + 3];
    size_t n_owned;
};

/* Decode the lists `artifacts` and `mirrors` into the configuration; see config/artifacts.h. */
void hf_config_decode_artifacts(struct hf_decode *decode, struct hf_config *config, json_t *value);
void hf_config_decode_mirrors(struct hf_decode *decode, struct hf_config *config, json_t *value);

/* The defaults; constant. */
extern const struct hf_config hf_config_defaults;

/* For each list, the name of its field in `telemetry` and `signedPolicies`, such as "credentialFolders". */
extern const char *const hf_config_list_names[HF_CONFIG_LISTS];

/* For each list, the name of its field in `manifests` and `signedPolicies.manifests`, such as "secrets". */
extern const char *const hf_config_manifest_list_names[HF_CONFIG_MANIFEST_LISTS];

/* hf_config_in_list() returns true if `covers` returns true for `what` and a pattern of the list. A NULL list is
 * empty. */
typedef bool hf_config_covers_fn(const char *pattern, const char *what);
bool hf_config_in_list(const char *const *list, hf_config_covers_fn *covers, const char *what);
/* Returns true if the name `unit` matches `pattern`, a shell pattern from a list of units (fnmatch(3)). */
bool hf_config_is_service(const char *pattern, const char *unit);

/* Sets *err (may be NULL) to a refusal of `what`. The text names `add`, the line that would allow `what`, and the list
 * of the file in which this line must be. The name of this list is `part` followed by `list`. */
void hf_config_refuse_with(const struct hf_config *config, const char *part, const char *list, const char *what,
                           const char *add, struct hf_err *err);

/* Makes the configuration that stands for an unusable file. This configuration has the defaults, except that
 * SyncPolicies and entries of spec.manifests must be signed, and that no sealed copy of a Secret may be on the disk. It
 * has the one fault `fault`. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_config_refuse(const char *name, const char *fault, struct hf_config **ret_config,
                                 struct hf_err *err);

/* Makes the configuration that stands for a missing file, with the defaults. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_config_absent(const char *name, struct hf_config **ret_config, struct hf_err *err);
