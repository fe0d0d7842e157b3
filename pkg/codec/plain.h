/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON value's texts made safe for a terminal (base/encoding/plain.h): a status repeats texts of others. Pure. */
#pragma once

#include "codec/json.h"

/* Strings and names, at any depth, in place. Accepts NULL. */
HF_MUST_USE int hf_plain_tree(json_t *root);
