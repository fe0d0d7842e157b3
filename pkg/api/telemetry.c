/* SPDX-License-Identifier: Apache-2.0 */
/* spec.telemetry: the tables of its fields, and the checks that no table can express.
 *
 * In the order of the pipeline: sources, filter, enrich, aggregate, anomalies, buffer, batch, retry, sinks. The
 * tables (api/field/field.h) decode and check each field; finish functions check fields against each other, and
 * hf_telemetry_finish() the names of sinks. Pipelines without a sink are legal but useless, which is a warning.
 *
 * The four shapes of an anomaly's condition share their members in the struct, so an absent shape is not decoded:
 * its defaults would overwrite those of the present one. `sink` is decoded as a list of one sink, so that the rest
 * of the program knows one form only. */
#include "api/telemetry.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "api/field/field.h"
#include "api/field/text.h"
#include "api/schema.h"
#include "api/zone.h"
#include "base/net/host.h"
#include "os/secret_ref.h"

#define S HF_NS_PER_S
#define H (3600 * HF_NS_PER_S)
enum { MAX_URL = 2048, MAX_PATH_BYTES = 1024, MAX_GLOB = 253, MAX_KEY = 128, MAX_TEXT = 1024, MAX_SOCKET_PATH = 107 };

/* ---- what strings may look like ---------------------------------------------------------------------------------- */

static bool is_glob_path(const char *text)
{
    const char *last = strrchr(text, '/'), *glob = strpbrk(text, "*?[");

    return hf_text_is_path(text) && (glob == NULL || glob > last);
}

/* Returns true for every unit that journald may name. */
static bool is_journal_unit(const char *text)
{
    static const char *const more[] = {".scope", ".slice", ".swap", ".automount", ".device"};
    const char *dot = strrchr(text, '.');

    if (hf_text_is_unit(text))
        return true;
    if (dot == NULL || dot == text || dot - text > 200)
        return false;
    for (const char *p = text; p < dot; p++)
        if (!isalnum((unsigned char)*p) && strchr(":_.@\\-", *p) == NULL)
            return false;
    for (size_t i = 0; i < HF_LEN(more); i++)
        if (strcmp(dot, more[i]) == 0)
            return true;
    return false;
}

bool hf_telemetry_ref_ok(const char *text)
{
    struct hf_secret_ref ref;

    if (hf_secret_ref_parse(text, &ref) < 0)
        return false;
    if (ref.kind == HF_SECRET_FILE)
        return hf_text_is_path(ref.name);
    if (!isalpha((unsigned char)ref.name[0]) && ref.name[0] != '_')
        return false;
    for (const char *p = ref.name + 1; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return false;
    return true;
}

/* MQTT 5.0, 4.7.1: '+' stands for a whole level, '#' for the whole last one. */
static bool is_topic(const char *text)
{
    for (const char *p = text;;) {
        size_t n = strcspn(p, "/"), odd = strcspn(p, "+#");
        if (odd < n && (n != 1 || (*p == '#' && p[1] != '\0')))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)p[i] < 0x20)
                return false;
        if (p[n] == '\0')
            return true;
        p += n + 1;
    }
}

/* Checks the n bytes behind a host: nothing, or ':' and a port. */
static bool is_port(const char *text, size_t n, bool may_be_empty)
{
    unsigned port = 0;

    if (n <= 1)
        return n == 0 || (text[0] == ':' && may_be_empty);
    if (text[0] != ':' || n > 6)
        return false;
    for (size_t i = 1; i < n; i++) {
        if (!isdigit((unsigned char)text[i]))
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return port >= 1 && port <= 65535;
}

bool hf_telemetry_url_ok(const char *text)
{
    if (!hf_text_is_http_url(text))
        return false;
    bool https = strncmp(text, "https://", 8) == 0;
    struct hf_view host = hf_host_of_url(text);
    if (host.n == 0 || (!https && !hf_host_is_loopback(host)))
        return false;
    return is_port(host.p + host.n, strcspn(host.p + host.n, "/?#"), https);
}

static bool is_boundary(const char *text)
{
    return text[0] != '\0' && hf_text_is_label_value(text);
}

static bool is_redactable(const char *text)
{
    return strcmp(text, "*") != 0;
}

/* ---- values that only telemetry has --------------------------------------------------------------------- */

static void decode_severity(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    const char *text = value != NULL ? json_string_value(value) : field->fallback;
    char shown[HF_VALUE_TEXT];
    enum hf_severity severity;

    if (text == NULL || !hf_severity_parse(text, strlen(text), &severity) ||
        strcmp(hf_severity_name(severity), text) != 0)
        hf_decode_error(decode,
                        "expected one of trace debug info notice warning error critical alert emergency, got %s",
                        hf_decode_describe(value, shown));
    else
        *(enum hf_severity *)slot = severity;
}
#define FIELD_SEVERITY(type, member, key, standard)                                                                    \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, HF_FIELD_SLOT(type, member), .fallback = (standard),                     \
        .decode = decode_severity                                                                                      \
    }

