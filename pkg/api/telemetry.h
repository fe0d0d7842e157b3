/* api/telemetry.h - spec.telemetry of a SyncPolicy, decoded and checked: the events that a node collects, keeps and
 * sends.
 *
 * Strings borrow from the policy's tree. Every list and string has a bound; the schema in crds/ has the same bounds.
 * The tables in telemetry.c have the defaults. docs/TELEMETRY.md has an example. */
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
};

/* Returns true if telemetry may go to this URL: https://, or http:// to a loopback address. */
bool hf_telemetry_url_ok(const char *url);
/* Returns true for "file:/absolute/path" and "env:NAME". */
bool hf_telemetry_ref_ok(const char *ref);

/* A pattern for events. An event matches if all members that are given match. */
struct hf_event_match {
    const char *source;            /* glob over the event's source, such as "journald:*"; NULL: any */
    const char *name;              /* glob over the name of a metric; NULL: any event, metric or not */
    const char *contains;          /* text in the body; NULL: any body */
    enum hf_severity min_severity; /* 0: any */
    enum hf_severity max_severity; /* 0: any */
    json_t *attributes;            /* object of strings: values that these attributes must have; NULL: any */
};

struct hf_telemetry_file {
    const char *path; /* absolute path; the last part may be a glob */
    bool json;        /* true if each line is a JSON object, false if each line is text (field `format`) */
    /* valid POSIX extended regular expression that the first line of an entry matches; NULL: each line is an entry */
    const char *multiline_start;
    enum hf_severity severity; /* severity of lines that state no severity; default info */
};

struct hf_telemetry_scrape {
    const char *url;    /* http://127.0.0.1:9100/metrics; loopback or the node's own addresses */
    uint64_t period_ns; /* default 30 s */
    const char *names[HF_TELEMETRY_MAX_RULES + 1]; /* globs of metrics to keep; empty: all */
};

struct hf_telemetry_mqtt {
    const char *host; /* NULL: no MQTT */
    uint64_t port;    /* default 1883, or 8883 with tls */
    const char *topics[HF_TELEMETRY_MAX_TOPICS + 1];
    const char *username_ref, *password_ref; /* "file:/path" or "env:NAME"; NULL: none */
    bool tls;
};

/* The sources of telemetry, one row for each. docs/EXTENDING.md lists the further steps for a new source.
 *
 *     SOURCE(class, number, create, name, field, on)
 *
 * `class` and `number` are name and value of HF_SOURCE_<class> in enum hf_source_class. The number is part of the
 * spool's tags on disk: never change a number, and give a new source the next free number. hf_source_<create>_new()
 * makes the source. `name` is the metric label and the beginning of an event's "source". `field` is the field of
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
    SOURCE(MQTT, 8, mqtt, "mqtt", "mqtt", s->mqtt.host != NULL)

enum { HF_TELEMETRY_AGENT_CLASS = 9 }; /* the number of HF_SOURCE_AGENT, which no policy configures */

/* The field telemetry.sources. A source that is absent is off. */
struct hf_telemetry_sources {
    bool http; /* POST /ingest */
    bool journald;
    const char *journald_include[HF_TELEMETRY_MAX_UNITS + 1]; /* empty: all units */
    const char *journald_exclude[HF_TELEMETRY_MAX_UNITS + 1];
    enum hf_severity journald_min_severity; /* sources.journald.minSeverity, default trace */
    struct hf_telemetry_file *files;        /* owned by the policy */
    size_t n_files;
    bool containers;                                            /* /var/log/pods */
    const char *namespaces[HF_TELEMETRY_MAX_NAMESPACES + 1];    /* empty: all */
    const char *no_namespaces[HF_TELEMETRY_MAX_NAMESPACES + 1]; /* excludeNamespaces */
    bool node;
    uint64_t node_period_ns; /* default 10 s */
    struct hf_telemetry_scrape *scrapes;
    size_t n_scrapes;
    const char *socket_path; /* sources.socket.path; NULL: the source is off */
    struct hf_telemetry_mqtt mqtt;
};

struct hf_telemetry_drop {
    struct hf_event_match match;
};
struct hf_telemetry_sample {
    struct hf_event_match match;
    /* share of events to keep, 0..1; the event's id decides, so that a repeated event gets the same decision */
    double keep;
};
struct hf_telemetry_rate {
    struct hf_event_match match;
    uint64_t per_second, burst; /* limits for each source name; `burst` defaults to per_second */
};
enum hf_redact_action { HF_REDACT_MASK, HF_REDACT_REMOVE, HF_REDACT_HASH, HF_REDACT_COUNT };
struct hf_telemetry_redact {
    const char *field; /* name of an attribute, or of a payload member at any depth ("password"); never "*" */
    enum hf_redact_action action; /* default Mask, which writes "***" */
};

