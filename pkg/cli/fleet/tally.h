/* cli/fleet/tally.h - counts how far the nodes of a label selector are with one version of a release.
 *
 * Reads the nodes' own reports, so it needs no controller. Main thread only; hf_tally_count() blocks. */
#pragma once

#include "cli/fleet/cluster.h"

struct hf_tally {
    size_t nodes;        /* selected Nodes */
    size_t committed;    /* they report this version as Committed */
    size_t failed;       /* RolledBack, RollingBack or Rejected, with this version */
    size_t incompatible; /* they cannot run it */
    size_t away;         /* the others that are silent, or have never reported */
};

/* Lists the Nodes that match `selector` ("" selects all) and their EdgeNodes. */
HF_MUST_USE int hf_tally_count(struct hf_cluster *cluster, const char *selector, const char *release,
                               const char *version, struct hf_tally *ret_tally, struct hf_err *err);

/* Adds the report of one node. Pure. */
void hf_tally_add(struct hf_tally *tally, const json_t *node, const char *release, const char *version,
                  uint64_t now_unix_ns);

/* Returns true if there are nodes and all of them have committed or cannot run the version. `reachable` leaves out the
 * nodes that are away. Pure. */
bool hf_tally_complete(const struct hf_tally *tally, bool reachable);

/* Formats the counts for a person. Returns `text`. Pure. */
const char *hf_tally_format(const struct hf_tally *tally, char *text, size_t n);