static void decode_fraction(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    char shown[HF_VALUE_TEXT];

    if (!json_is_number(value) || json_number_value(value) < 0 || json_number_value(value) > 1)
        hf_decode_error(decode, "expected a number from 0 to 1, got %s", hf_decode_describe(value, shown));
    else
        *(double *)slot = json_number_value(value);
}

static void decode_number(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    char shown[HF_VALUE_TEXT];

    if (!json_is_number(value))
        hf_decode_error(decode, "expected a number, got %s", hf_decode_describe(value, shown));
    else
        *(double *)slot = json_number_value(value);
}
#define FIELD_NUMBER(type, member, key, ...)                                                                           \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, HF_FIELD_SLOT(type, member), .decode = decode_number, __VA_ARGS__        \
    }

/* Decodes an object of strings. */
static void decode_strings(struct hf_decode *decode, HF_UNUSED const struct hf_field *field, json_t *value, void *slot)
{
    char shown[HF_VALUE_TEXT];
    const char *key;
    json_t *text;

    if (!json_is_object(value)) {
        hf_decode_error(decode, "expected an object of strings, got %s", hf_decode_describe(value, shown));
        return;
    }
    if (json_object_size(value) > HF_TELEMETRY_MAX_ATTRIBUTES)
        hf_decode_error(decode, "expected at most %d attributes, got %zu", HF_TELEMETRY_MAX_ATTRIBUTES,
                        json_object_size(value));
    json_object_foreach(value, key, text) {
        size_t before = hf_decode_enter(decode, key, 0);
        if (key[0] == '\0' || strlen(key) > MAX_KEY)
            hf_decode_error(decode, "expected a name of 1 to %d bytes", MAX_KEY);
        if (!json_is_string(text) || json_string_length(text) > MAX_TEXT)
            hf_decode_error(decode, "expected a string of at most %d bytes, got %s", MAX_TEXT,
                            hf_decode_describe(text, shown));
        hf_decode_leave(decode, before);
    }
    *(json_t **)slot = value;
}

static const struct hf_field match_fields[] = {
    HF_FIELD_TEXT(struct hf_event_match, source, "source", 1, MAX_GLOB, NULL, NULL),
    HF_FIELD_TEXT(struct hf_event_match, name, "name", 1, MAX_GLOB, NULL, NULL),
    HF_FIELD_TEXT(struct hf_event_match, contains, "contains", 1, MAX_TEXT, NULL, NULL),
    FIELD_SEVERITY(struct hf_event_match, min_severity, "minSeverity", NULL),
    FIELD_SEVERITY(struct hf_event_match, max_severity, "maxSeverity", NULL),
    HF_FIELD_OF(HF_KIND_OTHER, struct hf_event_match, attributes, "attributes", .decode = decode_strings),
    {0}};

/* ---- sources ----------------------------------------------------------------------------------------------------- */

#define UNIT_WANTED "a systemd unit such as x.service or x@1.service"
static const struct hf_field journald_fields[] = {
    HF_FIELD_TEXTS(struct hf_telemetry_sources, journald_include, "includeUnits", HF_TELEMETRY_MAX_UNITS, 255,
                   is_journal_unit, UNIT_WANTED),
    HF_FIELD_TEXTS(struct hf_telemetry_sources, journald_exclude, "excludeUnits", HF_TELEMETRY_MAX_UNITS, 255,
                   is_journal_unit, UNIT_WANTED),
    FIELD_SEVERITY(struct hf_telemetry_sources, journald_min_severity, "minSeverity", "trace"),
    {0}};

