/* SPDX-License-Identifier: Apache-2.0 */
/* Adds up a node's SyncPolicies: one policy in effect, made of sections.
 *
 * One policy decides a section alone: a key of spec ("disk"), a field of labels or images ("labels.detect",
 * "images.allow"), one label ("labels.static[KEY]") or one entry ("manifests[NAME]"). Only a signed policy decides
 * "images.allow". Who decides: policy_set.c. Pure, except for zoneinfo files. */
#pragma once

#include "api/syncpolicy.h"

/* Selects the node, and is accepted. */
struct hf_policy_member {
    const struct hf_syncpolicy *policy; /* during the call */
    bool is_signed;                     /* accepted signatures */
};

struct hf_policy_set_input {
    const struct hf_policy_member *members;
    size_t n_members;
    /* The policy that had this section, or NULL. May be NULL: none was in effect. */
    const char *(*incumbent)(void *arg, const char *path);
    /* The entry ranks as signed by its own signatures. Asked only for signed entries of several policies. NULL: no
     * entry does. */
    bool (*entry_is_signed)(void *arg, const struct hf_manifest *entry);
    void *arg;
};

struct hf_policy_origin {
    char *name, *uid;
    int64_t generation, priority;
    uint64_t sequence;
    bool is_signed;
};

struct hf_policy_section {
    char *path;
    const struct hf_policy_origin *from; /* of the set */
    bool is_signed;                      /* or the entry is */
};

/* Why a policy does not decide a section that it sets: */
enum hf_policy_passed {
    HF_POLICY_PASSED_SAME,     /* the same value */
    HF_POLICY_PASSED_UNSIGNED, /* the decider is signed, this one is not */
    HF_POLICY_PASSED_PRIORITY, /* its own is lower */
    /* A person has to act on those below (hf_policy_set_is_conflict()). */
    HF_POLICY_PASSED_CONFLICT,        /* same rank, different values */
    HF_POLICY_PASSED_NO_ROOM,         /* too many labels or entries */
    HF_POLICY_PASSED_CIRCLE,          /* of dependencies, or on one left out */
    HF_POLICY_PASSED_NEEDS_SIGNATURE, /* for this section */
    HF_POLICY_PASSED_COUNT,
};

struct hf_policy_passed_over {
    char *path;
    const struct hf_policy_origin *other;  /* without effect; of the set */
    const struct hf_policy_origin *winner; /* of the set; NULL: none (NoRoom, ...) */
    enum hf_policy_passed why;
};

struct hf_policy_set {
    /* First policy's metadata with allow-prune of all, and the sections' spec; without members defaults.
     * telemetry.is_signed is set. */
    struct hf_syncpolicy *effective;
    struct hf_policy_origin *origins; /* members in order */
    size_t n_origins;
    struct hf_policy_section *sections; /* by path, byte order */
    size_t n_sections;
    struct hf_policy_passed_over *passed; /* by path, then as members */
    size_t n_passed;
};

/* References the JSON trees, which must not change. -EBADMSG: invalid together. */
HF_MUST_USE int hf_policy_set_compose(const struct hf_policy_set_input *input, struct hf_policy_set **ret_set,
                                      struct hf_err *err);
void hf_policy_set_free(struct hf_policy_set *set);
HF_DEFINE_CLEANUP(struct hf_policy_set, hf_policy_set_free)

const struct hf_policy_section *hf_policy_set_find(const struct hf_policy_set *set, const char *path);

bool hf_policy_set_is_conflict(enum hf_policy_passed why);
/* A sentence: deciding policy, other one, remedy. */
const char *hf_policy_set_passed_text(const struct hf_policy_passed_over *passed, char *text, size_t n);
