/* SPDX-License-Identifier: Apache-2.0 */
/* A time zone file: refused, or every moment of six centuries has an offset and a way back. */
#include "api/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_zone_freep) struct hf_zone *zone = NULL;
    struct hf_err err = HF_ERR_INIT;

    if (hf_zone_parse((struct hf_view){(const char *)bytes, n}, &zone, &err) < 0)
        return 0;
    for (int64_t t = -9000000000; t < 9000000000; t += 123456789) {
        int32_t offset = hf_zone_offset_s(zone, t);
        if (offset < -26 * 3600 || offset > 26 * 3600)
            abort();
        int64_t back = hf_zone_unix_s(zone, t + offset);
        if (back < t - 3 * 86400 || back > t + 3 * 86400)
            abort();
    }
    return 0;
}
