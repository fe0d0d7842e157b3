/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of own events, unguessable by a secret of the node. An id is made of the data: who reads or writes that file
 * could post it first, and a receiver would drop the real event. So a keyed hash is stored and sent; the secret
 * survives restarts. Threads: any; the load blocks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_OWN_ID_TEXT = 40 };

struct hf_own_ids {
    uint64_t keys[2][2]; /* 128 bits */
    bool kept;           /* in its file */
};

/* <dir>/ids.key (0600), made if absent or damaged. On -errno *ret_ids is valid, its own or a new one: what is read
 * again after a restart is sent twice. */
int hf_own_ids_load(const struct hf_fs_ops *fs, const struct hf_rand_ops *rand, const char *dir,
                    struct hf_own_ids *ret_ids, struct hf_err *err);

/* Returns `text`: the id's first character, 32 hex digits. */
struct hf_view hf_own_ids_make(const struct hf_own_ids *ids, struct hf_view id, char text[static HF_OWN_ID_TEXT]);
