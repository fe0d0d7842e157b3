/* api/schema.h - the tables that decode our kinds, for the test that compares them with the CRDs. Tables that are rows
 * of another table come with their owner: api/window.h, api/field/selector.h, api/release.h. */
#pragma once

#include "api/field/field.h"

extern const struct hf_field hf_edgeupdate_fields[]; /* spec, into struct hf_edgeupdate */
extern const struct hf_field hf_syncpolicy_fields[]; /* spec, into struct hf_syncpolicy */
extern const struct hf_field hf_telemetry_fields[];  /* spec.telemetry of a SyncPolicy, into struct hf_telemetry */

/* The `finish` of hf_telemetry_fields: rules across fields. */
void hf_telemetry_finish(struct hf_decode *decode, void *object, json_t *json);
