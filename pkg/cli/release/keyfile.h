/* SPDX-License-Identifier: Apache-2.0 */
/* A key pair: NAME.key is private; NAME.pem, public, fits a trust folder as it is. NAME is the key id. Copying
 * *.pem copies no secret. */
#pragma once

#include "cli/parts.h"
#include "trust/key.h"
#include "trust/trust.h"

struct hf_cli_pair {
    char *private_file, *public_file;
    char key_id[HF_KEY_ID_MAX + 1];
};

/* "release-2026" or "release-2026.key". public_file: NULL, beside the private half; else a name in .pem gives the key
 * id. `name` "-": standard output, needs public_file. -EINVAL: `name` in .pem, or no key id. */
HF_MUST_USE int hf_cli_pair_named(const char *name, const char *public_file, struct hf_cli_pair *ret_pair,
                                  struct hf_err *err);
void hf_cli_pair_done(struct hf_cli_pair *pair);

/* PEM from `name`, `name`.pem (public only) or `name`.key; "-": standard input. A private half gives the public one.
 * -EBADMSG: the private half is a public key. */
HF_MUST_USE int hf_cli_key_read_private(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);
HF_MUST_USE int hf_cli_key_read_public(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* `name` without folder and suffix. -EINVAL. */
HF_MUST_USE int hf_cli_key_id(const char *name, char ret_id[HF_KEY_ID_MAX + 1], struct hf_err *err);
