/* SPDX-License-Identifier: Apache-2.0 */
/* A node and a release on it, by its EdgeNode, which a view borrows. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

struct hf_node_view {
    const char *name;
    const char *ready, *reason; /* of condition Ready, or ""; silent: Unknown, NodeSilent */
    const char *contact;        /* Fresh, Stale, Expired, Silent or "" */
    bool seen;                  /* has ever reported */
    uint64_t age_ns;            /* of the last report */
    /* never seen, or not for hf_edgenode_silent_after_ns(), or silent says the controller */
    bool silent;
    const json_t *update; /* of status.updates, or NULL */
    const char *phase;
};

/* Chooses the update of `release`; if that is NULL, the update that most needs attention. */
void hf_node_view_of(const json_t *node, const char *release, uint64_t now_unix_ns, struct hf_node_view *ret_view);

/* hf_reason_is_failure() for an entry of status.updates. */
bool hf_node_view_update_failed(const json_t *update);

/* First condition that does not resolve by itself; or NULL. */
const json_t *hf_node_view_trouble(const json_t *node);

/* Decides the exit code of `status` and `node`. */
bool hf_node_view_needs_person(const json_t *node);

/* Ignores case. Returns the phase's name; or NULL: *ret_near is the nearest name or NULL. */
const char *hf_node_view_phase_find(const char *typed, const char **ret_near);
void hf_node_view_phases(void (*take)(void *arg, const char *name), void *arg);
