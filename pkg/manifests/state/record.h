/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/state/record.h - the durable state of one entry, in the file <state>/manifests/<entry>/record: a sealed
 * file (codec/seal.h) of JSON. The record and the contents in the same folder are all that a later process needs to
 * resume, to repair and to roll back without the source and without the policy. The exception is the content of a
 * Secret, which is on disk only as a sealed copy, if at all.
 *
 * Threads: one at a time for one record; load and save block. Memory: a record owns references to its JSON. */
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
    HF_RECORD_REVISION = 257,      /* size of a revision in bytes, with the terminator; a longer revision is cut */
    HF_RECORD_ROOT = 1024,         /* size of a path in bytes, with the terminator */
    HF_RECORD_MESSAGE = 385,       /* size of a message in bytes, with the terminator */
    HF_RECORD_UNSEALED = 112,      /* size of the text `unsealed` in bytes, with the terminator; a longer text is cut */
    /* maximum number of starts of the agent during one Probation; at the next start, the entry rolls back */
    HF_RECORD_MAX_STARTS = 3,
};

/* One version of an entry: its fields, and one content. A rollback or a repair makes the same files again from a
 * set. */
struct hf_manifest_set {
    /* identity of the set: SHA-256 over its fields (without those named at hf_manifest_set_key()), its facts and its
     * digest; "" if there is no set */
    char key[HF_SHA256_HEX];
    /* digest of the bundle, which is in the file b-<digest>; for a Secret, the bundle's id, without a file */
    char digest[HF_SHA256_HEX];
    char revision[HF_RECORD_REVISION];
    /* the target's folder without symbolic links, as the attempt found it; "" before the attempt */
    char root[HF_RECORD_ROOT];
    bool signed_;  /* the entry was signed, and its content digest pinned */
    json_t *entry; /* the fields of the entry, as in the policy */
    json_t *facts; /* {node, arch, labels} for the substitution of variables; NULL without `substitute` */
};

struct hf_manifest_record {
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
    char message[HF_RECORD_MESSAGE];
    uint64_t time_unix_ns; /* time of the last change of phase */
    /* digest of the content that the source delivered last; "" before the first delivery, and after the content on disk
     * was lost */
    char known_digest[HF_SHA256_HEX];
    char known_revision[HF_RECORD_REVISION];
    /* size in bytes of the content of known_digest; 0 if this content is not on disk, or if an older agent wrote the
     * record */
    uint64_t known_bytes;
    /* A JSON object. Its keys are the HOLDFAST_LABEL_ variables that occur in the content with the digest known_digest;
     * there may be further keys (hf_substitute_label_names()). A change of a label that is not among these names makes
     * no new set. NULL if the names are unknown: a change of any label then makes a new set. */
    json_t *known_names;
    /* Identity of the source that delivered the content of known_digest (hf_manifest_source_key()). The entry uses the
     * content only while it names the same source, so that a signed entry never uses a content that an unsigned entry
     * of the same name had fetched. */
    char known_from[HF_SHA256_HEX];
    struct hf_manifest_set next; /* the newest set: waiting, in progress, applied, refused or rolled back */
    struct hf_manifest_set good; /* the set that last reached Applied */
    unsigned starts;             /* number of starts of the agent in Probation and RollingBack of this attempt */
    bool restarted;              /* the unit has been restarted or reloaded with the newest set */
    /* True if items of a set that has not passed its health checks may be in place. The next set must then pass its
     * health checks, even if it changes no item. */
    bool unproven;
    /* True if files that a signed set has placed may be in place, and since then no attempt with an unsigned set has
     * begun: that set had to be allowed to write each of these files. */
    bool signed_in_place;
    /* True from before the first file of a repair of drift changes until the unit of the good set has been restarted or
     * reloaded: the unit may still work with what somebody else had written. */
    bool restart_due;
    /* True if the record was lost while items of the entry were in place, and no set has reached Applied since. The
     * good set is then unknown, so a rollback removes nothing. */
    bool good_unknown;
    /* For a Secret: why the last attempt to make a sealed copy failed; "" if it succeeded, or if there was no
     * attempt. */
    char unsealed[HF_RECORD_UNSEALED];
    unsigned drifts;        /* number of repairs of drift since the good set reached Applied */
    uint64_t drift_unix_ns; /* time of the last repair; 0 if there was none */
    /* for the target Cluster, the inventory (manifests/cluster/cluster.h); NULL if nothing is in place */
    json_t *objects;
    /* For the target StaticPods: {"set": key of the newest set, "hashes": {"<namespace>/<pod>": hash}, "late": true}.
     * `hashes` has the static pods that the kubelet listed before the first file of this set was in place. `late` is
     * there after hf_manifest_record_doubt_pods(). NULL if these pods are unknown. */
    json_t *pods_before;
    /* For the target StaticPods: true if files were put back, or their health was unknown, and no set has passed its
     * trial since. The pods that the kubelet lists may then be those of other files than the ones in place. */
    bool pods_unread;
};

void hf_manifest_record_init(struct hf_manifest_record *record);
void hf_manifest_record_done(struct hf_manifest_record *record);
/* Call this function if somebody may have changed files of the newest set. The kubelet may then have started a pod from
 * such a file: a hash that is not in pods_before proves nothing any more, and one that is there still proves that the
 * kubelet has not read the new file. */
void hf_manifest_record_doubt_pods(struct hf_manifest_record *record);

/* Returns the set that owns what is in place: the good set, or the newest set if none was ever good. Its `prune`
 * decides if the items go when nobody wants them any more, and the annotation allow-prune has to name its digest. */
const struct hf_manifest_set *hf_manifest_record_owner(const struct hf_manifest_record *record);

bool hf_manifest_set_is_to(const struct hf_manifest_set *set, enum hf_manifest_target to);
void hf_manifest_set_done(struct hf_manifest_set *set);
/* Frees *to, then makes it a copy of *from with its own references to the JSON. */
void hf_manifest_set_copy(struct hf_manifest_set *to, const struct hf_manifest_set *from);
/* Computes the key of a set from its entry, facts and digest. Leaves out fields that do not change what is in place:
 * name, from, contentDigest, dependsOn, sequence and signatures. Returns 0, -EINVAL, -E2BIG or -ENOMEM. */
HF_MUST_USE int hf_manifest_set_key(struct hf_manifest_set *set, struct hf_err *err);

/* Computes the identity of an entry's source from the fields `from` and `contentDigest`. Returns 0, -EINVAL, -E2BIG or
 * -ENOMEM. */
HF_MUST_USE int hf_manifest_source_key(const json_t *entry, char ret_key[HF_SHA256_HEX]);

extern const struct hf_record_type hf_manifest_record_type;
HF_MUST_USE int hf_manifest_record_format(const struct hf_manifest_record *record, struct hf_buf *out);
/* Loads the record from the entry's folder. -ENOENT: there is no record. -EBADMSG: the file was damaged, and this call
 * has renamed it to record.damaged; or an earlier call has renamed it, and no record was saved after that. */
HF_MUST_USE int hf_manifest_record_load(const struct hf_fs_ops *fs, const char *folder,
                                        struct hf_manifest_record *ret_record, struct hf_err *err);
/* Replaces the record durably by `text`, which hf_manifest_record_format() has made. */
HF_MUST_USE int hf_manifest_record_save(const struct hf_fs_ops *fs, const char *folder, struct hf_view text,
                                        struct hf_err *err);
