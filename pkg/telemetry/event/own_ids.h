/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/event/own_ids.h - makes the ids of the agent's own events unguessable, with a secret of the node.
 *
 * A source that reads data again gives each event its former id, made of what it reads. Whoever may read or write the
 * same file could post an event with that id first, and a receiver that compares ids would drop the real one. So what
 * the agent stores and sends is a keyed hash of the source's id. The secret stays the same over restarts, so a source
 * that reads again finds its events in the window of ids.
 *
 * Threads: any, but the load blocks. Memory: a plain value. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/rand.h"
#include "telemetry/event/event.h"

enum { HF_OWN_ID_TEXT = 40 };

struct hf_own_ids {
    uint64_t keys[2][2]; /* of two SipHash-2-4, which make 128 bits */
    bool kept;           /* true if the secret is in its file */
};

/* Reads the secret from <dir>/ids.key. Makes the file, with mode 0600, if it is absent or damaged. If the file can be
 * neither read nor written, returns -errno and sets *err; *ret_ids is then valid nevertheless, and has the secret of
 * the last such call, or a new one if it was all zero. The cost is a second copy of events that a source reads again
 * after a restart. */
int hf_own_ids_load(const struct hf_fs_ops *fs, const struct hf_rand_ops *rand, const char *dir,
                    struct hf_own_ids *ret_ids, struct hf_err *err);

/* Writes the id to store in place of the source's id to `text`, and returns it: the first character of the source's id
 * and 32 hex digits. */
struct hf_view hf_own_ids_make(const struct hf_own_ids *ids, struct hf_view id, char text[static HF_OWN_ID_TEXT]);
