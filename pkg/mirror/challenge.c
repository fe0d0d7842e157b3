/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror/challenge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

enum { MAX_URL = 4096 };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A word or a quoted string, with its escapes taken off. NULL: not well formed, or a control character. */
static const char *read_value(const char *p, char *text, size_t size, int *ret_r)
{
    bool quoted = *p == '"';
    size_t n = 0;

    p += quoted;
    for (; *p != '\0' && (quoted ? *p != '"' : *p != ',' && *p != ' '); p++) {
        if (quoted && *p == '\\' && p[1] != '\0')
            p++;
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return NULL;
        if (n + 1 >= size) {
            *ret_r = -E2BIG;
            return NULL;
        }
        text[n++] = *p;
    }
    text[n] = '\0';
    if (quoted && *p != '"')
        return NULL;
    return p + quoted;
}

int hf_mirror_challenge_parse(const char *text, struct hf_mirror_challenge *ret)
{
    struct hf_mirror_challenge challenge = {.realm = ""};
    char other[HF_MIRROR_REALM] = "";
    int r = -EBADMSG;

    if (strncasecmp(text, "Bearer ", 7) != 0)
        return -EBADMSG;
    for (const char *p = text + 7; p != NULL && *p != '\0';) {
        p += strspn(p, " ,\t");
        const char *name = p;
        while (is_word(*p))
            p++;
        size_t n = (size_t)(p - name);
        if (n == 0 && *p == '\0')
            break;
        if (n == 0 || *p != '=')
            return -EBADMSG;
        bool realm = n == 5 && strncasecmp(name, "realm", 5) == 0;
        bool service = n == 7 && strncasecmp(name, "service", 7) == 0;
        p = read_value(p + 1,
                       realm     ? challenge.realm
                       : service ? challenge.service
                                 : other,
                       service ? sizeof(challenge.service) : sizeof(other), &r);
        if (p == NULL)
            return r;
    }
    if (challenge.realm[0] == '\0')
        return -EBADMSG;
    *ret = challenge;
    return 0;
}

static int add_escaped(struct hf_buf *url, const char *text)
{
    int r = 0;

    for (; *text != '\0' && r == 0; text++)
        r = is_word(*text) || *text == '.' ? hf_buf_add(url, text, 1)
                                           : hf_buf_addf(url, "%%%02X", (unsigned char)*text);
    return r;
}

char *hf_mirror_token_url(const struct hf_mirror_challenge *challenge, const char *name)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(MAX_URL);
    int r = hf_buf_addf(&url, "%s%c", challenge->realm, strchr(challenge->realm, '?') != NULL ? '&' : '?');

    if (r == 0 && challenge->service[0] != '\0') {
        r = hf_buf_add_str(&url, "service=");
        if (r == 0)
            r = add_escaped(&url, challenge->service);
        if (r == 0)
            r = hf_buf_add_str(&url, "&");
    }
    if (r == 0)
        r = hf_buf_add_str(&url, "scope=repository%3A");
    if (r == 0)
        r = add_escaped(&url, name);
    if (r == 0)
        r = hf_buf_add_str(&url, "%3Apull");
    return r == 0 ? hf_buf_take(&url) : NULL;
}
