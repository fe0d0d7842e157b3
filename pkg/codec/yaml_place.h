/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of values in a YAML text, for messages. Pure. */
#pragma once

#include "base/buf.h"

/* From 1, for `path` such as "spec.release.artifacts[0].sha256" in `document` (from 0, without empty ones): line of the
 * key, or start of the list's entry. If absent, of the innermost value on the path. 0: no such document, or no memory.
 * Only for text that hf_yaml_parse_all() accepts: no limits here. */
size_t hf_yaml_place_line(struct hf_view text, size_t document, const char *path);