static void finish_journald(HF_UNUSED struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    ((struct hf_telemetry_sources *)object)->journald = true;
}

static const char *const file_formats[] = {"text", "json", NULL};

static const struct hf_field multiline_fields[] = {
    HF_FIELD_TEXT(struct hf_telemetry_file, multiline_start, "start", 1, 256, NULL, NULL, HF_REQUIRED), {0}};

static const struct hf_field file_fields[] = {
    HF_FIELD_TEXT(struct hf_telemetry_file, path, "path", 1, MAX_PATH_BYTES, is_glob_path,
                  "an absolute path without . and .. and //, with * ? [ in its last part only", HF_REQUIRED),
    HF_FIELD_WORD(struct hf_telemetry_file, json, "format", "text", file_formats),
    HF_FIELD_PART("multiline", multiline_fields),
    FIELD_SEVERITY(struct hf_telemetry_file, severity, "severity", "info"),
    {0}};

static const struct hf_field container_fields[] = {
    HF_FIELD_TEXTS(struct hf_telemetry_sources, namespaces, "namespaces", HF_TELEMETRY_MAX_NAMESPACES, 63,
                   hf_text_is_name, "a namespace's name"),
    HF_FIELD_TEXTS(struct hf_telemetry_sources, no_namespaces, "excludeNamespaces", HF_TELEMETRY_MAX_NAMESPACES, 63,
                   hf_text_is_name, "a namespace's name"),
    {0}};

static void finish_containers(HF_UNUSED struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    ((struct hf_telemetry_sources *)object)->containers = true;
}

static const struct hf_field node_fields[] = {
    HF_FIELD_DURATION(struct hf_telemetry_sources, node_period_ns, "period", "10s", S, H), {0}};

static void finish_node(HF_UNUSED struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    ((struct hf_telemetry_sources *)object)->node = true;
}

static const struct hf_field scrape_fields[] = {
    HF_FIELD_TEXT(struct hf_telemetry_scrape, url, "url", 1, MAX_URL, hf_text_is_http_url,
                  "an http: or https: URL without user and blanks", HF_REQUIRED),
    HF_FIELD_DURATION(struct hf_telemetry_scrape, period_ns, "period", "30s", S, H),
    HF_FIELD_TEXTS(struct hf_telemetry_scrape, names, "names", HF_TELEMETRY_MAX_RULES, MAX_GLOB, NULL, NULL),
    {0}};

static const struct hf_field socket_fields[] = {HF_FIELD_TEXT(struct hf_telemetry_sources, socket_path, "path", 1,
                                                              MAX_SOCKET_PATH, hf_text_is_path,
                                                              "an absolute path without . and .. and //", HF_REQUIRED),
                                                {0}};

#define REF_WANTED "file:/path or env:NAME"
static const struct hf_field mqtt_fields[] = {HF_FIELD_TEXT(struct hf_telemetry_mqtt, host, "host", 1, 253,
                                                            hf_text_is_host, "a host name or address", HF_REQUIRED),
                                              HF_FIELD_INTEGER(struct hf_telemetry_mqtt, port, "port", NULL, 1, 65535),
                                              HF_FIELD_TEXTS(struct hf_telemetry_mqtt, topics, "topics",
                                                             HF_TELEMETRY_MAX_TOPICS, 256, is_topic,
                                                             "an MQTT topic filter", .min = 1, HF_REQUIRED),
                                              HF_FIELD_TEXT(struct hf_telemetry_mqtt, username_ref, "usernameRef", 1,
                                                            MAX_PATH_BYTES, hf_telemetry_ref_ok, REF_WANTED),
                                              HF_FIELD_TEXT(struct hf_telemetry_mqtt, password_ref, "passwordRef", 1,
                                                            MAX_PATH_BYTES, hf_telemetry_ref_ok, REF_WANTED),
                                              HF_FIELD_BOOL(struct hf_telemetry_mqtt, tls, "tls", "false"),
                                              {0}};

static void finish_mqtt(HF_UNUSED struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    struct hf_telemetry_mqtt *mqtt = object;

    if (mqtt->port == 0)
        mqtt->port = mqtt->tls ? 8883 : 1883;
}

