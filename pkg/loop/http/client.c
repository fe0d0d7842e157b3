/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/http/client.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "loop/http/internal.h"
#include "os/clock_posix.h"

static void add_text(EVP_MD_CTX *context, const char *text)
{
    /* Hash the length too, so that no two configurations give the same bytes; NULL differs from "". */
    size_t n = text != NULL ? strlen(text) + 1 : 0;

    (void)EVP_DigestUpdate(context, &n, sizeof(n));
    if (n > 0)
        (void)EVP_DigestUpdate(context, text, n);
}

static void add_peer(EVP_MD_CTX *context, const struct hf_http_peer *peer)
{
    add_text(context, peer->origin);
    add_text(context, peer->problem);
    add_text(context, peer->ca_pem);
    add_text(context, peer->client_cert_pem);
    add_text(context, peer->client_key_pem);
}

static int tls_digest(const struct hf_http_config *config, unsigned char digest[32])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    if (ok == 1) {
        add_text(context, config->ca_pem);
        add_text(context, config->client_cert_pem);
        add_text(context, config->client_key_pem);
        add_text(context, config->tls_server_name);
        add_text(context, config->insecure_skip_verify ? "" : NULL);
        add_text(context, config->agents != NULL ? "" : NULL);
        for (size_t i = 0; i < config->n_peers; i++)
            add_peer(context, &config->peers[i]);
        (void)EVP_DigestUpdate(context, &config->max_skew_ns, sizeof(config->max_skew_ns));
        (void)EVP_DigestUpdate(context, &config->clock, sizeof(config->clock));
        ok = EVP_DigestFinal_ex(context, digest, NULL);
    }
    EVP_MD_CTX_free(context);
    return ok == 1 ? 0 : -ENOMEM;
}

/* The part of a client that changes with its configuration, built aside so that a bad one changes nothing. */
struct settings {
    struct hf_tls *tls; /* NULL: unchanged, and so are the peers */
    struct hf_http_peers *peers;
    unsigned char digest[32];
    char *user_agent;
    char *authorization;
    char *server_name;
    char origin[HF_URL_ORIGIN];
};

static void settings_done(struct settings *settings)
{
    hf_tls_unref(settings->tls);
    hf_http_peers_unref(settings->peers);
    free(settings->user_agent);
    hf_buf_wipe_text(&settings->authorization);
    free(settings->server_name);
}

static bool header_safe(const char *text)
{
    return text[strcspn(text, "\r\n")] == '\0';
}

static int copy_texts(const struct hf_http_config *config, struct settings *settings, struct hf_err *err)
{
    const char *agent = config->user_agent != NULL ? config->user_agent : "holdfast";
    const char *token = config->bearer_token;
    const char *name = config->tls_server_name;

    if (!header_safe(agent) || (token != NULL && !header_safe(token)))
        return hf_err_set(err, EBADMSG, "a line break in the user agent or the bearer token");
    settings->user_agent = strdup(agent);
    settings->authorization = token != NULL ? hf_asprintf("Authorization: Bearer %s", token) : NULL;
    settings->server_name = name != NULL ? strdup(name) : NULL;
    if (settings->user_agent == NULL || (token != NULL && settings->authorization == NULL) ||
        (name != NULL && settings->server_name == NULL))
        return hf_err_set(err, ENOMEM, "not enough memory for an HTTP client");
    return 0;
}

static int settings_read(const struct hf_http_config *config, const unsigned char *old_digest,
                         struct settings *settings, struct hf_err *err)
{
    struct hf_url_parts parts;
    int r = tls_digest(config, settings->digest);

    if (r < 0)
        return hf_err_set(err, -r, "not enough memory for an HTTP client");
    if (config->origin != NULL) {
        r = hf_url_split(config->origin, &parts, err);
        if (r < 0)
            return r;
        memcpy(settings->origin, parts.origin, sizeof(settings->origin));
    }
    if (old_digest == NULL || memcmp(old_digest, settings->digest, sizeof(settings->digest)) != 0) {
        r = hf_tls_new(config, &settings->tls, err);
        if (r == 0)
            r = hf_http_peers_new(config, &settings->peers, err);
        if (r < 0)
            return r;
    }
    return copy_texts(config, settings, err);
}

static void swap_text(char **a, char **b)
{
    char *kept = *a;

    *a = *b;
    *b = kept;
}

