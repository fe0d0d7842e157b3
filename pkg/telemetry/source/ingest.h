/* telemetry/source/ingest.h - POST /ingest: the source `http`. What it takes and answers is written in INGEST.md.
 *
 * A body is read whole before anything of it is offered: one bad item and nothing is stored. It is then offered item by item; where there
 * is no room, the request waits in line (HF_INGEST_MAX_WAITING, HF_INGEST_MAX_WAITING_BYTES) until resume(), and is told 429 when that takes too long. The answer 202 is
 * given when everything is on disk. Freed while requests are open: those that were offered whole are still answered when they are safe,
 * the rest with 503. Loop thread only. */
#pragma once

#include "loop/server.h"
#include "telemetry/event/ids.h"
#include "telemetry/source/source.h"

enum {
    HF_INGEST_MAX_BODY = 4 << 20,          /* as sent: max_body of the route */
    HF_INGEST_MAX_UNPACKED = 8 << 20,      /* after gzip or zstd */
    HF_INGEST_MAX_WAITING = 256,           /* requests that wait for room */
    HF_INGEST_MAX_WAITING_BYTES = 8 << 20, /* their bodies */
    HF_INGEST_AT_ONCE = 1024,              /* items offered in one turn of the loop */
    HF_INGEST_WAIT_S = 1,                  /* of one that has stored nothing yet */
    HF_INGEST_WAIT_BEGUN_S = 20,           /* of one that has */
};

/* Serve one request; `source` was made by hf_source_http_new(). For a route's `start`. */
void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange);

/* Remember the keys of whole batches here (borrowed, outlives the source), so that one sent again is not looked through. May be NULL. */
void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids);
