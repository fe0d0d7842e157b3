/* SPDX-License-Identifier: Apache-2.0 */
/* api/telemetry.h - decodes and checks spec.telemetry of a SyncPolicy: the settings for the events that a node
 * collects, stores and sends.
 *
 * Strings point into the policy's JSON tree. Every list and string has a bound; the CRD in crds/ has the same bounds.
 * The tables in telemetry.c have the defaults. docs/reference/telemetry.md has an example. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/severity.h"
#include "api/sink_url.h"
#include "api/window.h"
#include "codec/json.h"

enum {
    HF_TELEMETRY_MAX_UNITS = 32,
    HF_TELEMETRY_MAX_FILES = 16,
    HF_TELEMETRY_MAX_NAMESPACES = 32,
    HF_TELEMETRY_MAX_SCRAPES = 16,
    HF_TELEMETRY_MAX_TOPICS = 16,
    HF_TELEMETRY_MAX_RULES = 32,
    HF_TELEMETRY_MAX_ANOMALIES = 32,
    HF_TELEMETRY_MAX_SINKS = 4,
    HF_TELEMETRY_MAX_LABELS = 16,
    HF_TELEMETRY_MAX_ATTRIBUTES = 16,
    HF_TELEMETRY_MAX_TOP = 8,
    HF_TELEMETRY_MAX_CONTEXT = 64,
    HF_TELEMETRY_MAX_ATTEMPTS = 100, /* maximum of retry.maxAttempts */
};

/* Returns true if the agent may send telemetry to this URL, which must be https://, or http:// with a loopback
 * address. */
bool hf_telemetry_url_ok(const char *url);
/* Returns true if `ref` has the form "file:/absolute/path" or "env:NAME". */
bool hf_telemetry_ref_ok(const char *ref);

/* A pattern for events. An event matches if it meets the conditions of all fields that are set. */
struct hf_event_match {
    /* glob that the event's source must match, such as "journald:*"; NULL for any source */
    const char *source;
    /* glob that the name of the metric must match; NULL for any event, even one that is no metric */
    const char *name;
    const char *contains;          /* text that the event's body must contain; NULL for any body */
    enum hf_severity min_severity; /* lowest severity that matches (0 means any) */
    enum hf_severity max_severity; /* highest severity that matches (0 means any) */
    /* JSON object of strings: names of attributes, and the values that they must have; NULL for any attributes */
    json_t *attributes;
};

struct hf_telemetry_file {
    const char *path; /* absolute path of the files to follow; its last component may be a glob */
    bool json;        /* true if each line is a JSON object, false if each line is text (field `format`) */
    /* valid POSIX extended regular expression that matches the first line of each entry; NULL if each line is an
     * entry */
    const char *multiline_start;
    enum hf_severity severity; /* severity of the lines that state no severity; default info */
};

struct hf_telemetry_scrape {
    /* URL such as http://127.0.0.1:9100/metrics, with a loopback address or an address of this node */
    const char *url;
    uint64_t period_ns;                            /* time between two scrapes; default 30 s */
    const char *names[HF_TELEMETRY_MAX_RULES + 1]; /* globs of the names of metrics to keep; empty means all metrics */
};

struct hf_telemetry_mqtt {
    const char *host; /* host of the MQTT broker; NULL if the source is off */
    uint64_t port;    /* port of the MQTT broker; default 1883, or 8883 if `tls` is true */
    const char *topics[HF_TELEMETRY_MAX_TOPICS + 1];
    /* locations of user name and password, "file:/path" or "env:NAME"; NULL if there are none */
    const char *username_ref, *password_ref;
    bool tls;
};

/* The sources of telemetry, one row for each. docs/EXTENDING.md lists the further steps for a new source.
 *
 *     SOURCE(class, number, create, name, field, on)
 *
 * enum hf_source_class has the constant HF_SOURCE_<class> with the value `number`. The number is part of the spool's
 * tags on disk, so never change a number, and give a new source the next free number. hf_source_<create>_new() makes
 * the source. `name` is the metric label and the beginning of an event's "source". `field` is the field of
 * spec.telemetry.sources. `on` is an expression that is true if the policy's sources `s` (struct hf_telemetry_sources)
 * include this source. */
#define HF_TELEMETRY_SOURCES(SOURCE)                                                                                   \
    SOURCE(HTTP, 1, http, "http", "http", s->http)                                                                     \
    SOURCE(JOURNALD, 2, journald, "journald", "journald", s->journald)                                                 \
    SOURCE(FILE, 3, files, "file", "files", s->n_files > 0)                                                            \
    SOURCE(CONTAINER, 4, containers, "container", "containers", s->containers)                                         \
    SOURCE(NODE, 5, node, "node", "node", s->node)                                                                     \
    SOURCE(SCRAPE, 6, scrape, "scrape", "scrape", s->n_scrapes > 0)                                                    \
    SOURCE(SOCKET, 7, socket, "socket", "socket", s->socket_path != NULL)                                              \
    SOURCE(MQTT, 8, mqtt, "mqtt", "mqtt", s->mqtt.host != NULL)                                                        \
    SOURCE(AUDIT, 10, audit, "audit", "audit", s->audit)

