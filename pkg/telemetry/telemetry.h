/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/telemetry.h - the telemetry service of a node: sources, pipeline, and an outlet for each sink of the
 * policy.
 *
 * A change of settings ends all three and makes new ones; an outlet continues the queue of a sink of the same name.
 * Threads: loop thread only. Borrows what `world` points to. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/sink/outlet.h"

struct hf_telemetry_service;

struct hf_telemetry_service_params {
    struct hf_telemetry_world world;
    /* where the device key is (a secret for sinks of the format `seed`); may be NULL */
    const char *device_key_ref;
};

struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params);
/* At once; events not yet on disk are lost, as in a crash. */
void hf_telemetry_service_free(struct hf_telemetry_service *service);
HF_DEFINE_CLEANUP(struct hf_telemetry_service, hf_telemetry_service_free)

/* Accepts no more events and flushes open windows; `stopped` is called once, when every accepted event is on disk or
 * could not be stored. */
void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg);

/* Applies `spec` when every accepted event is on disk, unless nothing changed. NULL or absent turns telemetry off.
 * `owner` is the policy's JSON tree; the service keeps a reference and its own copy of the settings. Copies
 * `node_labels` (a JSON object or NULL). */
void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels);

/* The old configuration must stay valid until hf_telemetry_service_free(). */
void hf_telemetry_service_configure(struct hf_telemetry_service *service, const struct hf_config *config);

void hf_telemetry_service_link_changed(const struct hf_telemetry_service *service);

/* POST /ingest. 404 unless the policy turns on sources.http, 503 while it is not open yet. */
void hf_telemetry_service_ingest(void *service, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange);

/* For EdgeNode.status.telemetry: {queuedBytes, queuedEvents, diskBytes, oldestTime, sinks: [{name, breaker, ...}],
 * troubles: [..]}. NULL: telemetry is off, or no memory. */
json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service);
