/* SPDX-License-Identifier: Apache-2.0 */
/* api/sink_url.h - checks that a server at the URL of a sink can accept the format of the sink. The API server refuses
 * the same URLs as hf_sink_url_fault(), because crds/syncpolicies.yaml has the same rules. Pure. */
#pragma once

enum hf_sink_format { HF_SINK_JSON, HF_SINK_NDJSON, HF_SINK_SEED, HF_SINK_OTLP, HF_SINK_FORMAT_COUNT };

/* Returns a static message if every request of this format to `url` would fail; otherwise NULL. The caller must print
 * the message after the word "url". */
const char *hf_sink_url_fault(enum hf_sink_format format, const char *url);

/* Returns a static message if requests to `url` are possible but the URL is probably a mistake; otherwise NULL. The
 * caller must print the message after the word "url". */
const char *hf_sink_url_doubt(enum hf_sink_format format, const char *url);
