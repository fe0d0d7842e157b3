/* cli/release/keyfile.h - the two files of a key pair: NAME.key, the private half, and NAME.pem, the public one.
 * NAME is the key id.
 *
 * A trust folder holds <key id>.pem, so the public half already has its name there. The private half has another
 * suffix, so that copying *.pem to a node never copies a secret. Reads the older names, too (private X or X.pem,
 * public X.pub.pem). Main thread only; blocks. */
#pragma once

#include "cli/parts.h"
#include "trust/key.h"
#include "trust/trust.h"

struct hf_cli_pair {
    char *private_file, *public_file;
    char key_id[HF_KEY_ID_MAX + 1];
};

/* Names the files of a new pair from "release-2026" or "release-2026.key". public_file: path of the public half;
 * NULL: beside the private one. -EINVAL: a misleading name, or no valid key id. */
HF_MUST_USE int hf_cli_pair_named(const char *name, const char *public_file, struct hf_cli_pair *ret_pair,
                                  struct hf_err *err);
void hf_cli_pair_done(struct hf_cli_pair *pair);

/* Reads the private half as PEM from a file, from NAME if NAME.key exists, or from "-". -EBADMSG: the file holds a
 * public key. */
HF_MUST_USE int hf_cli_key_read_private(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* Reads the public half from a file, from NAME if NAME.pem exists, or computes it from the private half's file. */
HF_MUST_USE int hf_cli_key_read_public(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* Returns the key id in the name of a key file: without folder and suffix. -EINVAL: the name has none. */
HF_MUST_USE int hf_cli_key_id(const char *name, char ret_id[HF_KEY_ID_MAX + 1], struct hf_err *err);
