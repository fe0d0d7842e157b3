/* SPDX-License-Identifier: Apache-2.0 */
/* codec/yaml_place.h - finds the line of a value in a YAML text, for messages about objects from that text.
 *
 * Pure. Memory: the caller frees nothing. Errors: the result 0 means that the document does not exist, or that memory
 * ran out. */
#pragma once

#include "base/buf.h"

/* Returns the line number (from 1) of the value at `path`, such as "spec.release.artifacts[0].sha256". `document` is
 * the index of the document (from 0); empty documents do not count. If the value has a key, the result is the line of
 * the key; if the value is an entry of a list, the result is the line on which the entry begins. If no value exists at
 * `path`, returns the line of the innermost value that does exist along the path; for a missing field, this value is
 * the object that lacks the field. Pass only a text that hf_yaml_parse_all() has accepted, because this function does
 * not check the limits. */
size_t hf_yaml_place_line(struct hf_view text, size_t document, const char *path);
