/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces secrets in a text that leaves the fleet by notes; finds them by their form (redact.c). Pure; any thread. */
#pragma once

#include "base/buf.h"

/* Also replaces control characters, except line ends and tabs, and changes of direction by '?'. Errors of
 * hf_buf_add(). */
HF_MUST_USE int hf_cli_redact(struct hf_view text, struct hf_buf *out);
