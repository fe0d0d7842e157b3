/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/fs.h"
#include "base/log.h"
#include "config/config.h"
#include "share/share.h"

/* Settles sharing (share/share.h) by agent.yaml. `client_pem`: file to use if agent.yaml names no certificate; or NULL.
 * `where`: prefix of the kubelets' paths. Logs a failure with another errno than *said (0 at first). Blocks briefly. */
void hf_neighbours_settle(struct hf_sharing *share, const struct hf_fs_ops *fs, const char *where,
                          const struct hf_config *config, const char *client_pem, struct hf_log *log, int *said);
