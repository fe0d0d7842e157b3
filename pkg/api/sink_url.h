/* api/sink_url.h - checks that a sink's URL fits its format. Pure. The rules in crds/syncpolicies.yaml refuse the
 * same URLs. */
#pragma once

enum hf_sink_format { HF_SINK_JSON, HF_SINK_NDJSON, HF_SINK_SEED, HF_SINK_OTLP, HF_SINK_FORMAT_COUNT };

/* Returns a static text that follows the word "url" if every request of this format to `url` would fail; else NULL. */
const char *hf_sink_url_fault(enum hf_sink_format format, const char *url);

/* Returns a static text that follows the word "url" if `url` works but is probably a mistake; else NULL. */
const char *hf_sink_url_doubt(enum hf_sink_format format, const char *url);
