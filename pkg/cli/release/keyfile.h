/* cli/release/keyfile.h - the two files of a key: NAME.key, the private half, and NAME.pem, the public one. NAME is the key's id.
 *
 * A trust folder takes <key id>.pem, so the public half has the name it needs there, and the private half has another ending: who
 * copies *.pem to a node never copies a secret. Keys made before that (private X or X.pem, public X.pub.pem) are still read. */
#pragma once

#include "cli/parts.h"
#include "trust/trust.h"

struct hf_cli_pair {
    char *private_file, *public_file;
    char key_id[HF_KEY_ID_MAX + 1];
};

/* The files of the pair that is to be made, from "release-2026" or "release-2026.key", and where the public half shall go (NULL:
 * beside it). -EINVAL: a name that would mislead, or that gives no key id. */
HF_MUST_USE int hf_cli_pair_named(const char *name, const char *public_file, struct hf_cli_pair *ret_pair,
                                  struct hf_err *err);
void hf_cli_pair_done(struct hf_cli_pair *pair);

/* The private half as PEM text, from its file, from NAME where NAME.key is, or from "-". -EBADMSG: holds no private key. */
HF_MUST_USE int hf_cli_key_read_private(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* The public half, from its file, from NAME where NAME.pem is, or made from the private half's file. */
HF_MUST_USE int hf_cli_key_read_public(struct hf_cli *cli, const char *name, struct hf_buf *pem, struct hf_err *err);

/* The key id that a key file's name says: without folder and ending. -EINVAL with *err asking for --key-id. */
HF_MUST_USE int hf_cli_key_id(const char *name, char ret_id[HF_KEY_ID_MAX + 1], struct hf_err *err);
