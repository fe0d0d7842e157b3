/* SPDX-License-Identifier: Apache-2.0 */
/* support/simhost.h - loop/proc.h on virtual time: children, TCP ports and systemd units that are functions of the test's world.
 *
 * One simhost is one process's connection to the world; what the functions change lives longer than it. Answers come after a
 * short delay the loop's seed picks, timeouts after theirs. */
#pragma once

#include "loop/probe.h"
#include "loop/proc.h"
#include "loop/unit.h"
#include "support/fakes/simloop.h"

enum { HF_SIMHOST_HANGS = 1 }; /* as r: no answer before the timeout */

struct hf_simhost_world {
    void *arg;
    /* Each may be NULL: -ENOENT, refused, not found. r: 0, -errno, HF_SIMHOST_HANGS. */
    int (*exec)(void *arg, const char *const *argv, int *ret_exit_code);
    /* Instead of `exec`: with what the child says. */
    int (*run)(void *arg, const char *const *argv, int *ret_exit_code, struct hf_buf *output);
    int (*connect)(void *arg, const char *host, uint16_t port);
    int (*restart)(void *arg, const char *unit);
    int (*reload)(void *arg, const char *unit);
    int (*state)(void *arg, const char *unit, const char **ret_active_state);
};

struct hf_simhost;
struct hf_simhost *hf_simhost_new(struct hf_simproc *proc, const struct hf_simhost_world *world);
void hf_simhost_free(struct hf_simhost *host); /* every call must be ended or cancelled */
HF_DEFINE_CLEANUP(struct hf_simhost, hf_simhost_free)
const struct hf_proc_ops *hf_simhost_proc(struct hf_simhost *host);
const struct hf_probe_ops *hf_simhost_probe(struct hf_simhost *host);
const struct hf_unit_ops *hf_simhost_unit(struct hf_simhost *host);
/* The environment that the last child was started with, one variable a line; "": the default. */
const char *hf_simhost_env(const struct hf_simhost *host);
unsigned hf_simhost_calls(const struct hf_simhost *host); /* open ones */
