/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes objects of the inventory that the set lacks. */
#pragma once

#include "manifests/cluster/run.h"

/* Fills run->doomed, before the first write. Returns false if the run has ended (PruneLimit,
 * or no memory). */
bool hf_cluster_prune_plan(struct hf_cluster_run *run);

/* Deletes run->doomed in reverse order of application, then ends the run. Objects that must stay (hf_cluster_bond_of())
 * only leave the inventory. Deletes nothing without run->prune, or after the failure of an object of the set. */
void hf_cluster_prune_all(struct hf_cluster_run *run);
