/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "codec/json.h"

enum { HF_CLI_TAGS_MAX = 16 };

/* ret[]: the `most` highest of `tags` (strings) below `tag`, and of its form: "v" or not, as many numbers, the same
 * end: neither 1.4 nor 1.4.1-alpine is before 1.4.2. Highest first, borrowed. Returns their number. -EINVAL: `tag` does
 * not begin with a number. Pure. */
HF_MUST_USE int hf_cli_tags_before(const json_t *tags, const char *tag, size_t most,
                                   const char *ret[static HF_CLI_TAGS_MAX]);
