/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of an HTTP client, and how it judges those of servers: OpenSSL's chain, but our time.
 *
 * A node's clock may be wrong, so the dates of a certificate are judged for the whole range in which the time may
 * lie (judge_dates()) and OpenSSL's own judgement of them is ignored; everything else is OpenSSL's. The function
 * sees each certificate of the chain, and every other fault still fails.
 *
 * Trust is parsed once for all connections. The system's store is opened only when it is needed, and a folder with
 * hashed names is preferred, because a whole bundle costs about a megabyte. Errors of OpenSSL are taken from its
 * queue at once: curl would take a leftover for its own. */
#include "loop/http/tls.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "loop/http/url.h"
#include "loop/tpm_key.h"
#include "os/clock_posix.h"

enum { MAX_CERTIFICATES = 512 };

struct hf_tls {
    unsigned refs;
    unsigned opened;
    X509_STORE *store; /* shared by all connections, parsed once; NULL while nobody needs the system's store */
    bool system_store;
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    bool insecure;
    bool for_agents;
    struct hf_http_agents agents;
    uint64_t max_skew_ns;
    const struct hf_clock_ops *clock;
    struct hf_time_range range; /* range of the present at the last handshake */
    char host[HF_URL_HOST];     /* host of the last handshake */
    bool foreign;               /* result of hf_tls_is_foreign() */
    char reason[256];
    char taken[256];
};

/* ---- reading PEM ------------------------------------------------------------------------------------------------- */

static void bio_done(BIO **bio)
{
    (void)BIO_free(*bio);
}

/* Without this, OpenSSL asks for a passphrase on the terminal. */
static int no_passphrase(HF_UNUSED char *text, HF_UNUSED int n, HF_UNUSED int writing, HF_UNUSED void *arg)
{
    return 0;
}

/* Formats OpenSSL's last error and empties its queue: curl would take a leftover for its own. */
static const char *openssl_reason(char *text, size_t n)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    (void)snprintf(text, n, "%s", reason != NULL ? reason : "not PEM");
    ERR_clear_error();
    return text;
}

static int add_authorities(X509_STORE *store, const char *pem, struct hf_err *err)
{
    _cleanup_(bio_done) BIO *bio = BIO_new_mem_buf(pem, -1);
    char reason[128];
    int n = 0;

    for (; bio != NULL && n < MAX_CERTIFICATES; n++) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
        if (certificate == NULL)
            break;
        int added = X509_STORE_add_cert(store, certificate); /* takes its own reference */
        X509_free(certificate);
        if (added != 1)
            return hf_err_set(err, EBADMSG, "authority certificate %d: %s", n + 1,
                              openssl_reason(reason, sizeof(reason)));
    }
    unsigned long code = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    if (n == 0 || !(at_end || n == MAX_CERTIFICATES))
        return hf_err_set(err, EBADMSG, "authority certificate %d: %s", n + 1, openssl_reason(reason, sizeof(reason)));
    ERR_clear_error();
    return 0;
}

static int read_chain(struct hf_tls *tls, BIO *bio)
{
    tls->chain = sk_X509_new_null();
    for (int n = 0; tls->chain != NULL && n < MAX_CERTIFICATES; n++) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
        if (certificate == NULL)
            break;
        if (sk_X509_push(tls->chain, certificate) == 0) {
            X509_free(certificate);
            return -ENOMEM;
        }
    }
    ERR_clear_error();
    return tls->chain == NULL ? -ENOMEM : 0;
}

