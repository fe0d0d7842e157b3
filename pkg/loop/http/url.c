/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/http/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/net/host.h"
#include "base/net/url_mask.h"
#include "base/parse.h"

static void url_done(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void text_done(char **text)
{
    curl_free(*text);
}

static CURLU *parse(const char *text)
{
    CURLU *url = strlen(text) <= HF_URL_MAX ? curl_url() : NULL;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK) {
        curl_url_cleanup(url);
        return NULL;
    }
    return url;
}

/* Copies the host in lower case without brackets; false if it is empty or too long. */
static bool copy_host(const char *host, char copy[HF_URL_HOST])
{
    size_t n = strlen(host);

    if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
        host++;
        n -= 2;
    }
    if (n == 0 || n >= HF_URL_HOST)
        return false;
    for (size_t i = 0; i < n; i++)
        copy[i] = (char)tolower((unsigned char)host[i]);
    copy[n] = '\0';
    return true;
}

/* Returns true if curl reads `host` in `origin` as it stands. A host in percent codes can decode to further codes or to
 * the number of an IPv4 address. The resolver takes "2130706433" for 127.0.0.1, and hf_host_is_loopback() does not. */
static bool reads_back(const char *origin, const char *host)
{
    _cleanup_(url_done) CURLU *url = parse(origin);
    _cleanup_(text_done) char *read = NULL;
    char copy[HF_URL_HOST];

    return url != NULL && curl_url_get(url, CURLUPART_HOST, &read, 0) == CURLUE_OK && copy_host(read, copy) &&
           strcmp(copy, host) == 0;
}

int hf_url_split(const char *text, struct hf_url_parts *ret_parts, struct hf_err *err)
{
    _cleanup_(url_done) CURLU *url = parse(text);
    _cleanup_(text_done) char *scheme = NULL;
    _cleanup_(text_done) char *host = NULL;
    _cleanup_(text_done) char *port = NULL;
    struct hf_url_parts parts = {.port = 0};
    uint64_t number = 0;
    char shown[128];

    if (url == NULL || curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK || !copy_host(host, parts.host) ||
        hf_parse_u64(port, 1, UINT16_MAX, &number) < 0)
        return hf_err_set(err, EINVAL, "'%s' is not a URL with scheme and host",
                          hf_url_mask(text, shown, sizeof(shown)));
    parts.https = strcasecmp(scheme, "https") == 0;
    if (!parts.https && strcasecmp(scheme, "http") != 0)
        return hf_err_set(err, EINVAL, "'%s' is neither http nor https", hf_url_mask(text, shown, sizeof(shown)));
    bool six = strchr(parts.host, ':') != NULL;
    parts.port = (unsigned)number;
    parts.loopback = hf_host_is_loopback(hf_view_of(parts.host));
    (void)snprintf(parts.origin, sizeof(parts.origin), "%s://%s%s%s:%u", parts.https ? "https" : "http", six ? "[" : "",
                   parts.host, six ? "]" : "", parts.port);
    if (!reads_back(parts.origin, parts.host))
        return hf_err_set(err, EINVAL, "the host of '%s' is not a name or an address in its usual form",
                          hf_url_mask(text, shown, sizeof(shown)));
    *ret_parts = parts;
    return 0;
}

int hf_url_join(const char *base, const char *location, char **ret_url, struct hf_err *err)
{
    _cleanup_(url_done) CURLU *url = parse(base);
    _cleanup_(text_done) char *joined = NULL;

    if (url == NULL || strlen(location) > HF_URL_MAX || curl_url_set(url, CURLUPART_URL, location, 0) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_URL, &joined, 0) != CURLUE_OK)
        return hf_err_set(err, EPROTO, "the redirect leads to an invalid URL");
    char *copy = strdup(joined);
    if (copy == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a URL");
    *ret_url = copy;
    return 0;
}

int hf_url_with_host(const char *text, const char *host, char **ret_url, struct hf_err *err)
{
    _cleanup_(url_done) CURLU *url = parse(text);
    _cleanup_(text_done) char *changed = NULL;

    if (url == NULL || curl_url_set(url, CURLUPART_HOST, host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_URL, &changed, 0) != CURLUE_OK)
        return hf_err_set(err, EINVAL, "'%.64s' is not a host name", host);
    char *copy = strdup(changed);
    if (copy == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory for a URL");
    *ret_url = copy;
    return 0;
}
