/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/configuration.h - loads and reloads the node's configuration (config/config.h), and answers
 * --check-config. Threads: loop thread only. */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"
#include "base/fs.h"
#include "config/config.h"

/* A configuration stays in memory until the end of the process, even after a reload, because parts of the agent may
 * still refer to it. */
struct hf_agent_configuration {
    const struct hf_agent_options *options;
    const struct hf_fs_ops *fs;
    struct hf_log *log;
    struct hf_config *now;     /* the configuration in effect; NULL before the first read */
    struct hf_config **before; /* array of the configurations that were in effect earlier */
    size_t n_before;
};

/* Reads the file of --config and logs its faults. At a reload, an unusable file does not change the configuration in
 * effect. Returns 1 if the call has replaced `now`, 0 if it has not, or -ENOMEM. */
HF_MUST_USE int hf_agent_configuration_read(struct hf_agent_configuration *configuration, struct hf_err *err);
void hf_agent_configuration_done(struct hf_agent_configuration *configuration);

/* Returns the update roots of --update-root or, if the command line has none, of the configuration in effect. */
const char *const *hf_agent_configuration_roots(const struct hf_agent_configuration *configuration);

/* Reads the file of --config, and writes the resulting configuration to `out` and its faults to `faults`, one fault per
 * line. Also writes to `out` the line ReadWritePaths that a systemd unit needs for the update roots. Returns the exit
 * code of the process: 0 if there is no fault; 1 if there is one, if memory runs out, or if `out` fails. */
int hf_agent_configuration_check(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out,
                                 FILE *faults);
