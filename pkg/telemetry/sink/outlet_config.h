/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/sink/outlet_config.h - the settings of one outlet. hf_outlet_new() computes the settings once; every part
 * of the outlet reads them.
 *
 * Each part of the outlet calls only parts to its right in this list: outlet -> outlet_load -> outlet_send ->
 * outlet_creds, outlet_lane -> outlet_drops, outlet_metrics -> outlet_config. When a part has changed its state, it
 * calls hf_outlet_config_pump(), and outlet.c then decides what to do next.
 *
 * Threads: loop thread. A worker's job may also read the settings, because they never change. Memory: the struct owns
 * its strings; `spec` and `sink` belong to the caller of hf_outlet_new(). */
#pragma once

#include "telemetry/delivery/retry.h"
#include "telemetry/format/format.h"
#include "telemetry/sink/outlet.h"

enum {
    HF_OUTLET_PATH = 512, /* maximum size in bytes of the path of a lane's folder, including the terminator */
    HF_OUTLET_URL = 2048, /* maximum size in bytes of the URL of a request, including the terminator */
};

/* Pause before the next try after a failed read of the spool, a failed save of borders, or a failed check of the
 * credentials. */
#define HF_OUTLET_BROKEN_NS (5 * HF_NS_PER_S)

struct hf_outlet_config {
    struct hf_telemetry_world world;
    const struct hf_telemetry *spec;
    const struct hf_telemetry_sink *sink;
    char *name, *dir, *url, *node;
    struct hf_format format;
    struct hf_retry_rules rules;
    uint64_t timeout_ns; /* time limit of a request with a small body */
    bool refuse_unreadable;
    /* the node's link, which spec.connectivity may close; NULL if the sink is on this machine or world.link is NULL */
    const struct hf_telemetry_link *link;
    void (*pump)(void *arg);
    void *pump_arg;
};

/* Computes the settings. Returns 0, -ENOMEM, or -EINVAL if the sink has no URL or if its URL or folder is too long.
 * Call hf_outlet_config_done() also after a failure. */
HF_MUST_USE int hf_outlet_config_init(struct hf_outlet_config *config, const struct hf_outlet_params *params,
                                      struct hf_err *err);
void hf_outlet_config_done(struct hf_outlet_config *config);

/* Returns the name of a lane, which is the name of its folder and its label in metrics. */
const char *hf_outlet_config_lane_name(enum hf_lane lane);

/* Makes the outlet decide what to do next. Any part may call this function at any time. */
static inline void hf_outlet_config_pump(const struct hf_outlet_config *config)
{
    config->pump(config->pump_arg);
}

/* Calls world.changed. Call this function when the sink stops accepting events, accepts events again, or has its first
 * dead letter. */
static inline void hf_outlet_config_changed(const struct hf_outlet_config *config)
{
    if (config->world.changed != NULL)
        config->world.changed(config->world.changed_arg);
}
