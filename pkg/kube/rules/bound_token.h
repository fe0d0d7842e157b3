/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a service account's token, without checking its signature. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/macros.h"
#include "base/view.h"

enum { HF_BOUND_TOKEN_MAX_BYTES = 16 << 10 };

struct hf_bound_token {
    char node[254]; /* the node to which the token or its pod is bound; or "" */
    uint64_t expiry_unix_s;
};

/* `text` must have no blanks around it. -EBADMSG: not a service account's JWT; *err does not quote it. */
HF_MUST_USE int hf_bound_token_read(struct hf_view text, struct hf_bound_token *ret_token, struct hf_err *err);
