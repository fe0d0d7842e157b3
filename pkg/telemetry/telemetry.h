/* telemetry/telemetry.h - the telemetry service of a node: the sources, the pipeline, the outlets and the recent ids
 * that the policy asks for.
 *
 * One for each process. A change of policy replaces the pipeline and the sources; an outlet stays while its sink's name
 * stays. Threads: loop thread only. Memory: the service owns everything but the world's parts, which it borrows. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/sink/outlet.h"

struct hf_telemetry_service;

struct hf_telemetry_service_params {
    struct hf_telemetry_world world; /* copied */
    const char *device_key_ref;      /* device key, from DEVICE_KEY_REF; NULL: none */
};

/* Returns NULL on OOM. Nothing runs before the first hf_telemetry_service_set(). */
struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params);
/* Ends at once, as a crash would. */
void hf_telemetry_service_free(struct hf_telemetry_service *service);
HF_DEFINE_CLEANUP(struct hf_telemetry_service, hf_telemetry_service_free)

/* Takes in no more events, flushes open windows, and calls `stopped` once when everything accepted is on disk (or
 * failed). */
void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg);

/* Replaces the settings with `spec`; NULL or present = false turns telemetry off. `owner` is the policy's tree: the
 * service holds a reference and decodes it again, so `spec` need not outlive the call. hf_telemetry_service_status()
 * names the parts that could not be started. */
void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels);

/* Handles POST /ingest of the local server; answers 404 while sources.http is off. */
void hf_telemetry_service_ingest(void *service, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange);

/* Returns EdgeNode.status.telemetry: {queuedBytes, queuedEvents, diskBytes, oldestTime, sinks: [{name, breaker, ...}],
 * troubles: [..]}; NULL if telemetry is off or on OOM. */
json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service);
