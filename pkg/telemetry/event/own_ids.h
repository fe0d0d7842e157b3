/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the ids of own events. They are made of the events' data, so whoever can read a log file could post them first,
 * and receivers would drop the real events. A hash with a secret key is sent instead. Threads: any; the load blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_OWN_ID_TEXT = 40 };

struct hf_own_ids {
    uint64_t keys[2][2];
    bool kept;
};

/* Loads <dir>/ids.key, or makes it. *ret_ids must be zeros, or as an earlier call left it. After -errno *ret_ids is
 * valid, but events read again after a restart may be sent twice. */
int hf_own_ids_load(const struct hf_fs_ops *fs, const struct hf_rand_ops *rand, const char *dir,
                    struct hf_own_ids *ret_ids, struct hf_err *err);

/* Returns the first character of `id` and 32 hex digits. */
struct hf_view hf_own_ids_make(const struct hf_own_ids *ids, struct hf_view id, char text[static HF_OWN_ID_TEXT]);
