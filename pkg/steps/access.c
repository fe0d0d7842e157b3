/* SPDX-License-Identifier: Apache-2.0 */
#include "steps/access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "base/net/url_mask.h"
#include "codec/sha256.h"
#include "oci/registry/reference.h"
#include "os/secret/guarded_file.h"

enum { MAX_SECRET = 16 << 10, MAX_PEM = 1 << 20, MAX_LINE = 2 * MAX_SECRET };

struct hf_access {
    struct hf_access_params p;
    const struct hf_config *config;
    struct hf_mirror_memory memory;
    char digest[HF_SHA256_HEX]; /* of the peers that the client has; "": none */
};

/* The TLS of one item of `artifacts`, as read. */
struct hf_access_peer {
    const struct hf_config_artifact *item;
    struct hf_buf ca, cert, key;
    char problem[256]; /* "" if there is none */
};

struct hf_access *hf_access_new(const struct hf_access_params *params)
{
    struct hf_access *access = calloc(1, sizeof(*access));

    if (access != NULL)
        access->p = *params;
    return access;
}

void hf_access_free(struct hf_access *access)
{
    free(access);
}

void hf_access_configure(struct hf_access *access, const struct hf_config *config)
{
    access->config = config;
}

/* ---- mirrors ----------------------------------------------------------------------------------------------------- */

int hf_access_tries(const struct hf_access *access, const char *url, struct hf_tries *ret_tries)
{
    static const struct hf_mirror_memory nothing;
    _cleanup_(hf_freep) char *blob = NULL;

    if (hf_oci_blob_url(url, &blob) < 0)
        return -ENOMEM;
    url = blob != NULL ? blob : url;
    return access == NULL
               ? hf_mirrors_list(NULL, &nothing, url, 0, ret_tries)
               : hf_mirrors_list(access->config, &access->memory, url, hf_mono_ns(access->p.clock), ret_tries);
}

void hf_access_failed(struct hf_access *access, const struct hf_try *try, const struct hf_err *err)
{
    char shown[HF_URL_MASKED];

    if (access == NULL || try->mirror == 0)
        return;
    hf_mirrors_failed(&access->memory, try->mirror, hf_mono_ns(access->p.clock));
    hf_log_err(access->p.log, HF_LOG_WARNING, "mirror.failed", "url", hf_url_mask(try->url, shown, sizeof(shown)), err);
}

void hf_access_served(struct hf_access *access, const struct hf_try *try, const char *key)
{
    if (access != NULL)
        hf_mirrors_served(&access->memory, try->mirror, key, hf_mono_ns(access->p.clock));
}

bool hf_access_blame(struct hf_access *access, const char *key)
{
    if (access == NULL || !hf_mirrors_blame(&access->memory, key, hf_mono_ns(access->p.clock)))
        return false;
    hf_log(access->p.log, HF_LOG_WARNING, "mirror.wrong", HF_S("sha256", key));
    return true;
}

bool hf_access_is_private(const struct hf_access *access, const char *url)
{
    _cleanup_(hf_freep) char *blob = NULL;
    const char *field;

    if (hf_oci_blob_url(url, &blob) < 0)
        return true;
    const struct hf_config_artifact *item =
        access != NULL ? hf_config_artifact_for(access->config, blob != NULL ? blob : url) : NULL;

    return item != NULL && (item->cert_file != NULL || item->node_certificate || item->node_token ||
                            hf_config_artifact_file(item, &field) != NULL);
}

/* ---- the files, on a worker -------------------------------------------------------------------------------------- */

static int read_file(const struct hf_fs_ops *fs, const char *path, struct hf_buf *out, struct hf_err *err)
{
    int r = hf_guarded_file_read(fs, path, out, err);

    return r == 0 && out->n == 0 ? hf_err_set(err, EBADMSG, "it is empty") : r;
}

/* Takes the line break at the end off, and blanks around. Refuses what would end the header, or what is no text. */
static int trim(struct hf_buf *secret, struct hf_view *ret, struct hf_err *err)
{
    *ret = hf_view_trim(hf_buf_view(secret));
    if (ret->n == 0)
        return hf_err_set(err, EBADMSG, "it is empty");
    for (size_t i = 0; i < ret->n; i++)
        if ((unsigned char)ret->p[i] < 0x20 || ret->p[i] == 0x7f)
            return hf_err_set(err, EBADMSG, "it has a line break or another control character");
    return 0;
}

