/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of spec.manifests: a source of files, and where to apply them. Belongs to its SyncPolicy, into whose JSON
 * tree texts point. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "api/edgeupdate.h"
#include "api/field/field.h"
#include "api/signature.h"

enum {
    HF_MAX_MANIFESTS = 64,
    HF_MAX_MANIFEST_DEPENDENCIES = 16, /* in `dependsOn` */
    HF_MAX_MANIFEST_VALUES = 64,       /* in `substitute` */
    HF_MAX_MANIFEST_VALUE_BYTES = 4096,
    HF_MAX_MANIFEST_MODE = 0777, /* not setuid, setgid, sticky */
};

/* Each kind uses these members of struct hf_manifest_from: */
enum hf_manifest_from_kind {
    HF_MANIFEST_FROM_CONFIG_MAP, /* namespace_, name */
    HF_MANIFEST_FROM_SECRET,     /* namespace_, name */
    HF_MANIFEST_FROM_URL,        /* url, digest, sub_path */
    HF_MANIFEST_FROM_FLUX,       /* flux_kind, namespace_, name, sub_path */
    HF_MANIFEST_FROM_PATH,       /* path, sub_path */
    HF_MANIFEST_FROM_COUNT,
};

enum hf_manifest_flux_kind {
    HF_MANIFEST_FLUX_GIT,
    HF_MANIFEST_FLUX_OCI,
    HF_MANIFEST_FLUX_BUCKET,
    HF_MANIFEST_FLUX_EXTERNAL,
    HF_MANIFEST_FLUX_COUNT
};
/* "GitRepository" and so on. */
extern const char *const hf_manifest_flux_kinds[HF_MANIFEST_FLUX_COUNT + 1];

struct hf_manifest_from {
    enum hf_manifest_from_kind kind;
    enum hf_manifest_flux_kind flux_kind;
    const char *namespace_;
    const char *name;
    const char *url;      /* http(s), a .tar.gz */
    const char *digest;   /* of the archive, SHA-256 in hex */
    const char *path;     /* absolute and normal */
    const char *sub_path; /* relative and normal, or NULL */
};

#define HF_MANIFEST_TARGET_WORDS(X)                                                                                    \
    X(STATIC_PODS, "StaticPods")                                                                                       \
    X(FILES, "Files")                                                                                                  \
    X(CLUSTER, "Cluster")
#define HF_MANIFEST_TARGET(name_, word_) HF_MANIFEST_TO_##name_,

enum hf_manifest_target { HF_MANIFEST_TARGET_WORDS(HF_MANIFEST_TARGET) HF_MANIFEST_TARGETS };
/* Words of `to`. */
extern const char *const hf_manifest_target_names[HF_MANIFEST_TARGETS + 1];

enum hf_manifest_when_alone { HF_MANIFEST_ALONE_NONE, HF_MANIFEST_ALONE_START, HF_MANIFEST_ALONES };
/* Words of `whenAlone`. */
extern const char *const hf_manifest_when_alone_names[HF_MANIFEST_ALONES + 1];

struct hf_manifest {
    const char *name; /* DNS-1123 label, unique */
    struct hf_manifest_from from;
    const char *content_digest; /* hex; NULL: not pinned */
    enum hf_manifest_target to;
    const char *path; /* Files: absolute, may end in '/'; else NULL */
    unsigned mode;    /* Files: up to 0777; if has_mode */
    bool has_mode;
    uid_t uid; /* Files: if has_owner */
    gid_t gid;
    bool has_owner;
    /* Files: must accept new files before they replace old ones; "{}" is the path of file or folder */
    const char *validate_command[HF_MAX_ARGV + 1];
    uint64_t validate_timeout_ns;
    const char *restart_unit; /* Files: after a change; or NULL */
    const char *reload_unit;  /* Files: after a change; or NULL */
    struct hf_check *checks;
    size_t n_checks;
    /* for pods or objects to be ready, then again for health checks */
    uint64_t health_deadline_ns;
    bool prune;                             /* items that the source no longer has */
    bool force;                             /* replace what is not holdfast's */
    enum hf_manifest_when_alone when_alone; /* StaticPods: run them without a kubelet (pkg/alone) */
    /* applied first; no circle */
    const char *depends_on[HF_MAX_MANIFEST_DEPENDENCIES + 1];
    json_t *substitute; /* object of strings, borrowed, or NULL */
    uint64_t sequence;
    struct hf_signature *signatures;
    size_t n_signatures;
    json_t *json; /* borrowed, for signatures */
};

extern const struct hf_field hf_manifest_fields[];

void hf_manifest_finish(struct hf_decode *decode, void *object, json_t *json);

/* Checks unique names, known dependencies, no circle. The decoder's path is the spec. */
void hf_manifest_finish_all(struct hf_decode *decode, const struct hf_manifest *manifests, size_t n);

/* Frees the members, not the struct itself. */
void hf_manifest_done(struct hf_manifest *manifest);

/* fileMode; else 0400 for a Secret; for Flux, which has only 0600 and 0700 (source-controller since 1.2), 0644, or 0755
 * if executable; else `source_mode` without special bits, 0644 for 0. */
unsigned hf_manifest_file_mode(const struct hf_manifest *manifest, unsigned source_mode);

/* The entry pins its content, by contentDigest or from.digest. */
bool hf_manifest_is_pinned(const struct hf_manifest *manifest);

/* Why every node refuses a valid entry (Unsupported), or NULL. */
const char *hf_manifest_unsupported(const struct hf_manifest *manifest);

/* "configMap site/pods", "path /media/usb/site"; cut to n, without a URL's query. */
void hf_manifest_describe_source(const struct hf_manifest *manifest, char *text, size_t n);
