/* cli/release/sign.h - sign an EdgeUpdate. Main thread only; blocks. */
#pragma once

#include "cli/parts.h"

/* Signs spec.release of `update` with a private key (cli/release/keyfile.h) and adds the signature to
 * spec.signatures, replacing one with the same key id. key_id NULL: take the name of the key file. Verifies the
 * signature with the public half before it adds it. */
HF_MUST_USE int hf_cli_sign(struct hf_cli *cli, json_t *update, const char *key_file, const char *key_id,
                            struct hf_err *err);

/* Signs with every --key, each under its --key-id or, without any --key-id, under the name of its file. */
HF_MUST_USE int hf_cli_sign_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *update, struct hf_err *err);
