/* api/release.h - the table that decodes spec.release, the signed part of an EdgeUpdate. Only edgeupdate.c uses this
 * header. Pure. */
#pragma once

#include "api/edgeupdate.h"
#include "api/field/field.h"

extern const struct hf_field hf_release_fields[]; /* table of spec.release, which fills a struct hf_release */

/* The `finish` function of spec.release. Checks rules that involve several fields, and computes the digest. */
void hf_release_finish(struct hf_decode *decode, void *object, json_t *json);

/* Frees the lists in a release, but not the release itself. */
void hf_release_done(struct hf_release *release);
