/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces secrets in a text that leaves the fleet by notes; finds them by their form (redact.c). Pure; any thread. */
#pragma once

#include "base/buf.h"

/* Also replaces by '?' control characters (except line ends and tabs) and characters that change the text's
 * direction. */
HF_MUST_USE int hf_cli_redact(struct hf_view text, struct hf_buf *out);
