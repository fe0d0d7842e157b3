/* cli/fleet/node_view.h - what an EdgeNode says about a node and about one release on it. Pure.
 *
 * A view borrows from the EdgeNode's tree. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codec/json.h"

struct hf_node_view {
    const char *name;
    const char *ready, *reason; /* status and reason of the condition Ready; "" if it has none */
    const char *contact;        /* Fresh, Stale or Expired; "" if unknown */
    bool seen;                  /* true if the node has ever reported */
    uint64_t age_ns;            /* time since its last report */
    bool silent;                /* true if the node has missed three reports, or the controller calls it silent */
    /* The entry of the release that the caller asks for, or the one that most needs attention. NULL: none. */
    const json_t *update;
    const char *phase; /* phase of `update`; "" if there is none */
};

/* Reads an EdgeNode. `release` selects the entry of status.updates; NULL selects the one that most needs attention: one
 * that failed, then one that is in progress, then one that waits, then the others. */
void hf_node_view_of(const json_t *node, const char *release, uint64_t now_unix_ns, struct hf_node_view *ret_view);

/* Returns true if a release in this phase will not succeed without a person: RolledBack, RollingBack, Rejected. */
bool hf_node_view_phase_failed(const char *phase);

/* Returns the phase that `typed` names, or NULL; *ret_near receives the nearest phase, or NULL. */
const char *hf_node_view_phase_find(const char *typed, const char **ret_near);