static const struct hf_field source_fields[] = {
    HF_FIELD_BOOL(struct hf_telemetry_sources, http, "http", "false"),
    HF_FIELD_BOOL(struct hf_telemetry_sources, audit, "audit", "false"),
    HF_FIELD_PART("journald", journald_fields, .finish = finish_journald),
    HF_FIELD_LIST(struct hf_telemetry_sources, files, n_files, "files", file_fields, HF_TELEMETRY_MAX_FILES),
    HF_FIELD_PART("containers", container_fields, .finish = finish_containers),
    HF_FIELD_PART("node", node_fields, .finish = finish_node),
    HF_FIELD_LIST(struct hf_telemetry_sources, scrapes, n_scrapes, "scrape", scrape_fields, HF_TELEMETRY_MAX_SCRAPES),
    HF_FIELD_PART("socket", socket_fields),
    HF_FIELD_OBJECT(struct hf_telemetry_sources, mqtt, "mqtt", mqtt_fields, .finish = finish_mqtt),
    {0}};

/* ---- filter, enrich, aggregate ----------------------------------------------------------------------------------- */

static const struct hf_field drop_fields[] = {
    HF_FIELD_OBJECT(struct hf_telemetry_drop, match, "match", match_fields, HF_REQUIRED), {0}};

static void finish_drop(struct hf_decode *decode, HF_UNUSED void *object, json_t *json)
{
    const json_t *match = json_object_get(json, "match");

    if (json_is_object(match) && json_object_size(match) == 0)
        hf_decode_error_at(decode, "match", "must not be empty: it would match every event");
}

static const struct hf_field sample_fields[] = {
    HF_FIELD_OBJECT(struct hf_telemetry_sample, match, "match", match_fields),
    HF_FIELD_OF(HF_KIND_OTHER, struct hf_telemetry_sample, keep, "keep", .decode = decode_fraction, HF_REQUIRED),
    {0}};

static const struct hf_field rate_fields[] = {
    HF_FIELD_OBJECT(struct hf_telemetry_rate, match, "match", match_fields),
    HF_FIELD_INTEGER(struct hf_telemetry_rate, per_second, "perSecond", NULL, 1, 1000000, HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_telemetry_rate, burst, "burst", NULL, 1, 10000000),
    {0}};

static void finish_rate(HF_UNUSED struct hf_decode *decode, void *object, HF_UNUSED json_t *json)
{
    struct hf_telemetry_rate *rate = object;

    if (rate->burst == 0)
        rate->burst = rate->per_second;
}

static const char *const redact_actions[HF_REDACT_COUNT + 1] = {
    [HF_REDACT_MASK] = "Mask", [HF_REDACT_REMOVE] = "Remove", [HF_REDACT_HASH] = "Hash", NULL};

static const struct hf_field redact_fields[] = {
    HF_FIELD_TEXT(struct hf_telemetry_redact, field, "field", 1, MAX_KEY, is_redactable,
                  "the name of an attribute or of a member", HF_REQUIRED),
    HF_FIELD_WORD(struct hf_telemetry_redact, action, "action", "Mask", redact_actions),
    {0}};

static const struct hf_field filter_fields[] = {
    FIELD_SEVERITY(struct hf_telemetry, min_severity, "minSeverity", NULL),
    HF_FIELD_LIST(struct hf_telemetry, drops, n_drops, "drop", drop_fields, HF_TELEMETRY_MAX_RULES,
                  .finish = finish_drop),
    HF_FIELD_LIST(struct hf_telemetry, samples, n_samples, "sample", sample_fields, HF_TELEMETRY_MAX_RULES),
    HF_FIELD_LIST(struct hf_telemetry, rates, n_rates, "rateLimit", rate_fields, HF_TELEMETRY_MAX_RULES,
                  .finish = finish_rate),
    HF_FIELD_LIST(struct hf_telemetry, redacts, n_redacts, "redact", redact_fields, HF_TELEMETRY_MAX_RULES),
    {0}};

static const struct hf_field enrich_fields[] = {
    HF_FIELD_OF(HF_KIND_OTHER, struct hf_telemetry, attributes, "attributes", .decode = decode_strings),
    HF_FIELD_TEXTS(struct hf_telemetry, label_keys, "labels", HF_TELEMETRY_MAX_LABELS, 317, hf_text_is_label_key,
                   "a label's key"),
    {0}};

