/* telemetry/source/ingest.h - POST /ingest: the source `http`. INGEST.md describes bodies and answers.
 *
 * The source parses a whole body before it offers any of it: one bad item and it stores nothing. Then it offers item by
 * item. If there is no room, the request waits in line (HF_INGEST_MAX_WAITING, HF_INGEST_MAX_WAITING_BYTES) until
 * resume(), and gets 429 if that takes too long. The answer 202 comes when everything is on disk. Freeing the source
 * answers waiting requests with 503; a request that was offered completely still gets its answer when it is durable.
 * Threads: loop thread only. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/event/ids.h"
#include "telemetry/source/source.h"

enum {
    HF_INGEST_MAX_BODY = 4 << 20,          /* limit of a body as sent: max_body of the route */
    HF_INGEST_MAX_UNPACKED = 8 << 20,      /* limit of a body after decompression */
    HF_INGEST_MAX_WAITING = 256,           /* limit of requests that wait for room */
    HF_INGEST_MAX_WAITING_BYTES = 8 << 20, /* limit of the bytes in their bodies */
    HF_INGEST_AT_ONCE = 1024,              /* items offered in one turn of the loop */
    HF_INGEST_WAIT_S = 1,                  /* longest wait of a request that has stored nothing yet */
    HF_INGEST_WAIT_BEGUN_S = 20,           /* longest wait of a request that has stored some items */
};

/* Serves one request; use as a route's `start`. hf_source_http_new() made `source`. */
void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange);

/* Sets the window for the keys of complete requests (borrowed, outlives the source), so that a repeated request gets
 * its answer without being offered again. May be NULL. */
void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids);
