/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "codec/json.h"

enum { HF_CLI_TAGS_MAX = 16 };

/* Sets ret[] to the `most` highest of `tags` (strings) below `tag`, highest first, borrowed; returns their number. Tags
 * of another form do not count ("v" or not, how many numbers, the end): neither 1.4 nor 1.4.1-alpine is before 1.4.2.
 * -EINVAL: `tag` does not begin with a number (after any "v"). Pure. */
HF_MUST_USE int hf_cli_tags_before(const json_t *tags, const char *tag, size_t most,
                                   const char *ret[static HF_CLI_TAGS_MAX]);
