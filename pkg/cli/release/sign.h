/* SPDX-License-Identifier: Apache-2.0 */
/* Signs an EdgeUpdate, a SyncPolicy or an entry of spec.manifests.
 *
 * A signature is verified before it replaces one of the same key id. Takes each --key with the n-th --key-id; else the
 * name of the key file (cli/release/keyfile.h) is the id. */
#pragma once

#include "cli/parts.h"

/* First sets an absent spec.release.signedAt, if nothing is signed yet. */
HF_MUST_USE int hf_cli_sign_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* The signatures cover hf_trust_policy_message(). */
HF_MUST_USE int hf_cli_sign_policy_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *policy,
                                       struct hf_err *err);

/* The signatures cover hf_trust_manifest_message(). */
HF_MUST_USE int hf_cli_sign_manifest_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *entry,
                                         struct hf_err *err);
