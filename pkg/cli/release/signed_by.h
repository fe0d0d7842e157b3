/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the release on which a new one builds: a signature on top of a forged release would make it trusted. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/parts.h"

#define HF_CLI_TRUSTED_OPTION(what)                                                                                    \
    HF_CLI_OPTION("trusted", "FILE", "public key (NAME.pem) that may have signed " what " (those of --key)",           \
                  .repeats = true)
#define HF_CLI_LEAP_OPTION HF_CLI_OPTION("leap", NULL, "allow a sequence of more than double the earlier one")

/* A key of --trusted, or else of --key, must have signed `update`. -EKEYREJECTED: no such key has. */
HF_MUST_USE int hf_cli_check_signed(struct hf_cli *cli, const struct hf_cli_args *args,
                                    const struct hf_edgeupdate *update, const char *what, struct hf_err *err);

/* Nodes take a lower sequence again only by downgradeFrom. -EINVAL: `sequence` is more than 1000 above twice `before`,
 * without --leap. */
HF_MUST_USE int hf_cli_check_leap(const struct hf_cli_args *args, uint64_t sequence, uint64_t before,
                                  struct hf_err *err);
