/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts or reloads the unit of an entry. */
#pragma once

#include "base/err.h"
#include "manifests/state/record.h"

struct entry;
struct hf_unit_call;

struct unit_call {
    struct hf_unit_call *call;
    char *to_reload; /* unit whose state is read; owned */
    void (*done)(void *arg, int r, const struct hf_err *err);
};

/* Restarts or reloads the set's unit; starts an inactive one. 0: busy until done(entry, ...), with -ETIMEDOUT if it
 * takes too long and continues. 1: no unit. -EACCES: not permitted. Else -errno: not started. */
int unit_call_start(struct entry *entry, const struct hf_manifest_set *set,
                    void (*done)(void *arg, int r, const struct hf_err *err), struct hf_err *err);

/* The set's unit, borrowed; "": none. */
const char *unit_call_unit(const struct hf_manifest_set *set);
