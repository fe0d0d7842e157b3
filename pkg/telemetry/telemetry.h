/* SPDX-License-Identifier: Apache-2.0 */
/* A node's telemetry: sources, pipeline, an outlet per sink. Changed settings end all three and make new ones; an
 * outlet goes on with the queue of its name. Borrows what `world` points to. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/sink/outlet.h"

struct hf_telemetry_service;

struct hf_telemetry_service_params {
    struct hf_telemetry_world world;
    /* device key's place (`seed`); may be NULL */
    const char *device_key_ref;
};

struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params);
/* At once, as in a crash. */
void hf_telemetry_service_free(struct hf_telemetry_service *service);
HF_DEFINE_CLEANUP(struct hf_telemetry_service, hf_telemetry_service_free)

/* Accepts no more events, and flushes open windows; `stopped` is called once, when all accepted events are on disk or
 * could not be stored. */
void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg);

/* Applies `spec` when all accepted events are on disk, unless nothing changed. NULL or absent: telemetry is off.
 * `owner`: the policy's JSON, of which a reference is kept; settings and `node_labels` (an object or NULL) are
 * copied. */
void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels);

/* The old one must stay valid until hf_telemetry_service_free(). */
void hf_telemetry_service_configure(struct hf_telemetry_service *service, const struct hf_config *config);

void hf_telemetry_service_link_changed(const struct hf_telemetry_service *service);

/* POST /ingest. 404: the policy does not turn sources.http on; 503: not open yet. */
void hf_telemetry_service_ingest(void *service, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange);

/* EdgeNode.status.telemetry: {queuedBytes, queuedEvents, diskBytes, oldestTime, sinks: [{name, breaker, ...}],
 * troubles: [..]}. NULL: off, or no memory. */
json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service);
