/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that a server at a sink's URL can accept its format. Rules as in crds/syncpolicies.yaml. Pure. */
#pragma once

enum hf_sink_format { HF_SINK_JSON, HF_SINK_NDJSON, HF_SINK_SEED, HF_SINK_OTLP, HF_SINK_FORMAT_COUNT };

/* A message, for after the word "url", if every request would fail; or NULL. */
const char *hf_sink_url_fault(enum hf_sink_format format, const char *url);

/* A message if the URL is probably a mistake; or NULL. */
const char *hf_sink_url_doubt(enum hf_sink_format format, const char *url);
