/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts or reloads the unit of an entry. */
#pragma once

#include "base/err.h"
#include "manifests/state/record.h"

struct entry;
struct hf_unit_call;

struct unit_call {
    struct hf_unit_call *call;
    char *to_reload; /* unit to reload, while its state is being read; owned */
    void (*done)(void *arg, int r, const struct hf_err *err);
};

/* Restarts or reloads the set's unit; starts an inactive one. 0: the entry is busy until done(entry, ...), which gets
 * -ETIMEDOUT if a restart takes too long and continues. 1: the set has no unit. -EACCES: not permitted. Another -errno:
 * not started. */
int unit_call_start(struct entry *entry, const struct hf_manifest_set *set,
                    void (*done)(void *arg, int r, const struct hf_err *err), struct hf_err *err);

const char *unit_call_unit(const struct hf_manifest_set *set);