/* Value of HF_SOURCE_AGENT in enum hf_source_class: the class of the agent's own events. No policy configures this
 * class. */
enum { HF_TELEMETRY_AGENT_CLASS = 9 };

/* bounds of retry.base */
#define HF_TELEMETRY_RETRY_MIN_NS (10 * HF_NS_PER_MS)
#define HF_TELEMETRY_RETRY_MAX_NS (600 * HF_NS_PER_S)

/* The field spec.telemetry.sources. A source that the policy does not contain is off. */
struct hf_telemetry_sources {
    bool http;  /* true if the agent accepts events at POST /ingest */
    bool audit; /* true if the entries of the agent's own audit log become events */
    bool journald;
    const char *journald_include[HF_TELEMETRY_MAX_UNITS + 1]; /* names of units to read; empty means all units */
    const char *journald_exclude[HF_TELEMETRY_MAX_UNITS + 1];
    /* lowest severity to read from the journal (sources.journald.minSeverity); default trace */
    enum hf_severity journald_min_severity;
    struct hf_telemetry_file *files; /* array of n_files items, which the policy owns */
    size_t n_files;
    /* true if the agent reads the container logs in /var/log/pods */
    bool containers;
    const char *namespaces[HF_TELEMETRY_MAX_NAMESPACES + 1]; /* namespaces whose logs to read; empty means all */
    /* namespaces whose logs not to read (excludeNamespaces) */
    const char *no_namespaces[HF_TELEMETRY_MAX_NAMESPACES + 1];
    bool node;
    uint64_t node_period_ns; /* time between two measurements of the node; default 10 s */
    struct hf_telemetry_scrape *scrapes;
    size_t n_scrapes;
    const char *socket_path; /* path of the socket (sources.socket.path); NULL if the source is off */
    struct hf_telemetry_mqtt mqtt;
};

struct hf_telemetry_drop {
    struct hf_event_match match;
};
struct hf_telemetry_sample {
    struct hf_event_match match;
    /* share of the matching events to keep, 0..1; the event's id decides, so that a repeated event gets the same
     * decision */
    double keep;
};
struct hf_telemetry_rate {
    struct hf_event_match match;
    /* limits that apply to each source name separately: number of events per second, and number of events that may come
     * at the same moment (default: the value of per_second) */
    uint64_t per_second, burst;
};
enum hf_redact_action { HF_REDACT_MASK, HF_REDACT_REMOVE, HF_REDACT_HASH, HF_REDACT_COUNT };
struct hf_telemetry_redact {
    /* name of an attribute, or of a member of a JSON body at any depth, such as "password"; never "*" */
    const char *field;
    enum hf_redact_action action; /* what to do with the value; default Mask, which writes "***" in its place */
};

enum hf_anomaly_kind { HF_ANOMALY_THRESHOLD, HF_ANOMALY_ZSCORE, HF_ANOMALY_ABSENCE, HF_ANOMALY_RATE };
struct hf_telemetry_anomaly {
    const char *name; /* name of the anomaly rule */
    /* glob that the name of a metric must match; a number in a payload has the name "payload.<member>" */
    const char *metric;
    enum hf_anomaly_kind kind;
    /* bounds; NaN if absent. The kind threshold uses `above` and `below`. The kinds rateOfChange and zScore use only
     * `above`; for zScore it is a number of standard deviations (default 3). */
    double above, below;
    /* for threshold, distance by which the value must be inside the bound to end the anomaly; default 0 */
    double hysteresis;
    /* value of the field `window` for zScore (default 10 min), `per` for rateOfChange (default 1 min), `after` for
     * absence */
    uint64_t window_ns;
    /* numbers of raw values that the pipeline sends as context of an anomaly: the values just before and just after the
     * value that begins the anomaly; at most 64 each */
    uint64_t before, after;
    enum hf_severity severity; /* severity of the finding; default error */
};

/* One item of aggregate.top. The node reports the most frequent values of this attribute in each window
 * (telemetry/pipeline/topk.h). */
struct hf_telemetry_top {
    const char *attribute;
    struct hf_event_match match;
};

