/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the lines of values in a YAML text, for messages. Pure. */
#pragma once

#include "base/buf.h"

/* Returns the line, from 1, of the key or list entry at `path`, such as "spec.release.artifacts[0].sha256"; if that is
 * absent, of the innermost value on the path. `document` counts from 0, without empty ones. 0: no such document, or no
 * memory. Only for text that hf_yaml_parse_all() accepts. */
size_t hf_yaml_place_line(struct hf_view text, size_t document, const char *path);