static void settings_apply(struct hf_http_client *client, const struct hf_http_config *config,
                           struct settings *settings)
{
    if (settings->tls != NULL) {
        hf_tls_unref(client->tls);
        hf_http_peers_unref(client->peers);
        client->tls = hf_steal(settings->tls);
        client->peers = hf_steal(settings->peers);
        memcpy(client->tls_digest, settings->digest, sizeof(client->tls_digest));
        hf_http_pool_retire(client->pool);
    }
    swap_text(&client->user_agent, &settings->user_agent);
    swap_text(&client->authorization, &settings->authorization);
    swap_text(&client->server_name, &settings->server_name);
    memcpy(client->origin, settings->origin, sizeof(client->origin));
    client->insecure = config->insecure_skip_verify;
    client->agents = config->agents != NULL;
    client->no_proxy = config->no_proxy;
    client->clock = config->clock != NULL ? config->clock : hf_clock_posix();
}

int hf_http_client_update(struct hf_http_client *client, const struct hf_http_config *config, struct hf_err *err)
{
    _cleanup_(settings_done) struct settings settings = {.tls = NULL};
    int r = settings_read(config, client->tls != NULL ? client->tls_digest : NULL, &settings, err);

    if (r < 0)
        return r;
    settings_apply(client, config, &settings);
    return 0;
}

struct hf_http_traffic hf_http_client_traffic(const struct hf_http_client *client)
{
    struct hf_http_traffic traffic = {.sent_bytes = client->sent_bytes, .received_bytes = client->received_bytes};
    const struct hf_http_pool *last = NULL;

    for (struct hf_list *it = client->calls.next; it != &client->calls; it = it->next) {
        const struct hf_http_pool *pool = hf_container_of(it, struct hf_http_call, link)->pool;
        uint64_t trip_ns = pool != NULL && pool != last ? hf_http_pool_round_trip_ns(pool) : 0;
        if (trip_ns != 0)
            traffic.round_trip_ns = traffic.round_trip_ns == 0 ? trip_ns : HF_MIN(traffic.round_trip_ns, trip_ns);
        last = pool;
    }
    return traffic;
}

void hf_http_client_drop_connections(struct hf_http_client *client)
{
    hf_http_pool_retire(client->pool);
}

static void client_end(struct hf_loop_guest *guest)
{
    struct hf_http_client *client = hf_container_of(guest, struct hf_http_client, guest);

    hf_http_call_cancel_all(client);
    hf_http_pool_retire(client->pool);
    hf_tls_unref(client->tls);
    hf_http_peers_unref(client->peers);
    free(client->user_agent);
    hf_buf_wipe_text(&client->authorization);
    free(client->server_name);
    free(client);
}

/* curl takes HTTP_PROXY in lower case only, because a web server sets the one in upper case for its CGI programs from a
 * header of the request. Our programs are none. */
static void take_http_proxy(void)
{
    const char *proxy = getenv("HTTP_PROXY");

    if (proxy != NULL)
        (void)setenv("http_proxy", proxy, 0);
}

struct hf_http_client *hf_http_client_new(struct hf_loop *loop, const struct hf_http_config *config, struct hf_err *err)
{
    static bool ready;
    struct hf_http_client *client;

    if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)hf_err_set(err, ENOMEM, "cannot start libcurl");
        return NULL;
    }
    if (!ready)
        take_http_proxy();
    ready = true;
    client = calloc(1, sizeof(*client));
    if (client == NULL) {
        (void)hf_err_set(err, ENOMEM, "not enough memory for an HTTP client");
        return NULL;
    }
    client->loop = loop;
    client->ops = (struct hf_http_ops){
        .ctx = client, .start = hf_http_call_start, .cancel = hf_http_call_cancel, .pause = hf_http_call_pause};
    client->pool_owner = &hf_http_call_owner;
    hf_list_init(&client->calls);
    if (hf_http_client_update(client, config, err) < 0) {
        free(client);
        return NULL;
    }
    hf_loop_guest_add(loop, &client->guest, client_end);
    return client;
}

void hf_http_client_free(struct hf_http_client *client)
{
    if (client == NULL)
        return;
    hf_loop_guest_remove(&client->guest);
    client_end(&client->guest);
}

const struct hf_http_ops *hf_http_client_ops(struct hf_http_client *client)
{
    return &client->ops;
}
