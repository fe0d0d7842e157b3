/* SPDX-License-Identifier: Apache-2.0 */
/* Makes texts in JSON safe for a terminal (base/encoding/plain.h), because a status repeats texts of others. Pure. */
#pragma once

#include "codec/json.h"

HF_MUST_USE int hf_plain_tree(json_t *root);
