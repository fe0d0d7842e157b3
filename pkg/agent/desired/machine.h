/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the facts of the machine. Blocks briefly. */
#pragma once

#include "agent/env.h"
#include "node/facts.h"
#include "node/meets.h"

struct hf_machine {
    const struct hf_agent_env *env;
    struct hf_facts facts;
};

void hf_machine_init(struct hf_machine *machine, const struct hf_agent_env *env);
void hf_machine_done(struct hf_machine *machine);

/* Reads the facts anew; keeps all old ones after a failure. */
void hf_machine_read(struct hf_machine *machine);

/* -EOPNOTSUPP: *err lists what is missing (node/meets.h). */
int hf_machine_meets(struct hf_machine *machine, const struct hf_requires *requires_, struct hf_err *err);
