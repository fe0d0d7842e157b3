/* SPDX-License-Identifier: Apache-2.0 */
/* api/policies/policy_set.h - adds up the SyncPolicies that select a node: one policy in effect, made of sections.
 *
 * A section is the part of spec that one policy decides alone. Its path is a key of spec ("disk"), a field of labels
 * ("labels.detect"), one label ("labels.static[KEY]") or one entry of manifests ("manifests[NAME]"). The sections
 * follow from the table that decodes a SyncPolicy; a new field of spec is a section of its own.
 *
 * Order of the policies: signed ones first, then the higher priority, then the name in byte order. Each section comes
 * whole from the first policy that sets it. If two policies of the same rank set the same section to different values,
 * the policy from which the section came before keeps it (the incumbent), else the first name has it, and the other one
 * is passed over as a conflict. Pure, but for the zoneinfo files that decoding reads. Threads: any, one at a time. */
#pragma once

#include "api/syncpolicy.h"

/* A policy that selects the node, and that the node accepts. */
struct hf_policy_member {
    const struct hf_syncpolicy *policy; /* borrowed for the call */
    bool is_signed;                     /* the node accepts the policy's signatures */
};

struct hf_policy_set_input {
    const struct hf_policy_member *members;
    size_t n_members;
    /* Returns the name of the policy from which the section with this path came before, or NULL. NULL: nothing was in
     * effect before. */
    const char *(*incumbent)(void *arg, const char *path);
    /* Returns true if the node accepts the signatures of this entry itself, which then ranks as signed although its
     * policy is not. Called only for entries with signatures that several policies have. NULL: no entry does. */
    bool (*entry_is_signed)(void *arg, const struct hf_manifest *entry);
    void *arg;
};

/* One policy of the set. */
struct hf_policy_origin {
    char *name, *uid;
    int64_t generation, priority;
    bool is_signed;
};

struct hf_policy_section {
    char *path;
    const struct hf_policy_origin *from; /* borrowed from the set */
    bool is_signed;                      /* `from` is signed; for an entry also: the entry itself is */
};

/* Why a policy does not decide a section that it sets. */
enum hf_policy_passed {
    HF_POLICY_PASSED_SAME,     /* it sets the same value as the policy that decides */
    HF_POLICY_PASSED_UNSIGNED, /* the policy that decides is signed, and this one is not */
    HF_POLICY_PASSED_PRIORITY, /* the policy that decides has a higher priority */
    /* From here on a person has to act (hf_policy_set_is_conflict()). */
    HF_POLICY_PASSED_CONFLICT, /* both have the same rank and different values */
    HF_POLICY_PASSED_NO_ROOM,  /* all policies together have too many labels, or too many entries */
    HF_POLICY_PASSED_CIRCLE,   /* the entries of several policies depend on each other in a circle */
    HF_POLICY_PASSED_COUNT,
};

struct hf_policy_passed_over {
    char *path;
    const struct hf_policy_origin *other; /* sets the section without effect; borrowed from the set */
    /* decides the section; NULL if no policy does (NoRoom, Circle). Borrowed from the set. */
    const struct hf_policy_origin *winner;
    enum hf_policy_passed why;
};

struct hf_policy_set {
    /* The policy in effect: metadata of the first policy in order, with the annotation allow-prune of all of them, and
     * the spec of the sections. With no member at all, the defaults. telemetry.is_signed is set. */
    struct hf_syncpolicy *effective;
    struct hf_policy_origin *origins; /* all members, in order */
    size_t n_origins;
    struct hf_policy_section *sections; /* by path in byte order, each path once */
    size_t n_sections;
    struct hf_policy_passed_over *passed; /* by path in byte order; of one path in the order of the policies */
    size_t n_passed;
};

/* Adds up the policies. Keeps no reference to the members, but to their JSON trees, which nobody may change. -EBADMSG:
 * the sections together make no valid policy, and *err says why. -ENOMEM: out of memory. */
HF_MUST_USE int hf_policy_set_compose(const struct hf_policy_set_input *input, struct hf_policy_set **ret_set,
                                      struct hf_err *err);
void hf_policy_set_free(struct hf_policy_set *set);
HF_DEFINE_CLEANUP(struct hf_policy_set, hf_policy_set_free)

/* Returns the section with this path, or NULL if no policy sets it. */
const struct hf_policy_section *hf_policy_set_find(const struct hf_policy_set *set, const char *path);
/* Returns true if a member has this entry in spec.manifests, whether the entry is in effect or passed over. */
bool hf_policy_set_has_entry(const struct hf_policy_set *set, const char *entry);

/* Returns a word for the reason, such as "Priority". */
const char *hf_policy_set_passed_name(enum hf_policy_passed why);
bool hf_policy_set_is_conflict(enum hf_policy_passed why);
/* Writes a sentence for a person to text[n]: which policy decides the section, which one does not, and what to do.
 * Returns `text`. */
const char *hf_policy_set_passed_text(const struct hf_policy_passed_over *passed, char *text, size_t n);
