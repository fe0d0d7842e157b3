/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/own_ids.h - makes the ids of the agent's own events unguessable, with a secret of the node.
 *
 * An id is made of the data. Anyone who can read or write that file could post it first, and a receiver would drop
 * the real event. So the agent stores and sends a keyed hash; the secret survives restarts. Threads: any; the load
 * blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_OWN_ID_TEXT = 40 };

struct hf_own_ids {
    uint64_t keys[2][2]; /* 128 bits */
    bool kept;           /* the secret is in its file */
};

/* From <dir>/ids.key (mode 0600), made if absent or damaged. On -errno *ret_ids is valid: the secret it had, or a new
 * one if zero; events read again after a restart are then sent twice. */
int hf_own_ids_load(const struct hf_fs_ops *fs, const struct hf_rand_ops *rand, const char *dir,
                    struct hf_own_ids *ret_ids, struct hf_err *err);

/* Returns `text`: the first character of the source's id and 32 hex digits. */
struct hf_view hf_own_ids_make(const struct hf_own_ids *ids, struct hf_view id, char text[static HF_OWN_ID_TEXT]);
