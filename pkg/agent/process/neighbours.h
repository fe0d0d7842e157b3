/* SPDX-License-Identifier: Apache-2.0 */
/* agent/process/neighbours.h - what the node's owner says about sharing with the neighbours (share/share.h):
 * agent.yaml, and the files that it names or that are in known places. */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "config/config.h"
#include "share/share.h"

/* Reads the files and settles. `client_pem`: the file with the agent's certificate and key, if agent.yaml names none;
 * NULL: there is none. `where` stands for "/"; "" on a real node. What is missing is logged once for as long as it
 * is the same (*said, 0 at first). Call it at the start, after a change, and from time to time. Blocks briefly. */
void hf_neighbours_settle(struct hf_sharing *share, const struct hf_fs_ops *fs, const char *where,
                          const struct hf_config *config, const char *client_pem, struct hf_log *log, int *said);
