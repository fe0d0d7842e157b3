/* api/schema.h - the tables that read our kinds, for what compares them with the CRDs and for tables that use others. */
#pragma once

#include "api/field.h"

extern const struct hf_field hf_edgeupdate_fields[]; /* of struct hf_edgeupdate: spec */
extern const struct hf_field hf_syncpolicy_fields[]; /* of struct hf_syncpolicy: spec */
extern const struct hf_field hf_selector_fields[];   /* of any label selector */
extern const struct hf_field hf_telemetry_fields[];  /* of struct hf_telemetry: spec.telemetry of a SyncPolicy */
extern const struct hf_field hf_window_fields[];     /* of struct hf_window */

/* The `finish` of those tables. */
void hf_telemetry_finish(struct hf_decode *decode, void *object, json_t *json);
void hf_window_finish(struct hf_decode *decode, void *object, json_t *json);
