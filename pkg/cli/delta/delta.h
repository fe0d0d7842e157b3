/* SPDX-License-Identifier: Apache-2.0 */
/* cli/delta/delta.h - functions of `delta create`. They parse the options, and make deltas of files without compressed
 * content, for which the thin program suffices (delta_quick.c). */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

/* Sets all fields of *ret_params except `parts` from the options. -EINVAL: wrong options. */
HF_MUST_USE int hf_cli_delta_settings(struct hf_cli *cli, const struct hf_cli_args *args,
                                      struct hf_deep_create_params *ret_params, struct hf_err *err);

/* Makes the delta and returns 0 if OLD and NEW are regular files that are not too large, NEW has no compressed stream
 * that the profile would unpack, and --image is not set. In all other cases, makes nothing and returns 1, because the
 * delta needs the code of the whole program. Returns -errno on failure. */
HF_MUST_USE int hf_cli_delta_quick(struct hf_cli *cli, const struct hf_cli_args *args,
                                   const struct hf_deep_create_params *params, struct hf_err *err);

/* Prints a line such as "app.delta: 23.8 kB, 4.9 % of the new 482 kB". If the patch goes to standard output, the line
 * goes to standard error, but only if standard error is a terminal. */
void hf_cli_delta_summary(struct hf_cli *cli, const struct hf_cli_args *args, uint64_t patch_bytes, uint64_t new_bytes);
