/* SPDX-License-Identifier: Apache-2.0 */
/* spec.telemetry of a SyncPolicy, into whose JSON tree texts point. Bounds are in the CRD, defaults in telemetry.c. */
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
    HF_TELEMETRY_MAX_ATTEMPTS = 100,
};

/* Accepts https://, and http:// to loopback. */
bool hf_telemetry_url_ok(const char *url);
/* Accepts "file:/absolute/path" and "env:NAME". */
bool hf_telemetry_ref_ok(const char *ref);

/* All members that are set must match. */
struct hf_event_match {
    const char *source;            /* glob, or NULL */
    const char *name;              /* glob of a metric's name, or NULL */
    const char *contains;          /* text in the body, or NULL */
    enum hf_severity min_severity; /* 0: any */
    enum hf_severity max_severity; /* 0: any */
    json_t *attributes;            /* object of strings, or NULL */
};

struct hf_telemetry_file {
    const char *path; /* absolute; may end in a glob */
    bool json;
    /* POSIX extended regular expression of an entry's first line; NULL: each line is an entry */
    const char *multiline_start;
    enum hf_severity severity; /* for lines that have none */
};

struct hf_telemetry_scrape {
    const char *url; /* at loopback or this node, unless agent.yaml allows more */
    uint64_t period_ns;
    const char *names[HF_TELEMETRY_MAX_RULES + 1]; /* globs; empty: all */
};

struct hf_telemetry_mqtt {
    const char *host; /* NULL: off */
    uint64_t port;
    const char *topics[HF_TELEMETRY_MAX_TOPICS + 1];
    const char *username_ref, *password_ref; /* "file:/path", "env:NAME", or NULL */
    bool tls;
};

/* SOURCE(class, number, create, name, field, on); steps for a new source: docs/EXTENDING.md.
 *
 * HF_SOURCE_<class> = `number`, which is in tags on disk: never change one, use the next free one.
 * hf_source_<create>_new() makes the source. `name`: metric label, and begin of "source". `field`: in
 * spec.telemetry.sources. `on`: whether `s` has the source. */
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

enum { HF_TELEMETRY_AGENT_CLASS = 9 };

#define HF_TELEMETRY_RETRY_MIN_NS (10 * HF_NS_PER_MS)
#define HF_TELEMETRY_RETRY_MAX_NS (600 * HF_NS_PER_S)

struct hf_telemetry_sources {
    bool http; /* accept POST /ingest */
    bool audit;
    bool journald;
    const char *journald_include[HF_TELEMETRY_MAX_UNITS + 1]; /* units; empty: all */
    const char *journald_exclude[HF_TELEMETRY_MAX_UNITS + 1];
    enum hf_severity journald_min_severity;
    struct hf_telemetry_file *files;
    size_t n_files;
    bool containers;                                         /* read /var/log/pods */
    const char *namespaces[HF_TELEMETRY_MAX_NAMESPACES + 1]; /* empty: all */
    const char *no_namespaces[HF_TELEMETRY_MAX_NAMESPACES + 1];
    bool node;
    uint64_t node_period_ns;
    struct hf_telemetry_scrape *scrapes;
    size_t n_scrapes;
    const char *socket_path; /* NULL: off */
    struct hf_telemetry_mqtt mqtt;
};

struct hf_telemetry_drop {
    struct hf_event_match match;
};
struct hf_telemetry_sample {
    struct hf_event_match match;
    double keep; /* share of events to keep, 0..1, chosen by id or content: a repetition has the same fate */
};
struct hf_telemetry_rate {
    struct hf_event_match match;
    /* for each poster's source name: events per second, and events at once (default: per_second) */
    uint64_t per_second, burst;
};
enum hf_redact_action { HF_REDACT_MASK, HF_REDACT_REMOVE, HF_REDACT_HASH, HF_REDACT_COUNT };
struct hf_telemetry_redact {
    const char *field; /* attribute, or member of a JSON body at any depth; not "*" */
    enum hf_redact_action action;
};

