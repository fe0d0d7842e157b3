/* SPDX-License-Identifier: Apache-2.0 */
/* One hop of a request as options of a curl handle: headers, method, URL; and curl's callbacks while it connects. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "loop/http/client.h"
#include "loop/http/internal.h"
#include "loop/http/proxy.h"

enum {
    KEEPALIVE_COUNT = 3,
    KEEPALIVE_INTERVAL_S = (HF_HTTP_KEEPALIVE_S - HF_HTTP_KEEPALIVE_IDLE_S) / KEEPALIVE_COUNT,
    USER_TIMEOUT_MS = HF_HTTP_KEEPALIVE_S * 1000, /* for a peer that does not acknowledge our bytes */
    MIN_RECEIVE_BUFFER = 32768,
};

#define DEFAULT_CONNECT_NS (10 * HF_NS_PER_S)

/* ---- connecting -------------------------------------------------------------------------------------------------- */

struct hf_tls *hf_http_easy_tls(const struct hf_http_call *call)
{
    struct hf_tls *tls = NULL;

    return hf_http_peers_find(call->pool->peers, call->to.origin, &tls, NULL) && tls != NULL ? tls : call->pool->tls;
}

static CURLcode on_ssl_context(HF_UNUSED CURL *easy, void *ssl_context, void *arg)
{
    struct hf_http_call *call = arg;
    const char *name = call->to_origin && call->client->server_name != NULL ? call->client->server_name : call->to.host;
    struct hf_tls *tls = hf_http_easy_tls(call);
    int r = hf_tls_apply(tls, ssl_context, call->to_origin || tls != call->pool->tls || call->client->agents, name);

    return r == 0 ? CURLE_OK : r == -ENOMEM ? CURLE_OUT_OF_MEMORY : CURLE_SSL_CERTPROBLEM;
}

static int on_socket_made(void *arg, curl_socket_t fd, HF_UNUSED curlsocktype purpose)
{
    const struct hf_http_call *call = arg;
    int count = KEEPALIVE_COUNT, unacknowledged_ms = USER_TIMEOUT_MS;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof(unacknowledged_ms));
    if (call->request.bandwidth_limit > 0) {
        /* We limit our reading, but the kernel would still receive megabytes ahead. Allow one second's worth: less
         * would be slower than the limit if the round trip is long. */
        int room = (int)HF_MIN(HF_MAX(call->request.bandwidth_limit, (uint64_t)MIN_RECEIVE_BUFFER), 4ull << 20);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    }
    return CURL_SOCKOPT_OK;
}

/* Ends the hop because its redirect led to `address`. */
static void refuse_address(struct hf_http_call *call, enum hf_address_class class)
{
    call->refused = true;
    (void)hf_err_set(&call->err, EPROTO,
                     "the redirect leads to '%.100s', a %s address, from a %s one: a redirect must not "
                     "lead closer to this machine",
                     call->to.origin, hf_address_class_name(class), hf_address_class_name(call->allowed));
}

/* The class of the server of this hop, when curl connects to an address of class `connected`. The address of a proxy
 * says nothing about the server behind it: that one counts as public, unless the URL has its address. */
static enum hf_address_class class_of_server(const struct hf_http_call *call, enum hf_address_class connected)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    if (!call->proxied)
        return connected;
    if (inet_pton(AF_INET, call->to.host, bytes) != 1 && strchr(call->to.host, ':') == NULL)
        return HF_ADDRESS_PUBLIC;
    return hf_address_class_of_text(call->to.host);
}

/* Looks at each address before anything is sent to it: after the names are resolved, so that a name which changes its
 * address between two lookups helps nobody. */
static curl_socket_t on_open_socket(void *arg, HF_UNUSED curlsocktype purpose, struct curl_sockaddr *to)
{
    struct hf_http_call *call = arg;
    enum hf_address_class class = class_of_server(call, hf_address_class_of(&to->addr));

    if (class > call->allowed) {
        refuse_address(call, class);
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Also runs on a connection that an earlier call opened. */
static int on_connected(void *arg, char *peer, HF_UNUSED char *own, HF_UNUSED int peer_port, HF_UNUSED int own_port)
{
    struct hf_http_call *call = arg;

    call->reached = class_of_server(call, hf_address_class_of_text(peer));
    if (call->reached <= call->allowed)
        return CURL_PREREQFUNC_OK;
    refuse_address(call, call->reached);
    return CURL_PREREQFUNC_ABORT;
}

/* ---- the request as curl wants it -------------------------------------------------------------------------------- */

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer != NULL)
        *list = longer;
    return longer != NULL;
}

static bool has_name(const char *header, const char *name)
{
    size_t n = strlen(name);

    return strncasecmp(header, name, n) == 0 && header[n] == ':';
}

static bool stays_with_origin(const char *header)
{
    return has_name(header, "Authorization") || has_name(header, "Cookie") || has_name(header, "Proxy-Authorization") ||
           has_name(header, "Host"); /* the name of one server only */
}

