/* SPDX-License-Identifier: Apache-2.0 */
/* Services that the owner lets the agent restart: agent.yaml's `units`, read for each question. While unusable, as
 * during an edit: the last usable one; without one, nothing. Threads: one at a time; blocks. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"

struct hf_config;

struct hf_units_owner {
    const struct hf_fs_ops *fs;
    const char *path;
    bool must_exist; /* else missing means all */
    struct hf_log *log;
    struct hf_config *usable; /* or NULL */
};

void hf_units_owner_begin(struct hf_units_owner *owner);
void hf_units_owner_done(struct hf_units_owner *owner);
/* Restart or reload. */
bool hf_units_owner_allows(struct hf_units_owner *owner, const char *unit, struct hf_err *err);
