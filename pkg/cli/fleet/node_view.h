/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/node_view.h - extracts from an EdgeNode the state of the node and of one release on it. Pure.
 *
 * A view borrows from the EdgeNode's tree. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

struct hf_node_view {
    const char *name;
    /* status and reason of the condition Ready; "" without this condition; Unknown and NodeSilent if the node is
     * silent */
    const char *ready, *reason;
    const char *contact; /* Fresh, Stale, Expired or Silent; "" if unknown */
    bool seen;           /* true if the node has ever reported */
    uint64_t age_ns;     /* time since its last report */
    /* true if the node has never reported, or not for one and a half intervals (hf_edgenode_silent_after_ns()), or if
     * the controller has marked it as silent */
    bool silent;
    /* the chosen entry of status.updates (see hf_node_view_of()); NULL if there is none */
    const json_t *update;
    const char *phase; /* phase of `update`; "" if there is none */
};

/* Reads an EdgeNode. `release` selects the entry of status.updates with this release name. NULL selects the entry that
 * most needs attention: a failed one, otherwise one in progress, otherwise a waiting one, otherwise any other. */
void hf_node_view_of(const json_t *node, const char *release, uint64_t now_unix_ns, struct hf_node_view *ret_view);

/* Returns true if this entry of status.updates says that the release failed (hf_reason_is_failure()), so that it needs
 * a person. */
bool hf_node_view_update_failed(const json_t *update);

/* Returns true if the node needs a person: the phase of a release says so, or a condition that does not resolve by
 * itself. The exit code of `status` and `node` follows from this. */
bool hf_node_view_needs_person(const json_t *node);

/* Returns the phase with the name `typed`, in upper or lower case. Without such a phase, returns NULL and sets
 * *ret_near to the phase with the nearest name, or to NULL. */
const char *hf_node_view_phase_find(const char *typed, const char **ret_near);
/* Calls `take` with the name of each phase. */
void hf_node_view_phases(void (*take)(void *arg, const char *name), void *arg);