static int read_identity(struct hf_tls *tls, const char *certificate_pem, const char *key_pem, struct hf_err *err)
{
    _cleanup_(bio_done) BIO *certificate = BIO_new_mem_buf(certificate_pem, -1);
    char reason[128];

    if (certificate == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for the client certificate");
    tls->certificate = PEM_read_bio_X509(certificate, NULL, no_passphrase, NULL);
    if (tls->certificate == NULL)
        return hf_err_set(err, EBADMSG, "client certificate: %s", openssl_reason(reason, sizeof(reason)));
    int r = read_chain(tls, certificate);
    if (r < 0)
        return hf_err_set(err, -r, "not enough memory for the client certificate");
    tls->key = hf_tpm_key_read(key_pem);
    if (tls->key == NULL &&
        (strstr(key_pem, "BEGIN ENCRYPTED PRIVATE KEY") != NULL || strstr(key_pem, "Proc-Type: 4,ENCRYPTED") != NULL)) {
        ERR_clear_error();
        return hf_err_set(err, EBADMSG,
                          "client key: it is encrypted, and nobody is there to type its passphrase: decrypt it with "
                          "`openssl pkey -in KEY -out PLAIN`, and keep the result readable for its owner alone");
    }
    if (tls->key == NULL)
        return hf_err_set(err, EBADMSG, "client key: %s", openssl_reason(reason, sizeof(reason)));
    if (X509_check_private_key(tls->certificate, tls->key) != 1)
        return hf_err_set(err, EBADMSG, "client key: %s", openssl_reason(reason, sizeof(reason)));
    return 0;
}

/* ---- the system's store ------------------------------------------------------------------------------------------ */

/* Hashed names ("5443e9e3.0") let OpenSSL read only the certificates it needs, on demand. */
static bool has_hashed_names(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool found = false;

    if (dir == NULL)
        return false;
    while (!found && (entry = readdir(dir)) != NULL)
        found =
            strlen(entry->d_name) == 10 && strspn(entry->d_name, "0123456789abcdef") == 8 && entry->d_name[8] == '.';
    (void)closedir(dir);
    return found;
}

/* A whole bundle takes about a megabyte of memory, so a hashed folder comes first. The paths are those of Debian,
 * SUSE and Alpine, Fedora, and OpenSSL's own (SSL_CERT_FILE and SSL_CERT_DIR). */
static void add_system(X509_STORE *store)
{
    static const char *const folders[] = {"/etc/ssl/certs", "/etc/pki/tls/certs"};
    static const char *const bundles[] = {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
                                          "/etc/ssl/ca-bundle.pem", "/etc/ssl/certs/ca-certificates.crt"};
    bool found = getenv("SSL_CERT_FILE") != NULL || getenv("SSL_CERT_DIR") != NULL;

    if (found)
        (void)X509_STORE_set_default_paths(store);
    for (size_t i = 0; !found && i < HF_LEN(folders); i++)
        found = has_hashed_names(folders[i]) && X509_STORE_load_path(store, folders[i]) == 1;
    for (size_t i = 0; !found && i < HF_LEN(bundles); i++)
        found = access(bundles[i], R_OK) == 0 && X509_STORE_load_file(store, bundles[i]) == 1;
    ERR_clear_error();
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static void show_time(const ASN1_TIME *when, char text[HF_TIME_TEXT])
{
    struct tm parts;

    (void)snprintf(text, HF_TIME_TEXT, "(unreadable time)");
    if (ASN1_TIME_to_tm(when, &parts) == 1)
        (void)snprintf(text, HF_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static void note_reason(struct hf_tls *tls, X509 *certificate, int error)
{
    char name[128] = "?", when[HF_TIME_TEXT], now[HF_TIME_TEXT], skew[HF_DURATION_TEXT];
    const struct hf_time_range *range = &tls->range;
    bool early = error == X509_V_ERR_CERT_NOT_YET_VALID;

    if (certificate != NULL)
        (void)X509_NAME_oneline(X509_get_subject_name(certificate), name, (int)sizeof(name));
    if (certificate == NULL || (!early && error != X509_V_ERR_CERT_HAS_EXPIRED)) {
        (void)snprintf(tls->reason, sizeof(tls->reason), "certificate '%.100s': %s", name,
                       X509_verify_cert_error_string(error));
        return;
    }
    show_time(early ? X509_get0_notBefore(certificate) : X509_get0_notAfter(certificate), when);
    (void)snprintf(tls->reason, sizeof(tls->reason),
                   "certificate '%.80s' %s %s, and this node's clock shows %s (tolerance %s)", name,
                   early ? "is not valid before" : "expired", when,
                   hf_format_time(early ? range->latest_unix_ns : range->earliest_unix_ns, now),
                   hf_format_duration(tls->max_skew_ns, skew));
}

/* Converts to seconds since 1970; false if the time is unreadable. No call passes a time_t: where long has 32 bits, the
 * library's may have 32 bits too, and ours has 64. */
static bool unix_s(const ASN1_TIME *when, int64_t *ret_s)
{
    ASN1_TIME *epoch = ASN1_TIME_new();
    int days, seconds;
    bool known = epoch != NULL && ASN1_TIME_set_string(epoch, "19700101000000Z") == 1 &&
                 ASN1_TIME_diff(&days, &seconds, epoch, when) == 1;

    ASN1_TIME_free(epoch);
    if (known)
        *ret_s = (int64_t)days * 86400 + seconds;
    return known;
}

/* Judges the dates of a certificate for the whole range in which the time may lie; returns X509_V_OK or the fault. */
static int judge_dates(const struct hf_tls *tls, const X509 *certificate)
{
    int64_t allowed = (int64_t)HF_MIN(tls->max_skew_ns / HF_NS_PER_S, (uint64_t)INT32_MAX);
    int64_t from, until;

    if (certificate == NULL)
        return X509_V_ERR_UNSPECIFIED;
    if (!unix_s(X509_get0_notBefore(certificate), &from))
        return X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD;
    if (!unix_s(X509_get0_notAfter(certificate), &until))
        return X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD;
    int64_t distance = hf_time_distance_s(&tls->range, from, until);
    if (distance > allowed)
        return X509_V_ERR_CERT_NOT_YET_VALID;
    return distance < -allowed ? X509_V_ERR_CERT_HAS_EXPIRED : X509_V_OK;
}

static int context_index(void)
{
    static int index = -1;

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    return index;
}

static void free_host(HF_UNUSED void *parent, void *host, HF_UNUSED CRYPTO_EX_DATA *data, HF_UNUSED int index,
                      HF_UNUSED long argl, HF_UNUSED void *argp)
{
    free(host);
}

/* The host of this connection, for agents: of several handshakes at a time, tls->host is that of the last begun. */
static int host_index(void)
{
    static int index = -1;

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_host);
    return index;
}

/* True for a certificate that no authority of ours signed, and that is for another host than the one we asked for. */
static bool is_foreign(const struct hf_tls *tls, X509_STORE_CTX *context, int error)
{
    X509 *leaf = X509_STORE_CTX_get0_cert(context);
    bool unsigned_ = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                     error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
                     error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
                     error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;

    return unsigned_ && leaf != NULL && tls->host[0] != '\0' && X509_check_host(leaf, tls->host, 0, 0, NULL) != 1 &&
           X509_check_ip_asc(leaf, tls->host, 0) != 1;
}

/* The first value of `nid` in the subject that begins with `prefix`, without it; NULL: none. */
static const char *subject_value(const X509 *certificate, int nid, const char *prefix)
{
    const X509_NAME *name = X509_get_subject_name(certificate);

    for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
        const char *text = (const char *)ASN1_STRING_get0_data(value);
        size_t n = (size_t)ASN1_STRING_length(value);
        if (n >= strlen(prefix) && strlen(text) == n && strncmp(text, prefix, strlen(prefix)) == 0)
            return text + strlen(prefix);
    }
    return NULL;
}

int hf_tls_agent_node(const void *x509, char node[HF_HTTP_NODE])
{
    const char *group = subject_value(x509, NID_organizationName, "holdfast:agents");
    const char *name = subject_value(x509, NID_commonName, "holdfast:agent:");

    if (group == NULL || group[0] != '\0' || name == NULL || name[0] == '\0' || strlen(name) >= HF_HTTP_NODE ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(name))
        return -EACCES;
    (void)snprintf(node, HF_HTTP_NODE, "%s", name);
    return 0;
}

/* The leaf of a chain without faults. Returns X509_V_OK or the fault. */
static int judge_agent(const X509 *certificate)
{
    char node[HF_HTTP_NODE];

    return hf_tls_agent_node(certificate, node) < 0 ? X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK;
}

/* As a client. Everybody can show the certificate of an agent: only at its end has the handshake proved the key. */
static void meet(const SSL *ssl, int where, HF_UNUSED int value)
{
    const SSL_CTX *context = SSL_get_SSL_CTX(ssl);
    const struct hf_tls *tls = SSL_CTX_get_ex_data(context, context_index());
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    char node[HF_HTTP_NODE];

    if ((where & SSL_CB_HANDSHAKE_DONE) != 0 && certificate != NULL && hf_tls_agent_node(certificate, node) == 0)
        tls->agents.met(tls->agents.arg, SSL_CTX_get_ex_data(context, host_index()), node);
}

/* OpenSSL calls this for each fault of the chain, and for each certificate in which it found none. This function judges
 * the dates of all of them; verification then continues and may find other faults. */
static int judge(int ok, X509_STORE_CTX *context)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct hf_tls *tls = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index());
    X509 *certificate = X509_STORE_CTX_get_current_cert(context);
    int error = ok == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);

    if (error == X509_V_OK || error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED)
        error = judge_dates(tls, certificate);
    if (error == X509_V_OK && tls->for_agents && X509_STORE_CTX_get_error_depth(context) == 0)
        error = judge_agent(certificate);
    X509_STORE_CTX_set_error(context, error);
    if (error == X509_V_OK)
        return 1;
    note_reason(tls, certificate, error);
    tls->foreign = is_foreign(tls, context, error);
    return 0;
}

