/* SPDX-License-Identifier: Apache-2.0 */
/* Signs an EdgeUpdate, a SyncPolicy or an entry of spec.manifests. Verifies each signature before it replaces one of
 * the same key id. The n-th --key-id is for the n-th --key; without --key-id, the key file's name counts. */
#pragma once

#include "cli/parts.h"

/* With --key, also sets spec.release.signedAt, if it is absent and nothing is signed. */
HF_MUST_USE int hf_cli_sign_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *update, struct hf_err *err);

/* The signatures cover hf_trust_policy_message(). */
HF_MUST_USE int hf_cli_sign_policy_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *policy,
                                       struct hf_err *err);

/* The signatures cover hf_trust_manifest_message(). */
HF_MUST_USE int hf_cli_sign_manifest_all(struct hf_cli *cli, const struct hf_cli_args *args, json_t *entry,
                                         struct hf_err *err);
