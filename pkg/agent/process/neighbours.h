/* SPDX-License-Identifier: Apache-2.0 */
/* Sharing with neighbours (share/share.h) by agent.yaml, and files that it names or in known places. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "config/config.h"
#include "share/share.h"

/* At the start, after a change, and from time to time. `client_pem`: the agent's, if agent.yaml names none; or NULL.
 * `where`: for "/"; "" on a real node. What is missing is logged once (*said, 0 at first). Blocks briefly. */
void hf_neighbours_settle(struct hf_sharing *share, const struct hf_fs_ops *fs, const char *where,
                          const struct hf_config *config, const char *client_pem, struct hf_log *log, int *said);
