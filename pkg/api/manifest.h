/* SPDX-License-Identifier: Apache-2.0 */
/* api/manifest.h - decodes and checks the entries of spec.manifests of a SyncPolicy. An entry names a source of files
 * and the place on the node, or in the cluster, to which the node applies them.
 *
 * A struct hf_manifest belongs to its SyncPolicy. Every `const char *` points into the JSON tree of the policy and is
 * valid as long as the policy. A decoded entry is valid: it follows the rules of the CRD, and also the rules that a CRD
 * cannot express. Threads: only one thread may use a policy at a time. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "api/edgeupdate.h"
#include "api/field/field.h"
#include "api/signature.h"

enum {
    HF_MAX_MANIFESTS = 64,
    HF_MAX_MANIFEST_DEPENDENCIES = 16, /* maximum length of the list `dependsOn` */
    HF_MAX_MANIFEST_VALUES = 64,       /* maximum number of values in `substitute` */
    HF_MAX_MANIFEST_VALUE_BYTES = 4096,
    HF_MAX_MANIFEST_MODE = 0777, /* no file of a source becomes setuid, setgid or sticky */
};

/* The kind of an entry's source. Each comment names the members of struct hf_manifest_from that this kind uses. */
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
/* The kinds of Flux objects as Kubernetes names them, such as "GitRepository". NULL ends the array. */
extern const char *const hf_manifest_flux_kinds[HF_MANIFEST_FLUX_COUNT + 1];

struct hf_manifest_from {
    enum hf_manifest_from_kind kind;
    enum hf_manifest_flux_kind flux_kind;
    const char *namespace_;
    const char *name;     /* name of the ConfigMap, the Secret or the Flux object */
    const char *url;      /* http or https URL of a .tar.gz */
    const char *digest;   /* 64 hex digits: SHA-256 of the archive at `url` */
    const char *path;     /* absolute and normalized path on the node */
    const char *sub_path; /* folder or file inside the source, relative and normalized; NULL for the whole source */
};

enum hf_manifest_target {
    HF_MANIFEST_TO_STATIC_PODS,
    HF_MANIFEST_TO_FILES,
    HF_MANIFEST_TO_CLUSTER,
    HF_MANIFEST_TARGETS
};
/* The words of the field `to`, such as "StaticPods". NULL ends the array. */
extern const char *const hf_manifest_target_names[HF_MANIFEST_TARGETS + 1];

struct hf_manifest {
    const char *name; /* DNS-1123 label, at most 63 characters, unique in the policy */
    struct hf_manifest_from from;
    const char *content_digest; /* 64 hex digits: the content digest; NULL if the entry does not pin its content */
    enum hf_manifest_target to;
    const char *path; /* for Files, the absolute path on the node; may end with one '/'. NULL for the other targets */
    unsigned mode;    /* for Files, the permission bits, at most 0777; valid if has_mode */
    bool has_mode;
    uid_t uid; /* for Files, owner and group of the files; valid if has_owner */
    gid_t gid;
    bool has_owner;
    /* for Files, the NULL-terminated argument vector of the command that must accept the new files before they replace
     * the old files. The word "{}" stands for the path of the new file, or of the folder with the new files. The first
     * item is NULL if there is no command. */
    const char *validate_command[HF_MAX_ARGV + 1];
    uint64_t validate_timeout_ns; /* time limit of validate_command; default 30 s */
    const char *restart_unit;     /* for Files, systemd unit to restart after a change; NULL if there is none */
    const char *reload_unit;      /* for Files, systemd unit to reload after a change; NULL if there is none */
    struct hf_check *checks;
    size_t n_checks;
    /* time limit for pods or objects to become ready; default 2 min. The health checks run afterwards, with a separate
     * limit of the same length. */
    uint64_t health_deadline_ns;
    bool prune; /* true if the node removes items of the entry that its source no longer has */
    bool force; /* true if the entry may replace files and take over fields that do not belong to holdfast */
    /* names of the other entries that must be applied before this entry; the dependencies form no circle; NULL ends the
     * array */
    const char *depends_on[HF_MAX_MANIFEST_DEPENDENCIES + 1];
    json_t *substitute; /* values for the substitution, a borrowed JSON object of strings; NULL means no substitution */
    uint64_t sequence;  /* 0 means that the entry has no sequence */
    struct hf_signature *signatures;
    size_t n_signatures;
    json_t *json; /* the entry, borrowed from the policy's tree; for the check of the signatures */
};

/* Table of one entry, which fills a struct hf_manifest. */
extern const struct hf_field hf_manifest_fields[];

/* The `finish` function of hf_manifest_fields. Checks the rules that involve several fields of one entry. */
void hf_manifest_finish(struct hf_decode *decode, void *object, json_t *json);

/* Checks the rules between the n entries of a policy: names are unique, each name in `dependsOn` is the name of an
 * entry, and the dependencies form no circle. The decoder's path must be at the policy's spec. */
void hf_manifest_finish_all(struct hf_decode *decode, const struct hf_manifest *manifests, size_t n);

/* Frees what the entry owns, but not the entry itself. */
void hf_manifest_done(struct hf_manifest *manifest);

/* Returns the permission bits for a file on the node. If the entry has fileMode, returns fileMode. Otherwise, if the
 * source is a Secret, returns 0400. A Flux source has only 0600 and 0700 (source-controller since 1.2), so for it the
 * function returns 0644, or 0755 if the owner may execute the file. Otherwise returns `source_mode`, the mode of the
 * file in its source, without setuid, setgid and sticky bits. If `source_mode` is 0, the source has no modes, and the
 * function returns 0644 instead. */
unsigned hf_manifest_file_mode(const struct hf_manifest *manifest, unsigned source_mode);

/* Returns true if the entry pins its content, either with contentDigest or with from.digest (the digest of the archive
 * at from.url). */
bool hf_manifest_is_pinned(const struct hf_manifest *manifest);

/* Returns why every node refuses the entry (Unsupported) although its fields are valid, or NULL. The decoder accepts
 * such an entry, so that a node shows an older object as refused and goes on with the other entries. */
const char *hf_manifest_unsupported(const struct hf_manifest *manifest);

/* Writes the source of the entry for messages, such as "configMap site/pods" or "path /media/usb/site", into text[n].
 * Omits the query of a URL. Cuts a text that is too long. */
void hf_manifest_describe_source(const struct hf_manifest *manifest, char *text, size_t n);
