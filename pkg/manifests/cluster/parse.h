/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a set from a bundle, in a job that owns copies. */
#pragma once

#include "loop/sched.h"
#include "manifests/cluster/set.h"
#include "manifests/source/bundle.h"

struct hf_cluster_parse;

/* Calls `done` once, after the return; then the parse is freed. `r` 0: the callee may copy, empty and own *set;
 * otherwise an error of hf_cluster_set_add() or _seal(), or -ECANCELED (the agent ends). -E2BIG: too much text. */
HF_MUST_USE int
hf_cluster_parse_start(const struct hf_sched_ops *sched, const struct hf_bundle *bundle, const char *entry,
                       void (*done)(void *arg, int r, struct hf_cluster_set *set, const struct hf_err *err), void *arg,
                       struct hf_cluster_parse **ret_parse, struct hf_err *err);
/* No `done` follows; the job ends by itself. */
void hf_cluster_parse_forget(struct hf_cluster_parse *parse);
