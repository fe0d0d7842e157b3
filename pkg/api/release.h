/* api/release.h - the table of spec.release, the signed part; used by edgeupdate.c alone. */
#pragma once

#include "api/edgeupdate.h"
#include "api/field/field.h"

extern const struct hf_field hf_release_fields[]; /* of struct hf_release */

/* Rules across fields, and the digest. The `finish` of spec.release. */
void hf_release_finish(struct hf_decode *decode, void *object, json_t *json);
void hf_release_done(struct hf_release *release);
