/* SPDX-License-Identifier: Apache-2.0 */
/* agent/audit/rules.h - decides which states of the agent's parts need an entry in the audit log: those that differ
 * from the last entry of their category, also over a restart. Pure. Threads: any, one at a time. */
#pragma once

#include "api/manifest_reason.h"
#include "audit/entry.h"
#include "base/strmap.h"
#include "sync/readiness.h"
#include "update/engine.h"

enum { HF_AUDIT_MAX_REMEMBERED = 512 };

/* A refused release needs an entry only after this long: after a restart the source may replay old versions. */
#define HF_AUDIT_STEADY_NS (5 * HF_NS_PER_S)

struct hf_audit_memory {
    struct hf_strmap last; /* category to last entry */
    /* During the first look, if the log has dropped old entries: states that may be old (finished updates, manifests,
     * drift, configuration) then need none. */
    bool may_have_forgotten;
    uint64_t look_again_ns;                 /* when a refusal will have lasted long enough; or HF_NEVER */
    uint64_t uses;                          /* remembered categories */
    uint64_t before_look, before_last_look; /* `uses` at the start of this look and the one before */
};

void hf_audit_memory_init(struct hf_audit_memory *memory);
void hf_audit_memory_done(struct hf_audit_memory *memory);

/* Pass all entries of the log in order. */
void hf_audit_memory_learn(struct hf_audit_memory *memory, const struct hf_audit_event *event);

/* A state is absent if neither this look nor the one before has it. */
void hf_audit_memory_begin_look(struct hf_audit_memory *memory);

/* True: it needs an entry, and is remembered as the last one. Also for an event that is no state. */
bool hf_audit_memory_is_news(struct hf_audit_memory *memory, const struct hf_audit_event *event);

/* Each of these looks at one state and returns true, with the entry, if it needs one. */

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
/* The number of drift repairs. */
bool hf_audit_of_drift(struct hf_audit_memory *memory, const struct hf_audit_manifest *manifest,
                       struct hf_audit_event *ret_event);

struct hf_audit_policy {
    const char *name; /* first policy in effect; NULL: none selects this node */
    int64_t generation;
    bool is_signed;
    const char *others;                   /* in order: "b@2 (signed), c@1"; "" or NULL: none */
    const char *distrust, *distrust_text; /* reason not to accept a policy's signatures; or NULL */
    const char *override;                 /* annotation allow-prune; or NULL */
};
bool hf_audit_of_policy(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                        struct hf_audit_event *ret_event);
bool hf_audit_of_distrust(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event);
bool hf_audit_of_override(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event);

/* An object or file that is refused or unreadable. New ones get no entry while half of the categories are present, to
 * leave room. */
bool hf_audit_of_refused(struct hf_audit_memory *memory, const struct hf_refused *refused,
                         struct hf_audit_event *ret_event);

struct hf_audit_configuration {
    const char *digest; /* hex hash of the meaning: neither comments nor order */
    size_t n_faults;
    const char *fault;   /* the first, or NULL */
    const char *summary; /* its requirements, for a person; or "" */
};
bool hf_audit_of_configuration(struct hf_audit_memory *memory, const struct hf_audit_configuration *configuration,
                               struct hf_audit_event *ret_event);

/* `stamp`: the trust folder's hash in hex; `keys`: its keys. */
bool hf_audit_of_trust(struct hf_audit_memory *memory, const char *stamp, const char *keys,
                       struct hf_audit_event *ret_event);

bool hf_audit_of_hold(struct hf_audit_memory *memory, bool active, const char *reason,
                      struct hf_audit_event *ret_event);
/* `stale`: contact is lost; `text` explains. */
bool hf_audit_of_contact(struct hf_audit_memory *memory, bool stale, const char *text,
                         struct hf_audit_event *ret_event);
