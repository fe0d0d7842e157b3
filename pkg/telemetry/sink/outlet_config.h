/* telemetry/sink/outlet_config.h - the settings of one outlet. hf_outlet_new() sets them once; every part of the outlet
 * reads them.
 *
 * Each part calls only parts to its right in this list: outlet -> outlet_load -> outlet_send -> outlet_lane ->
 * outlet_drops, outlet_metrics -> outlet_config. After a change, a part calls hf_outlet_config_pump(), and outlet.c
 * decides what to do next.
 *
 * Threads: loop thread; a worker's job may read the settings, too, because they do not change. Memory: the struct owns
 * its strings; `spec` and `sink` belong to the caller of hf_outlet_new(). */
#pragma once

#include "telemetry/delivery/retry.h"
#include "telemetry/format/format.h"
#include "telemetry/sink/outlet.h"

enum {
    HF_OUTLET_PATH = 512, /* longest path of a lane's folder, with the zero byte */
    HF_OUTLET_URL = 2048, /* longest URL of a request, with the zero byte */
};

/* pause after a failed read, a failed save, or a failed check of the credentials */
#define HF_OUTLET_BROKEN_NS (5 * HF_NS_PER_S)

struct hf_outlet_config {
    struct hf_telemetry_world world;
    const struct hf_telemetry *spec;
    const struct hf_telemetry_sink *sink;
    char *name, *dir, *url, *node;
    struct hf_format format;
    struct hf_retry_rules rules;
    uint64_t timeout_ns; /* time limit of a request */
    void (*pump)(void *arg);
    void *pump_arg;
};

/* Computes the settings. -ENOMEM; -EINVAL: the sink has no address, or its address or folder is too long. Call
 * hf_outlet_config_done() also after a failure. */
HF_MUST_USE int hf_outlet_config_init(struct hf_outlet_config *config, const struct hf_outlet_params *params,
                                      struct hf_err *err);
void hf_outlet_config_done(struct hf_outlet_config *config);

/* Returns the name of a lane, for its folder and for its label in metrics. */
const char *hf_outlet_config_lane_name(enum hf_lane lane);

/* Makes the outlet look for work. Any part may call this at any time. */
static inline void hf_outlet_config_pump(const struct hf_outlet_config *config)
{
    config->pump(config->pump_arg);
}

/* Calls world.changed, to report that the sink stopped or started accepting events, or that it has its first dead
 * letter. */
static inline void hf_outlet_config_changed(const struct hf_outlet_config *config)
{
    if (config->world.changed != NULL)
        config->world.changed(config->world.changed_arg);
}
