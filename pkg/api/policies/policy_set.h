/* SPDX-License-Identifier: Apache-2.0 */
/* Adds up the SyncPolicies that select a node: one policy in effect, made of sections.
 *
 * A section is what one policy decides alone: a key of spec ("disk"), a field of labels or images ("labels.detect",
 * "images.allow"), one label ("labels.static[KEY]") or one entry ("manifests[NAME]"), by the table that decodes a
 * SyncPolicy. Only a signed policy decides "images.allow".
 *
 * Signed policies go first, then higher priority, then the name in byte order. A section comes whole from the first one
 * that sets it. Between different values of the same rank, the policy that had the section before (the incumbent) keeps
 * it, else the first name; the other is a conflict. Pure, but for zoneinfo files. Threads: any, one at a time. */
#pragma once

#include "api/syncpolicy.h"

/* A policy that selects the node and that the node accepts. */
struct hf_policy_member {
    const struct hf_syncpolicy *policy; /* for the call */
    bool is_signed;                     /* with accepted signatures */
};

struct hf_policy_set_input {
    const struct hf_policy_member *members;
    size_t n_members;
    /* The policy that had this section, or NULL. May be NULL: nothing was in effect. */
    const char *(*incumbent)(void *arg, const char *path);
    /* The entry's own signatures are accepted, so it ranks as signed. Asked only for signed entries of several
     * policies. NULL: none. */
    bool (*entry_is_signed)(void *arg, const struct hf_manifest *entry);
    void *arg;
};

struct hf_policy_origin {
    char *name, *uid;
    int64_t generation, priority;
    uint64_t sequence; /* 0: none */
    bool is_signed;
};

struct hf_policy_section {
    char *path;
    const struct hf_policy_origin *from; /* the set's */
    bool is_signed;                      /* or the entry itself is */
};

/* The reason for which a policy does not decide a section that it sets: */
enum hf_policy_passed {
    HF_POLICY_PASSED_SAME,     /* the same value */
    HF_POLICY_PASSED_UNSIGNED, /* the decider is signed, this one is not */
    HF_POLICY_PASSED_PRIORITY, /* the decider's is higher */
    /* A person has to act on those below (hf_policy_set_is_conflict()). */
    HF_POLICY_PASSED_CONFLICT,        /* same rank, different values */
    HF_POLICY_PASSED_NO_ROOM,         /* too many labels or entries together */
    HF_POLICY_PASSED_CIRCLE,          /* circle of dependencies across policies */
    HF_POLICY_PASSED_NEEDS_SIGNATURE, /* only a signed policy may decide it */
    HF_POLICY_PASSED_COUNT,
};

struct hf_policy_passed_over {
    char *path;
    const struct hf_policy_origin *other;  /* without effect; the set's */
    const struct hf_policy_origin *winner; /* the set's; NULL: no policy decides (NoRoom, ...) */
    enum hf_policy_passed why;
};

struct hf_policy_set {
    /* Metadata of the first policy with allow-prune of all, and the sections' spec; defaults without members.
     * telemetry.is_signed is set. */
    struct hf_syncpolicy *effective;
    struct hf_policy_origin *origins; /* all members, in order */
    size_t n_origins;
    struct hf_policy_section *sections; /* by path, in byte order */
    size_t n_sections;
    struct hf_policy_passed_over *passed; /* by path, then in order of policies */
    size_t n_passed;
};

/* References the JSON trees, which must not change. -EBADMSG: together not a valid policy. */
HF_MUST_USE int hf_policy_set_compose(const struct hf_policy_set_input *input, struct hf_policy_set **ret_set,
                                      struct hf_err *err);
void hf_policy_set_free(struct hf_policy_set *set);
HF_DEFINE_CLEANUP(struct hf_policy_set, hf_policy_set_free)

const struct hf_policy_section *hf_policy_set_find(const struct hf_policy_set *set, const char *path);

bool hf_policy_set_is_conflict(enum hf_policy_passed why);
/* A sentence: the deciding policy, the other one, and a remedy. */
const char *hf_policy_set_passed_text(const struct hf_policy_passed_over *passed, char *text, size_t n);
