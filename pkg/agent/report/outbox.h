/* agent/report/outbox.h - copies of the status on this node: <state>/outbox.json while deliveries fail, and the run
 * file for local readers (`holdfast status`). Loop thread only; the disk queue writes the files. */
#pragma once

#include "agent/env.h"

struct hf_outbox {
    const struct hf_agent_env *env;
    bool present; /* the file exists */
    /* essence (report/status.h) of the status in the file; NULL: no file, or a file of an earlier process */
    json_t *essence;
};

/* Looks for the outbox of an earlier process. Returns the conditions in this outbox as a new array, because their
 * transition times are still valid although the rest of that status is out of date. NULL: there are no conditions. */
json_t *hf_outbox_load(struct hf_outbox *outbox, const struct hf_agent_env *env);
void hf_outbox_done(struct hf_outbox *outbox);

/* Replaces the status in the outbox by `body`. `essence` is the part of `body` whose change needs a report
 * (report/status.h). */
void hf_outbox_write(struct hf_outbox *outbox, const json_t *body, json_t *essence);

/* Returns true if the outbox holds a status with this essence. */
bool hf_outbox_holds(const struct hf_outbox *outbox, const json_t *essence);
void hf_outbox_clear(struct hf_outbox *outbox);

/* Writes the run file. The file is on a file system in memory, so a write with each heartbeat does not wear the
 * disk. */
void hf_outbox_show(const struct hf_outbox *outbox, const json_t *body);
