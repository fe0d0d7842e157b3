/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/unit_call.h - restarts or reloads the unit of an entry. */
#pragma once

#include "base/err.h"
#include "manifests/state/record.h"

struct entry;
struct hf_unit_call;

/* A restart or reload in progress. */
struct unit_call {
    struct hf_unit_call *call; /* NULL: none */
    char *to_reload;           /* the unit, while its state is read; owned */
    void (*done)(void *arg, int r, const struct hf_err *err);
};

/* Starts to restart or reload the unit that a set names; a unit to reload that is not active is started. Returns 0 if
 * the call has started: the entry is then busy, and done(entry, ...) is called later, with -ETIMEDOUT if the restart or
 * reload takes too long and goes on. Returns 1 if the set names no unit, -EACCES if the node's configuration does not
 * permit the unit, and another -errno if the call cannot start. */
int unit_call_start(struct entry *entry, const struct hf_manifest_set *set,
                    void (*done)(void *arg, int r, const struct hf_err *err), struct hf_err *err);

/* Returns the name of the unit that a set restarts or reloads, or "". The string belongs to the set. */
const char *unit_call_unit(const struct hf_manifest_set *set);
