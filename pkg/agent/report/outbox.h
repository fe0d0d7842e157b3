/* agent/report/outbox.h - copies of the status on this node: <state>/outbox.json while deliveries fail, and the run
 * file for local readers (`holdfast status`). Loop thread only; the disk queue writes. */
#pragma once

#include "agent/env.h"

struct hf_outbox {
    const struct hf_agent_env *env;
    bool present;    /* the file exists */
    json_t *essence; /* essence of the status in the file; NULL: no file, or a file of an earlier process */
};

/* Finds the outbox of an earlier process. Its status is out of date, but its conditions have stood since their
 * transition times: returns them as a new array; NULL: there are none. */
json_t *hf_outbox_load(struct hf_outbox *outbox, const struct hf_agent_env *env);
void hf_outbox_done(struct hf_outbox *outbox);

/* Puts a status into the outbox in place of the one there. `essence` is its essence (report/status.h). */
void hf_outbox_write(struct hf_outbox *outbox, const json_t *body, json_t *essence);

/* Returns true if the outbox holds a status with this essence. */
bool hf_outbox_holds(const struct hf_outbox *outbox, const json_t *essence);
void hf_outbox_clear(struct hf_outbox *outbox);

/* Writes the run file. The file is in memory, so a write with each heartbeat does not wear the disk. */
void hf_outbox_show(const struct hf_outbox *outbox, const json_t *body);
