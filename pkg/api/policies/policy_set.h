/* SPDX-License-Identifier: Apache-2.0 */
/* Adds up a node's SyncPolicies to one policy in effect, made of sections.
 *
 * At most one policy decides a section: a key of spec ("disk"), a field of labels or images ("labels.detect",
 * "images.allow"), one label ("labels.static[KEY]") or one entry ("manifests[NAME]"). Only a signed policy decides
 * "images.allow". Which policy decides: policy_set.c. Pure, except for zoneinfo files. */
#pragma once

#include "api/syncpolicy.h"

/* A policy that selects the node and is accepted. */
struct hf_policy_member {
    const struct hf_syncpolicy *policy;
    bool is_signed; /* its signatures are accepted */
};

struct hf_policy_set_input {
    const struct hf_policy_member *members;
    size_t n_members;
    /* Returns the name of the policy that had this section, or NULL. The pointer may be NULL, too. */
    const char *(*incumbent)(void *arg, const char *path);
    /* Whether the entry's own signatures rank it as signed. The pointer may be NULL: no entry does. */
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
    const struct hf_policy_origin *from;
    bool is_signed; /* the policy is signed; or the entry, if several policies have the entry */
};

/* Why a policy does not decide a section that it sets: */
enum hf_policy_passed {
    HF_POLICY_PASSED_SAME,     /* it sets the same value */
    HF_POLICY_PASSED_UNSIGNED, /* the deciding policy or entry is signed, this one is not */
    HF_POLICY_PASSED_PRIORITY, /* its priority is lower */
    /* A person has to act on those below (hf_policy_set_is_conflict()). */
    HF_POLICY_PASSED_CONFLICT,        /* it has the same rank and another value */
    HF_POLICY_PASSED_NO_ROOM,         /* the policies have too many labels or entries */
    HF_POLICY_PASSED_CIRCLE,          /* the entry is in a circle of dependencies, or depends on an entry left out */
    HF_POLICY_PASSED_NEEDS_SIGNATURE, /* the section needs a signed policy */
    HF_POLICY_PASSED_COUNT,
};

struct hf_policy_passed_over {
    char *path;
    const struct hf_policy_origin *other;  /* the policy without effect, in `origins` */
    const struct hf_policy_origin *winner; /* the policy that decides, in `origins`, or NULL */
    enum hf_policy_passed why;
};

struct hf_policy_set {
    /* Has name, uid and generation of origins[0], allow-prune of all, and the sections' spec; without members,
     * defaults. */
    struct hf_syncpolicy *effective;
    struct hf_policy_origin *origins; /* signed policies first, then by priority, then by name */
    size_t n_origins;
    struct hf_policy_section *sections;
    size_t n_sections;
    struct hf_policy_passed_over *passed;
    size_t n_passed;
};

/* References the JSON trees, which must not change. -EBADMSG: the policies are invalid together. */
HF_MUST_USE int hf_policy_set_compose(const struct hf_policy_set_input *input, struct hf_policy_set **ret_set,
                                      struct hf_err *err);
void hf_policy_set_free(struct hf_policy_set *set);
HF_DEFINE_CLEANUP(struct hf_policy_set, hf_policy_set_free)

const struct hf_policy_section *hf_policy_set_find(const struct hf_policy_set *set, const char *path);

bool hf_policy_set_is_conflict(enum hf_policy_passed why);
/* Writes a sentence about the policies, perhaps with a remedy. */
const char *hf_policy_set_passed_text(const struct hf_policy_passed_over *passed, char *text, size_t n);
