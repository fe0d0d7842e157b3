/* SPDX-License-Identifier: Apache-2.0 */
/* Applies the objects of a set. */
#pragma once

#include "manifests/cluster/run.h"

/* Applies the set's objects of known kinds in order; then calls `next` from the event loop, unless the
 * run has ended. */
void hf_cluster_apply_all(struct hf_cluster_run *run, void (*next)(struct hf_cluster_run *run));
