/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/http/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop/http/url.h"

struct peer {
    char origin[HF_URL_ORIGIN];
    struct hf_tls *tls; /* NULL: it cannot be used */
    struct hf_err err;  /* why */
};

struct hf_http_peers {
    unsigned refs;
    size_t n;
    struct peer items[];
};

static int fill(struct peer *peer, const struct hf_http_config *config, const struct hf_http_peer *from)
{
    struct hf_http_config own = *config;

    own.ca_pem = from->ca_pem;
    own.client_cert_pem = from->client_cert_pem;
    own.client_key_pem = from->client_key_pem;
    own.insecure_skip_verify = false;
    (void)snprintf(peer->origin, sizeof(peer->origin), "%s", from->origin);
    int r = from->problem != NULL ? hf_err_set(&peer->err, EKEYREJECTED, "%s", from->problem)
                                  : hf_tls_new(&own, &peer->tls, &peer->err);
    if (r < 0 && r != -ENOMEM)
        peer->err.code = EKEYREJECTED;
    return r == -ENOMEM ? r : 0;
}

int hf_http_peers_new(const struct hf_http_config *config, struct hf_http_peers **ret_peers, struct hf_err *err)
{
    struct hf_http_peers *peers;
    int r = 0;

    *ret_peers = NULL;
    if (config->n_peers == 0)
        return 0;
    peers = calloc(1, sizeof(*peers) + config->n_peers * sizeof(peers->items[0]));
    if (peers == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for certificates");
    peers->refs = 1;
    for (; r == 0 && peers->n < config->n_peers; peers->n++)
        r = fill(&peers->items[peers->n], config, &config->peers[peers->n]);
    if (r < 0) {
        hf_http_peers_unref(peers);
        return hf_err_set(err, ENOMEM, "not enough memory for certificates");
    }
    *ret_peers = peers;
    return 0;
}

struct hf_http_peers *hf_http_peers_open(struct hf_http_peers *peers)
{
    if (peers == NULL)
        return NULL;
    for (size_t i = 0; i < peers->n; i++)
        if (peers->items[i].tls != NULL)
            (void)hf_tls_open(peers->items[i].tls);
    peers->refs++;
    return peers;
}

void hf_http_peers_close(struct hf_http_peers *peers)
{
    if (peers == NULL)
        return;
    for (size_t i = 0; i < peers->n; i++)
        if (peers->items[i].tls != NULL)
            hf_tls_close(peers->items[i].tls);
    hf_http_peers_unref(peers);
}

void hf_http_peers_unref(struct hf_http_peers *peers)
{
    if (peers == NULL || --peers->refs > 0)
        return;
    for (size_t i = 0; i < peers->n; i++)
        hf_tls_unref(peers->items[i].tls);
    free(peers);
}

bool hf_http_peers_find(const struct hf_http_peers *peers, const char *origin, struct hf_tls **ret_tls,
                        struct hf_err *err)
{
    for (size_t i = 0; peers != NULL && i < peers->n; i++) {
        const struct peer *peer = &peers->items[i];
        if (strcmp(peer->origin, origin) != 0)
            continue;
        *ret_tls = peer->tls;
        if (peer->tls == NULL && err != NULL)
            *err = peer->err;
        return true;
    }
    return false;
}
