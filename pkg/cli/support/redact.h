/* SPDX-License-Identifier: Apache-2.0 */
/* Removes secrets from a text that leaves the fleet, by their forms (redact.c), and leaves a note for each. Pure; any
 * thread. */
#pragma once

#include "base/buf.h"

/* Control characters except line ends and tabs, and changes of direction, become '?'. hf_buf_add()'s errors. */
HF_MUST_USE int hf_cli_redact(struct hf_view text, struct hf_buf *out);
