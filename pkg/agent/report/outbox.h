/* SPDX-License-Identifier: Apache-2.0 */
/* Local copies of the status: outbox.json while one waits for delivery, and the run file. */
#pragma once

#include "agent/env.h"

struct hf_outbox {
    const struct hf_agent_env *env;
    bool present;
    json_t *essence; /* essence in outbox.json; NULL: none, or an earlier process's */
};

/* Returns the conditions of an earlier process's status, whose transition times still hold: a new array, or NULL. */
json_t *hf_outbox_load(struct hf_outbox *outbox, const struct hf_agent_env *env);
void hf_outbox_done(struct hf_outbox *outbox);

void hf_outbox_write(struct hf_outbox *outbox, const json_t *body, json_t *essence);

bool hf_outbox_holds(const struct hf_outbox *outbox, const json_t *essence);
void hf_outbox_clear(struct hf_outbox *outbox);

/* Writes the run file, and calls owner.status_shown(), if there are such. */
void hf_outbox_show(const struct hf_outbox *outbox, const json_t *body);
