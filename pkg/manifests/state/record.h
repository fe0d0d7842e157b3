/* SPDX-License-Identifier: Apache-2.0 */
/* The durable state of one entry, in <state>/manifests/<entry>/record (codec/state/record.h). With the contents beside
 * it, a later process can resume, repair and roll back without source and policy (a Secret only with a sealed copy).
 *
 * Load and save block. A record owns references to its JSON. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/manifest.h"
#include "api/manifest_reason.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "codec/state/record.h"

enum {
    HF_RECORD_MAX_BYTES = 4 << 20,
    HF_RECORD_REVISION = 257, /* bytes with the terminator, as in the next three; longer texts may be cut */
    HF_RECORD_ROOT = 1024,
    HF_RECORD_MESSAGE = 385,
    HF_RECORD_UNSEALED = 112,
    HF_RECORD_MAX_STARTS = 3, /* starts of the agent in one Probation, before the entry rolls back */
};

struct hf_manifest_set {
    char key[HF_SHA256_HEX];    /* hf_manifest_set_key(); "": no set */
    char digest[HF_SHA256_HEX]; /* of the bundle in the file b-<digest>; for a Secret the bundle's id */
    char revision[HF_RECORD_REVISION];
    char root[HF_RECORD_ROOT]; /* target's folder without links; "" before the first attempt */
    bool signed_;              /* signed, and contentDigest pins its content */
    json_t *entry;
    json_t *facts; /* {node, arch, labels} for variables; NULL without `substitute` */
};

struct hf_manifest_record {
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
    char message[HF_RECORD_MESSAGE];
    uint64_t time_unix_ns;
    /* digest of the source's last content; "": none yet, or lost on disk */
    char known_digest[HF_SHA256_HEX];
    char known_revision[HF_RECORD_REVISION];
    uint64_t known_bytes; /* of that content; 0: not on disk */
    /* Keys: HOLDFAST_LABEL_ variables that this content may use (hf_substitute_label_names()): other labels make no new
     * set. NULL: unknown; every label does. */
    json_t *known_names;
    /* Source of that content (hf_manifest_source_key()), which the entry must still name: a signed entry must never use
     * content that an unsigned entry of this name fetched. */
    char known_from[HF_SHA256_HEX];
    struct hf_manifest_set next;
    struct hf_manifest_set good; /* the set that last reached Applied */
    unsigned starts;             /* starts of the agent in this Probation or RollingBack */
    bool restarted;
    /* Items that passed no health checks may be in place: the next set must pass them even if it changes nothing. */
    bool unproven;
    /* Files of a signed set may be in place, and no unsigned attempt has begun since: the next unsigned one must be
     * allowed to write each file. */
    bool signed_in_place;
    /* true from before a repair until the good set's unit has restarted or reloaded, or may not: the unit may work with
     * what somebody else wrote */
    bool restart_due;
    /* The record was lost, perhaps with items in place, and no set has reached Applied since: a rollback removes
     * nothing. */
    bool good_unknown;
    char unsealed[HF_RECORD_UNSEALED]; /* why a Secret has no sealed copy; "": it has one, or none was tried */
    unsigned drifts;
    uint64_t drift_unix_ns;
    json_t *objects; /* Cluster: the inventory (manifests/cluster/cluster.c); NULL: none recorded */
    /* StaticPods: {"set": key of the newest set, "hashes": {"<namespace>/<pod>": hash}, "late": true}: pods that the
     * kubelet listed before this set's first file; hf_manifest_record_doubt_pods() sets `late`. NULL: unknown. */
    json_t *pods_before;
    /* StaticPods: files were put back, or health was unknown, and no set has passed since: the kubelet may still list
     * pods of earlier files. */
    bool pods_unread;
};

void hf_manifest_record_init(struct hf_manifest_record *record);
void hf_manifest_record_done(struct hf_manifest_record *record);
/* Notes that the kubelet may have started pods from changed files: a hash that pods_before lacks proves nothing
 * then. */
void hf_manifest_record_doubt_pods(struct hf_manifest_record *record);

/* Returns the set of what is in place: the good set or, without one, the newest. In a removal its `prune` says if items
 * go, and allow-prune has to name its digest. Borrowed. */
const struct hf_manifest_set *hf_manifest_record_owner(const struct hf_manifest_record *record);

bool hf_manifest_set_is_to(const struct hf_manifest_set *set, enum hf_manifest_target to);
void hf_manifest_set_done(struct hf_manifest_set *set);
/* Frees *to first; takes references to the JSON. */
void hf_manifest_set_copy(struct hf_manifest_set *to, const struct hf_manifest_set *from);
/* Sets set->key: SHA-256 over entry, facts and digest, without fields that change nothing in place: name, from,
 * contentDigest, dependsOn, sequence, signatures. -EINVAL, -E2BIG. */
HF_MUST_USE int hf_manifest_set_key(struct hf_manifest_set *set, struct hf_err *err);

/* SHA-256 over `from` and `contentDigest`. -EINVAL, -E2BIG; ret_key is then "". */
HF_MUST_USE int hf_manifest_source_key(const json_t *entry, char ret_key[HF_SHA256_HEX]);

extern const struct hf_record_type hf_manifest_record_type;
HF_MUST_USE int hf_manifest_record_format(const struct hf_manifest_record *record, struct hf_buf *out);
/* -ENOENT. -EBADMSG: damaged; it is now record.damaged. */
HF_MUST_USE int hf_manifest_record_load(const struct hf_fs_ops *fs, const char *folder,
                                        struct hf_manifest_record *ret_record, struct hf_err *err);
/* Writes `text`, made by hf_manifest_record_format(), durably. */
HF_MUST_USE int hf_manifest_record_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                        struct hf_err *err);
