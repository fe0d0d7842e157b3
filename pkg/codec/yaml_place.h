/* codec/yaml_place.h - finds the line of a value in a YAML text, for messages about objects from that text.
 *
 * Pure. Memory: the caller frees nothing. Errors: returns 0 if there is no such line. */
#pragma once

#include "base/buf.h"

/* Returns the line number (from 1) of the value at `path`, such as "spec.release.artifacts[0].sha256". `document` is
 * the number of the document (from 0); empty documents do not count. The result is the line of the value's key or, in a
 * list, of the value's entry. If no value exists at `path`, returns the line of the nearest existing value above; for a
 * missing field, that is the object without the field. Returns 0 if the document does not exist. Pass only a text that
 * hf_yaml_parse_all() has accepted, because this function does not check the limits. */
size_t hf_yaml_place_line(struct hf_view text, size_t document, const char *path);
