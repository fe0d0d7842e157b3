/* SPDX-License-Identifier: Apache-2.0 */
/* codec/plain.h - makes the texts of a JSON value safe for a terminal, as base/encoding/plain.h does for one text.
 *
 * A status repeats texts of objects, programs and files, such as a value that the agent refused. Threads: any, one at
 * a time for one value. */
#pragma once

#include "codec/json.h"

/* Applies hf_plain_bytes() to the strings and the names of members in `root`, at any depth. Changes `root` in place.
 * Accepts NULL. Returns 0 or -ENOMEM. */
HF_MUST_USE int hf_plain_tree(json_t *root);
