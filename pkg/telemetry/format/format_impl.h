/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/format/format_impl.h - the encoders behind format.c, which zeroes *packed and frees the bodies after a
 * failure (-ENOMEM, -EIO). */
#pragma once

#include "telemetry/format/format.h"

/* Encodes only records[0]. */
HF_MUST_USE int hf_format_pack_seed(const struct hf_spool_record *records, struct hf_format_packed *packed);

HF_MUST_USE int hf_format_pack_otlp(const struct hf_format *format, struct hf_squeeze *squeeze,
                                    const struct hf_spool_record *records, size_t n, struct hf_format_packed *packed);

/* hf_format_read_answer() limits `rejected` to the records of the part. */
void hf_format_read_otlp(bool json, struct hf_view answer, struct hf_format_answer *ret_answer);
