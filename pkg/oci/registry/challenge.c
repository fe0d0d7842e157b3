/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/registry/challenge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/encoding/base64.h"
#include "base/net/url_escape.h"
#include "codec/json.h"

enum { MAX_ANSWER = 64 << 10, MAX_CONFIG = 1 << 20, MAX_TOKEN = 32 << 10 };

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* One value, quoted or not, into `to`; NULL: not well formed, or too long. */
static const char *take_value(const char *p, char *to, size_t size)
{
    bool quoted = *p == '"';
    size_t n = 0;

    for (p += quoted; *p != '\0' && (quoted ? *p != '"' : strchr(", \t", *p) == NULL); p++) {
        if (quoted && *p == '\\' && p[1] != '\0')
            p++;
        if ((unsigned char)*p < 0x20 || *p == 0x7f || n + 1 >= size)
            return NULL;
        to[n++] = *p;
    }
    to[n] = '\0';
    return !quoted ? p : *p == '"' ? p + 1 : NULL;
}

int hf_oci_challenge_parse(const char *text, struct hf_oci_challenge *ret)
{
    struct hf_oci_challenge challenge = {.bearer = strncasecmp(text, "Bearer ", 7) == 0};
    char other[HF_OCI_REALM] = "";

    if (!challenge.bearer && strncasecmp(text, "Basic", 5) == 0 && (text[5] == ' ' || text[5] == '\0')) {
        *ret = challenge;
        return 0;
    }
    if (!challenge.bearer)
        return -EBADMSG;
    for (const char *p = text + 7; *p != '\0';) {
        p += strspn(p, ", \t");
        size_t n = strspn(p, WORD);
        if (*p == '\0')
            break;
        if (n == 0 || p[n] != '=')
            return -EBADMSG;
        bool realm = n == 5 && strncasecmp(p, "realm", n) == 0, service = n == 7 && strncasecmp(p, "service", n) == 0;
        bool scope = n == 5 && strncasecmp(p, "scope", n) == 0;
        p = take_value(p + n + 1,
                       realm     ? challenge.realm
                       : service ? challenge.service
                       : scope   ? challenge.scope
                                 : other,
                       service ? sizeof(challenge.service) : sizeof(other));
        if (p == NULL)
            return -EBADMSG;
    }
    if (challenge.realm[0] == '\0')
        return -EBADMSG;
    *ret = challenge;
    return 0;
}

static int add_query(struct hf_buf *out, char *mark, const char *name, const char *value)
{
    if (value[0] == '\0')
        return 0;
    int r = hf_buf_addf(out, "%c%s=", *mark, name);
    *mark = '&';
    return r == 0 ? hf_url_escape(value, out) : r;
}

int hf_oci_challenge_url(const struct hf_oci_challenge *challenge, struct hf_buf *out)
{
    char mark = strchr(challenge->realm, '?') != NULL ? '&' : '?';
    int r = hf_buf_add_str(out, challenge->realm);

    if (r == 0)
        r = add_query(out, &mark, "service", challenge->service);
    return r == 0 ? add_query(out, &mark, "scope", challenge->scope) : r;
}

int hf_oci_token_parse(struct hf_view answer, char **ret_token, uint64_t *ret_seconds, struct hf_err *err)
{
    static const struct hf_json_limits limits = {MAX_ANSWER, 8, 1000};
    _cleanup_(hf_json_freep) json_t *json = NULL;
    int r = hf_json_parse(answer, &limits, &json, err);

    if (r < 0)
        return hf_err_wrap(err, -EBADMSG, "the answer with the token");
    const char *token = hf_json_str_or(json, "token", hf_json_str_or(json, "access_token", ""));
    /* It goes into a header: no blank, no control character. */
    if (token[0] == '\0' || strlen(token) > MAX_TOKEN || strspn(token, WORD "~+/=") != strlen(token))
        return hf_err_set(err, EBADMSG, "the answer has no token");
    int64_t seconds = hf_json_int_or(json, "expires_in", 60);
    *ret_seconds = seconds > 0 ? HF_MIN((uint64_t)seconds, 3600u) : 0;
    *ret_token = strdup(token);
    return *ret_token != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");
}

/* "https://registry.example.com/v1/" is "registry.example.com". */
static bool is_for(const char *key, const char *host)
{
    const char *start = strstr(key, "://");
    const char *name = start != NULL ? start + 3 : key;
    size_t n = strcspn(name, "/");

    return n == strlen(host) && strncmp(name, host, n) == 0;
}

int hf_oci_login_find(struct hf_view config, const char *host, struct hf_buf *out, struct hf_err *err)
{
    static const struct hf_json_limits limits = {MAX_CONFIG, 16, 10000};
    _cleanup_(hf_json_freep) json_t *json = NULL;
    const char *key;
    json_t *entry;
    int r = hf_json_parse(config, &limits, &json, err);

    if (r < 0)
        return r;
    json_object_foreach(json_object_get(json, "auths"), key, entry) {
        const char *auth = hf_json_str_or(entry, "auth", ""), *user = hf_json_str_or(entry, "username", "");
        if (!is_for(key, host) || (auth[0] == '\0' && user[0] == '\0'))
            continue;
        if (auth[0] == '\0')
            r = hf_buf_addf(out, "%s:%s", user, hf_json_str_or(entry, "password", ""));
        else if (hf_base64_decode(hf_view_of(auth), out) < 0 || strchr(hf_buf_str(out), ':') == NULL)
            return hf_err_set(err, EBADMSG, "auths of '%.100s': auth is not the Base64 of USER:PASSWORD", key);
        return r < 0 ? hf_err_set(err, -r, "out of memory") : 1;
    }
    return 0;
}
