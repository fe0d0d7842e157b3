/* SPDX-License-Identifier: Apache-2.0 */
/* api/edgenode.h - decodes the spec of an EdgeNode. holdfast-controller writes the spec, and the node obeys it; and
 * says when a node counts as silent. Pure.
 *
 * A turn permits one node to swap one release. If an EdgeUpdate has strategy.disruption, the controller gives turns to
 * only a few nodes of a group at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/meta.h"

enum { HF_MAX_TURNS = 8 };

struct hf_edgenode_turn {
    const char *release; /* name of the release */
    const char *digest;  /* digest of the release; a turn does not apply to another release of the same name */
};

/* The strings point into the JSON tree, to which the struct holds a reference. */
struct hf_edgenode {
    struct hf_meta meta;
    uint64_t epoch; /* epoch of the leader that wrote spec; 0 if absent */
    struct hf_edgenode_turn *turns;
    size_t n_turns;
    json_t *json;
};

/* Decodes an EdgeNode, except its status. First clears *issues. If `json` is valid, returns 0; *ret_edgenode then owns
 * a reference to `json`. If `json` is not valid, returns -EBADMSG; *issues then holds the errors. Returns -ENOMEM if
 * memory runs out. An EdgeNode without spec is valid and has no turns. */
HF_MUST_USE int hf_edgenode_decode(json_t *json, struct hf_edgenode **ret_edgenode, struct hf_issues *issues);
void hf_edgenode_free(struct hf_edgenode *edgenode);
HF_DEFINE_CLEANUP(struct hf_edgenode, hf_edgenode_free)

/* Returns true if the EdgeNode has a turn for the release with this name and digest. Returns false if `edgenode` is
 * NULL. */
bool hf_edgenode_has_turn(const struct hf_edgenode *edgenode, const char *release, const char *digest);

/* Returns the interval in which to expect reports, in nanoseconds: policy.interval of this status of an EdgeNode, or
 * the default of SyncPolicies. */
uint64_t hf_edgenode_interval_ns(const json_t *status);

/* Returns the age in nanoseconds above which a node's last report says that the node is silent: one and a half
 * intervals, and at least 10 s more than one, for the way of a report. Controller, metrics and CLI count alike. */
uint64_t hf_edgenode_silent_after_ns(uint64_t interval_ns);
