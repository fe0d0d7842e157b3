/* SPDX-License-Identifier: Apache-2.0 */
/* Reads, checks and writes a SyncPolicy to sign. */
#pragma once

#include "cli/parts.h"

/* -EBADMSG: the file is not one SyncPolicy. */
HF_MUST_USE int hf_cli_policy_read(struct hf_cli *cli, const char *path, json_t **ret_policy, struct hf_err *err);
/* Reads --sequence; without it, 0. -EINVAL. */
HF_MUST_USE int hf_cli_policy_sequence(const struct hf_cli_args *args, uint64_t *ret_sequence, struct hf_err *err);
/* Prints issues. -EBADMSG: there are any, even warnings: nodes drop unknown fields, and the signature would not
 * match. */
HF_MUST_USE int hf_cli_policy_check(struct hf_cli *cli, const char *path, json_t *policy, struct hf_err *err);
HF_MUST_USE int hf_cli_policy_write(struct hf_cli *cli, const char *target, const json_t *policy, struct hf_err *err);
/* Prints to standard error if the policy goes to "-". */
void hf_cli_policy_print_signers(struct hf_cli *cli, const char *target, const json_t *signatures);
