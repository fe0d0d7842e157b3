/* api/schema.h - the tables that read our kinds, for what compares them with the CRDs. */
#pragma once

#include "api/field.h"

extern const struct hf_field hf_edgeupdate_fields[]; /* of struct hf_edgeupdate: spec */
extern const struct hf_field hf_syncpolicy_fields[]; /* of struct hf_syncpolicy: spec */
extern const struct hf_field hf_selector_fields[];   /* of any label selector */