static int add_basic(const char *user, struct hf_view password, struct hf_buf *line)
{
    struct hf_buf pair = HF_BUF_INIT(MAX_SECRET + 512);
    int r = hf_buf_addf(&pair, "%s:%.*s", user, (int)password.n, password.p);

    if (r == 0)
        r = hf_buf_add_str(line, "Authorization: Basic ");
    if (r == 0)
        r = hf_base64_encode(pair.p, pair.n, line);
    hf_buf_wipe(&pair);
    return r;
}

static int make_line(const struct hf_config_artifact *item, struct hf_view secret, struct hf_buf *line)
{
    if (item->user != NULL)
        return add_basic(item->user, secret, line);
    return item->token_file != NULL ? hf_buf_addf(line, "Authorization: Bearer %.*s", (int)secret.n, secret.p)
                                    : hf_buf_addf(line, "%s: %.*s", item->header, (int)secret.n, secret.p);
}

static int read_credential(const struct hf_fs_ops *fs, struct hf_access_ticket *ticket)
{
    const struct hf_config_artifact *item = hf_config_artifact_for(ticket->config, ticket->url);
    struct hf_buf secret = HF_BUF_INIT(MAX_SECRET);
    const char *field = NULL, *path = item != NULL ? hf_config_artifact_file(item, &field) : NULL;
    struct hf_err why = HF_ERR_INIT;
    struct hf_view text = {NULL, 0};
    char reason[200];

    if (path == NULL)
        return 0;
    int r = read_file(fs, path, &secret, &why);
    if (r == 0)
        r = trim(&secret, &text, &why);
    if (r == 0 && (r = make_line(item, text, &ticket->credential)) < 0)
        (void)hf_err_sys(&why, r, "make the header");
    hf_buf_wipe(&secret);
    if (r < 0)
        return hf_err_set(&ticket->err, EACCES,
                          "the credential of agent.yaml artifacts[%zu] (%s %.100s) cannot be used: %.90s", item->index,
                          field, path, hf_err_text(&why, reason, sizeof(reason)));
    return 0;
}

static void read_part(const struct hf_fs_ops *fs, struct hf_access_peer *peer, const char *field, const char *path,
                      struct hf_buf *out)
{
    struct hf_err why = HF_ERR_INIT;
    char reason[200];

    if (path != NULL && peer->problem[0] == '\0' && read_file(fs, path, out, &why) < 0)
        (void)snprintf(peer->problem, sizeof(peer->problem),
                       "%s %.100s of agent.yaml artifacts[%zu] cannot be used: %.90s", field, path, peer->item->index,
                       hf_err_text(&why, reason, sizeof(reason)));
}

static int read_peers(const struct hf_fs_ops *fs, struct hf_access_ticket *ticket)
{
    size_t n = hf_config_n_artifacts(ticket->config);

    ticket->peers = n > 0 ? calloc(n, sizeof(*ticket->peers)) : NULL;
    if (n > 0 && ticket->peers == NULL)
        return hf_err_set(&ticket->err, ENOMEM, "not enough memory for certificates");
    for (size_t i = 0; i < n; i++) {
        const struct hf_config_artifact *item = hf_config_artifact(ticket->config, i);
        struct hf_access_peer *peer = &ticket->peers[ticket->n_peers];
        if (item->ca_file == NULL && item->cert_file == NULL && !item->node_certificate)
            continue;
        ticket->n_peers++;
        *peer = (struct hf_access_peer){
            .item = item, .ca = {.max = MAX_PEM}, .cert = {.max = MAX_PEM}, .key = {.max = MAX_PEM}};
        read_part(fs, peer, "caFile", item->ca_file, &peer->ca);
        read_part(fs, peer, "certFile", item->cert_file, &peer->cert);
        read_part(fs, peer, "keyFile", item->key_file, &peer->key);
    }
    return 0;
}

void hf_access_ticket_init(const struct hf_access *access, const char *url, struct hf_access_ticket *ticket)
{
    *ticket = (struct hf_access_ticket){.config = access->config, .url = url, .credential = {.max = MAX_LINE}};
}

void hf_access_ticket_read(const struct hf_fs_ops *fs, struct hf_access_ticket *ticket)
{
    ticket->r = read_credential(fs, ticket);
    if (ticket->r == 0)
        ticket->r = read_peers(fs, ticket);
}

void hf_access_ticket_done(struct hf_access_ticket *ticket)
{
    hf_buf_wipe(&ticket->credential);
    for (size_t i = 0; i < ticket->n_peers; i++) {
        hf_buf_done(&ticket->peers[i].ca);
        hf_buf_done(&ticket->peers[i].cert);
        hf_buf_wipe(&ticket->peers[i].key);
    }
    free(ticket->peers);
    *ticket = (struct hf_access_ticket){.r = 0};
}