/* Tells OpenSSL the time by which it prefers one of several authorities of the same name. Where long has 32 bits, the
 * library's time_t may differ from ours, and OpenSSL goes by the system's clock. */
static void set_time(SSL_CTX *context, const struct hf_time_range *range)
{
    if (sizeof(long) == sizeof(time_t))
        X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), (time_t)(range->estimate_unix_ns / HF_NS_PER_S));
}

static bool note_host(SSL_CTX *context, const char *host)
{
    char *copy = strdup(host);

    if (copy != NULL && SSL_CTX_set_ex_data(context, host_index(), copy) == 1)
        return true;
    free(copy);
    return false;
}

int hf_tls_apply(struct hf_tls *tls, void *ssl_ctx, bool identity, const char *host)
{
    SSL_CTX *context = ssl_ctx;
    bool ok = true;

    tls->reason[0] = '\0';
    tls->foreign = false;
    (void)snprintf(tls->host, sizeof(tls->host), "%s", host);
    if (identity && tls->certificate != NULL)
        ok = SSL_CTX_use_cert_and_key(context, tls->certificate, tls->key, tls->chain, 1) == 1;
    if (tls->insecure || !ok) {
        ERR_clear_error();
        return ok ? 0 : -EBADMSG;
    }
    if (tls->store == NULL) {
        tls->store = X509_STORE_new();
        if (tls->store == NULL)
            return -ENOMEM;
        add_system(tls->store);
    }
    tls->range = hf_clock_range(tls->clock);
    set_time(context, &tls->range);
    /* Trust an intermediate that the configuration lists as an authority, as Go and curl do with a bundle. */
    ok = X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
         (!tls->for_agents || note_host(context, host)) &&
         (!tls->for_agents ||
          X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(context), X509_PURPOSE_SSL_CLIENT) == 1) &&
         SSL_CTX_set_ex_data(context, context_index(), tls) == 1;
    SSL_CTX_set1_cert_store(context, tls->store);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, judge);
    if (tls->for_agents && tls->agents.met != NULL && host[0] != '\0')
        SSL_CTX_set_info_callback(context, meet);
    ERR_clear_error();
    return ok ? 0 : -ENOMEM;
}

