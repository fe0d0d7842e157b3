/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes objects of the inventory that the set lacks. Private to pkg/manifests/cluster. */
#pragma once

#include "manifests/cluster/run.h"

/* Fills run->doomed, before the first write. False: hf_plan_may_prune() refuses or no memory, and the run has ended. */
bool hf_cluster_prune_plan(struct hf_cluster_run *run);

/* Deletes run->doomed in reverse order of application, then ends the run. What may not be deleted
 * (hf_cluster_bond_of()) only leaves the inventory. Without run->prune nothing is deleted; the items leave the
 * inventory, or stay with run->keep. After a failure of an object of the set it only ends the run. */
void hf_cluster_prune_all(struct hf_cluster_run *run);
