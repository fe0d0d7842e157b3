/* api/sink_url.h - checks that a sink's URL fits its format. Pure. The rules in crds/syncpolicies.yaml refuse the
 * same URLs. */
#pragma once

enum hf_sink_format { HF_SINK_JSON, HF_SINK_NDJSON, HF_SINK_SEED, HF_SINK_OTLP, HF_SINK_FORMAT_COUNT };

/* Returns a message (static) if every request of this format to `url` would fail, else NULL. The caller prints the
 * message after the word "url". */
const char *hf_sink_url_fault(enum hf_sink_format format, const char *url);

/* Returns a message (static) if `url` works but is probably a mistake, else NULL. The caller prints the message after
 * the word "url". */
const char *hf_sink_url_doubt(enum hf_sink_format format, const char *url);