/* ---- the client -------------------------------------------------------------------------------------------------- */

static const char *text_of(struct hf_buf *buf)
{
    return buf->n > 0 ? hf_buf_str(buf) : NULL;
}

static void digest_text(struct hf_sha256 *hash, const char *text)
{
    hf_sha256_update(hash, text != NULL ? text : "", text != NULL ? strlen(text) + 1 : 0);
    hf_sha256_update(hash, "|", 1);
}

static const char *digest_of(const struct hf_http_peer *peers, size_t n, char hex[HF_SHA256_HEX])
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    for (size_t i = 0; i < n; i++) {
        digest_text(&hash, peers[i].origin);
        digest_text(&hash, peers[i].problem);
        digest_text(&hash, peers[i].ca_pem);
        digest_text(&hash, peers[i].client_cert_pem);
        digest_text(&hash, peers[i].client_key_pem);
    }
    return hf_sha256_final_hex(&hash, hex);
}

/* Adds what the node proves itself by: it is not in a file, and belongs to the loop thread. */
static int add_token(struct hf_access *access, struct hf_access_ticket *ticket, struct hf_err *err)
{
    const struct hf_config_artifact *item = hf_config_artifact_for(ticket->config, ticket->url);
    const char *token = NULL;

    if (item == NULL || !item->node_token)
        return 0;
    int r = hf_identity_token(access->p.identity, item->origin, &token, err);
    if (r == 0)
        r = hf_buf_addf(&ticket->credential, "Authorization: Bearer %s", token);
    return r < 0 ? hf_err_wrap(err, r, "tokenFrom: node of agent.yaml artifacts[%zu]", item->index) : 0;
}

static void add_certificate(const struct hf_access *access, struct hf_access_peer *peer, struct hf_http_peer *out)
{
    struct hf_err why = HF_ERR_INIT;
    char reason[200];

    if (!peer->item->node_certificate || peer->problem[0] != '\0' ||
        hf_identity_pair(access->p.identity, &out->client_cert_pem, &out->client_key_pem, &why) == 0)
        return;
    (void)snprintf(peer->problem, sizeof(peer->problem), "clientCertificate: node of agent.yaml artifacts[%zu]: %.190s",
                   peer->item->index, hf_err_text(&why, reason, sizeof(reason)));
    out->problem = peer->problem;
}

int hf_access_use(struct hf_access *access, struct hf_access_ticket *ticket, struct hf_err *err)
{
    struct hf_http_peer peers[HF_CONFIG_MAX_ARTIFACTS];
    char digest[HF_SHA256_HEX] = "";

    if (ticket->r < 0) {
        *err = ticket->err;
        return ticket->r;
    }
    for (size_t i = 0; i < ticket->n_peers; i++) {
        struct hf_access_peer *peer = &ticket->peers[i];
        peers[i] = (struct hf_http_peer){.origin = peer->item->origin,
                                         .problem = peer->problem[0] != '\0' ? peer->problem : NULL,
                                         .ca_pem = text_of(&peer->ca),
                                         .client_cert_pem = text_of(&peer->cert),
                                         .client_key_pem = text_of(&peer->key)};
        add_certificate(access, peer, &peers[i]);
    }
    if (ticket->n_peers > 0)
        (void)digest_of(peers, ticket->n_peers, digest);
    if (strcmp(digest, access->digest) != 0) {
        int r = access->p.set_peers(access->p.arg, peers, ticket->n_peers, err);
        if (r < 0)
            return r;
        memcpy(access->digest, digest, sizeof(digest));
    }
    return add_token(access, ticket, err);
}

const char *hf_access_explain(const struct hf_access *access, const char *url, const struct hf_http_response *response,
                              char *text, size_t n)
{
    const struct hf_config_artifact *item = access != NULL ? hf_config_artifact_for(access->config, url) : NULL;
    const char *field = NULL, *path = item != NULL ? hf_config_artifact_file(item, &field) : NULL;

    text[0] = '\0';
    if (response->status != 401 && response->status != 403)
        return text;
    if (response->redirected)
        (void)snprintf(text, n, ": the server to which it redirects refused; no credential follows a redirect");
    else if (item != NULL && item->node_token)
        (void)snprintf(text, n, ": the node's token (agent.yaml artifacts[%zu]) was refused", item->index);
    else if (path != NULL)
        (void)snprintf(text, n, ": the credential of agent.yaml artifacts[%zu] (%s %.80s) was refused", item->index,
                       field, path);
    else if (response->status == 401)
        (void)snprintf(text, n, ": it wants a credential, and agent.yaml artifacts has none for this URL");
    return text;
}
