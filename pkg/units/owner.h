/* SPDX-License-Identifier: Apache-2.0 */
/* The services that the node's owner lets the agent restart or reload: `units` of agent.yaml, read for each question.
 * While the file is unusable, its last usable content counts; without such content, nothing is allowed. Threads: one at
 * a time; blocks. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"

struct hf_config;

struct hf_units_owner {
    const struct hf_fs_ops *fs;
    const char *path;
    bool must_exist; /* false: a missing file allows all */
    struct hf_log *log;
    struct hf_config *usable; /* the last usable content; or NULL */
};

void hf_units_owner_begin(struct hf_units_owner *owner);
void hf_units_owner_done(struct hf_units_owner *owner);
bool hf_units_owner_allows(struct hf_units_owner *owner, const char *unit, struct hf_err *err);
