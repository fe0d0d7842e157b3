/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/permit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

enum { FIELD = 96, MAX_REF = 1100, MAX_URL = 288 };

static void refuse(const struct hf_permit *permit, const char *list, size_t i, bool indexed, const char *member,
                   const struct hf_err *err)
{
    char field[FIELD];

    if (indexed)
        (void)snprintf(field, sizeof(field), "%s[%zu].%s", list, i, member);
    else
        (void)snprintf(field, sizeof(field), "%s.%s", list, member);
    permit->refused(permit->arg, field, err);
}

/* Moves item `i` of a list to its end and lowers the count. */
static void put_aside(void *list, size_t item_bytes, size_t i, size_t *n)
{
    union {
        struct hf_telemetry_file file;
        struct hf_telemetry_scrape scrape;
        struct hf_telemetry_sink sink;
    } kept;
    char *items = list;

    memcpy(&kept, items + i * item_bytes, item_bytes);
    memmove(items + i * item_bytes, items + (i + 1) * item_bytes, (*n - i - 1) * item_bytes);
    memcpy(items + (*n - 1) * item_bytes, &kept, item_bytes);
    (*n)--;
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

static void permit_files(struct hf_telemetry_sources *sources, const struct hf_permit *permit)
{
    size_t all = sources->n_files;

    for (size_t i = 0, at = 0; i < all; i++) {
        struct hf_err err = HF_ERR_INIT;
        if (hf_config_allows_file_glob(permit->config, permit->scope, sources->files[at].path, &err)) {
            at++;
            continue;
        }
        refuse(permit, "sources.files", i, true, "path", &err);
        put_aside(sources->files, sizeof(*sources->files), at, &sources->n_files);
    }
}

static void permit_scrapes(struct hf_telemetry_sources *sources, const struct hf_permit *permit)
{
    size_t all = sources->n_scrapes;

    for (size_t i = 0, at = 0; i < all; i++) {
        const char *url = sources->scrapes[at].url;
        struct hf_err err = HF_ERR_INIT;
        if (hf_config_allows_scrape(permit->config, permit->scope, url, permit->is_own_url(url), &err)) {
            at++;
            continue;
        }
        refuse(permit, "sources.scrape", i, true, "url", &err);
        put_aside(sources->scrapes, sizeof(*sources->scrapes), at, &sources->n_scrapes);
    }
}

size_t hf_telemetry_permit_scrapes_again(struct hf_telemetry_sources *sources, size_t all,
                                         const struct hf_permit *permit)
{
    size_t before = sources->n_scrapes;

    for (size_t i = before; i < all; i++) {
        const struct hf_telemetry_scrape scrape = sources->scrapes[i];
        struct hf_err err = HF_ERR_INIT;
        if (!hf_config_allows_scrape(permit->config, permit->scope, scrape.url, permit->is_own_url(scrape.url), NULL))
            continue;
        /* Without the address, the same words as before. */
        (void)hf_config_allows_scrape(permit->config, permit->scope, scrape.url, false, &err);
        permit->granted(permit->arg, &err);
        sources->scrapes[i] = sources->scrapes[sources->n_scrapes];
        sources->scrapes[sources->n_scrapes++] = scrape;
    }
    return sources->n_scrapes - before;
}

static void permit_socket(struct hf_telemetry_sources *sources, const struct hf_permit *permit)
{
    struct hf_err err = HF_ERR_INIT;

    if (sources->socket_path == NULL ||
        hf_config_allows_socket(permit->config, permit->scope, sources->socket_path, &err))
        return;
    refuse(permit, "sources.socket", 0, false, "path", &err);
    sources->socket_path = NULL;
}

/* Returns the member of sources.mqtt that is refused, or NULL. */
static const char *refused_of_mqtt(const struct hf_telemetry_mqtt *mqtt, const struct hf_permit *permit,
                                   struct hf_err *err)
{
    bool six = strchr(mqtt->host, ':') != NULL;
    char url[MAX_URL];

    (void)snprintf(url, sizeof(url), "%s://%s%s%s:%" PRIu64, mqtt->tls ? "mqtts" : "mqtt", six ? "[" : "", mqtt->host,
                   six ? "]" : "", mqtt->port);
    if (!hf_config_allows_broker(permit->config, permit->scope, url, err))
        return "host";
    if (mqtt->username_ref != NULL && !hf_config_allows_secret(permit->config, permit->scope, mqtt->username_ref, err))
        return "usernameRef";
    if (mqtt->password_ref != NULL && !hf_config_allows_secret(permit->config, permit->scope, mqtt->password_ref, err))
        return "passwordRef";
    return NULL;
}

static void permit_mqtt(struct hf_telemetry_mqtt *mqtt, const struct hf_permit *permit)
{
    struct hf_err err = HF_ERR_INIT;
    const char *member = mqtt->host != NULL ? refused_of_mqtt(mqtt, permit, &err) : NULL;

    if (member == NULL)
        return;
    refuse(permit, "sources.mqtt", 0, false, member, &err);
    mqtt->host = NULL;
}

/* ---- sinks ------------------------------------------------------------------------------------------------------- */

/* Returns the member of a sink that is refused, or NULL. */
static const char *refused_of_sink(const struct hf_telemetry_sink *sink, const struct hf_permit *permit,
                                   struct hf_err *err)
{
    const struct {
        const char *member, *path;
    } files[] = {{"caFile", sink->ca_file},
                 {"certFile", sink->cert_file},
                 {"keyFile", sink->key_file},
                 {"tokenFile", sink->token_file}};

    if (sink->url != NULL && !hf_config_allows_sink(permit->config, permit->scope, sink->url, err))
        return "url";
    for (size_t i = 0; i < HF_LEN(files); i++) {
        char ref[MAX_REF];
        if (files[i].path == NULL)
            continue;
        (void)snprintf(ref, sizeof(ref), "file:%s", files[i].path);
        if (!hf_config_allows_secret(permit->config, permit->scope, ref, err))
            return files[i].member;
    }
    return NULL;
}

static void permit_sinks(struct hf_telemetry *spec, bool single, const struct hf_permit *permit)
{
    size_t all = spec->n_sinks;

    for (size_t i = 0, at = 0; i < all; i++) {
        struct hf_err err = HF_ERR_INIT;
        const char *member = refused_of_sink(&spec->sinks[at], permit, &err);
        if (member == NULL) {
            at++;
            continue;
        }
        refuse(permit, single ? "sink" : "sinks", i, !single, member, &err);
        put_aside(spec->sinks, sizeof(*spec->sinks), at, &spec->n_sinks);
    }
}

static void permit_buffer(struct hf_telemetry *spec, const struct hf_permit *permit)
{
    uint64_t most = hf_config_max_spool_bytes(permit->config, permit->scope);
    struct hf_err err = HF_ERR_INIT;

    if (spec->buffer_max_bytes <= most)
        return;
    (void)hf_err_set(&err, EACCES,
                     "%" PRIu64 " bytes are not allowed and %" PRIu64 " are used instead: raise %s.maxSpool in "
                     "agent.yaml",
                     spec->buffer_max_bytes, most, permit->scope == HF_CONFIG_SIGNED ? "signedPolicies" : "telemetry");
    refuse(permit, "buffer", 0, false, "maxBytes", &err);
    spec->buffer_max_bytes = most;
}

void hf_telemetry_permit(struct hf_telemetry *spec, bool single, const struct hf_permit *permit)
{
    permit_files(&spec->sources, permit);
    permit_scrapes(&spec->sources, permit);
    permit_socket(&spec->sources, permit);
    permit_mqtt(&spec->sources.mqtt, permit);
    permit_sinks(spec, single, permit);
    permit_buffer(spec, permit);
}
