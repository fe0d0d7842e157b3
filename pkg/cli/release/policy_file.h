/* SPDX-License-Identifier: Apache-2.0 */
/* A SyncPolicy in a file, for the commands that sign. */
#pragma once

#include "cli/parts.h"

/* -EBADMSG: the file does not hold exactly one SyncPolicy. */
HF_MUST_USE int hf_cli_policy_read(struct hf_cli *cli, const char *path, json_t **ret_policy, struct hf_err *err);
/* *ret_sequence is 0 without the option. -EINVAL: wrong value. */
HF_MUST_USE int hf_cli_policy_sequence(const struct hf_cli_args *args, uint64_t *ret_sequence, struct hf_err *err);
/* Prints to cli->err. -EBADMSG: an error, or a warning: nodes drop unknown fields, so the signature would not match. */
HF_MUST_USE int hf_cli_policy_check(struct hf_cli *cli, const char *path, json_t *policy, struct hf_err *err);
HF_MUST_USE int hf_cli_policy_write(struct hf_cli *cli, const char *target, const json_t *policy, struct hf_err *err);
/* To standard error if the policy goes to standard output ("-"). */
void hf_cli_policy_print_signers(struct hf_cli *cli, const char *target, const json_t *signatures);
