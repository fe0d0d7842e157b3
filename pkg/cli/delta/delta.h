/* cli/delta/delta.h - what making deltas shares: read the command line; and the plain case, which needs little. */
#pragma once

#include "cli/cli.h"
#include "pack/deep/deep.h"

/* What the options say; -EINVAL with *err. Parts are left empty. */
HF_MUST_USE int hf_cli_delta_settings(struct hf_cli *cli, const struct hf_cli_args *args,
                                      struct hf_deep_create_params *ret_params, struct hf_err *err);

/* Two files, and nothing in NEW that the profile would look inside of: what the thin program (cli/front.h) can do. 1: the case is
 * another one, nothing was done. */
HF_MUST_USE int hf_cli_delta_quick(struct hf_cli *cli, const struct hf_cli_args *args,
                                   const struct hf_deep_create_params *params, struct hf_err *err);

/* "app.delta: 23.8 kB, 4.9 % of the new 482 kB" */
void hf_cli_delta_told(struct hf_cli *cli, const struct hf_cli_args *args, uint64_t patch_bytes, uint64_t new_bytes);
