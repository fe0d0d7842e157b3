/* SPDX-License-Identifier: Apache-2.0 */
/* cli/delta/delta.h - `delta create`: options, and deltas for which the thin program suffices (delta_quick.c). */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

/* All of *ret_params except `parts`. -EINVAL: wrong options. */
HF_MUST_USE int hf_cli_delta_settings(struct hf_cli *cli, const struct hf_cli_args *args,
                                      struct hf_deep_create_params *ret_params, struct hf_err *err);

/* 0: made. 1: not made, the whole program must: --image, not regular or too large files, or NEW has a compressed stream
 * that the profile would unpack. */
HF_MUST_USE int hf_cli_delta_quick(struct hf_cli *cli, const struct hf_cli_args *args,
                                   const struct hf_deep_create_params *params, struct hf_err *err);

/* Prints "app.delta: 23.8 kB, 4.9 % of the new 482 kB"; if the patch goes to standard output, to standard error, and
 * only to a terminal. */
void hf_cli_delta_summary(struct hf_cli *cli, const struct hf_cli_args *args, uint64_t patch_bytes, uint64_t new_bytes);
