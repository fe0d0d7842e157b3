/* api/edgenode.h - decodes the spec of an EdgeNode. holdfast-controller writes the spec, and the node obeys it. Pure.
 *
 * A turn permits one node to swap one release. If an EdgeUpdate has strategy.disruption, the controller gives turns to
 * only a few nodes of a group at a time. */
#pragma once

#include <stdbool.h>

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