int hf_tls_apply_server(struct hf_tls *tls, void *ssl_ctx)
{
    SSL_CTX *context = ssl_ctx;
    int r = tls->for_agents ? hf_tls_apply(tls, context, true, "") : -EINVAL;

    if (r == 0)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           SSL_CTX_get_verify_callback(context));
    return r;
}

bool hf_tls_is_foreign(const struct hf_tls *tls)
{
    return tls->foreign;
}

const char *hf_tls_take_reason(struct hf_tls *tls)
{
    memcpy(tls->taken, tls->reason, sizeof(tls->taken));
    tls->reason[0] = '\0';
    return tls->taken;
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int fill(struct hf_tls *tls, const struct hf_http_config *config, struct hf_err *err)
{
    tls->system_store = config->ca_pem == NULL && !config->insecure_skip_verify;
    if (config->ca_pem != NULL) {
        tls->store = X509_STORE_new();
        int r = tls->store == NULL ? hf_err_set(err, ENOMEM, "not enough memory for certificates")
                                   : add_authorities(tls->store, config->ca_pem, err);
        if (r < 0)
            return r;
    }
    if (config->client_cert_pem == NULL && config->client_key_pem == NULL)
        return 0;
    if (config->client_cert_pem == NULL || config->client_key_pem == NULL)
        return hf_err_set(err, EBADMSG, "client certificate and key must be set together");
    return read_identity(tls, config->client_cert_pem, config->client_key_pem, err);
}

int hf_tls_new(const struct hf_http_config *config, struct hf_tls **ret_tls, struct hf_err *err)
{
    _cleanup_(hf_tls_unrefp) struct hf_tls *tls = calloc(1, sizeof(*tls));

    if (tls == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for certificates");
    tls->refs = 1;
    tls->insecure = config->insecure_skip_verify;
    tls->for_agents = config->agents != NULL;
    if (tls->for_agents)
        tls->agents = *config->agents;
    tls->max_skew_ns = config->max_skew_ns;
    tls->clock = config->clock != NULL ? config->clock : hf_clock_posix();
    int r = fill(tls, config, err);
    if (r < 0) {
        ERR_clear_error();
        return r;
    }
    *ret_tls = hf_steal(tls);
    return 0;
}

struct hf_tls *hf_tls_open(struct hf_tls *tls)
{
    tls->refs++;
    tls->opened++;
    return tls;
}

void hf_tls_close(struct hf_tls *tls)
{
    if (--tls->opened == 0 && tls->system_store)
        X509_STORE_free(hf_steal(tls->store));
    hf_tls_unref(tls);
}

void hf_tls_unref(struct hf_tls *tls)
{
    if (tls == NULL || --tls->refs > 0)
        return;
    X509_STORE_free(tls->store);
    X509_free(tls->certificate);
    sk_X509_pop_free(tls->chain, X509_free);
    EVP_PKEY_free(tls->key);
    free(tls);
}

void hf_tls_unrefp(struct hf_tls **tls)
{
    hf_tls_unref(*tls);
}
