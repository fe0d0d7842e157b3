/* SPDX-License-Identifier: Apache-2.0 */
/* support/simtele.h - a node for telemetry on virtual time: a loop, a network, a disk with /data, and a process that can crash. */
#pragma once

#include "support/fakes/simfs.h"
#include "support/fakes/simloop.h"
#include "support/fakes/simnet.h"
#include "telemetry/source/source.h"

struct hf_simtele {
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simfs *fs;
    struct hf_metrics *metrics;
    /* from boot to halt */
    struct hf_simproc *proc;
    struct hf_simclient *client;
    struct hf_telemetry_env env; /* what the code under test is given */
};

void hf_simtele_init(struct hf_simtele *node, uint64_t seed);
void hf_simtele_done(struct hf_simtele *node); /* halted; fails the test when a file is open still */

void hf_simtele_boot(struct hf_simtele *node);
/* What ran was freed: a second later the test fails if a job or timer is left. */
void hf_simtele_halt(struct hf_simtele *node);
void hf_simtele_run_s(struct hf_simtele *node, unsigned s);
