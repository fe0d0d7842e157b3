/* SPDX-License-Identifier: Apache-2.0 */
/* api/schema.h - the tables that decode EdgeUpdates, SyncPolicies and EdgeNodes. A test compares these tables with the
 * CRDs. api/window.h, api/field/selector.h and api/release.h declare the tables of nested objects. */
#pragma once

#include "api/field/field.h"

extern const struct hf_field hf_edgeupdate_fields[]; /* table of an EdgeUpdate's spec; fills a struct hf_edgeupdate */
extern const struct hf_field hf_syncpolicy_fields[]; /* table of a SyncPolicy's spec; fills a struct hf_syncpolicy */
extern const struct hf_field hf_edgenode_fields[];   /* table of an EdgeNode's spec; fills a struct hf_edgenode */
/* table of spec.telemetry of a SyncPolicy; fills a struct hf_telemetry */
extern const struct hf_field hf_telemetry_fields[];

/* The `finish` function of hf_telemetry_fields. Checks rules that involve several fields. */
void hf_telemetry_finish(struct hf_decode *decode, void *object, json_t *json);
