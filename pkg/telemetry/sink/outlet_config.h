/* SPDX-License-Identifier: Apache-2.0 */
/* An outlet's settings. They never change, so jobs may read them. The caller of hf_outlet_new() owns `spec` and
 * `sink`. */
#pragma once

#include "telemetry/delivery/retry.h"
#include "telemetry/format/format.h"
#include "telemetry/sink/outlet.h"

enum {
    HF_OUTLET_PATH = 512,
    HF_OUTLET_URL = 2048,
};

/* pause after a failure to read the spool, to save a border or dead letter, or to get credentials */
#define HF_OUTLET_BROKEN_NS (5 * HF_NS_PER_S)

struct hf_outlet_config {
    struct hf_telemetry_env env;
    const struct hf_telemetry *spec;
    const struct hf_telemetry_sink *sink;
    char *name, *dir, *url, *node;
    struct hf_format format;
    struct hf_retry_rules rules;
    uint64_t timeout_ns;
    bool refuse_unreadable;
    const struct hf_telemetry_link *link; /* NULL: no link to wait for */
    void (*pump)(void *arg);
    void *pump_arg;
};

/* -EINVAL: no URL, or URL or folder too long. Call _done also after a failure. */
HF_MUST_USE int hf_outlet_config_init(struct hf_outlet_config *config, const struct hf_outlet_params *params,
                                      struct hf_err *err);
void hf_outlet_config_done(struct hf_outlet_config *config);

const char *hf_outlet_config_lane_name(enum hf_lane lane);

static inline void hf_outlet_config_pump(const struct hf_outlet_config *config)
{
    config->pump(config->pump_arg);
}

/* Reports that the sink stops or resumes working, or has its first dead letter. */
static inline void hf_outlet_config_changed(const struct hf_outlet_config *config)
{
    if (config->env.changed != NULL)
        config->env.changed(config->env.changed_arg);
}
