/* SPDX-License-Identifier: Apache-2.0 */
/* A SyncPolicy to sign. */
#pragma once

#include "cli/parts.h"

/* -EBADMSG: not one SyncPolicy. */
HF_MUST_USE int hf_cli_policy_read(struct hf_cli *cli, const char *path, json_t **ret_policy, struct hf_err *err);
/* 0: without the option. -EINVAL. */
HF_MUST_USE int hf_cli_policy_sequence(const struct hf_cli_args *args, uint64_t *ret_sequence, struct hf_err *err);
/* Prints issues. -EBADMSG: any, also a warning: nodes drop unknown fields, and the signature would not match. */
HF_MUST_USE int hf_cli_policy_check(struct hf_cli *cli, const char *path, json_t *policy, struct hf_err *err);
HF_MUST_USE int hf_cli_policy_write(struct hf_cli *cli, const char *target, const json_t *policy, struct hf_err *err);
/* To standard error if the policy goes to standard output ("-"). */
void hf_cli_policy_print_signers(struct hf_cli *cli, const char *target, const json_t *signatures);
