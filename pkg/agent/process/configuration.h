/* SPDX-License-Identifier: Apache-2.0 */
/* Reads agent.yaml (config/config.h), and checks it for --check-config. */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"
#include "base/fs.h"
#include "config/config.h"
#include "loop/sched.h"

/* Sealed file in the state folder, with the configuration that worked last. */
#define HF_LAST_CONFIGURATION "configuration"

struct hf_agent_configuration {
    const struct hf_agent_options *options;
    const struct hf_fs_ops *fs;
    struct hf_log *log;
    struct hf_config *now; /* NULL: not read */
    struct hf_config **before;
    size_t n_before;
    const struct hf_sched_ops *sched;
    struct hf_timer *timer;
};

/* Returns 1 if `now` is new, else 0. At a reload, an unusable file leaves `now` as it is; at a start, the text that
 * worked last serves instead, or strict defaults. */
HF_MUST_USE int hf_agent_configuration_read(struct hf_agent_configuration *configuration, struct hf_err *err);

/* After --probation, keeps a usable configuration for later starts, unless the file changed. Call
 * hf_agent_configuration_done() before the loop is freed. */
HF_MUST_USE int hf_agent_configuration_keep(struct hf_agent_configuration *configuration,
                                            const struct hf_sched_ops *sched);
void hf_agent_configuration_done(struct hf_agent_configuration *configuration);

const char *const *hf_agent_configuration_roots(const struct hf_agent_configuration *configuration);

/* Prints the configuration and a unit's ReadWritePaths to `out`, a line per fault to `faults`. Returns the exit code,
 * 0: no fault. */
int hf_agent_configuration_check(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out,
                                 FILE *faults);
