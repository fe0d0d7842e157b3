/* SPDX-License-Identifier: Apache-2.0 */
/* The encoders that format.c calls; it frees the bodies after errors. */
#pragma once

#include "telemetry/format/format.h"

/* Encodes records[0] alone. */
HF_MUST_USE int hf_format_pack_seed(const struct hf_spool_record *records, struct hf_format_packed *packed);

HF_MUST_USE int hf_format_pack_otlp(const struct hf_format *format, struct hf_squeeze *squeeze,
                                    const struct hf_spool_record *records, size_t n, struct hf_format_packed *packed);

void hf_format_read_otlp(bool json, struct hf_view answer, struct hf_format_answer *ret_answer);
