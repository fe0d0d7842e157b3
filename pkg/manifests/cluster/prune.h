/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/prune.h - the part of a run that deletes objects which the inventory has and the set does not have.
 * Private to pkg/manifests/cluster. Threads: loop thread only. */
#pragma once

#include "manifests/cluster/run.h"

/* Lists in run->doomed the objects that are in the inventory and not in the set. If the guard of removals
 * (hf_plan_may_prune()) stops the run, or memory runs out, ends the run and returns false. Call this function before
 * the first write. */
bool hf_cluster_prune_plan(struct hf_cluster_run *run);

/* Deletes the objects in run->doomed in the reverse order of application, then ends the run. An object that the entry
 * may not delete (hf_cluster_bond_of()) stays in the cluster, but its item leaves the inventory. Without run->prune,
 * deletes nothing; the items in run->doomed leave the inventory, or stay in it if run->keep is true. If an object of
 * the set has failed, only ends the run. */
void hf_cluster_prune_all(struct hf_cluster_run *run);
