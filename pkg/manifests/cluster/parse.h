/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/cluster/parse.h - makes a set of objects from a bundle, in a job.
 *
 * Threads: loop thread only. Memory: the job owns copies of everything that it reads. */
#pragma once

#include "loop/sched.h"
#include "manifests/cluster/set.h"
#include "manifests/source/bundle.h"

struct hf_cluster_parse;

/* Starts the job. `done` is called once, after this function has returned. If `r` is 0, `set` has the objects, and the
 * callee takes ownership of them by copying the struct. Otherwise `r` is an error of hf_cluster_set_add() or
 * hf_cluster_set_seal(), or -ECANCELED because the agent ends; the callee must then leave `set` alone. The parse frees
 * itself after `done`. -ENOMEM: out of memory. -E2BIG: the bundle has too much text. */
HF_MUST_USE int
hf_cluster_parse_start(const struct hf_sched_ops *sched, const struct hf_bundle *bundle, const char *entry,
                       void (*done)(void *arg, int r, struct hf_cluster_set *set, const struct hf_err *err), void *arg,
                       struct hf_cluster_parse **ret_parse, struct hf_err *err);
/* Cancels the call of `done`. The parse frees itself when its job ends. Accepts NULL. */
void hf_cluster_parse_forget(struct hf_cluster_parse *parse);
