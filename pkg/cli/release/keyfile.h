/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/keyfile.h - the two files of a key pair: NAME.key, the private half, and NAME.pem, the public half. NAME
 * is the key id.
 *
 * A trust folder holds public keys as <key id>.pem, so a copy of the public half needs no other name there. The private
 * half has another suffix, so that copying *.pem to a node never copies a secret. The functions also read files with
 * older names: X or X.pem for the private half, X.pub.pem for the public half. Main thread only; blocks. */
#pragma once

#include "cli/parts.h"
#include "trust/key.h"
#include "trust/trust.h"

struct hf_cli_pair {
    char *private_file, *public_file;
    char key_id[HF_KEY_ID_MAX + 1];
};

/* Sets the file names and the key id of a new pair from a `name` such as "release-2026" or "release-2026.key".
 * public_file is the path for the public half (NULL means beside the private half). If public_file ends in .pem, it
 * gives the key id in place of `name`. If `name` is "-", the private half goes to standard output, and public_file must
 * not be NULL. -EINVAL: `name` ends in .pem like the name of a public half, or gives no valid key id. */
HF_MUST_USE int hf_cli_pair_named(const char *name, const char *public_file, struct hf_cli_pair *ret_pair,
                                  struct hf_err *err);
void hf_cli_pair_done(struct hf_cli_pair *pair);

/* Reads the private half, in PEM, from the file `name`, or from `name`.key if `name` does not exist; "-" is standard
 * input. -EBADMSG: the file holds a public key. */
HF_MUST_USE int hf_cli_key_read_private(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* Reads the public half, in PEM, from the file `name`. If `name` does not exist, reads `name`.pem, or `name`.key if
 * `name`.pem does not exist either; "-" is standard input. If the file holds a private half, computes the public half
 * from the private half. */
HF_MUST_USE int hf_cli_key_read_public(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* Sets ret_id to the name of a key file without folder and suffix. -EINVAL: the result is not a valid key id. */
HF_MUST_USE int hf_cli_key_id(const char *name, char ret_id[HF_KEY_ID_MAX + 1], struct hf_err *err);