static const struct hf_field top_fields[] = {
    HF_FIELD_TEXT(struct hf_telemetry_top, attribute, "attribute", 1, MAX_KEY, NULL, NULL, HF_REQUIRED),
    HF_FIELD_OBJECT(struct hf_telemetry_top, match, "match", match_fields),
    {0}};

static const struct hf_field aggregate_fields[] = {
    HF_FIELD_DURATION(struct hf_telemetry, window_ns, "window", NULL, S, H, HF_REQUIRED),
    HF_FIELD_INTEGER(struct hf_telemetry, max_series, "maxSeries", "2000", 1, 100000),
    HF_FIELD_INTEGER(struct hf_telemetry, top_k, "topK", "10", 1, 100),
    HF_FIELD_LIST(struct hf_telemetry, tops, n_tops, "top", top_fields, HF_TELEMETRY_MAX_TOP),
    {0}};

/* ---- anomalies --------------------------------------------------------------------------------------------------- */

static const struct hf_field threshold_fields[] = {FIELD_NUMBER(struct hf_telemetry_anomaly, above, "above"),
                                                   FIELD_NUMBER(struct hf_telemetry_anomaly, below, "below"),
                                                   FIELD_NUMBER(struct hf_telemetry_anomaly, hysteresis, "hysteresis"),
                                                   {0}};
static const struct hf_field zscore_fields[] = {
    HF_FIELD_DURATION(struct hf_telemetry_anomaly, window_ns, "window", "10m", 10 * S, 24 * H),
    FIELD_NUMBER(struct hf_telemetry_anomaly, above, "above"),
    {0}};
static const struct hf_field absence_fields[] = {
    HF_FIELD_DURATION(struct hf_telemetry_anomaly, window_ns, "after", NULL, S, 168 * H, HF_REQUIRED), {0}};
static const struct hf_field change_fields[] = {
    HF_FIELD_DURATION(struct hf_telemetry_anomaly, window_ns, "per", "1m", S, 24 * H),
    FIELD_NUMBER(struct hf_telemetry_anomaly, above, "above", HF_REQUIRED),
    {0}};

/* The four shapes of a condition share their members, so an absent one is not decoded. */
static void decode_condition(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    struct hf_telemetry_anomaly *anomaly = slot;
    char shown[HF_VALUE_TEXT];

    anomaly->kind = (enum hf_anomaly_kind)field->min;
    anomaly->above = anomaly->below = NAN;
    if (!json_is_object(value)) {
        hf_decode_error(decode, "expected an object, got %s", hf_decode_describe(value, shown));
        return;
    }
    hf_field_decode_all(decode, field->fields, value, anomaly);
    if (anomaly->kind == HF_ANOMALY_THRESHOLD && json_object_get(value, "above") == NULL &&
        json_object_get(value, "below") == NULL)
        hf_decode_error(decode, "expected above, below or both");
    if (json_object_get(value, "hysteresis") != NULL &&
        (anomaly->hysteresis < 0 || anomaly->above - anomaly->hysteresis < anomaly->below + anomaly->hysteresis))
        hf_decode_error_at(decode, "hysteresis", "expected 0 to half the distance between the bounds");
    if (anomaly->kind == HF_ANOMALY_ZSCORE && isnan(anomaly->above))
        anomaly->above = 3;
    if ((anomaly->kind == HF_ANOMALY_ZSCORE || anomaly->kind == HF_ANOMALY_RATE) && anomaly->above <= 0)
        hf_decode_error_at(decode, "above", "expected a number above 0");
}
#define FIELD_CONDITION(key, shape, table)                                                                             \
    {                                                                                                                  \
        .name = (key), .kind = HF_KIND_OTHER, .min = (shape), .fields = (table), .decode = decode_condition            \
    }

static const struct hf_field context_fields[] = {
    HF_FIELD_INTEGER(struct hf_telemetry_anomaly, before, "before", "0", 0, HF_TELEMETRY_MAX_CONTEXT),
    HF_FIELD_INTEGER(struct hf_telemetry_anomaly, after, "after", "0", 0, HF_TELEMETRY_MAX_CONTEXT),
    {0}};

