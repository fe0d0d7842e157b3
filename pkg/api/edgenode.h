/* SPDX-License-Identifier: Apache-2.0 */
/* The spec of an EdgeNode, which holdfast-controller writes and the node obeys; and when a node is silent. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/meta.h"

struct hf_edgenode_turn {
    const char *release;
    const char *digest; /* the turn is for this digest only */
};

/* Strings point into the JSON tree, which the object references. */
struct hf_edgenode {
    struct hf_meta meta;
    uint64_t epoch; /* epoch of the leader that wrote it, or 0 */
    struct hf_edgenode_turn *turns;
    size_t n_turns;
    json_t *json;
};

/* Decodes no status. A missing spec is valid. -EBADMSG: *issues, cleared first, has the errors. */
HF_MUST_USE int hf_edgenode_decode(json_t *json, struct hf_edgenode **ret_edgenode, struct hf_issues *issues);
void hf_edgenode_free(struct hf_edgenode *edgenode);
HF_DEFINE_CLEANUP(struct hf_edgenode, hf_edgenode_free)

bool hf_edgenode_has_turn(const struct hf_edgenode *edgenode, const char *release, const char *digest);

uint64_t hf_edgenode_interval_ns(const json_t *status);

/* Returns the age of a report that means silence: one and a half intervals, but at least 10 s more than one
 * interval. */
uint64_t hf_edgenode_silent_after_ns(uint64_t interval_ns);
