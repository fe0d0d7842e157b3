/* config/settings.h - the content of struct hf_config; only the files of this folder include this header. Threads:
 * any. */
#pragma once

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

struct hf_config {
    char *name; /* path of the file */
    /* lists[HF_CONFIG_UNSIGNED] holds what `telemetry` allows, and lists[HF_CONFIG_SIGNED] what `signedPolicies` allows
     * in addition. NULL ends each list; a NULL pointer instead of a list stands for an empty list. */
    const char *const *lists[HF_CONFIG_SCOPES][HF_CONFIG_LISTS];
    uint64_t max_spool_bytes[HF_CONFIG_SCOPES];
    const char *const *exec;  /* NULL allows every program */
    const char *const *units; /* NULL allows every service */
    const char *const *roots;
    /* The reserve is the smaller of two sizes: a share of the disk, and a number of bytes. If one field is UINT64_MAX,
     * only the other field counts. */
    uint64_t reserve_basis_points, reserve_bytes;
    bool requires_signed_policy;
    bool is_unusable; /* stands for a file that cannot be used at all */
    char *faults[HF_CONFIG_MAX_FAULTS];
    size_t n_faults;
    json_t *tree; /* owns the texts of the lists; NULL if they are constants */
    const char **owned[HF_CONFIG_SCOPES * HF_CONFIG_LISTS + 3]; /* the lists to free */
    size_t n_owned;
};

/* The defaults; constant. */
extern const struct hf_config hf_config_defaults;

/* For each list, the name of its field in `telemetry` and `signedPolicies`, such as "credentialFolders". */
extern const char *const hf_config_list_names[HF_CONFIG_LISTS];

/* Makes the configuration that stands for a file that cannot be used. It has the defaults, except that SyncPolicies
 * must be signed, and lists `fault` as its one fault. -ENOMEM. */
HF_MUST_USE int hf_config_refuse(const char *name, const char *fault, struct hf_config **ret_config,
                                 struct hf_err *err);

/* Makes the configuration that stands for a file that does not exist. It has the defaults. -ENOMEM. */
HF_MUST_USE int hf_config_absent(const char *name, struct hf_config **ret_config, struct hf_err *err);