enum hf_when_full { HF_WHEN_FULL_BLOCK, HF_WHEN_FULL_DROP_OLDEST, HF_WHEN_FULL_COUNT };
enum hf_telemetry_compression { HF_COMPRESS_ZSTD, HF_COMPRESS_GZIP, HF_COMPRESS_NONE, HF_COMPRESS_COUNT };

struct hf_telemetry_sink {
    /* name of the sink, and of its folder in the storage folder; "default" if the policy has the field `sink` (a single
     * sink) */
    const char *name;
    const char *url; /* URL https://, or http:// with a loopback address */
    enum hf_sink_format format;
    bool otlp_json; /* for the format otlp, true if the field `encoding` selects JSON, and false for protobuf */
    /* Compliance boundary of the receiver; NULL if it has none. If the policy has the field `sink` (a single sink), its
     * boundary comes from telemetry.boundary. */
    const char *boundary;
    /* Paths of files with credentials; NULL for a credential that the sink does not need. The agent reads a file again
     * when it changes. */
    const char *ca_file, *cert_file, *key_file, *token_file;
    /* times at which the agent may send to this sink; if n_windows is 0, it may send at any time */
    struct hf_window *windows;
    size_t n_windows;
    uint64_t bandwidth_limit;     /* limit in bytes per second (0 means no limit) */
    struct hf_event_match select; /* selects the events that go to this sink */
};

struct hf_telemetry {
    bool present; /* true if the policy has spec.telemetry */
    /* true if the policy's signatures are valid on this node, so that the wider bounds of the node's configuration
     * apply (HF_CONFIG_SIGNED). Decoding leaves the field false; the agent sets it. */
    bool is_signed;
    /* true if the settings come from the agent's own options and not from the cluster, so that no bounds apply.
     * Decoding leaves the field false; the agent sets it. */
    bool is_operators;
    struct hf_telemetry_sources sources;
    /* The fields from min_severity to n_redacts are from spec.telemetry.filter. */
    /* lowest severity of logs that pass (0 means that all logs pass); metrics and payloads always pass */
    enum hf_severity min_severity;
    struct hf_telemetry_drop *drops;
    size_t n_drops;
    struct hf_telemetry_sample *samples;
    size_t n_samples;
    struct hf_telemetry_rate *rates;
    size_t n_rates;
    struct hf_telemetry_redact *redacts;
    size_t n_redacts;
    /* The fields `attributes` and label_keys are from spec.telemetry.enrich. */
    /* attributes to add to each event (enrich.attributes), as a JSON object of strings; NULL if there are none */
    json_t *attributes;
    /* keys of the Node's labels that the agent adds to each event as attributes (enrich.labels) */
    const char *label_keys[HF_TELEMETRY_MAX_LABELS + 1];
    /* Fields of spec.telemetry.aggregate. With aggregation, the node sends one summary of each metric per window, and
     * raw values only for anomalies. */
    uint64_t window_ns;  /* length of a window (0 means no aggregation, so that the node sends all raw values) */
    uint64_t max_series; /* maximum number of series; default 2000 */
    uint64_t top_k;      /* number of values to report for each item of `tops`; default 10 */
    struct hf_telemetry_top *tops;
    size_t n_tops;
    struct hf_telemetry_anomaly *anomalies;
    size_t n_anomalies;
    /* The fields buffer_max_bytes and when_full are from spec.telemetry.buffer. */
    uint64_t buffer_max_bytes;   /* maximum disk space in bytes for the queues of all sinks together; default 1 GiB */
    enum hf_when_full when_full; /* if this space is full: sources wait (Block), or the oldest events are dropped */
    /* The fields from batch_max_bytes to `compression` are from spec.telemetry.batch. */
    /* maximum size in bytes of a body before compression; 524288 is the default and the highest possible value */
    uint64_t batch_max_bytes;
    uint64_t batch_timeout_ns; /* maximum time that a batch waits to become full; default 10 s */
    enum hf_telemetry_compression compression;
    /* The fields from max_attempts to max_duration_ns are from spec.telemetry.retry. */
    /* number of failed attempts after which the agent defers a batch, which means a longer wait before further attempts
     * (telemetry/delivery/retry.h); default 3 */
    uint64_t max_attempts;
    uint64_t retry_base_ns;   /* upper bound of the delay after the first failed attempt; default 2 s */
    uint64_t max_duration_ns; /* total time of failed attempts after which the agent defers a batch; default 300 s */
    /* telemetry.boundary: the compliance boundary of the single sink (field `sink`); NULL if absent */
    const char *boundary;
    struct hf_telemetry_sink *sinks;
    /* length of `sinks`; 1 if the policy has the field `sink` (a single sink); 0 if the policy names no sink */
    size_t n_sinks;
};

/* Frees the lists of *telemetry, and the time zones of its windows. */
void hf_telemetry_done(struct hf_telemetry *telemetry);
