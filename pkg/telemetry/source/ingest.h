/* telemetry/source/ingest.h - the source `http`, which serves POST /ingest. INGEST.md describes bodies and answers.
 *
 * The source parses the whole body of a request before it offers any item. If an item is bad, it stores nothing.
 * Otherwise it offers one item after the other. If there is no room, the request waits in a queue
 * (HF_INGEST_MAX_WAITING, HF_INGEST_MAX_WAITING_BYTES) until resume(); if that takes too long, the answer is 429. The
 * source answers 202 when all items are on disk. When the source is freed, it answers waiting requests with 503. A
 * request whose items were all offered before still gets its answer when the items are durable. Threads: loop thread
 * only. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/event/ids.h"
#include "telemetry/source/source.h"

enum {
    HF_INGEST_MAX_BODY = 4 << 20,          /* limit of a body as the client sends it; max_body of the route */
    HF_INGEST_MAX_UNPACKED = 8 << 20,      /* limit of a body after decompression */
    HF_INGEST_MAX_WAITING = 256,           /* limit of requests that wait for room */
    HF_INGEST_MAX_WAITING_BYTES = 8 << 20, /* limit of the bytes in the bodies of the waiting requests */
    HF_INGEST_AT_ONCE = 1024,              /* items offered in one turn of the loop */
    HF_INGEST_WAIT_S = 1,                  /* longest wait of a request that has stored nothing yet */
    HF_INGEST_WAIT_BEGUN_S = 20,           /* longest wait of a request that has stored some items */
};

/* Serves one request; pass this function as a route's `start`. `source` comes from hf_source_http_new(). */
void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange);

/* Sets the window (event/ids.h) that remembers the keys of requests whose items are all stored. If such a request is
 * repeated, the source answers it without offering its items again. `ids` is borrowed and must outlive the source; it
 * may be NULL. */
void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids);