static bool make_headers(struct hf_http_call *call)
{
    const struct hf_http_client *client = call->client;
    bool ok = true, typed = false, authorized = false;

    for (size_t i = 0; call->headers[i] != NULL && ok; i++) {
        if (call->left_origin && stays_with_origin(call->headers[i]))
            continue;
        typed = typed || has_name(call->headers[i], "Content-Type");
        authorized = authorized || has_name(call->headers[i], "Authorization");
        ok = add_line(&call->sent_headers, call->headers[i]);
    }
    if (call->credential != NULL && !call->left_origin)
        ok = ok && add_line(&call->sent_headers, call->credential);
    if (call->to_origin && client->authorization != NULL && !authorized)
        ok = ok && add_line(&call->sent_headers, client->authorization);
    /* Without these curl sends "form data", and waits a second for a "100 Continue" before larger bodies. */
    ok = ok && (typed || add_line(&call->sent_headers, "Content-Type:"));
    return ok && add_line(&call->sent_headers, "Expect:");
}

static bool set_method(struct hf_http_call *call)
{
    CURL *easy = call->easy;
    const char *method = call->method;
    bool sends =
        call->body.n > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;

    if (strcmp(method, "HEAD") == 0)
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (!sends)
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
               (strcmp(method, "GET") == 0 || curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK);
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, hf_buf_str(&call->body)) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
}

static bool set_callbacks(struct hf_http_call *call)
{
    CURL *easy = call->easy;

    return curl_easy_setopt(easy, CURLOPT_PRIVATE, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_text) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, call) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, call) == CURLE_OK;
}

/* The name that curl takes from the URL, see set_url(). */
static const char *name_in_url(const struct hf_http_call *call)
{
    const char *name = call->client->server_name;

    return call->to_origin && call->to.https && name != NULL ? name : call->to.host;
}

/* Leaves curl no choice: a proxy for this hop, or none. The environment's proxy is not for loopback. */
static bool set_proxy(struct hf_http_call *call)
{
    bool direct = call->to.loopback || call->client->no_proxy;
    const char *proxy = direct ? NULL : hf_proxy_for(call->to.https, name_in_url(call));

    call->proxied = proxy != NULL;
    return curl_easy_setopt(call->easy, CURLOPT_PROXY, proxy != NULL ? proxy : "") == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_NOPROXY, "") == CURLE_OK;
}

static bool set_connection(struct hf_http_call *call)
{
    CURL *easy = call->easy;
    const struct hf_http_request *request = &call->request;
    uint64_t connect_ns = request->connect_timeout_ns > 0 ? request->connect_timeout_ns : DEFAULT_CONNECT_NS;
    long connect_ms = (long)HF_MIN((connect_ns + HF_NS_PER_MS - 1) / HF_NS_PER_MS, (uint64_t)INT32_MAX);

    return curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* cancelling a call must not wait for a name that does not resolve */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)HF_HTTP_KEEPALIVE_IDLE_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK &&
           /* wait for a connection in progress, it may speak HTTP/2; without TLS this would wait for its first
            * response */
           curl_easy_setopt(easy, CURLOPT_PIPEWAIT, call->to.https ? 1L : 0L) == CURLE_OK;
}

static bool set_tls(struct hf_http_call *call)
{
    CURL *easy = call->easy;
    long verify = call->client->insecure ? 0L : 1L;

    return curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) == CURLE_OK && /* on_ssl_context() sets the store */
           curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
           /* or the store of the pool's first connection would judge the servers of all others */
           curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, call->client->agents ? 0L : verify * 2) == CURLE_OK;
}

/* Sets a TLS name other than the URL's host. curl takes SNI and the name to check from the URL, so put the name into
 * the URL, add a rule that connects to the host, and keep the Host header of the original URL. */
static bool set_url(struct hf_http_call *call)
{
    const char *name = name_in_url(call);
    const struct hf_url_parts *to = &call->to;
    bool six = strchr(to->host, ':') != NULL;

    if (name == to->host)
        return curl_easy_setopt(call->easy, CURLOPT_URL, call->url) == CURLE_OK;
    _cleanup_(hf_freep) char *url = NULL;
    _cleanup_(hf_freep) char *rule =
        hf_asprintf("%s:%u:%s%s%s:%u", name, to->port, six ? "[" : "", to->host, six ? "]" : "", to->port);
    _cleanup_(hf_freep) char *host = hf_asprintf("Host: %s", to->origin + strlen("https://"));
    if (hf_url_with_host(call->url, name, &url, NULL) < 0 || rule == NULL || host == NULL)
        return false;
    return add_line(&call->connect_to, rule) && add_line(&call->sent_headers, host) &&
           curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_URL, url) == CURLE_OK;
}

bool hf_http_easy_make(struct hf_http_call *call)
{
    call->curl_text[0] = '\0';
    call->easy = curl_easy_init();
    return call->easy != NULL && set_callbacks(call) && set_connection(call) && set_proxy(call) && set_tls(call) &&
           set_method(call) && make_headers(call) && set_url(call) &&
           curl_easy_setopt(call->easy, CURLOPT_USERAGENT, call->client->user_agent) == CURLE_OK &&
           curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->sent_headers) == CURLE_OK;
}
