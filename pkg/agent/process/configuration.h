/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/configuration.h - loads and reloads the node's configuration (config/config.h); --check-config. */
#pragma once

#include <stdio.h>

#include "agent/process/options.h"
#include "base/fs.h"
#include "config/config.h"

/* Earlier ones stay in memory, because parts of the agent may refer to them. */
struct hf_agent_configuration {
    const struct hf_agent_options *options;
    const struct hf_fs_ops *fs;
    struct hf_log *log;
    struct hf_config *now; /* in effect; NULL before the first read */
    struct hf_config **before;
    size_t n_before;
};

/* The file of --config; logs faults. 1: `now` is new; 0: not (an unusable file at a reload); -ENOMEM. */
HF_MUST_USE int hf_agent_configuration_read(struct hf_agent_configuration *configuration, struct hf_err *err);
void hf_agent_configuration_done(struct hf_agent_configuration *configuration);

/* From --update-root, else from the configuration. */
const char *const *hf_agent_configuration_roots(const struct hf_agent_configuration *configuration);

/* Prints the resulting configuration and the ReadWritePaths of a systemd unit to `out`, faults by line to `faults`.
 * Exit code 0: no fault. */
int hf_agent_configuration_check(const struct hf_agent_options *options, const struct hf_fs_ops *fs, FILE *out,
                                 FILE *faults);
