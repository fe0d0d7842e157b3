/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes objects of the inventory that the set lacks. */
#pragma once

#include "manifests/cluster/run.h"

/* Fills run->doomed, before the first write. False: the run has ended (PruneLimit, or no memory). */
bool hf_cluster_prune_plan(struct hf_cluster_run *run);

/* Deletes run->doomed in reverse order of application, then ends the run. Objects that must stay (hf_cluster_bond_of())
 * only leave the inventory. Without run->prune it deletes nothing; after a failure of an object of the set it only ends
 * the run. */
void hf_cluster_prune_all(struct hf_cluster_run *run);