enum hf_anomaly_kind { HF_ANOMALY_THRESHOLD, HF_ANOMALY_ZSCORE, HF_ANOMALY_ABSENCE, HF_ANOMALY_RATE };
struct hf_telemetry_anomaly {
    const char *name;
    const char *metric; /* glob; "payload.<member>": numbers in payloads */
    enum hf_anomaly_kind kind;
    /* NaN: no bound; only a threshold has `below`; zScore's `above` is in standard deviations */
    double above, below;
    double hysteresis;      /* for a threshold: a finding ends so far inside the bound */
    uint64_t window_ns;     /* `window` of zScore, `per` of rateOfChange, `after` of absence */
    uint64_t before, after; /* raw values to send for context, up to 64 each */
    enum hf_severity severity;
};

/* Counts the most frequent values of an attribute in each window. */
struct hf_telemetry_top {
    const char *attribute;
    struct hf_event_match match;
};

enum hf_when_full { HF_WHEN_FULL_BLOCK, HF_WHEN_FULL_DROP_OLDEST, HF_WHEN_FULL_COUNT };
enum hf_telemetry_compression { HF_COMPRESS_ZSTD, HF_COMPRESS_GZIP, HF_COMPRESS_NONE, HF_COMPRESS_COUNT };

struct hf_telemetry_sink {
    const char *name; /* its folder has this name, too; "default" for the field `sink` */
    const char *url;
    enum hf_sink_format format;
    bool otlp_json;
    /* compliance boundary of the receiver, or NULL */
    const char *boundary;
    /* paths, or NULL; the files are read again when they change */
    const char *ca_file, *cert_file, *key_file, *token_file;
    bool node_certificate;     /* use the node's own certificate, not files */
    bool node_token;           /* use the node's own token, not token_file */
    struct hf_window *windows; /* when to send; empty: any time */
    size_t n_windows;
    uint64_t bandwidth_limit; /* bytes per second; 0: no limit */
    struct hf_event_match select;
};

struct hf_telemetry {
    bool present;
    bool is_signed;    /* set by hf_policy_set_compose(): HF_CONFIG_SIGNED bounds apply */
    bool is_operators; /* set by the agent for its own options: no bounds apply */
    struct hf_telemetry_sources sources;
    /* spec.telemetry.filter: */
    enum hf_severity min_severity; /* of log events; 0: all */
    struct hf_telemetry_drop *drops;
    size_t n_drops;
    struct hf_telemetry_sample *samples;
    size_t n_samples;
    struct hf_telemetry_rate *rates;
    size_t n_rates;
    struct hf_telemetry_redact *redacts;
    size_t n_redacts;
    /* spec.telemetry.enrich: */
    json_t *attributes; /* object of strings, or NULL */
    const char *label_keys[HF_TELEMETRY_MAX_LABELS + 1];
    /* spec.telemetry.aggregate: summaries of each metric per window, raw values only for anomalies */
    uint64_t window_ns; /* 0: no windows, all raw values */
    uint64_t max_series;
    uint64_t top_k;
    struct hf_telemetry_top *tops;
    size_t n_tops;
    struct hf_telemetry_anomaly *anomalies;
    size_t n_anomalies;
    /* spec.telemetry.buffer: */
    uint64_t buffer_max_bytes;   /* on disk, for all sinks */
    enum hf_when_full when_full; /* sources wait (Block), or the oldest events go */
    /* spec.telemetry.batch: */
    uint64_t batch_max_bytes; /* before compression */
    uint64_t batch_timeout_ns;
    enum hf_telemetry_compression compression;
    /* how many failures defer a batch */
    uint64_t max_attempts;
    uint64_t retry_base_ns;
    uint64_t max_duration_ns; /* how long a batch may fail until it is deferred */
    const char *boundary;
    struct hf_telemetry_sink *sinks;
    size_t n_sinks;
};

void hf_telemetry_done(struct hf_telemetry *telemetry);
