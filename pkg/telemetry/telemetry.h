/* telemetry/telemetry.h - the telemetry of a node: sources, pipeline and outlets as the policy says, and the ids seen lately.
 *
 * One per process. A change of policy replaces pipeline and sources; outlets stay while their sink's name stays. Loop thread only. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/sink/outlet.h"

struct hf_telemetry_service;

struct hf_telemetry_service_params {
    struct hf_telemetry_world world; /* copied */
    const char *device_key_ref;      /* DEVICE_KEY_REF; NULL none */
};

/* NULL on OOM. Nothing runs until a policy is given. */
struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params);
/* At once, as a crash would. */
void hf_telemetry_service_free(struct hf_telemetry_service *service);
HF_DEFINE_CLEANUP(struct hf_telemetry_service, hf_telemetry_service_free)

/* Nothing is taken in any more; open windows come out; `stopped` is called once when all that was taken is on disk (or failed). */
void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg);

/* Be as `spec` says from now on; present = false or NULL: off. `owner`: the policy's tree, referenced, from which it is decoded again: spec
 * need not outlive the call. Parts that
 * could not be started are named in hf_telemetry_service_status(). */
void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels);

/* The route of POST /ingest for the local server; answers 404 while sources.http is off. */
void hf_telemetry_service_ingest(void *service, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange);

/* For EdgeNode.status.telemetry: {queuedBytes, queuedEvents, diskBytes, oldestTime, sinks: [{name, breaker, ...}], troubles: [..]}; NULL when off or on OOM. */
json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service);
