/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of spec.manifests: a source of files, and where to apply them. An entry belongs to its SyncPolicy, into whose
 * JSON tree texts point. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "api/edgeupdate.h"
#include "api/field/field.h"
#include "api/signature.h"

enum {
    HF_MAX_MANIFESTS = 64,
    HF_MAX_MANIFEST_DEPENDENCIES = 16,
    HF_MAX_MANIFEST_VALUES = 64,
    HF_MAX_MANIFEST_VALUE_BYTES = 4096,
    HF_MAX_MANIFEST_MODE = 0777, /* no setuid, setgid or sticky bit */
};

/* Members of struct hf_manifest_from that each kind uses: */
enum hf_manifest_from_kind {
    HF_MANIFEST_FROM_CONFIG_MAP, /* namespace_, name */
    HF_MANIFEST_FROM_SECRET,     /* namespace_, name */
    HF_MANIFEST_FROM_URL,        /* url, digest, sub_path */
    HF_MANIFEST_FROM_FLUX,       /* flux_kind, namespace_, name, sub_path */
    HF_MANIFEST_FROM_PATH,
    HF_MANIFEST_FROM_COUNT,
};

enum hf_manifest_flux_kind {
    HF_MANIFEST_FLUX_GIT,
    HF_MANIFEST_FLUX_OCI,
    HF_MANIFEST_FLUX_BUCKET,
    HF_MANIFEST_FLUX_EXTERNAL,
    HF_MANIFEST_FLUX_COUNT
};
extern const char *const hf_manifest_flux_kinds[HF_MANIFEST_FLUX_COUNT + 1];

struct hf_manifest_from {
    enum hf_manifest_from_kind kind;
    enum hf_manifest_flux_kind flux_kind;
    const char *namespace_;
    const char *name;
    const char *url;    /* of a .tar.gz: http(s), or oci:// for a registry's blob */
    const char *digest; /* SHA-256 of the archive, hex */
    const char *path;
    const char *sub_path; /* relative and normal; or NULL */
};

#define HF_MANIFEST_TARGET_WORDS(X)                                                                                    \
    X(STATIC_PODS, "StaticPods")                                                                                       \
    X(FILES, "Files")                                                                                                  \
    X(CLUSTER, "Cluster")
#define HF_MANIFEST_TARGET(name_, word_) HF_MANIFEST_TO_##name_,

enum hf_manifest_target { HF_MANIFEST_TARGET_WORDS(HF_MANIFEST_TARGET) HF_MANIFEST_TARGETS };
extern const char *const hf_manifest_target_names[HF_MANIFEST_TARGETS + 1];

enum hf_manifest_when_alone { HF_MANIFEST_ALONE_NONE, HF_MANIFEST_ALONE_START, HF_MANIFEST_ALONES };
extern const char *const hf_manifest_when_alone_names[HF_MANIFEST_ALONES + 1];

struct hf_manifest {
    const char *name; /* DNS-1123 label, unique */
    struct hf_manifest_from from;
    const char *content_digest; /* hex; NULL: the content is not pinned */
    enum hf_manifest_target to;
    const char *path; /* Files: absolute, may end in '/'; else NULL */
    unsigned mode;    /* for Files, if has_mode */
    bool has_mode;
    uid_t uid; /* for Files, if has_owner */
    gid_t gid;
    bool has_owner;
    /* for Files: command that must accept new files before they replace old ones; "{}" is the path of file or folder */
    const char *validate_command[HF_MAX_ARGV + 1];
    uint64_t validate_timeout_ns;
    const char *restart_unit; /* for Files: restart it after a change; or NULL */
    const char *reload_unit;  /* for Files: reload it after a change; or NULL */
    struct hf_check *checks;
    size_t n_checks;
    /* how long pods or objects may take to be ready, and then health checks to pass */
    uint64_t health_deadline_ns;
    bool prune;                             /* remove items that the source no longer has */
    bool force;                             /* replace what holdfast did not write */
    enum hf_manifest_when_alone when_alone; /* StaticPods: run them without a kubelet (pkg/alone) */
    /* entries that must be applied before this one */
    const char *depends_on[HF_MAX_MANIFEST_DEPENDENCIES + 1];
    json_t *substitute; /* object of strings, borrowed, or NULL */
    uint64_t sequence;
    struct hf_signature *signatures;
    size_t n_signatures;
    json_t *json; /* the entry's JSON, which signatures cover without `signatures`; borrowed */
};

extern const struct hf_field hf_manifest_fields[];

void hf_manifest_finish(struct hf_decode *decode, void *object, json_t *json);

/* Reports names that occur twice, and dependencies that do not exist or form a circle. */
void hf_manifest_finish_all(struct hf_decode *decode, const struct hf_manifest *manifests, size_t n);

void hf_manifest_done(struct hf_manifest *manifest);

/* Returns fileMode if given; 0400 for a Secret; 0644 or, if executable, 0755 for Flux; else `source_mode` without
 * special bits, or 0644 if that is 0. */
unsigned hf_manifest_file_mode(const struct hf_manifest *manifest, unsigned source_mode);

/* Whether the entry pins its content, by contentDigest or from.digest. */
bool hf_manifest_is_pinned(const struct hf_manifest *manifest);

/* Returns why every node refuses a valid entry (Unsupported), or NULL. */
const char *hf_manifest_unsupported(const struct hf_manifest *manifest);

/* Writes "configMap site/pods", "path /media/usb/site"; cut to n, without a URL's query. */
void hf_manifest_describe_source(const struct hf_manifest *manifest, char *text, size_t n);
