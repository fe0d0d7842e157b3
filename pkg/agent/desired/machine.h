/* SPDX-License-Identifier: Apache-2.0 */
/* agent/desired/machine.h - reads the facts of the machine under this node. Threads: loop thread only; the functions
 * block while they read a few small files. */
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

/* Reads the facts again. If hf_facts_read() fails, or a file of those that every machine has cannot be read, all facts
 * keep their values. */
void hf_machine_read(struct hf_machine *machine);

/* Checks if this node has everything that an artifact requires. Returns 0, or -EOPNOTSUPP with a list of what is
 * missing in *err (node/meets.h). */
int hf_machine_meets(struct hf_machine *machine, const struct hf_requires *requires_, struct hf_err *err);
