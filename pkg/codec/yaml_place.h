/* codec/yaml_place.h - finds the line of a value in a YAML text, for messages about objects that were read from it.
 *
 * Pure. Memory: the caller frees nothing. Errors: returns 0 if there is no such line. */
#pragma once

#include "base/buf.h"

/* Returns the line, from 1, of the value at `path` ("spec.release.artifacts[0].sha256") in the document-th non-empty
 * document (from 0): the line of its key, or of its entry in a list. For a path that leads to nothing, the line of the
 * nearest value on the way (a missing field: the object that lacks it). 0: there is no such document. Give it a text
 * that hf_yaml_parse_all() has accepted: it does not check the limits again. */
size_t hf_yaml_place_line(struct hf_view text, size_t document, const char *path);
