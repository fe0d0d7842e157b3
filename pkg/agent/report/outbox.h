/* SPDX-License-Identifier: Apache-2.0 */
/* agent/report/outbox.h - keeps copies of the status on this node. One copy is <state>/outbox.json, which exists while
 * a status waits for delivery. The other copy is the run file, which local programs such as `holdfast status` read.
 * Threads: loop thread only; the disk queue writes the files. */
#pragma once

#include "agent/env.h"

struct hf_outbox {
    const struct hf_agent_env *env;
    bool present; /* true if <state>/outbox.json exists */
    /* essence (report/status.h) of the status in <state>/outbox.json; NULL if the file does not exist, or if an earlier
     * process wrote it */
    json_t *essence;
};

/* Loads <state>/outbox.json of an earlier process, if it exists. Returns the conditions in this status as a new array,
 * or NULL if there are none. The transition times of these conditions are still valid, although the other parts of the
 * status are out of date. */
json_t *hf_outbox_load(struct hf_outbox *outbox, const struct hf_agent_env *env);
void hf_outbox_done(struct hf_outbox *outbox);

/* Writes the status `body` to <state>/outbox.json, in place of an earlier one. `essence` is the essence of `body`
 * (report/status.h). */
void hf_outbox_write(struct hf_outbox *outbox, const json_t *body, json_t *essence);

/* Returns true if <state>/outbox.json holds a status with this essence. */
bool hf_outbox_holds(const struct hf_outbox *outbox, const json_t *essence);
void hf_outbox_clear(struct hf_outbox *outbox);

/* Writes `body` to the run file, if there is one. The file is usually on a file system in memory, so a write with each
 * heartbeat does not wear the disk. */
void hf_outbox_show(const struct hf_outbox *outbox, const json_t *body);
