/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/source/ingest.h - the source `http`, which serves POST /ingest. telemetry/INGEST.md describes bodies and
 * answers.
 *
 * The source parses the whole body of a request before it offers any item to the intake. If one item is bad, the source
 * stores no item of the request. Otherwise the source offers the items one after the other. If the intake has no room,
 * the request waits in a queue until the source's resume() is called; if that takes too long, or if the queue is full,
 * the answer is 429. If a sink cannot be used, the answer is 503. A request leaves the queue when the source has
 * offered all its items. The source answers 202 when all items that the intake stores are on disk. When the source is
 * freed, it answers the requests that are still in the queue with 503. A request that has left the queue still gets its
 * answer later. Threads: loop thread only. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/event/ids.h"
#include "telemetry/source/source.h"

enum {
    /* maximum size in bytes of a body as the client sends it (max_body of the route) */
    HF_INGEST_MAX_BODY = 4 << 20,
    HF_INGEST_MAX_UNPACKED = 8 << 20,      /* maximum size in bytes of a body after decompression */
    HF_INGEST_MAX_WAITING = 256,           /* maximum number of requests that wait for room in the intake */
    HF_INGEST_MAX_WAITING_BYTES = 8 << 20, /* maximum size in bytes of the bodies of all waiting requests together */
    /* maximum number of items that the source offers in one iteration of the event loop */
    HF_INGEST_AT_ONCE = 1024,
    /* seconds that a request waits for room if the intake has accepted none of its items */
    HF_INGEST_WAIT_S = 1,
    /* seconds that a request waits for room after the intake has accepted some of its items; counted again from 0 after
     * each further item */
    HF_INGEST_WAIT_BEGUN_S = 20,
};

/* Serves one request. hf_telemetry_service_ingest(), which handles POST /ingest, calls this function. `source` comes
 * from hf_source_http_new(). */
void hf_source_http_serve(struct hf_source *source, const struct hf_server_request *request,
                          struct hf_server_exchange *exchange);

/* Sets the window (event/ids.h) in which the source remembers the idempotency keys of requests whose items are all
 * stored. If a client repeats such a request, the source answers without offering the items again. `ids` is borrowed
 * and must outlive the source; `ids` may be NULL. */
void hf_source_http_set_ids(struct hf_source *source, struct hf_ids *ids);
