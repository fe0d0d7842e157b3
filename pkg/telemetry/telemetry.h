/* SPDX-License-Identifier: Apache-2.0 */
/* A node's telemetry: sources, a pipeline, and an outlet per sink. Changed settings end all of them and make new ones;
 * an outlet keeps the queue of its name. Borrows what `env` points to. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/sink/outlet.h"

struct hf_telemetry_service;

struct hf_telemetry_service_params {
    struct hf_telemetry_env env;
    /* device key for the format `seed`; may be NULL */
    const char *device_key_ref;
};

struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params);
void hf_telemetry_service_free(struct hf_telemetry_service *service);
HF_DEFINE_CLEANUP(struct hf_telemetry_service, hf_telemetry_service_free)

/* Accepts no more events; calls stopped() once all accepted events are on disk or could not be stored. */
void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg);

/* Applies new settings once no event waits for the disk. `spec` NULL, or not `present`, turns telemetry off.
 * `owner`: the policy's JSON, kept by reference; `node_labels` may be NULL. */
void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels);

/* The old configuration must stay valid until hf_telemetry_service_free(). */
void hf_telemetry_service_configure(struct hf_telemetry_service *service, const struct hf_config *config);

void hf_telemetry_service_link_changed(const struct hf_telemetry_service *service);

/* Serves POST /ingest. 404: sources.http is off; 503: not open. */
void hf_telemetry_service_ingest(void *service, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange);

/* Returns EdgeNode.status.telemetry. NULL: off, or no memory. */
json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service);
