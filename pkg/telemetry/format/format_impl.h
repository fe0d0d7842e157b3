/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/format/format_impl.h - functions of format_seed.c and format_otlp.c; only format.c calls these functions.
 *
 * hf_format_pack_seed() and hf_format_pack_otlp() fill *packed, which the caller has zeroed, and return 0, -ENOMEM or
 * -EIO. After a failure format.c frees the bodies. */
#pragma once

#include "telemetry/format/format.h"

/* ---- format_seed.c */

/* Encodes only records[0], because a request in the format `seed` holds one record. */
HF_MUST_USE int hf_format_pack_seed(const struct hf_spool_record *records, struct hf_format_packed *packed);

/* ---- format_otlp.c */

HF_MUST_USE int hf_format_pack_otlp(const struct hf_format *format, struct hf_squeeze *squeeze,
                                    const struct hf_spool_record *records, size_t n, struct hf_format_packed *packed);

/* Reads an answer as JSON or as protobuf. hf_format_read_answer() limits the number of rejected records to that of the
 * part. */
void hf_format_read_otlp(bool json, struct hf_view answer, struct hf_format_answer *ret_answer);
