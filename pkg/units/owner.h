/* SPDX-License-Identifier: Apache-2.0 */
/* units/owner.h - which services the owner of the node lets the agent restart: the list `units` of agent.yaml.
 *
 * Restarts are rare, and the owner may change the file at any time, so each question reads it. While the file is
 * unusable, such as in the middle of an edit, the last usable one since the start counts; without one nothing is
 * allowed. Threads: one at a time; all functions block. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/log.h"

struct hf_config; /* config/config.h */

struct hf_units_owner {
    const struct hf_fs_ops *fs;
    const char *path; /* the file */
    bool must_exist;  /* a missing file is unusable; otherwise it allows every service */
    struct hf_log *log;
    struct hf_config *usable; /* the last usable file; NULL before the first one */
};

/* Reads the file for the first time. */
void hf_units_owner_begin(struct hf_units_owner *owner);
void hf_units_owner_done(struct hf_units_owner *owner);
/* May the agent restart or reload this unit? Returns false with the reason in *err if not. */
bool hf_units_owner_allows(struct hf_units_owner *owner, const char *unit, struct hf_err *err);
