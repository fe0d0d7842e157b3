/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/ingest.h - the source `http`, POST /ingest; telemetry/INGEST.md has bodies and answers.
 *
 * One bad item, and none of the request is stored. Without room a request waits: too long, or a full queue, gives 429;
 * a sink that cannot be used 503. Threads: loop thread only. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/event/ids.h"
#include "telemetry/source/source.h"

enum {
    HF_INGEST_MAX_BODY = 4 << 20,          /* as sent (max_body of the route) */
    HF_INGEST_MAX_UNPACKED = 8 << 20,      /* after decompression */
    HF_INGEST_MAX_WAITING = 256,           /* requests that wait for room */
    HF_INGEST_MAX_WAITING_BYTES = 8 << 20, /* total size of their bodies */
    HF_INGEST_AT_ONCE = 1024,              /* items in one iteration of the loop */
    HF_INGEST_WAIT_S = 1,                  /* for room, if no item was accepted */
    HF_INGEST_WAIT_BEGUN_S = 20,           /* for room, after each accepted item */
};

/* For hf_telemetry_service_ingest(). `source` is of hf_source_http_new(). */
void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange);

/* Remembers idempotency keys of stored requests in `ids`: a repetition is answered without offering. Borrowed, outlives
 * the source; may be NULL. */
void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids);
