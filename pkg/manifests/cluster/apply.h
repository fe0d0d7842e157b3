/* SPDX-License-Identifier: Apache-2.0 */
/* Applies the objects of a set. */
#pragma once

#include "manifests/cluster/run.h"

/* In order, those whose kind is known; calls `next` from the event loop. */
void hf_cluster_apply_all(struct hf_cluster_run *run, void (*next)(struct hf_cluster_run *run));
