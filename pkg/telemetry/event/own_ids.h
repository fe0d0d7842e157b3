/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of own events are made of their data, so who reads or writes a log file could post them first, and a receiver
 * would drop the real events: a hash is sent instead, keyed by a secret of the node that survives restarts. Threads:
 * any; the load blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_OWN_ID_TEXT = 40 };

struct hf_own_ids {
    uint64_t keys[2][2];
    bool kept; /* in its file */
};

/* <dir>/ids.key (0600), made if absent or damaged. On -errno *ret_ids is valid: what is read again after a restart may
 * be sent twice. */
int hf_own_ids_load(const struct hf_fs_ops *fs, const struct hf_rand_ops *rand, const char *dir,
                    struct hf_own_ids *ret_ids, struct hf_err *err);

/* The id's first character, 32 hex digits. */
struct hf_view hf_own_ids_make(const struct hf_own_ids *ids, struct hf_view id, char text[static HF_OWN_ID_TEXT]);