static const struct hf_field anomaly_fields[] = {
    HF_FIELD_TEXT(struct hf_telemetry_anomaly, name, "name", 1, 63, hf_text_is_name,
                  "a name of at most 63 lower case letters, digits and '-'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_telemetry_anomaly, metric, "metric", 1, MAX_GLOB, NULL, NULL, HF_REQUIRED),
    FIELD_CONDITION("threshold", HF_ANOMALY_THRESHOLD, threshold_fields),
    FIELD_CONDITION("zScore", HF_ANOMALY_ZSCORE, zscore_fields),
    FIELD_CONDITION("absence", HF_ANOMALY_ABSENCE, absence_fields),
    FIELD_CONDITION("rateOfChange", HF_ANOMALY_RATE, change_fields),
    HF_FIELD_PART("context", context_fields),
    FIELD_SEVERITY(struct hf_telemetry_anomaly, severity, "severity", "error"),
    {0}};

static void finish_anomaly(struct hf_decode *decode, HF_UNUSED void *object, json_t *json)
{
    static const char *const conditions[] = {"threshold", "zScore", "absence", "rateOfChange"};
    unsigned n = 0;

    for (size_t i = 0; i < HF_LEN(conditions); i++)
        n += json_object_get(json, conditions[i]) != NULL;
    if (n != 1)
        hf_decode_error(decode, "expected exactly one of threshold, zScore, absence, rateOfChange");
}

/* ---- buffer, batch, retry, sinks --------------------------------------------------------------------------------- */

static const char *const when_full[HF_WHEN_FULL_COUNT + 1] = {
    [HF_WHEN_FULL_BLOCK] = "Block", [HF_WHEN_FULL_DROP_OLDEST] = "DropOldest", NULL};
static const char *const compressions[HF_COMPRESS_COUNT + 1] = {
    [HF_COMPRESS_ZSTD] = "zstd", [HF_COMPRESS_GZIP] = "gzip", [HF_COMPRESS_NONE] = "none", NULL};
static const char *const sink_formats[HF_SINK_FORMAT_COUNT + 1] = {
    [HF_SINK_JSON] = "json", [HF_SINK_NDJSON] = "ndjson", [HF_SINK_SEED] = "seed", [HF_SINK_OTLP] = "otlp", NULL};
static const char *const encodings[] = {"protobuf", "json", NULL};
static const char *const places[] = {"file", "node", NULL};

static const struct hf_field buffer_fields[] = {
    HF_FIELD_OF(HF_KIND_QUANTITY, struct hf_telemetry, buffer_max_bytes, "maxBytes", .fallback = "1Gi", .min = 16 << 20,
                .max = 1ull << 40),
    HF_FIELD_WORD(struct hf_telemetry, when_full, "whenFull", "Block", when_full),
    {0}};

static const struct hf_field batch_fields[] = {
    HF_FIELD_INTEGER(struct hf_telemetry, batch_max_bytes, "maxBytes", "524288", 1024, 524288),
    HF_FIELD_DURATION(struct hf_telemetry, batch_timeout_ns, "timeout", "10s", 100 * HF_NS_PER_MS, H),
    HF_FIELD_WORD(struct hf_telemetry, compression, "compression", "zstd", compressions),
    {0}};

static const struct hf_field retry_fields[] = {
    HF_FIELD_INTEGER(struct hf_telemetry, max_attempts, "maxAttempts", "3", 1, HF_TELEMETRY_MAX_ATTEMPTS),
    HF_FIELD_DURATION(struct hf_telemetry, retry_base_ns, "base", "2s", HF_TELEMETRY_RETRY_MIN_NS,
                      HF_TELEMETRY_RETRY_MAX_NS),
    HF_FIELD_DURATION(struct hf_telemetry, max_duration_ns, "maxDuration", "300s", S, 24 * H),
    {0}};

#define PATH_WANTED "an absolute path without . and .. and //"
#define SINK_FIELDS                                                                                                    \
    HF_FIELD_TEXT(struct hf_telemetry_sink, url, "url", 1, MAX_URL, hf_telemetry_url_ok,                               \
                  "an https: URL, or http: to 127.0.0.1, [::1] or localhost; its port 1 to 65535", HF_REQUIRED),       \
        HF_FIELD_WORD(struct hf_telemetry_sink, format, "format", "json", sink_formats),                               \
        HF_FIELD_WORD(struct hf_telemetry_sink, otlp_json, "encoding", "protobuf", encodings),                         \
        HF_FIELD_TEXT(struct hf_telemetry_sink, ca_file, "caFile", 1, MAX_PATH_BYTES, hf_text_is_path, PATH_WANTED),   \
        HF_FIELD_WORD(struct hf_telemetry_sink, node_certificate, "clientCertificate", "file", places),                \
        HF_FIELD_TEXT(struct hf_telemetry_sink, cert_file, "certFile", 1, MAX_PATH_BYTES, hf_text_is_path,             \
                      PATH_WANTED),                                                                                    \
        HF_FIELD_TEXT(struct hf_telemetry_sink, key_file, "keyFile", 1, MAX_PATH_BYTES, hf_text_is_path, PATH_WANTED), \
        HF_FIELD_WORD(struct hf_telemetry_sink, node_token, "tokenFrom", "file", places),                              \
        HF_FIELD_TEXT(struct hf_telemetry_sink, token_file, "tokenFile", 1, MAX_PATH_BYTES, hf_text_is_path,           \
                      PATH_WANTED),                                                                                    \
        HF_FIELD_LIST(struct hf_telemetry_sink, windows, n_windows, "windows", hf_window_fields, HF_MAX_WINDOWS,       \
                      .finish = hf_window_finish),                                                                     \
        HF_FIELD_QUANTITY(struct hf_telemetry_sink, bandwidth_limit, "bandwidthLimit", 1024, 1ull << 40),              \
        HF_FIELD_OBJECT(struct hf_telemetry_sink, select, "select", match_fields)

static const struct hf_field sink_fields[] = {SINK_FIELDS, {0}};
static const struct hf_field named_sink_fields[] = {
    HF_FIELD_TEXT(struct hf_telemetry_sink, name, "name", 1, 63, hf_text_is_name,
                  "a name of at most 63 lower case letters, digits and '-'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_telemetry_sink, boundary, "boundary", 1, 63, is_boundary, "a compliance boundary"),
    SINK_FIELDS,
    {0}};

/* The field's own check covers form and scheme. */
static void check_url(struct hf_decode *decode, const struct hf_telemetry_sink *sink)
{
    const char *fault = hf_sink_url_fault(sink->format, sink->url);
    const char *doubt = fault == NULL ? hf_sink_url_doubt(sink->format, sink->url) : NULL;
    size_t before = hf_decode_enter(decode, "url", 0);

    if (fault != NULL)
        hf_decode_error(decode, "%s", fault);
    if (doubt != NULL)
        hf_issue_warning(decode->issues, decode->path, "%s", doubt);
    hf_decode_leave(decode, before);
}

static void finish_sink(struct hf_decode *decode, void *object, json_t *json)
{
    const struct hf_telemetry_sink *sink = object;

    if (sink->url != NULL)
        check_url(decode, sink);
    if (json_object_get(json, "encoding") != NULL && sink->format != HF_SINK_OTLP)
        hf_decode_error_at(decode, "encoding", "needs format otlp");
    if ((json_object_get(json, "certFile") != NULL) != (json_object_get(json, "keyFile") != NULL))
        hf_decode_error(decode, "set certFile and keyFile together");
    if (sink->node_certificate && sink->cert_file != NULL)
        hf_decode_error_at(decode, "clientCertificate", "node excludes certFile and keyFile");
    if (sink->node_token && sink->token_file != NULL)
        hf_decode_error_at(decode, "tokenFrom", "node excludes tokenFile");
}

/* Decodes `sink` as a list of one sink. */
static void decode_sink(struct hf_decode *decode, const struct hf_field *field, json_t *value, void *slot)
{
    struct hf_telemetry *telemetry = slot;
    char shown[HF_VALUE_TEXT];

    if (!json_is_object(value)) {
        hf_decode_error(decode, "expected an object, got %s", hf_decode_describe(value, shown));
        return;
    }
    if (telemetry->sinks != NULL) {
        hf_decode_error(decode, "excludes sinks: set one of them");
        return;
    }
    telemetry->sinks = calloc(1, sizeof(*telemetry->sinks));
    if (telemetry->sinks == NULL) {
        decode->out_of_memory = true;
        return;
    }
    telemetry->n_sinks = 1;
    telemetry->sinks->name = "default";
    hf_field_decode_all(decode, field->fields, value, telemetry->sinks);
    finish_sink(decode, telemetry->sinks, value);
}

const struct hf_field hf_telemetry_fields[] = {
    HF_FIELD_OBJECT(struct hf_telemetry, sources, "sources", source_fields),
    HF_FIELD_PART("filter", filter_fields),
    HF_FIELD_PART("enrich", enrich_fields),
    HF_FIELD_PART("aggregate", aggregate_fields),
    HF_FIELD_LIST(struct hf_telemetry, anomalies, n_anomalies, "anomalies", anomaly_fields, HF_TELEMETRY_MAX_ANOMALIES,
                  .finish = finish_anomaly),
    HF_FIELD_PART("buffer", buffer_fields),
    HF_FIELD_PART("batch", batch_fields),
    HF_FIELD_PART("retry", retry_fields),
    HF_FIELD_LIST(struct hf_telemetry, sinks, n_sinks, "sinks", named_sink_fields, HF_TELEMETRY_MAX_SINKS,
                  .finish = finish_sink, .min = 1),
    {.name = "sink", .kind = HF_KIND_OTHER, .fields = sink_fields, .decode = decode_sink},
    HF_FIELD_TEXT(struct hf_telemetry, boundary, "boundary", 1, 63, is_boundary, "a compliance boundary"),
    {0}};

static void check_names(struct hf_decode *decode, const struct hf_telemetry *telemetry)
{
    for (size_t i = 1; i < telemetry->n_sinks; i++)
        for (size_t k = 0; k < i; k++)
            if (telemetry->sinks[i].name != NULL && telemetry->sinks[k].name != NULL &&
                strcmp(telemetry->sinks[i].name, telemetry->sinks[k].name) == 0)
                hf_decode_error_at(decode, "sinks", "%s occurs twice", telemetry->sinks[i].name);
    for (size_t i = 1; i < telemetry->n_anomalies; i++)
        for (size_t k = 0; k < i; k++)
            if (telemetry->anomalies[i].name != NULL && telemetry->anomalies[k].name != NULL &&
                strcmp(telemetry->anomalies[i].name, telemetry->anomalies[k].name) == 0)
                hf_decode_error_at(decode, "anomalies", "%s occurs twice", telemetry->anomalies[i].name);
}

static bool has_source(const struct hf_telemetry_sources *s)
{
#define OR_ON(class, number, create, name, field, on) || (on)
    return false HF_TELEMETRY_SOURCES(OR_ON);
#undef OR_ON
}

static void warn_of_no_sink(struct hf_decode *decode, const struct hf_telemetry *telemetry, const json_t *json)
{
    if (has_source(&telemetry->sources) && json_object_get(json, "sink") == NULL &&
        json_object_get(json, "sinks") == NULL)
        hf_issue_warning(decode->issues, decode->path,
                         "has no sink: the node drops every event of its sources; set sink or sinks");
}

void hf_telemetry_finish(struct hf_decode *decode, void *object, json_t *json)
{
    struct hf_telemetry *telemetry = object;

    telemetry->present = true;
    check_names(decode, telemetry);
    warn_of_no_sink(decode, telemetry, json);
    if (telemetry->boundary == NULL)
        return;
    if (json_object_get(json, "sinks") != NULL)
        hf_decode_error_at(decode, "boundary", "needs sink: with sinks, set boundary in each of them");
    else if (telemetry->n_sinks > 0)
        telemetry->sinks[0].boundary = telemetry->boundary;
}

void hf_telemetry_done(struct hf_telemetry *telemetry)
{
    for (size_t i = 0; i < telemetry->n_sinks; i++) {
        for (size_t k = 0; k < telemetry->sinks[i].n_windows; k++)
            hf_zone_free(telemetry->sinks[i].windows[k].zone);
        free(telemetry->sinks[i].windows);
    }
    free(telemetry->sinks);
    free(telemetry->sources.files);
    free(telemetry->sources.scrapes);
    free(telemetry->drops);
    free(telemetry->samples);
    free(telemetry->rates);
    free(telemetry->redacts);
    free(telemetry->tops);
    free(telemetry->anomalies);
    *telemetry = (struct hf_telemetry){0};
}
