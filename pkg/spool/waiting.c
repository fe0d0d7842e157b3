/* SPDX-License-Identifier: Apache-2.0 */
/* Payload bytes that wait for delivery. For a segment that is delivered in part, and for sealed segments found at open,
 * this is an estimate. */
#include "spool/store_impl.h"

uint64_t hf_spool_payload_estimate(const struct hf_spool_store *store, size_t i)
{
    const struct segment *segment = &store->segments[i];
    uint64_t records = (i + 1 < store->n ? store->segments[i + 1].first : store->next) - segment->first;
    uint64_t content = segment->end - HF_MIN(segment->end, (uint64_t)HF_SPOOL_CONTENT);

    return content - HF_MIN(content, records * HF_SPOOL_RECORD_HEADER);
}

uint64_t hf_spool_waiting_bytes(const struct hf_spool_store *store)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < store->n; i++) {
        const struct segment *segment = &store->segments[i];
        uint64_t next = i + 1 < store->n ? store->segments[i + 1].first : store->next;
        uint64_t from = HF_MAX(segment->first, store->cursor.delivered + 1);
        if (from >= next)
            continue;
        if (from == segment->first) {
            bytes += segment->payload;
            continue;
        }
        /* payload * waiting / records, in steps that cannot overflow */
        uint64_t records = next - segment->first;
        bytes += segment->payload / records * (next - from) + segment->payload % records * (next - from) / records;
    }
    return bytes;
}
