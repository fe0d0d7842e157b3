/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/outlet_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/http/url.h"

#define REQUEST_NS (30 * HF_NS_PER_S)

const char *hf_outlet_config_lane_name(enum hf_lane lane)
{
    static const char *const names[HF_LANES] = {[HF_LANE_URGENT] = "urgent", [HF_LANE_BULK] = "bulk"};

    return names[lane];
}

/* Returns the sink's URL without the path that each request appends; NULL: the sink has none, or no memory. */
static char *base_url(const struct hf_outlet_params *params)
{
    const char *url = params->sink->url != NULL ? params->sink->url : params->cloud_endpoint;
    struct hf_view base = url != NULL ? hf_format_base(params->sink->format, url) : HF_VIEW("");

    return base.n > 0 ? hf_view_dup(base) : NULL;
}

/* A sink on this machine uses no link, and neither does a folder. */
static const struct hf_telemetry_link *link_to(const char *url, const struct hf_telemetry_env *env)
{
    struct hf_url_parts parts;

    if (env->exported != NULL || (hf_url_split(url, &parts, NULL) == 0 && parts.loopback))
        return NULL;
    return env->link;
}

static enum hf_squeeze_kind encoding_of(const struct hf_telemetry *spec, const struct hf_telemetry_sink *sink)
{
    if (sink->format == HF_SINK_SEED) /* the seed's receiver does not decompress */
        return HF_SQUEEZE_NONE;
    return spec->compression == HF_COMPRESS_GZIP   ? HF_SQUEEZE_GZIP
           : spec->compression == HF_COMPRESS_ZSTD ? HF_SQUEEZE_ZSTD
                                                   : HF_SQUEEZE_NONE;
}

static void set_rules(struct hf_outlet_config *config)
{
    const struct hf_telemetry *spec = config->spec;
    uint64_t max_bytes = spec->batch_max_bytes > 0 ? spec->batch_max_bytes : HF_FORMAT_MAX_BODY;

    config->format = (struct hf_format){
        .kind = config->sink->format,
        .otlp_json = config->sink->otlp_json,
        .node = config->node,
        .max_bytes = (size_t)HF_MIN(max_bytes, (uint64_t)HF_FORMAT_MAX_BODY),
        .encoding = encoding_of(spec, config->sink),
    };
    config->rules = (struct hf_retry_rules){
        .max_attempts = HF_MAX(spec->max_attempts, (uint64_t)1),
        .base_ns = spec->retry_base_ns > 0 ? spec->retry_base_ns : 2 * HF_NS_PER_S,
        .max_duration_ns = spec->max_duration_ns > 0 ? spec->max_duration_ns : 300 * HF_NS_PER_S,
        .linear = config->sink->format == HF_SINK_SEED,
    };
}

int hf_outlet_config_init(struct hf_outlet_config *config, const struct hf_outlet_params *params, struct hf_err *err)
{
    config->env = *params->env;
    config->spec = params->spec;
    config->sink = params->sink;
    config->timeout_ns = params->timeout_ns > 0 ? params->timeout_ns : REQUEST_NS;
    config->refuse_unreadable = params->refuse_unreadable;
    config->name = strdup(hf_outlet_name(params->sink));
    config->node = strdup(params->env->node);
    config->url = base_url(params);
    config->dir = config->name != NULL ? hf_asprintf("%s/%s", params->env->dir, config->name) : NULL;
    if (config->dir == NULL || config->node == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (config->url == NULL)
        return hf_err_set(err, EINVAL, "the sink has no url");
    if (strlen(config->dir) + 16 > HF_OUTLET_PATH || strlen(config->url) + 32 > HF_OUTLET_URL)
        return hf_err_set(err, EINVAL, "the address or the folder is too long");
    config->link = link_to(config->url, params->env);
    set_rules(config);
    return 0;
}

void hf_outlet_config_done(struct hf_outlet_config *config)
{
    free(config->name);
    free(config->node);
    free(config->url);
    free(config->dir);
}
