/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/targets/pod_trial.h - the action `probe` of static pods. */
#pragma once

#include <stdbool.h>

struct entry;

/* Starts the action `probe` for static pods. Waits until the pods run, then calls trial_check(). */
void pod_trial_start(struct entry *entry);
/* Call this function when an attempt is prepared, before its first file changes. For static pods, starts to ask the
 * kubelet which pods it has now, and returns true. Afterwards writes the pods' hashes into the record and raises the
 * event Go. Returns false if there is nothing to ask; the caller must then raise Go. */
bool pod_trial_ask_before(struct entry *entry);
/* Returns true if an entry with static pods is in the phase Applied, but the last check did not find each pod ready or
 * succeeded. */
bool pod_trial_is_open(const struct entry *entry);
/* If pod_trial_is_open() and a check is due (once per interval), starts a job that checks the pods again, and returns
 * true. The result changes only reason and message; it causes no rollback. */
bool pod_trial_ask_again(struct entry *entry);
