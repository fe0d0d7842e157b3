/* SPDX-License-Identifier: Apache-2.0 */
/* agent/audit/rules.h - decides which states of the agent's parts need an entry in the audit log. Pure, except that it
 * allocates.
 *
 * Each state belongs to a category. Most categories are the subject of the entry without its version: "update/app" is
 * the category of the subject "update/app@1.2". struct hf_audit_memory holds the last entry of each category, and a
 * state needs an entry if it differs from that last entry. A new process fills the struct from the lines of the log, so
 * an unchanged state needs no entry after a restart either.
 *
 * A look passes all present states to the functions below. If the memory holds HF_AUDIT_MAX_REMEMBERED categories, a
 * new category takes the place of the category whose state has been absent for the longest time. If no state is absent,
 * or if memory runs out, the new category gets no entry until a later look finds room for it: an entry that the memory
 * does not hold would be added again by each look. Threads: any, one at a time. */
#pragma once

#include "api/manifest_reason.h"
#include "audit/entry.h"
#include "base/strmap.h"
#include "sync/readiness.h"
#include "update/engine.h"

enum { HF_AUDIT_MAX_REMEMBERED = 512 };

/* The refusal of a release needs an entry only after it has lasted this long: after a restart the source may replay old
 * versions, which the node refuses one after the other. */
#define HF_AUDIT_STEADY_NS (5 * HF_NS_PER_S)

struct hf_audit_memory {
    struct hf_strmap last; /* maps a category to its last entry */
    /* True until the end of the first look, if the log has dropped old entries. Until then, some states need no entry
     * if the log has no entry of their category, because the log may have dropped that entry. These are the states that
     * may be old: finished updates, entries of spec.manifests, repairs of drift, and the configuration. */
    bool may_have_forgotten;
    /* monotonic time at which a refusal will have lasted long enough for an entry, or HF_NEVER */
    uint64_t look_again_ns;
    uint64_t uses;                          /* number of uses of remembered categories so far */
    uint64_t before_look, before_last_look; /* values of `uses` at the start of this look and of the look before it */
};

void hf_audit_memory_init(struct hf_audit_memory *memory);
void hf_audit_memory_done(struct hf_audit_memory *memory);

/* Records an entry of the log in the memory. Pass all entries of the log in order. */
void hf_audit_memory_learn(struct hf_audit_memory *memory, const struct hf_audit_event *event);

/* Begins a look at all present states. A state counts as absent if neither this look nor the look before it has passed
 * the state to one of the functions below. */
void hf_audit_memory_begin_look(struct hf_audit_memory *memory);

/* Returns true if the present state that `event` describes needs an entry, and then remembers `event` as the last entry
 * of its category. Also returns true if `event` describes no state. */
bool hf_audit_memory_is_news(struct hf_audit_memory *memory, const struct hf_audit_event *event);

/* Each of the following functions looks at one state. If the state needs an entry, the function returns true, and
 * *ret_event is that entry; otherwise *ret_event is undefined. `now_ns` is the monotonic time. */

bool hf_audit_of_update(struct hf_audit_memory *memory, const struct hf_update_status *status, uint64_t now_ns,
                        struct hf_audit_event *ret_event);

struct hf_audit_manifest {
    const char *name, *digest, *message;
    enum hf_manifest_phase phase;
    enum hf_manifest_reason reason;
    unsigned drifts;
};
bool hf_audit_of_manifest(struct hf_audit_memory *memory, const struct hf_audit_manifest *manifest,
                          struct hf_audit_event *ret_event);
/* Looks at the number of drift repairs of the manifest entry. */
bool hf_audit_of_drift(struct hf_audit_memory *memory, const struct hf_audit_manifest *manifest,
                       struct hf_audit_event *ret_event);

struct hf_audit_policy {
    const char *name; /* name of the first policy in effect; NULL if no policy selects this node */
    int64_t generation;
    bool is_signed;
    const char
        *others; /* the other policies in effect, in order, such as "b@2 (signed), c@1"; "" or NULL without any */
    /* reason why the node does not accept the signatures of a policy, and its explanation; NULL if there is no such
     * policy */
    const char *distrust, *distrust_text;
    const char *override; /* value of the policy's annotation allow-prune; NULL if absent */
};
bool hf_audit_of_policy(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                        struct hf_audit_event *ret_event);
bool hf_audit_of_distrust(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event);
bool hf_audit_of_override(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event);

/* Looks at an object, or a file of a folder source, that this node refuses or cannot read. While the states of at least
 * half of HF_AUDIT_MAX_REMEMBERED categories are present, an object that has no entry yet gets none, so that room
 * remains for other states. */
bool hf_audit_of_refused(struct hf_audit_memory *memory, const struct hf_refused *refused,
                         struct hf_audit_event *ret_event);

struct hf_audit_configuration {
    /* hash of the meaning of the configuration, in hex digits; comments and the order of fields do not change the
     * hash */
    const char *digest;
    size_t n_faults;
    const char *fault;   /* first fault; NULL if there is none */
    const char *summary; /* for a person: what the configuration requires; "" if nothing */
};
bool hf_audit_of_configuration(struct hf_audit_memory *memory, const struct hf_audit_configuration *configuration,
                               struct hf_audit_event *ret_event);

/* Looks at the trust folder. `stamp` is its hash in hex digits, `keys` says which keys it has. */
bool hf_audit_of_trust(struct hf_audit_memory *memory, const char *stamp, const char *keys,
                       struct hf_audit_event *ret_event);

bool hf_audit_of_hold(struct hf_audit_memory *memory, bool active, const char *reason,
                      struct hf_audit_event *ret_event);
/* `stale` is true while contact is lost; `text` explains the loss. */
bool hf_audit_of_contact(struct hf_audit_memory *memory, bool stale, const char *text,
                         struct hf_audit_event *ret_event);
