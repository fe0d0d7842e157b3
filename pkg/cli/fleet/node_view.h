/* SPDX-License-Identifier: Apache-2.0 */
/* A node and a release on it, as shown by its EdgeNode, which a view borrows. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

struct hf_node_view {
    const char *name;
    const char *ready, *reason; /* of condition Ready, or ""; Unknown, NodeSilent once silent and seen */
    const char *contact;        /* Fresh, Stale, Expired, Silent or "" */
    bool seen;                  /* the node has ever reported */
    uint64_t age_ns;
    /* the node has never reported, or its report is too old, or the controller calls it silent */
    bool silent;
    const json_t *update; /* the node's entry in status.updates, or NULL */
    const char *phase;
};

/* Shows the update of `release`; if that is NULL, the update that most needs attention. */
void hf_node_view_of(const json_t *node, const char *release, uint64_t now_unix_ns, struct hf_node_view *ret_view);

bool hf_node_view_update_failed(const json_t *update);

/* Returns a condition that does not resolve by itself, or NULL. */
const json_t *hf_node_view_trouble(const json_t *node);

bool hf_node_view_needs_person(const json_t *node);

/* Returns the phase that `typed` spells, in any case; or NULL, and sets *ret_near to the nearest name or NULL. */
const char *hf_node_view_phase_find(const char *typed, const char **ret_near);
void hf_node_view_phases(void (*take)(void *arg, const char *name), void *arg);
