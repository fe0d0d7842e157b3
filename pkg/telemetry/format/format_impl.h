/* telemetry/format/format_impl.h - internal: the functions of format_seed.c and format_otlp.c, for format.c only.
 *
 * The encoders fill a zeroed *packed and return 0, -ENOMEM or -EIO; format.c frees the bodies on failure. */
#pragma once

#include "telemetry/format/format.h"

/* ---- format_seed.c */

/* Encodes records[0] alone. */
HF_MUST_USE int hf_format_pack_seed(const struct hf_spool_record *records, struct hf_format_packed *packed);

/* ---- format_otlp.c */

HF_MUST_USE int hf_format_pack_otlp(const struct hf_format *format, struct hf_squeeze *squeeze,
                                    const struct hf_spool_record *records, size_t n, struct hf_format_packed *packed);

/* Returns the same number as hf_format_rejected(), but without an upper bound. */
uint64_t hf_format_rejected_otlp(const struct hf_format *format, struct hf_view answer);
