/* SPDX-License-Identifier: Apache-2.0 */
/* Field tables of objects and telemetry, which a test compares with the CRDs. */
#pragma once

#include "api/field/field.h"

extern const struct hf_field hf_edgeupdate_fields[];
extern const struct hf_field hf_syncpolicy_fields[];
extern const struct hf_field hf_edgenode_fields[];
extern const struct hf_field hf_telemetry_fields[];

void hf_telemetry_finish(struct hf_decode *decode, void *object, json_t *json);