enum hf_anomaly_kind { HF_ANOMALY_THRESHOLD, HF_ANOMALY_ZSCORE, HF_ANOMALY_ABSENCE, HF_ANOMALY_RATE };
struct hf_telemetry_anomaly {
    const char *name;   /* name of the rule */
    const char *metric; /* glob over metric names; for payloads: "payload.<member>" */
    enum hf_anomaly_kind kind;
    /* bounds: threshold uses `above` and `below`; rateOfChange and zScore (default 3) use `above`; NaN: absent */
    double above, below;
    double hysteresis;  /* threshold: a finding ends when the value is this far inside the bound, default 0 */
    uint64_t window_ns; /* zScore: `window`, default 10 min; rateOfChange: `per`, default 1 min; absence: `after` */
    /* number of raw values before and after an anomaly that pass together with the anomaly (at most 64 each) */
    uint64_t before, after;
    enum hf_severity severity; /* default error */
};

/* aggregate.top: counts the values of an attribute in each window (telemetry/pipeline/aggregate.h). */
struct hf_telemetry_top {
    const char *attribute;
    struct hf_event_match match;
};

enum hf_when_full { HF_WHEN_FULL_BLOCK, HF_WHEN_FULL_DROP_OLDEST, HF_WHEN_FULL_COUNT };
enum hf_telemetry_compression { HF_COMPRESS_ZSTD, HF_COMPRESS_GZIP, HF_COMPRESS_NONE, HF_COMPRESS_COUNT };

struct hf_telemetry_sink {
    const char *name; /* default "default"; the storage folder has a folder of this name */
    const char *url;  /* https://, or http:// to loopback */
    enum hf_sink_format format;
    bool otlp_json; /* true: the field `encoding` asks for JSON instead of protobuf */
    /* Compliance boundary of the receiver; NULL: none. For the field `sink`, which names a single sink, the boundary
     * comes from telemetry.boundary. */
    const char *boundary;
    /* Paths of files that the platform mounts; the agent reads them again when they change. NULL: not used. */
    const char *ca_file, *cert_file, *key_file, *token_file;
    struct hf_window *windows; /* connectivity windows; if n_windows is 0, the sink may send at any time */
    size_t n_windows;
    uint64_t bandwidth_limit;     /* bytes per second; 0: none */
    struct hf_event_match select; /* only these events go to this sink */
};

struct hf_telemetry {
    bool present; /* the policy has spec.telemetry */
    /* The policy's signatures verify on this node, so the wider bounds of the node's configuration hold
     * (HF_CONFIG_SIGNED). Decoding leaves it false; the agent sets it. */
    bool is_signed;
    struct hf_telemetry_sources sources;
    /* filter */
    /* lowest severity of logs that pass; 0: all logs pass. Metrics and payloads always pass */
    enum hf_severity min_severity;
    struct hf_telemetry_drop *drops;
    size_t n_drops;
    struct hf_telemetry_sample *samples;
    size_t n_samples;
    struct hf_telemetry_rate *rates;
    size_t n_rates;
    struct hf_telemetry_redact *redacts;
    size_t n_redacts;
    /* enrich */
    json_t *attributes;                                  /* enrich.attributes: object of strings; NULL: none */
    const char *label_keys[HF_TELEMETRY_MAX_LABELS + 1]; /* enrich.labels: keys of Node labels to add */
    /* aggregate: the node sends metrics as windows, and raw values only for anomalies */
    uint64_t window_ns;  /* 0: no aggregation; the node sends all raw values */
    uint64_t max_series; /* default 2000 */
    uint64_t top_k;      /* number of values to report for each of `tops`, default 10 */
    struct hf_telemetry_top *tops;
    size_t n_tops;
    struct hf_telemetry_anomaly *anomalies;
    size_t n_anomalies;
    /* buffer */
    uint64_t buffer_max_bytes; /* default 1 GiB; shared by all sinks */
    enum hf_when_full when_full;
    /* batch */
    uint64_t batch_max_bytes;  /* limit of an uncompressed body; default and maximum 524288 */
    uint64_t batch_timeout_ns; /* default 10 s */
    enum hf_telemetry_compression compression;
    /* retry */
    uint64_t max_attempts;    /* attempts in a row before a batch is deferred; default 3 */
    uint64_t retry_base_ns;   /* default 2 s */
    uint64_t max_duration_ns; /* total time of the attempts before a batch is deferred; default 300 s */
    const char *boundary;     /* compliance boundary of the single sink in the field `sink`; NULL: none */
    struct hf_telemetry_sink *sinks;
    size_t n_sinks; /* length of `sinks`; 1 if the policy has the field `sink`; 0: the policy names no sink */
};

/* Frees the lists and the zones of windows. */
void hf_telemetry_done(struct hf_telemetry *telemetry);
