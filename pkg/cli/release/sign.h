/* SPDX-License-Identifier: Apache-2.0 */
/* cli/release/sign.h - signs an EdgeUpdate, a SyncPolicy or an entry of spec.manifests. Main thread only; blocks. */
#pragma once

#include "cli/parts.h"

/* Signs spec.release of `update` with a private key (cli/release/keyfile.h) and adds the signature to spec.signatures.
 * Replaces a signature that has the same key id. If key_id is NULL, the key id comes from the name of the key file.
 * Verifies the new signature with the public half of the key before adding the signature. */
HF_MUST_USE int hf_cli_sign(struct hf_cli *cli, json_t *update, const char *key_file, const char *key_id,
                            struct hf_err *err);

/* Signs with the key of each --key option. Before the first signature, writes the current time into
 * spec.release.signedAt, unless the release has such a time or a signature already. The n-th --key-id option gives the
 * key id of the n-th key; without any --key-id, the names of the key files give the key ids. */
HF_MUST_USE int hf_cli_sign_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* Like hf_cli_sign() and hf_cli_sign_all(), but for a SyncPolicy, and without a time of signing. The signatures cover
 * the bytes that hf_trust_policy_message() (trust/trust.h) makes. */
HF_MUST_USE int hf_cli_sign_policy(struct hf_cli *cli, json_t *policy, const char *key_file, const char *key_id,
                                   struct hf_err *err);
HF_MUST_USE int hf_cli_sign_policy_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *policy,
                                       struct hf_err *err);

/* Like hf_cli_sign_policy_all(), but adds the signatures to the field `signatures` of an entry of spec.manifests. These
 * signatures cover the bytes that hf_trust_manifest_message() (trust/trust.h) makes. */
HF_MUST_USE int hf_cli_sign_manifest_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *entry,
                                         struct hf_err *err);
