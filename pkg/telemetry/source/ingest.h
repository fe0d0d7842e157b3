/* SPDX-License-Identifier: Apache-2.0 */
/* Serves POST /ingest (telemetry/INGEST.md). If an item cannot be parsed, nothing of the request is stored. While
 * the queue is full a request may wait, then gets 429; or 429 at once if the sender used up its share, 503 if a sink
 * is unusable. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/event/ids.h"
#include "telemetry/source/source.h"

enum {
    HF_INGEST_MAX_BODY = 4 << 20,
    HF_INGEST_MAX_UNPACKED = 8 << 20,
    HF_INGEST_MAX_WAITING = 256,
    HF_INGEST_MAX_WAITING_BYTES = 8 << 20,
    HF_INGEST_AT_ONCE = 1024,
    HF_INGEST_WAIT_S = 1,        /* wait for room before the first item */
    HF_INGEST_WAIT_BEGUN_S = 20, /* wait for room after an item */
};

void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange);

/* Sets the table of stored requests' Idempotency-Keys. Borrowed, must outlive the source; may be NULL. */
void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids);
