/* SPDX-License-Identifier: Apache-2.0 */
#include "base/net/url_mask.h"

#include <stdio.h>
#include <string.h>

const char *hf_url_mask(const char *url, char *shown, size_t n)
{
    const char *colon = strstr(url, "://");
    size_t scheme = colon != NULL && strcspn(url, "/?#@") > (size_t)(colon - url) ? (size_t)(colon + 3 - url) : 0;
    /* Some readers end the host at a backslash, others do not: take the longer one, so that no password shows. */
    size_t host = strcspn(url + scheme, "/?#");
    const char *at = memrchr(url + scheme, '@', host);
    const char *begin = at != NULL ? at + 1 : url + scheme;
    size_t path = strcspn(begin, "?#");

    if (scheme == 0) {
        size_t safe = strcspn(url, "?#@");
        begin = url;
        path = url[safe] == '@' ? 0 : safe;
    }
    (void)snprintf(shown, n, "%.*s%.*s%s", (int)scheme, url, (int)path, begin, begin[path] == '?' ? "?..." : "");
    for (char *c = shown; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            *c = '?';
    return shown;
}
