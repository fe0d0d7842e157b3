/* SPDX-License-Identifier: Apache-2.0 */
/* A key pair: NAME.key is private; NAME.pem is public, and fits a trust folder as it is. NAME is the key id. */
#pragma once

#include "cli/parts.h"
#include "trust/key.h"
#include "trust/trust.h"

struct hf_cli_pair {
    char *private_file, *public_file;
    char key_id[HF_KEY_ID_MAX + 1];
};

/* Names a new pair's files by `name`: "release-2026", "release-2026.key", or "-" for standard output. public_file may
 * be NULL, except with "-"; a public_file in .pem gives the key id. -EINVAL: `name` ends in .pem, or no key id. */
HF_MUST_USE int hf_cli_pair_named(const char *name, const char *public_file, struct hf_cli_pair *ret_pair,
                                  struct hf_err *err);
void hf_cli_pair_done(struct hf_cli_pair *pair);

/* Read PEM from `name`, `name`.pem (only public) or `name`.key; "-" is standard input. read_public() derives the public
 * half from a private one. -EBADMSG: read_private() found a public key. */
HF_MUST_USE int hf_cli_key_read_private(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);
HF_MUST_USE int hf_cli_key_read_public(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* The key id is `name` without folder and suffix. -EINVAL. */
HF_MUST_USE int hf_cli_key_id(const char *name, char ret_id[HF_KEY_ID_MAX + 1], struct hf_err *err);
