/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/policy_file.h - reads, checks and writes a SyncPolicy in a file, for the commands that sign. Main thread
 * only; blocks. */
#pragma once

#include "cli/parts.h"

/* Reads a file that holds one SyncPolicy. -EBADMSG: the file does not hold exactly one SyncPolicy. */
HF_MUST_USE int hf_cli_policy_read(struct hf_cli *cli, const char *path, json_t **ret_policy, struct hf_err *err);
/* Parses the option --sequence. Without the option, sets *ret_sequence to 0. -EINVAL: wrong value. */
HF_MUST_USE int hf_cli_policy_sequence(const struct hf_cli_args *args, uint64_t *ret_sequence, struct hf_err *err);
/* Checks a policy before the command signs it, and prints errors and warnings to cli->err. -EBADMSG: there are errors
 * or warnings. Even a warning about an unknown field forbids signing, because API servers and nodes drop unknown
 * fields, so that the signature would not match. */
HF_MUST_USE int hf_cli_policy_check(struct hf_cli *cli, const char *path, json_t *policy, struct hf_err *err);
/* Writes the policy as YAML. */
HF_MUST_USE int hf_cli_policy_write(struct hf_cli *cli, const char *target, const json_t *policy, struct hf_err *err);
/* Prints "signed by <key id>" for each signature to standard output, or to standard error if the policy itself goes to
 * standard output (target "-"). */
void hf_cli_policy_print_signers(struct hf_cli *cli, const char *target, const json_t *signatures);
