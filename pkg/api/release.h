/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of spec.release and its health checks. */
#pragma once

#include "api/edgeupdate.h"
#include "api/field/field.h"

extern const struct hf_field hf_release_fields[];

void hf_release_finish(struct hf_decode *decode, void *object, json_t *json);

extern const struct hf_field hf_release_check_fields[];
void hf_release_check_finish(struct hf_decode *decode, void *object, json_t *json);

void hf_release_done(struct hf_release *release);
