/* SPDX-License-Identifier: Apache-2.0 */
/* The durable state of one entry, in the file <state>/manifests/<entry>/record (codec/state/record.h). With the
 * contents in the same folder it is all that a later process needs to resume, repair and roll back without source and
 * policy; but the content of a Secret is there only as a sealed copy, if at all.
 *
 * Threads: one at a time for one record; load and save block. A record owns references to its JSON. */
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
    HF_RECORD_MAX_BYTES = 4 << 20, /* twice 1,000 objects of the target Cluster, with the longest names */
    HF_RECORD_REVISION = 257,      /* bytes with the terminator, as the next three; longer texts are cut */
    HF_RECORD_ROOT = 1024,
    HF_RECORD_MESSAGE = 385,
    HF_RECORD_UNSEALED = 112,
    HF_RECORD_MAX_STARTS = 3, /* of the agent in one Probation; at the next one, the entry rolls back */
};

/* One version of an entry: its fields, and one content, from which a rollback or a repair makes the same files
 * again. */
struct hf_manifest_set {
    char key[HF_SHA256_HEX];    /* identity of the set (hf_manifest_set_key()); "": there is no set */
    char digest[HF_SHA256_HEX]; /* of the bundle, in the file b-<digest>; of a Secret the bundle's id, without a file */
    char revision[HF_RECORD_REVISION];
    char root[HF_RECORD_ROOT]; /* the target's folder without links, as the attempt found it; "" before the attempt */
    bool signed_;              /* the entry was signed, and its content digest pinned */
    json_t *entry;             /* the fields of the entry, as in the policy */
    json_t *facts;             /* {node, arch, labels} for the substitution of variables; NULL without `substitute` */
};

struct hf_manifest_record {
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
    char message[HF_RECORD_MESSAGE];
    uint64_t time_unix_ns; /* of the last change of phase */
    /* of the content that the source delivered last; "" before the first one, and after the content on disk was lost */
    char known_digest[HF_SHA256_HEX];
    char known_revision[HF_RECORD_REVISION];
    uint64_t known_bytes; /* size of that content; 0: it is not on disk */
    /* An object whose keys are the HOLDFAST_LABEL_ variables in that content, and perhaps more
     * (hf_substitute_label_names()): a change of another label makes no new set. NULL: unknown; every change does. */
    json_t *known_names;
    /* The source of that content (hf_manifest_source_key()). The entry uses it only while it names the same source, so
     * that a signed entry never uses what an unsigned one of this name had fetched. */
    char known_from[HF_SHA256_HEX];
    struct hf_manifest_set next; /* the newest set: waiting, in progress, applied, refused or rolled back */
    struct hf_manifest_set good; /* the set that last reached Applied */
    unsigned starts;             /* of the agent in Probation and RollingBack of this attempt */
    bool restarted;              /* the unit has been restarted or reloaded with the newest set */
    /* Items of a set that has not passed its health checks may be in place: the next set must pass them, even if it
     * changes no item. */
    bool unproven;
    /* Files of a signed set may be in place, and no attempt with an unsigned set has begun since: that one had to be
     * allowed to write each of these files. */
    bool signed_in_place;
    /* From before the first change of a repair of drift until the unit of the good set has been restarted or reloaded:
     * it may still work with what somebody else had written. */
    bool restart_due;
    /* The record was lost while items were in place, and no set has reached Applied since: the good set is unknown, so
     * a rollback removes nothing. */
    bool good_unknown;
    char unsealed[HF_RECORD_UNSEALED]; /* why there is no sealed copy of a Secret; "": there is, or none was tried */
    unsigned drifts;                   /* repairs since the good set reached Applied */
    uint64_t drift_unix_ns;            /* of the last repair; 0: none */
    json_t *objects; /* target Cluster: the inventory (manifests/cluster/cluster.h); NULL: nothing is in place */
    /* Target StaticPods: {"set": key of the newest set, "hashes": {"<namespace>/<pod>": hash}, "late": true}: the pods
     * that the kubelet listed before the first file of this set was in place; `late` after
     * hf_manifest_record_doubt_pods(). NULL: unknown. */
    json_t *pods_before;
    /* Target StaticPods: files were put back, or their health was unknown, and no set has passed its trial since: the
     * pods that the kubelet lists may be those of other files. */
    bool pods_unread;
};

void hf_manifest_record_init(struct hf_manifest_record *record);
void hf_manifest_record_done(struct hf_manifest_record *record);
/* Somebody may have changed files of the newest set, and the kubelet may have started a pod from one: a hash that is
 * not in pods_before proves nothing any more; one that is there still proves that the kubelet has not read the new
 * file. */
void hf_manifest_record_doubt_pods(struct hf_manifest_record *record);

/* The set that owns what is in place: the good set, or the newest if none was ever good. Its `prune` decides if the
 * items go when nobody wants them, and the annotation allow-prune has to name its digest. Borrowed. */
const struct hf_manifest_set *hf_manifest_record_owner(const struct hf_manifest_record *record);

bool hf_manifest_set_is_to(const struct hf_manifest_set *set, enum hf_manifest_target to);
void hf_manifest_set_done(struct hf_manifest_set *set);
/* Frees *to, then makes it a copy of *from with its own references to the JSON. */
void hf_manifest_set_copy(struct hf_manifest_set *to, const struct hf_manifest_set *from);
/* SHA-256 over entry, facts and digest, without the fields that do not change what is in place: name, from,
 * contentDigest, dependsOn, sequence and signatures. -EINVAL, -E2BIG. */
HF_MUST_USE int hf_manifest_set_key(struct hf_manifest_set *set, struct hf_err *err);

/* From the fields `from` and `contentDigest`. -EINVAL, -E2BIG, -ENOMEM; ret_key is then "". */
HF_MUST_USE int hf_manifest_source_key(const json_t *entry, char ret_key[HF_SHA256_HEX]);

extern const struct hf_record_type hf_manifest_record_type;
HF_MUST_USE int hf_manifest_record_format(const struct hf_manifest_record *record, struct hf_buf *out);
/* -ENOENT: there is no record. -EBADMSG: it was damaged, and this call or an earlier one has renamed it to
 * record.damaged. */
HF_MUST_USE int hf_manifest_record_load(const struct hf_fs_ops *fs, const char *folder,
                                        struct hf_manifest_record *ret_record, struct hf_err *err);
/* Durable; `text` is from hf_manifest_record_format(). */
HF_MUST_USE int hf_manifest_record_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                        struct hf_err *err);
