/* SPDX-License-Identifier: Apache-2.0 */
/* POST /ingest; bodies and answers: telemetry/INGEST.md. One bad item: nothing of the request is stored. Full queue: it
 * waits, then 429. At once: 429 (the sender's share is used up), 503 (unusable sink). */
#pragma once

#include "loop/server/server.h"
#include "telemetry/event/ids.h"
#include "telemetry/source/source.h"

enum {
    HF_INGEST_MAX_BODY = 4 << 20, /* as sent */
    HF_INGEST_MAX_UNPACKED = 8 << 20,
    HF_INGEST_MAX_WAITING = 256,           /* requests */
    HF_INGEST_MAX_WAITING_BYTES = 8 << 20, /* of their bodies */
    HF_INGEST_AT_ONCE = 1024,              /* items a turn */
    HF_INGEST_WAIT_S = 1,                  /* for room, nothing accepted yet */
    HF_INGEST_WAIT_BEGUN_S = 20,           /* for room, after an accepted item */
};

/* `source`: hf_source_http_new()'s. */
void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange);

/* Stored requests' keys: repetitions are answered without an offer. Borrowed, outlives the source; may be NULL. */
void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids);
