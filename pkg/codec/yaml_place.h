/* codec/yaml_place.h - where in a YAML text a value stands, for messages about objects that were read from it. Pure. */
#pragma once

#include "base/buf.h"

/* The line, from 1, of the value at `path` ("spec.release.artifacts[0].sha256") of the document-th non-empty document (from 0):
 * the line of its key, or of the entry of its list. A path that leads to nothing gives the line of what comes nearest on the
 * way to it (a missing field: the object that lacks it). 0 when there is no such document. `text` is one that
 * hf_yaml_parse_all() has read: its limits are not checked again. */
size_t hf_yaml_place_line(struct hf_view text, size_t document, const char *path);
