/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a server at a sink's URL can accept its format, as in crds/syncpolicies.yaml. Pure. */
#pragma once

enum hf_sink_format { HF_SINK_JSON, HF_SINK_NDJSON, HF_SINK_SEED, HF_SINK_OTLP, HF_SINK_FORMAT_COUNT };

/* Returns why every request would fail, for after the word "url"; or NULL. */
const char *hf_sink_url_fault(enum hf_sink_format format, const char *url);

/* Returns why the URL is probably a mistake, or NULL. */
const char *hf_sink_url_doubt(enum hf_sink_format format, const char *url);
