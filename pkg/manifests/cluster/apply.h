/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/apply.h - the steps of a run that apply the objects of a set to the API server. Private to
 * pkg/manifests/cluster. Threads: loop thread only. */
#pragma once

#include "manifests/cluster/run.h"

/* Applies every object of run->set whose kind is known (cluster/kinds.h), one after the other, then calls `next` from
 * the event loop. */
void hf_cluster_apply_all(struct hf_cluster_run *run, void (*next)(struct hf_cluster_run *run));
