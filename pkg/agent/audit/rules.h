/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which states need an audit entry: mostly those that differ from the last entry of their category, even after
 * a restart. Pure. */
#pragma once

#include "api/manifest_reason.h"
#include "audit/entry.h"
#include "base/strmap.h"
#include "sync/readiness.h"
#include "update/engine.h"

enum { HF_AUDIT_MAX_REMEMBERED = 512 };

struct hf_audit_memory {
    struct hf_strmap last;
    /* Older entries may be unknown: a state that has none may be old, and is learned without a new entry. */
    bool may_have_forgotten;
    uint64_t look_again_ns; /* when a refused release may need an entry; or HF_NEVER */
    uint64_t uses;
    uint64_t before_look, before_last_look;
};

void hf_audit_memory_init(struct hf_audit_memory *memory);
void hf_audit_memory_done(struct hf_audit_memory *memory);

void hf_audit_memory_learn(struct hf_audit_memory *memory, const struct hf_audit_event *event);

/* Begins a look. A state that neither this look nor the last has seen counts as absent. */
void hf_audit_memory_begin_look(struct hf_audit_memory *memory);

/* Each function below judges a state: it returns whether the state needs the entry *ret_event. */

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
bool hf_audit_of_drift(struct hf_audit_memory *memory, const struct hf_audit_manifest *manifest,
                       struct hf_audit_event *ret_event);

struct hf_audit_policy {
    const char *name; /* first policy in effect; NULL: none */
    int64_t generation;
    bool is_signed;
    const char *others;                   /* the other policies, such as "b@2 (signed), c@1"; or NULL */
    const char *distrust, *distrust_text; /* why signatures are not accepted; or NULL */
    const char *override;                 /* annotation allow-prune, or NULL */
};
bool hf_audit_of_policy(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                        struct hf_audit_event *ret_event);
bool hf_audit_of_distrust(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event);
bool hf_audit_of_override(struct hf_audit_memory *memory, const struct hf_audit_policy *policy,
                          struct hf_audit_event *ret_event);

/* A new refusal gets no entry while present states take half of the categories. */
bool hf_audit_of_refused(struct hf_audit_memory *memory, const struct hf_refused *refused,
                         struct hf_audit_event *ret_event);

struct hf_audit_configuration {
    const char *digest;
    size_t n_faults;
    const char *fault;
    const char *summary;
};
bool hf_audit_of_configuration(struct hf_audit_memory *memory, const struct hf_audit_configuration *configuration,
                               struct hf_audit_event *ret_event);

bool hf_audit_of_trust(struct hf_audit_memory *memory, const char *stamp, const char *keys,
                       struct hf_audit_event *ret_event);

bool hf_audit_of_hold(struct hf_audit_memory *memory, bool active, const char *reason,
                      struct hf_audit_event *ret_event);
bool hf_audit_of_contact(struct hf_audit_memory *memory, bool stale, const char *text,
                         struct hf_audit_event *ret_event);
