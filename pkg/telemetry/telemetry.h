/* telemetry/telemetry.h - the telemetry service of a node: the sources, the pipeline, the outlets and the recent ids
 * that the policy asks for.
 *
 * A process has one service. A change of policy replaces the pipeline and the sources; an outlet stays as long as the
 * policy has a sink of its name. Threads: loop thread only. Memory: the service borrows the parts of `world` and owns
 * everything else. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/sink/outlet.h"

struct hf_telemetry_service;

struct hf_telemetry_service_params {
    struct hf_telemetry_world world; /* copied */
    const char *device_key_ref;      /* where the device key is, from DEVICE_KEY_REF; NULL: none */
};

/* Returns NULL on OOM. Nothing runs before the first hf_telemetry_service_set(). */
struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params);
/* Stops and frees the service at once; like a crash, this loses events that are not on disk yet. */
void hf_telemetry_service_free(struct hf_telemetry_service *service);
HF_DEFINE_CLEANUP(struct hf_telemetry_service, hf_telemetry_service_free)

/* Takes in no more events and flushes open windows. Calls `stopped` once, when every accepted event is on disk or has
 * failed to be stored. */
void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg);

/* Replaces the settings with `spec`; NULL or present = false turns telemetry off. `owner` is the policy's JSON tree.
 * The service holds a reference to the tree and decodes the tree again, so `spec` need not outlive the call.
 * hf_telemetry_service_status() names the parts that could not be started. */
void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels);

/* Handles POST /ingest of the local server; answers 404 while sources.http is off. */
void hf_telemetry_service_ingest(void *service, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange);

/* Returns EdgeNode.status.telemetry: {queuedBytes, queuedEvents, diskBytes, oldestTime, sinks: [{name, breaker, ...}],
 * troubles: [..]}; NULL if telemetry is off or on OOM. */
json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service);
