/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of the status: outbox.json while one waits, and the run file. */
#pragma once

#include "agent/env.h"

struct hf_outbox {
    const struct hf_agent_env *env;
    bool present;    /* outbox.json exists */
    json_t *essence; /* outbox.json's; NULL: none, or an earlier process's */
};

/* The conditions of an earlier process's status, whose transition times still hold; a new array, or NULL. */
json_t *hf_outbox_load(struct hf_outbox *outbox, const struct hf_agent_env *env);
void hf_outbox_done(struct hf_outbox *outbox);

void hf_outbox_write(struct hf_outbox *outbox, const json_t *body, json_t *essence);

bool hf_outbox_holds(const struct hf_outbox *outbox, const json_t *essence);
void hf_outbox_clear(struct hf_outbox *outbox);

/* Writes the run file, if there is one. */
void hf_outbox_show(const struct hf_outbox *outbox, const json_t *body);
