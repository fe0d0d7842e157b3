/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/signed_by.h - checks what a new release is built upon, such as an EdgeUpdate from the cluster or a disk:
 * to sign its parts unseen would turn a forged release into a trusted one. Main thread only; blocks. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/parts.h"

#define HF_CLI_TRUSTED_OPTION(what)                                                                                    \
    {                                                                                                                  \
        .name = "trusted", .value = "FILE", .repeats = true,                                                           \
        .help = "public key (NAME.pem) that may have signed " what " (those of --key)"                                 \
    }
#define HF_CLI_LEAP_OPTION                                                                                             \
    {                                                                                                                  \
        .name = "leap", .help = "allow a sequence of more than double the earlier one"                                 \
    }

/* Checks that one of the keys of --trusted, or of --key without any --trusted, has signed the release. `what` names it
 * in messages. -EKEYREJECTED: none has. */
HF_MUST_USE int hf_cli_check_signed(struct hf_cli *cli, const struct hf_cli_args *args,
                                    const struct hf_edgeupdate *update, const char *what, struct hf_err *err);

/* Checks the sequence of a new release against that of the release it is built upon. A node never accepts a lower one
 * again, and there is none above 2^53-1, so one typing error could end all updates of a name. -EINVAL: it is more than
 * 1000 above the double, and --leap is not given. */
HF_MUST_USE int hf_cli_check_leap(const struct hf_cli_args *args, uint64_t sequence, uint64_t before,
                                  struct hf_err *err);
