/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/telemetry.h - the telemetry service of a node. It runs the sources, the pipeline and the outlets that the
 * policy asks for, and remembers the ids of recent events.
 *
 * A process has one service. A change of the settings ends the sources, the pipeline and the outlets, and then makes
 * new ones. The queue of a sink stays on disk; an outlet for a sink of the same name continues with it. Threads: loop
 * thread only. Memory: the service borrows the parts of `world` and owns everything else. */
#pragma once

#include "loop/server/server.h"
#include "telemetry/sink/outlet.h"

struct hf_telemetry_service;

struct hf_telemetry_service_params {
    struct hf_telemetry_world world; /* the service copies this struct and borrows what its pointers point to */
    /* location of the device key (a secret that the agent sends to sinks of the format `seed`), from the environment
     * variable DEVICE_KEY_REF; NULL if there is no device key */
    const char *device_key_ref;
};

/* Makes the service, which does nothing before the first hf_telemetry_service_set(). Returns NULL if memory runs
 * out. */
struct hf_telemetry_service *hf_telemetry_service_new(const struct hf_telemetry_service_params *params);
/* Stops and frees the service at once; events that are not on disk are lost, as in a crash. */
void hf_telemetry_service_free(struct hf_telemetry_service *service);
HF_DEFINE_CLEANUP(struct hf_telemetry_service, hf_telemetry_service_free)

/* Stops accepting events, and flushes the open aggregation windows. Calls `stopped` once, when every accepted event is
 * on disk or could not be stored. */
void hf_telemetry_service_stop(struct hf_telemetry_service *service, void (*stopped)(void *arg), void *arg);

/* Replaces the settings by `spec` as soon as every accepted event is on disk. Does nothing if none of these has
 * changed: spec.telemetry of the policy, `node_labels`, and the node's configuration. If `spec` is NULL or
 * spec->present is false, turns telemetry off. `owner` is the policy's JSON tree. The service holds a reference to this
 * tree and decodes its own copy of the settings from it, so `spec` need not outlive the call. `node_labels` is a JSON
 * object with the labels of the Node, or NULL; the service copies it. hf_telemetry_service_status() names the parts
 * that could not be started. */
void hf_telemetry_service_set(struct hf_telemetry_service *service, const struct hf_telemetry *spec, json_t *owner,
                              const json_t *node_labels);

/* Replaces the node's configuration (world.config), and applies the settings again within the new bounds. The old
 * configuration must stay valid until hf_telemetry_service_free(). */
void hf_telemetry_service_configure(struct hf_telemetry_service *service, const struct hf_config *config);

/* Makes every sink read world.link again, and start or stop sending its backlog accordingly. Call this function when
 * link->closed has changed. */
void hf_telemetry_service_link_changed(const struct hf_telemetry_service *service);

/* Handles a request POST /ingest of the local server. Answers 404 unless the policy turns on sources.http, and 503
 * while the source is not open yet. */
void hf_telemetry_service_ingest(void *service, const struct hf_server_request *request,
                                 struct hf_server_exchange *exchange);

/* Returns a new JSON object for EdgeNode.status.telemetry, {queuedBytes, queuedEvents, diskBytes, oldestTime, sinks:
 * [{name, breaker, ...}], troubles: [..]}. Returns NULL if telemetry is off or memory runs out. */
json_t *hf_telemetry_service_status(const struct hf_telemetry_service *service);
